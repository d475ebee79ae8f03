#include "store/append.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/limits.h"
#include "core/planted.h"
#include "state/objects.h"
#include "store/merge.h"
#include "store/store.h"
#include "trust/chain.h"

namespace ebb::store {
namespace {

constexpr std::string_view kReservedPrefix = "ebb.";

// Joins dots that follow each other into one range.
void add_dot(std::vector<DotRange>& ranges, const Dot& dot, bool duplicate) {
  if (!ranges.empty()) {
    DotRange& last = ranges.back();
    if (last.log == dot.log && last.first_seq + last.count == dot.seq &&
        last.duplicate == duplicate) {
      ++last.count;
      return;
    }
  }
  ranges.push_back({dot.log, dot.seq, 1, duplicate});
}

}  // namespace

Result<std::vector<DotRange>> AppendStage::add(const AppendBatch& batch) {
  EBB_RETURN_IF_ERROR(status_);
  EBB_ASSIGN(OwnLog* const log, own_log(batch.topic));
  const bool opens_log = log->is_new && log->next_seq == 1;
  const bool opens_topic = opens_log && batch.topic != kControlTopic;
  if (opens_log) EBB_RETURN_IF_ERROR(check_room(batch.topic));
  BatchScope scope{*log, {}, {}, {}};
  const HlcClock clock_before = clock_;
  const Seq next_before = log->next_seq;
  const std::size_t chunks_before = log->chunks.size();
  const std::size_t events_before = log->chunks.empty() ? 0 : log->chunks.back().events.size();
  const Hash chain_before = log->chunks.empty() ? Hash{} : log->chunks.back().chain;
  for (const AppendItem& item : batch.items) {
    Status added = add_item(scope, item);
    if (added.ok()) continue;
    clock_ = clock_before;
    log->next_seq = next_before;
    log->chunks.resize(chunks_before);
    if (chunks_before > 0) {
      Chunk& last = log->chunks.back();
      last.events.resize(events_before);
      last.offsets.resize(events_before + 1);
      last.raw.resize(last.offsets.back());
      last.chain = chain_before;
    }
    return added.error();
  }
  if (opens_log && log->next_seq > 1) ++new_logs_;
  if (opens_topic && log->next_seq > 1) ++new_topics_;
  ids_.merge(scope.ids);
  for (auto& [element, live] : scope.elements)
    elements_.insert_or_assign(element, std::move(live));
  return std::move(scope.ranges);
}

// The stage's new logs have no row before seal().
Status AppendStage::check_room(const std::string& topic) const {
  if (topic != kControlTopic && target_.topics + new_topics_ >= limits::kTopicsPerDevice) {
    return Error{ErrorCode::kTooLarge, "too many topics", topic};
  }
  if (target_.logs.log_count() + new_logs_ >= limits::kKnownLogs) {
    return Error{ErrorCode::kTooLarge, "too many logs known", topic};
  }
  const std::size_t own = target_.logs.log_count_of(target_.identity.device());
  if (own + new_logs_ >= limits::kLogsPerDevice) {
    return Error{ErrorCode::kTooLarge, "too many logs of this device", topic};
  }
  return {};
}

Result<AppendStage::OwnLog*> AppendStage::own_log(const std::string& topic) {
  const auto found = logs_.find(topic);
  if (found != logs_.end()) return &found->second;
  if (!is_valid_topic(topic)) return Error{ErrorCode::kInvalidArgument, "topic", topic};
  OwnLog log;
  log.key = {target_.identity.device(), target_.incarnation, topic};
  log.id = trust::log_id(log.key);
  if (const LogRow* row = target_.logs.find(log.id); row != nullptr) {
    log.next_seq = row->head.held.seq + (planted(Bug::kReuseSeq) ? 0 : 1);
    log.held_hlc = row->head.hlc;
    log.chain = row->head.held.chain;
    log.capped = row->head.capped;
  } else {
    log.is_new = true;
    log.chain = trust::chain_start(log.key);
  }
  if (log.capped) return Error{ErrorCode::kInvalidArgument, "log is capped", topic};
  return &logs_.emplace(topic, std::move(log)).first->second;
}

Status AppendStage::add_item(BatchScope& scope, const AppendItem& item) {
  if (const auto* event = std::get_if<AppendEvent>(&item)) return add_event(scope, *event);
  if (const auto* counter = std::get_if<CounterAdd>(&item)) return add_counter(scope, *counter);
  return add_set(scope, std::get<SetChange>(item));
}

Status AppendStage::add_event(BatchScope& scope, const AppendEvent& event) {
  if (event.type.starts_with(kReservedPrefix) && scope.log.key.topic != kControlTopic) {
    return Error{ErrorCode::kInvalidArgument, "type: the prefix ebb. is reserved", event.type};
  }
  EBB_ASSIGN(const bool repeat, is_repeat(scope, event.id));
  if (repeat) return {};
  codec::EventView view;
  view.ts_ms = event.ts_ms;
  view.type = event.type;
  if (event.source) view.source = *event.source;
  view.schema = event.schema;
  view.payload = event.payload;
  view.id = event.id;
  return append_event(scope, view);
}

Status AppendStage::add_counter(BatchScope& scope, const CounterAdd& change) {
  EBB_ASSIGN(const bool repeat, is_repeat(scope, change.id));
  if (repeat) return {};
  EBB_ASSIGN(Bytes payload, state::counter_add_payload(change.name, change.amount));
  codec::EventView view;
  view.type = state::kCounterAddType;
  view.payload = scope.log.payloads.emplace_back(std::move(payload));
  view.id = change.id;
  return append_event(scope, view);
}

Status AppendStage::add_set(BatchScope& scope, const SetChange& change) {
  EBB_ASSIGN(const bool repeat, is_repeat(scope, change.id));
  if (repeat) return {};
  // What a change replaces has to be known: one made from half of a set would undo less than it
  // says.
  if (target_.damaged) {
    return Error{ErrorCode::kCorrupt, "a damaged log hides what the set holds", change.name};
  }
  const ElementKey key{scope.log.key.topic, change.name, change.element};
  std::vector<Dot> live = live_dots(scope, key);
  // An operation kills a bounded number of dots. One is enough to add, whatever else lives; a
  // remove goes on until nothing lives but the last of its operations.
  std::size_t killed = 0;
  bool done = false;
  while (!done) {
    const std::size_t end = std::min(live.size(), killed + limits::kKillsPerOperation);
    const auto at = [&live](std::size_t i) {
      return live.begin() + static_cast<std::ptrdiff_t>(i);
    };
    const std::vector<Dot> kills(at(killed), at(end));
    killed = end;
    done = change.add || killed == live.size();
    EBB_ASSIGN(Bytes payload, state::set_payload(change.name, change.element, kills));
    codec::EventView view;
    view.type = change.add ? state::kSetAddType : state::kSetRemoveType;
    view.payload = scope.log.payloads.emplace_back(std::move(payload));
    if (done) view.id = change.id;
    EBB_ASSIGN(const Dot dot, encode_event(scope.log, view));
    live.push_back(dot);
  }
  take_dot(scope, live.back(), change.id);
  live.erase(live.begin(), live.begin() + static_cast<std::ptrdiff_t>(killed));
  scope.elements[key] = std::move(live);
  return {};
}

std::vector<Dot> AppendStage::live_dots(const BatchScope& scope, const ElementKey& key) const {
  if (const auto own = scope.elements.find(key); own != scope.elements.end()) return own->second;
  if (const auto own = elements_.find(key); own != elements_.end()) return own->second;
  const auto& [topic, name, element] = key;
  return target_.fold.set_live_dots(topic, name, element);
}

Status AppendStage::append_event(BatchScope& scope, const codec::EventView& event) {
  EBB_ASSIGN(const Dot dot, encode_event(scope.log, event));
  take_dot(scope, dot, event.id);
  return {};
}

void AppendStage::take_dot(BatchScope& scope, const Dot& dot, const std::optional<Uuid>& id) {
  add_dot(scope.ranges, dot, false);
  if (id) scope.ids.emplace(*id, dot);
}

Result<Dot> AppendStage::encode_event(OwnLog& log, codec::EventView event) {
  if (log.next_seq > limits::kSeqMax)
    return Error{ErrorCode::kTooLarge, "log is full", log.key.topic};
  // The log's own last stamp counts even where it came from a peer and lies far ahead.
  if (clock_.last() < log.held_hlc) clock_ = HlcClock(log.held_hlc);
  event.hlc = clock_.tick(now_);
  if (suspect_) event.flags |= codec::kFlagSuspectTime;
  if (log.chunks.empty() || log.chunks.back().events.size() == limits::kSegmentRestEvents) {
    begin_chunk(log);
  }
  Chunk* chunk = &log.chunks.back();
  const std::size_t before = chunk->raw.size();
  EBB_RETURN_IF_ERROR(codec::encode_event_trusted_payload(event, chunk->raw));
  if (chunk->raw.size() > limits::kSegmentDecodedBytes) {
    Bytes tail(chunk->raw.begin() + static_cast<std::ptrdiff_t>(before), chunk->raw.end());
    chunk->raw.resize(before);
    chunk = &begin_chunk(log);
    chunk->raw = std::move(tail);
  }
  const ByteView bytes = ByteView(chunk->raw).subspan(chunk->offsets.back());
  chunk->chain = trust::chain_next(chunk->chain, trust::event_hash(bytes));
  chunk->offsets.push_back(static_cast<std::uint32_t>(chunk->raw.size()));
  chunk->events.push_back(event);
  return Dot{log.id, log.next_seq++};
}

AppendStage::Chunk& AppendStage::begin_chunk(OwnLog& log) {
  const Hash chain = log.chunks.empty() ? log.chain : log.chunks.back().chain;
  Chunk& chunk = log.chunks.emplace_back();
  chunk.first_seq = log.next_seq;
  chunk.chain = chain;
  return chunk;
}

Result<bool> AppendStage::is_repeat(BatchScope& scope, const std::optional<Uuid>& id) {
  if (!id) return false;
  EBB_ASSIGN(const std::optional<Dot> dot, first_dot(scope, *id));
  if (dot) add_dot(scope.ranges, *dot, true);
  return dot.has_value();
}

Result<std::optional<Dot>> AppendStage::first_dot(const BatchScope& scope, const Uuid& id) {
  if (const auto found = scope.ids.find(id); found != scope.ids.end()) {
    return std::optional(found->second);
  }
  if (const auto found = ids_.find(id); found != ids_.end()) return std::optional(found->second);
  auto stored = target_.client_ids.find(id);
  if (!stored.ok()) {
    status_ = stored.error();
    return stored.error();
  }
  if (!*stored) return std::optional<Dot>();
  const LogRow* row = target_.table.at((*stored)->n);
  if (row == nullptr) {
    status_ = Error{ErrorCode::kCorrupt, "client id of an unknown log"};
    return status_.error();
  }
  return std::optional(Dot{row->head.log, (*stored)->seq});
}

std::vector<SealedRun> AppendStage::seal() {
  std::vector<SealedRun> sealed;
  for (auto& [topic, log] : logs_) {
    if (log.chunks.empty()) continue;
    LogRow& row = log.is_new ? target_.logs.create(log.key, log.id, trust::chain_start(log.key))
                             : target_.logs.edit(log.id);
    for (Chunk& chunk : log.chunks)
      sealed.push_back(seal_chunk(log, row, std::move(chunk)));
  }
  return sealed;
}

SealedRun AppendStage::seal_chunk(const OwnLog& log, LogRow& row, Chunk chunk) {
  SealedRun out;
  out.n = row.n;
  trust::SealRequest request;
  request.key = log.key;
  request.log = log.id;
  request.first_seq = chunk.first_seq;
  request.prev_chain = row.head.held.chain;
  request.first_hlc = chunk.events.front().hlc;
  request.last_hlc = chunk.events.back().hlc;
  out.packed = fills_segment(chunk.events.size(), chunk.raw.size());
  request.codec = out.packed ? codec::SegmentCodec::kZstd : codec::SegmentCodec::kRaw;
  request.chain = chunk.chain;
  request.raw = share(std::move(chunk.raw));
  request.offsets = std::move(chunk.offsets);
  out.segment = trust::seal_segment(target_.identity, std::move(request));
  row.head.held = {out.segment.last_seq(), out.segment.chain};
  row.head.hlc = out.segment.head.hlc;
  row.head.signature = out.segment.head.signature;
  ZoneMapBuilder zone;
  for (const codec::EventView& event : chunk.events)
    zone.add(event);
  out.zone = zone.finish();
  out.run.log = log.id;
  out.run.first_seq = chunk.first_seq;
  out.run.events = std::move(chunk.events);
  out.run.end_chain = out.segment.chain;
  return out;
}

Status AppendStage::store_client_ids() {
  if (planted(Bug::kForgetClientIds)) return {};
  for (const auto& [id, dot] : ids_) {
    const LogRow* row = target_.logs.find(dot.log);
    EBB_CHECK(row != nullptr);
    EBB_RETURN_IF_ERROR(target_.client_ids.insert(id, {row->n, dot.seq}, now_));
  }
  return {};
}

}  // namespace ebb::store
