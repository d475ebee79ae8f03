#include "sim/memory_disk.h"

#include <algorithm>

#include "core/limits.h"
#include "trust/authority_record.h"

namespace ebb::sim {

store::AuthorityRows MemoryDisk::authority_rows() const {
  store::AuthorityRows rows;
  for (const auto& [at, record] : authority)
    rows.records.push_back(record);
  rows.missing = authority_missing;
  rows.floors = floors;
  return rows;
}

void MemoryDisk::keep_side(const store::CommitBatch& batch) {
  for (const auto& gone : batch.authority.dropped)
    authority.erase(gone);
  for (const Bytes& record : batch.authority.records) {
    const auto read = trust::read_authority_record(mesh, record);
    if (read.ok())
      authority.emplace(std::pair(read->record.authority, read->record.position()), record);
  }
  if (batch.authority.missing) authority_missing = *batch.authority.missing;
  if (batch.authority.floors) floors = *batch.authority.floors;
  const auto heard = [&](const DeviceId& peer) {
    const auto row = peers.find(peer);
    const bool now = std::any_of(batch.cursors.begin(), batch.cursors.end(),
                                 [&peer](const auto& moved) { return moved.peer == peer; });
    if (now) return INT64_MAX;
    return row == peers.end() ? INT64_MIN : row->second.last_heard.ms;
  };
  while (cursors.size() > limits::kStoredPeers) {
    cursors.erase(std::min_element(
        cursors.begin(), cursors.end(),
        [&heard](const auto& a, const auto& b) { return heard(a.first) < heard(b.first); }));
  }
}

// There is no bound on the rows of all authors together here.
bool MemoryDisk::has_quota(const LogKey& key, const std::vector<store::DayCount>& days,
                           const store::QuotaLimit& limit, const ClockVerdict& now) {
  const bool control = key.topic == kControlTopic;
  store::QuotaRules rules;
  rules.limit = control ? store::control_quota(limit) : limit;
  rules.today = store::quota_day(now.time);
  rules.refuses = !now.suspect();
  return store::admit(quotas[control ? 1 : 0][key.device], days, rules);
}

}  // namespace ebb::sim
