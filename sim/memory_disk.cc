#include "sim/memory_disk.h"

#include <algorithm>

#include "core/limits.h"

namespace ebb::sim {

// No more than there may be: those of the peers that were heard longest ago go, one by one.
void MemoryDisk::keep_cursors(const store::CommitBatch& batch) {
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
