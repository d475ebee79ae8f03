// FakeStore: storage in memory with the outcomes of the real one, so that engine tests need no
// disk. It can fail, refuse and forget on demand.
//
// Ownership: owns its identity and all segments.
// Threads:   not thread-safe; one test.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.h"
#include "mesh/types.h"
#include "trust/identity.h"
#include "trust/segment_verify.h"

namespace ebb::tests {

struct AppendShape {
  std::string topic = "events";
  std::uint32_t count = 1;
  std::size_t payload_bytes = 8;
};

class FakeStore {
 public:
  // Devices of larger seeds need not have larger keys.
  explicit FakeStore(std::uint8_t seed, Incarnation incarnation = 1);

  const DeviceId& device() const { return identity_->device(); }
  const trust::Identity& identity() const { return *identity_; }
  Incarnation incarnation() const { return incarnation_; }
  void begin_incarnation(Incarnation incarnation) { incarnation_ = incarnation; }
  // The same behind a rollback: with a new epoch.
  mesh::IncarnationBegun begin_anew(Incarnation incarnation);

  StoreEpoch take_epoch() { return ++epoch_; }

  // Appends one segment to a log of our own; the answer is what the engine is told (token 0).
  mesh::Committed append(const AppendShape& shape);
  mesh::Committed write(const mesh::WriteRecord& record);  // the same for one event of `_ebb`
  mesh::Committed commit(const mesh::Commit& commit);
  mesh::ReadDone read(const mesh::Read& read);

  std::vector<mesh::StoredHead> heads() const;
  Arrival arrival_head() const { return arrival_; }
  std::uint64_t events() const;
  const std::vector<trust::VerifiedSegment>& segments(const LogId& log) const;
  LogId own_log(std::string_view topic) const;
  StoreEpoch epoch() const { return epoch_; }
  std::vector<std::pair<DeviceId, codec::Cursor>> cursors() const;
  // The newest presence of each device, as its logs say.
  std::vector<mesh::HeldPresence> presences() const;

  // Takes over the other store's logs, as after an exchange.
  void copy_logs(const FakeStore& other);

  // A head without events: for tests in which nobody asks for them.
  void add_head(mesh::StoredHead head);
  // The log is gone without a trace, as no store may ever do.
  void lose(const LogId& log);

  // All that is stored, and putting it back; whether the epoch is then a new one is up to the
  // caller, who may want to see what happens without.
  struct Backup;
  std::shared_ptr<const Backup> back_up() const;
  void restore(const Backup& backup, bool new_epoch);

  // As a store that starts with another scope: a new epoch, no cursors.
  void change_scope();

  // The newest `segments` of a log are lost, as after the restore of an old backup.
  void roll_back(const LogId& log, std::size_t segments);

  std::uint64_t wall_ms = 0;           // stamps are not before it
  bool failing = false;                // every commit fails, as on a full disk
  bool full = false;                   // no new log has room
  std::optional<DeviceId> over_quota;  // has used up its quota
  bool failing_reads = false;          // every read does, as on a bad one

 private:
  struct Log {
    mesh::StoredHead head;
    std::vector<trust::VerifiedSegment> segments;
  };
  mesh::CommitOutcome store_one(const trust::VerifiedSegment& segment);
  void put(const trust::VerifiedSegment& segment);
  mesh::Committed seal(trust::SealRequest request, Bytes raw);
  trust::SealRequest begin_segment(std::string_view topic) const;
  static std::optional<mesh::HeldPresence> presence_in(const trust::VerifiedSegment& segment);

  std::unique_ptr<trust::Identity> identity_;
  Incarnation incarnation_;
  StoreEpoch epoch_;
  std::map<LogId, Log> logs_;
  std::map<DeviceId, codec::Cursor> cursors_;
  Arrival arrival_ = 0;
  std::uint64_t clock_ = 0;
};

}  // namespace ebb::tests
