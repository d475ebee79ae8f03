#include "sim/workload.h"

#include <array>
#include <string_view>
#include <utility>

#include "codec/value.h"
#include "core/check.h"
#include "core/limits.h"

namespace ebb::sim {
namespace {

constexpr std::array<std::string_view, 3> kTopics = {"events", "sensors", "till-1"};
constexpr std::array<std::string_view, 4> kTypes = {"page.view", "temp", "sale", "note"};

// Mostly small; sometimes of many events, sometimes one that is too large to be pushed.
std::size_t draw_count(Rng& rng) {
  if (rng.chance(1, 20)) return rng.between(100, 400);
  return rng.between(1, 4);
}
std::size_t draw_text_bytes(Rng& rng) {
  if (rng.chance(1, 400)) return rng.between(17000, 40000);
  if (rng.chance(1, 20)) return rng.between(500, 5000);
  return rng.below(60);
}

}  // namespace

Uuid Workload::uuid() {
  Bytes bytes;
  append_be64(bytes, rng_.next());
  append_be64(bytes, rng_.next());
  return *Uuid::from(bytes);
}

store::AppendEvent Workload::event(bool with_id) {
  codec::ValueBuilder builder(limits::kPayloadBytes, limits::kDepth);
  builder.begin_map();
  builder.key("serial");
  builder.uint(++serial_);
  builder.key("text");
  builder.str(std::string(draw_text_bytes(rng_), 'x'));
  builder.key("value");
  builder.integer(static_cast<std::int64_t>(rng_.next()));
  builder.end_map();
  Result<Bytes> payload = builder.finish();
  EBB_CHECK(payload.ok());
  store::AppendEvent event;
  event.type = std::string(kTypes[rng_.below(kTypes.size())]);
  event.payload = std::move(*payload);
  if (rng_.chance(1, 3)) event.ts_ms = static_cast<std::int64_t>(rng_.below(2000000000000));
  if (rng_.chance(1, 5)) event.source = "sensor-" + std::to_string(rng_.below(5));
  if (with_id) event.id = uuid();
  return event;
}

store::AppendItem Workload::item(bool with_id) {
  const std::string name = "object-" + std::to_string(rng_.below(3));
  switch (rng_.below(6)) {
    case 0:
      return store::CounterAdd{name, static_cast<std::int64_t>(rng_.below(1000)) - 300};
    case 1: {
      store::SetChange change;
      change.name = name;
      change.element = "element-" + std::to_string(rng_.below(8));
      change.add = rng_.chance(2, 3);
      if (with_id) change.id = uuid();
      return change;
    }
    default:
      return event(with_id);
  }
}

store::AppendBatch Workload::small() {
  codec::ValueBuilder builder(limits::kPayloadBytes, limits::kDepth);
  builder.begin_map();
  builder.key("serial");
  builder.uint(++serial_);
  builder.key("value");
  builder.integer(static_cast<std::int64_t>(rng_.below(100000)));
  builder.end_map();
  Result<Bytes> payload = builder.finish();
  EBB_CHECK(payload.ok());
  store::AppendEvent event;
  event.type = "temp";
  event.payload = std::move(*payload);
  return {std::string(kTopics[1]), {event}};
}

store::AppendBatch Workload::next(HostIndex host) {
  const auto last = last_with_ids_.find(host);
  if (last != last_with_ids_.end() && rng_.chance(1, 8)) return last->second;
  store::AppendBatch batch;
  batch.topic = std::string(kTopics[rng_.below(kTopics.size())]);
  const std::size_t count = draw_count(rng_);
  // A request is repeated safely when all that it asks for has an id.
  const bool with_ids = rng_.chance(1, 4);
  for (std::size_t i = 0; i < count; ++i) {
    batch.items.push_back(with_ids ? store::AppendItem(event(true)) : item(rng_.chance(1, 4)));
  }
  if (with_ids) last_with_ids_[host] = batch;
  return batch;
}

}  // namespace ebb::sim
