// MemoryDisk: what a store in memory leaves when it is closed or killed: plain values. A copy of it
// is a backup.
//
// Threads: values; any thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/bytes.h"
#include "core/hlc.h"
#include "core/pointer_index.h"
#include "core/scope.h"
#include "store/quota.h"
#include "store/types.h"
#include "trust/segment_verify.h"

namespace ebb::sim {

struct MemoryLog {
  store::HeadRecord head;
  std::map<Seq, trust::VerifiedSegment> segments;  // by first seq, without gaps or overlaps
};

struct DeviceHash {
  std::size_t operator()(const DeviceId& device) const { return read_be64(device.view()); }
};

struct MemoryDisk {
  bool made = false;
  MeshId mesh;
  Incarnation incarnation = 0;
  StoreEpoch epoch = 0;
  ScopeHash scope;
  Arrival arrival_head = 0;
  std::optional<WallTime> last_commit;  // that moved a log; as judged
  std::deque<MemoryLog> logs;           // in the order in which they became known
  PointerIndex<MemoryLog> index;        // of `logs`
  std::unordered_map<DeviceId, std::size_t, DeviceHash> counts;  // of logs
  std::map<Uuid, Dot> client_ids;
  std::map<DeviceId, store::CursorUpdate> cursors;
  std::map<DeviceId, store::PeerRow> peers;
  std::map<DeviceId, store::PresenceRow> presences;
  std::map<std::pair<DeviceId, Position>, Bytes> authority;
  std::vector<trust::AuthorityMissing> authority_missing;
  trust::TimeFloor::Kept floors;
  // Of data and of control records. Nothing goes over them in their order.
  std::array<std::unordered_map<DeviceId, store::QuotaAccount, DeviceHash>, 2> quotas;

  MemoryDisk() = default;
  MemoryDisk(const MemoryDisk& other) { *this = other; }
  MemoryDisk& operator=(const MemoryDisk& other) {
    made = other.made;
    mesh = other.mesh;
    incarnation = other.incarnation;
    epoch = other.epoch;
    scope = other.scope;
    arrival_head = other.arrival_head;
    last_commit = other.last_commit;
    logs = other.logs;
    client_ids = other.client_ids;
    cursors = other.cursors;
    peers = other.peers;
    presences = other.presences;
    authority = other.authority;
    authority_missing = other.authority_missing;
    floors = other.floors;
    quotas = other.quotas;
    counts = other.counts;
    index.clear();
    for (MemoryLog& log : logs)
      index.insert(hash_of(log.head.log), log);
    return *this;
  }

  static std::uint64_t hash_of(const LogId& log) { return read_be64(log.view()); }
  MemoryLog* find(const LogId& log) const {
    return index.find(hash_of(log), [&log](const MemoryLog& one) { return one.head.log == log; });
  }
  // What a commit says of authorities; and no more cursors than there may be: those of the peers
  // that were heard longest ago go, one by one.
  void keep_side(const store::CommitBatch& batch);
  store::AuthorityRows authority_rows() const;
  // Counts these events of another device, or says that its quota does not allow them.
  bool has_quota(const LogKey& key, const std::vector<store::DayCount>& days,
                 const store::QuotaLimit& limit, const ClockVerdict& now);
  std::size_t count_of(const DeviceId& device) const {
    const auto found = counts.find(device);
    return found == counts.end() ? 0 : found->second;
  }
  MemoryLog& create(const LogKey& key, const LogId& log, const Hash& chain_start) {
    MemoryLog& made_log = logs.emplace_back();
    made_log.head.key = key;
    made_log.head.log = log;
    made_log.head.held = {0, chain_start};
    index.insert(hash_of(log), made_log);
    ++counts[key.device];
    return made_log;
  }
};

}  // namespace ebb::sim
