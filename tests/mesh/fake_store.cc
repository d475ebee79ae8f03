#include "tests/mesh/fake_store.h"

#include <algorithm>
#include <set>
#include <utility>

#include "codec/event.h"
#include "codec/record.h"
#include "codec/value.h"
#include "core/check.h"
#include "trust/chain.h"
#include "trust/hash.h"

namespace ebb::tests {
namespace {

Bytes seed_bytes(std::uint8_t seed) { return Bytes(trust::kSeedBytes, seed); }

// One event whose payload is a string of the given size.
void append_event(Bytes& raw, Hlc hlc, std::size_t payload_bytes) {
  Bytes payload;
  codec::Writer(payload).str(std::string(payload_bytes, 'x'));
  codec::EventView event;
  event.hlc = hlc;
  event.type = "test";
  event.payload = payload;
  EBB_CHECK(codec::encode_event(event, raw).ok());
}

}  // namespace

struct FakeStore::Backup {
  std::map<LogId, Log> logs;
  std::map<DeviceId, codec::Cursor> cursors;
  Arrival arrival = 0;
  std::uint64_t clock = 0;
};

FakeStore::FakeStore(std::uint8_t seed, Incarnation incarnation)
    : incarnation_(incarnation), epoch_(std::uint64_t{seed} << 32 | 1) {
  EBB_CHECK(trust::crypto_ready().ok());
  auto identity = trust::Identity::from_seed(seed_bytes(seed));
  EBB_CHECK(identity.ok());
  identity_ = std::move(identity).value();
}

mesh::IncarnationBegun FakeStore::begin_anew(Incarnation incarnation) {
  incarnation_ = incarnation;
  return {incarnation_, ++epoch_};
}

LogId FakeStore::own_log(std::string_view topic) const {
  return trust::log_id({device(), incarnation_, std::string(topic)});
}

trust::SealRequest FakeStore::begin_segment(std::string_view topic) const {
  trust::SealRequest request;
  request.key = {device(), incarnation_, std::string(topic)};
  request.log = trust::log_id(request.key);
  const auto it = logs_.find(request.log);
  const Position held =
      it == logs_.end() ? Position{0, trust::chain_start(request.key)} : it->second.head.held;
  request.first_seq = held.seq + 1;
  request.prev_chain = held.chain;
  request.first_hlc = {(clock_ + 1) << 16};
  return request;
}

mesh::Committed FakeStore::seal(trust::SealRequest request, Bytes raw) {
  request.offsets.push_back(static_cast<std::uint32_t>(raw.size()));
  request.last_hlc = {clock_ << 16};
  request.raw = share(std::move(raw));
  trust::VerifiedSegment segment = trust::seal_segment(identity(), std::move(request));
  put(segment);
  mesh::Committed answer;
  answer.advanced.push_back(logs_[segment.log].head);
  answer.own_segments.push_back(std::move(segment));
  answer.arrival_head = arrival_;
  return answer;
}

mesh::Committed FakeStore::append(const AppendShape& shape) {
  trust::SealRequest request = begin_segment(shape.topic);
  Bytes raw;
  for (std::uint32_t i = 0; i < shape.count; ++i) {
    request.offsets.push_back(static_cast<std::uint32_t>(raw.size()));
    append_event(raw, {++clock_ << 16}, shape.payload_bytes);
  }
  return seal(std::move(request), std::move(raw));
}

mesh::Committed FakeStore::write(const mesh::WriteRecord& record) {
  clock_ = std::max(clock_, wall_ms);
  trust::SealRequest request = begin_segment(kControlTopic);
  request.offsets.push_back(0);
  codec::EventView event;
  event.hlc = {++clock_ << 16};
  event.type = record.type;
  event.payload = record.payload;
  Bytes raw;
  EBB_CHECK(codec::encode_event(event, raw).ok());
  mesh::Committed answer = seal(std::move(request), std::move(raw));
  if (auto presence = presence_in(answer.own_segments.front())) {
    answer.presences.push_back(std::move(*presence));
  }
  return answer;
}

// The last of the segment.
std::optional<mesh::HeldPresence> FakeStore::presence_in(const trust::VerifiedSegment& segment) {
  if (segment.key.topic != kControlTopic) return std::nullopt;
  std::optional<mesh::HeldPresence> found;
  for (std::uint32_t i = 0; i < segment.count; ++i) {
    const auto event = codec::decode_event(segment.event_bytes(i));
    if (!event.ok() || event->type != codec::kPresenceType) continue;
    auto said = codec::decode_presence(event->payload);
    if (said.ok()) found = mesh::HeldPresence{segment.key.device, event->hlc, *std::move(said)};
  }
  return found;
}

std::vector<mesh::HeldPresence> FakeStore::presences() const {
  std::map<DeviceId, mesh::HeldPresence> newest;
  for (const auto& [id, log] : logs_) {
    for (const trust::VerifiedSegment& segment : log.segments) {
      auto presence = presence_in(segment);
      if (!presence) continue;
      const auto known = newest.find(presence->device);
      const bool older =
          known != newest.end() && known->second.said.number >= presence->said.number;
      if (!older) newest.insert_or_assign(presence->device, std::move(*presence));
    }
  }
  std::vector<mesh::HeldPresence> list;
  for (auto& [device, presence] : newest)
    list.push_back(std::move(presence));
  return list;
}

void FakeStore::put(const trust::VerifiedSegment& segment) {
  Log& log = logs_[segment.log];
  log.head.key = segment.key;
  log.head.log = segment.log;
  log.head.held = {segment.last_seq(), segment.chain};
  log.head.hlc = segment.head.hlc;
  log.head.signature = segment.head.signature;
  log.head.arrival = ++arrival_;
  log.segments.push_back(segment);
}

mesh::CommitOutcome FakeStore::store_one(const trust::VerifiedSegment& segment) {
  const auto it = logs_.find(segment.log);
  if (full && it == logs_.end()) return mesh::CommitOutcome::kTooManyLogs;
  if (segment.key.device == over_quota) return mesh::CommitOutcome::kOverQuota;
  const Position held =
      it == logs_.end() ? Position{0, trust::chain_start(segment.key)} : it->second.head.held;
  if (segment.last_seq() <= held.seq) return mesh::CommitOutcome::kDuplicate;
  if (segment.first_seq > held.seq + 1) return mesh::CommitOutcome::kGap;
  if (segment.first_seq <= held.seq) {
    const auto cut = trust::cut_segment(segment, held.seq + 1);
    if (!cut.ok() || cut->prev_chain != held.chain) return mesh::CommitOutcome::kFork;
    put(*cut);
    return mesh::CommitOutcome::kStored;
  }
  if (segment.prev_chain != held.chain) return mesh::CommitOutcome::kFork;
  put(segment);
  return mesh::CommitOutcome::kStored;
}

mesh::Committed FakeStore::commit(const mesh::Commit& commit) {
  mesh::Committed answer;
  answer.token = commit.token;
  answer.arrival_head = arrival_;
  if (failing) {
    answer.failed = Error{ErrorCode::kDiskFull, "fake store"};
    return answer;
  }
  for (const mesh::CursorMoved& moved : commit.cursors) {
    cursors_[moved.peer] = moved.cursor;
    if (moved.cursor.arrival == 0) cursors_.erase(moved.peer);
  }
  std::set<LogId> moved;
  const Arrival before = arrival_;
  for (const trust::VerifiedSegment& segment : commit.segments) {
    answer.outcomes.push_back(store_one(segment));
    if (answer.outcomes.back() != mesh::CommitOutcome::kStored) continue;
    moved.insert(segment.log);
    if (auto presence = presence_in(segment)) answer.presences.push_back(std::move(*presence));
  }
  // A log has one arrival a transaction, however many segments came.
  arrival_ = before;
  for (const LogId& log : moved) {
    logs_[log].head.arrival = ++arrival_;
    answer.advanced.push_back(logs_[log].head);
  }
  answer.arrival_head = arrival_;
  return answer;
}

mesh::ReadDone FakeStore::read(const mesh::Read& read) {
  mesh::ReadDone done;
  done.token = read.token;
  if (failing_reads) {
    done.failed = Error{ErrorCode::kIo, "fake store"};
    return done;
  }
  std::size_t bytes = 0;
  for (const trust::VerifiedSegment& segment : segments(read.log)) {
    if (segment.last_seq() < read.from) continue;
    if (segment.first_seq > read.to || (bytes > 0 && bytes >= read.bytes_max)) break;
    SharedBytes encoded = segment.encoded;
    if (segment.first_seq < read.from) {
      const auto cut = trust::cut_segment(segment, read.from);
      EBB_CHECK(cut.ok());
      encoded = cut->encoded;
    }
    bytes += encoded->size();
    done.segments.push_back(std::move(encoded));
  }
  return done;
}

std::vector<mesh::StoredHead> FakeStore::heads() const {
  std::vector<mesh::StoredHead> list;
  for (const auto& [id, log] : logs_)
    list.push_back(log.head);
  return list;
}

std::uint64_t FakeStore::events() const {
  std::uint64_t count = 0;
  for (const auto& [id, log] : logs_)
    count += log.head.held.seq;
  return count;
}

const std::vector<trust::VerifiedSegment>& FakeStore::segments(const LogId& log) const {
  static const std::vector<trust::VerifiedSegment> kNone;
  const auto it = logs_.find(log);
  return it == logs_.end() ? kNone : it->second.segments;
}

std::vector<std::pair<DeviceId, codec::Cursor>> FakeStore::cursors() const {
  return {cursors_.begin(), cursors_.end()};
}

void FakeStore::copy_logs(const FakeStore& other) {
  for (const auto& [id, log] : other.logs_) {
    logs_[id] = log;
    logs_[id].head.arrival = ++arrival_;
  }
}

void FakeStore::add_head(mesh::StoredHead head) {
  head.arrival = ++arrival_;
  Log& log = logs_[head.log];
  log.head = std::move(head);
}

void FakeStore::lose(const LogId& log) { logs_.erase(log); }

std::shared_ptr<const FakeStore::Backup> FakeStore::back_up() const {
  return std::make_shared<const Backup>(Backup{logs_, cursors_, arrival_, clock_});
}

void FakeStore::restore(const Backup& backup, bool new_epoch) {
  logs_ = backup.logs;
  cursors_ = backup.cursors;
  arrival_ = backup.arrival;
  clock_ = backup.clock;
  if (new_epoch) ++epoch_;
}

void FakeStore::change_scope() {
  ++epoch_;
  cursors_.clear();
}

void FakeStore::roll_back(const LogId& log, std::size_t segments) {
  Log& rolled = logs_.at(log);
  EBB_CHECK(segments <= rolled.segments.size());
  ++epoch_;
  const std::vector<trust::VerifiedSegment> kept(
      rolled.segments.begin(), rolled.segments.end() - static_cast<std::ptrdiff_t>(segments));
  logs_.erase(log);
  for (const trust::VerifiedSegment& segment : kept)
    put(segment);
}

}  // namespace ebb::tests
