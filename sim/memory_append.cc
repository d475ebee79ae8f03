#include "sim/memory_append.h"

#include <utility>

#include "core/limits.h"
#include "core/planted.h"
#include "state/objects.h"
#include "trust/chain.h"

namespace ebb::sim {
namespace {

void add_dot(std::vector<store::DotRange>& ranges, const Dot& dot, bool duplicate) {
  if (!ranges.empty()) {
    store::DotRange& last = ranges.back();
    if (last.log == dot.log && last.first_seq + last.count == dot.seq &&
        last.duplicate == duplicate) {
      ++last.count;
      return;
    }
  }
  ranges.push_back({dot.log, dot.seq, 1, duplicate});
}

}  // namespace

MemoryAppend::Run MemoryAppend::open_run(const std::string& topic) const {
  const auto found = runs_.find(topic);
  if (found != runs_.end()) return found->second;
  Run run;
  run.key = {identity_.device(), disk_.incarnation, topic};
  run.log = trust::log_id(run.key);
  if (const MemoryLog* log = disk_.find(run.log)) {
    run.first = log->head.held.seq + (planted(Bug::kReuseSeq) ? 0 : 1);
    run.held_hlc = log->head.hlc;
  }
  return run;
}

Result<std::vector<store::DotRange>> MemoryAppend::add(const store::AppendBatch& batch) {
  if (!is_valid_topic(batch.topic)) {
    return Error{ErrorCode::kInvalidArgument, "topic", batch.topic};
  }
  Scope scope{open_run(batch.topic), clock_, {}, {}, {}};
  for (const store::AppendItem& item : batch.items)
    EBB_RETURN_IF_ERROR(add_item(scope, item));
  clock_ = scope.clock;
  ids_.merge(scope.ids);
  for (auto& [element, dot] : scope.elements)
    elements_.insert_or_assign(element, dot);
  if (!scope.run.items.empty()) runs_.insert_or_assign(batch.topic, std::move(scope.run));
  return std::move(scope.ranges);
}

Status MemoryAppend::add_item(Scope& scope, const store::AppendItem& item) {
  if (const auto* event = std::get_if<store::AppendEvent>(&item)) {
    if (is_repeat(scope, event->id)) return {};
    codec::EventView view;
    view.ts_ms = event->ts_ms;
    view.type = event->type;
    if (event->source) view.source = *event->source;
    view.schema = event->schema;
    view.payload = event->payload;
    view.id = event->id;
    return encode(scope, view);
  }
  if (const auto* change = std::get_if<store::SetChange>(&item)) return add_set(scope, *change);
  const auto& counter = std::get<store::CounterAdd>(item);
  EBB_ASSIGN(const Bytes payload, state::counter_add_payload(counter.name, counter.amount));
  codec::EventView view;
  view.type = state::kCounterAddType;
  view.payload = payload;
  return encode(scope, view);
}

Status MemoryAppend::add_set(Scope& scope, const store::SetChange& change) {
  if (is_repeat(scope, change.id)) return {};
  const Element element{scope.run.key.topic, change.name, change.element};
  EBB_ASSIGN(const Bytes payload,
             state::set_payload(change.name, change.element, kills(scope, element)));
  codec::EventView view;
  view.type = change.add ? state::kSetAddType : state::kSetRemoveType;
  view.payload = payload;
  view.id = change.id;
  const Dot dot{scope.run.log, scope.run.next()};
  EBB_RETURN_IF_ERROR(encode(scope, view));
  scope.elements[element] = dot;
  return {};
}

std::vector<Dot> MemoryAppend::kills(const Scope& scope, const Element& element) const {
  if (const auto own = scope.elements.find(element); own != scope.elements.end()) {
    return {own->second};
  }
  if (const auto earlier = elements_.find(element); earlier != elements_.end()) {
    return {earlier->second};
  }
  return fold_.set_live_dots(std::get<0>(element), std::get<1>(element), std::get<2>(element));
}

bool MemoryAppend::is_repeat(Scope& scope, const std::optional<Uuid>& id) {
  if (!id) return false;
  for (const auto* known : {&scope.ids, &ids_, &disk_.client_ids}) {
    const auto found = known->find(*id);
    if (found == known->end()) continue;
    add_dot(scope.ranges, found->second, true);
    return true;
  }
  return false;
}

Status MemoryAppend::encode(Scope& scope, codec::EventView event) {
  Run& run = scope.run;
  if (scope.clock.last() < run.held_hlc) scope.clock = HlcClock(run.held_hlc);
  event.hlc = scope.clock.tick(now_);
  if (suspect_) event.flags |= codec::kFlagSuspectTime;
  Item item{{}, event.hlc, event.id};
  EBB_RETURN_IF_ERROR(codec::encode_event_trusted_payload(event, item.bytes));
  const Dot dot{run.log, run.next()};
  run.items.push_back(std::move(item));
  add_dot(scope.ranges, dot, false);
  if (event.id) scope.ids.emplace(*event.id, dot);
  return {};
}

std::vector<trust::VerifiedSegment> MemoryAppend::seal() {
  std::vector<trust::VerifiedSegment> sealed;
  for (const auto& [topic, run] : runs_) {
    const MemoryLog* log = disk_.find(run.log);
    Hash chain = log != nullptr ? log->head.held.chain : trust::chain_start(run.key);
    std::size_t from = 0;
    while (from < run.items.size()) {
      std::size_t to = from;
      std::size_t bytes = 0;
      while (to < run.items.size() && to - from < limits::kSegmentEvents &&
             bytes + run.items[to].bytes.size() <= limits::kSegmentDecodedBytes) {
        bytes += run.items[to++].bytes.size();
      }
      sealed.push_back(seal_items(run, from, to, chain));
      from = to;
    }
  }
  if (!planted(Bug::kForgetClientIds)) disk_.client_ids.merge(ids_);
  return sealed;
}

trust::VerifiedSegment MemoryAppend::seal_items(const Run& run, std::size_t from, std::size_t to,
                                                Hash& chain) {
  Bytes raw;
  std::vector<std::uint32_t> offsets = {0};
  for (std::size_t i = from; i < to; ++i) {
    append(raw, run.items[i].bytes);
    offsets.push_back(static_cast<std::uint32_t>(raw.size()));
  }
  trust::SealRequest request;
  request.key = run.key;
  request.log = run.log;
  request.first_seq = run.first + from;
  request.prev_chain = chain;
  request.first_hlc = run.items[from].hlc;
  request.last_hlc = run.items[to - 1].hlc;
  request.raw = share(std::move(raw));
  request.offsets = std::move(offsets);
  trust::VerifiedSegment segment = trust::seal_segment(identity_, std::move(request));
  chain = segment.chain;
  return segment;
}

}  // namespace ebb::sim
