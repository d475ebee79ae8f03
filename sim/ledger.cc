#include "sim/ledger.h"

#include <optional>
#include <variant>

#include "codec/value.h"
#include "state/objects.h"

namespace ebb::sim {
namespace {

bool keeps_event(const store::AppendEvent& asked, const codec::EventView& stored) {
  const bool same_source =
      asked.source ? stored.source && *stored.source == *asked.source : !stored.source;
  return stored.type == asked.type && equal(stored.payload, asked.payload) && same_source &&
         stored.ts_ms == asked.ts_ms && stored.schema == asked.schema && stored.id == asked.id;
}

bool keeps_counter(const store::CounterAdd& asked, const codec::EventView& stored) {
  const Result<Bytes> payload = state::counter_add_payload(asked.name, asked.amount);
  return stored.type == state::kCounterAddType && payload.ok() && equal(stored.payload, *payload);
}

// What the change kills is known to the store alone.
bool keeps_set(const store::SetChange& asked, const codec::EventView& stored) {
  const auto text = [&](std::string_view key) {
    const std::optional<ByteView> value = codec::map_get(stored.payload, key);
    return value ? codec::as_str(*value) : std::nullopt;
  };
  return stored.type == (asked.add ? state::kSetAddType : state::kSetRemoveType) &&
         text("name") == asked.name && text("element") == asked.element && stored.id == asked.id;
}

}  // namespace

std::optional<Uuid> client_id(const store::AppendItem& item) {
  if (const auto* event = std::get_if<store::AppendEvent>(&item)) return event->id;
  if (const auto* change = std::get_if<store::SetChange>(&item)) return change->id;
  return std::nullopt;
}

bool keeps(const Promise& promise, const LogKey& key, const codec::EventView& event) {
  if (key.topic != promise.topic) return false;
  if (const auto* asked = std::get_if<store::AppendEvent>(&promise.item)) {
    return keeps_event(*asked, event);
  }
  if (const auto* asked = std::get_if<store::CounterAdd>(&promise.item)) {
    return keeps_counter(*asked, event);
  }
  return keeps_set(*std::get_if<store::SetChange>(&promise.item), event);
}

void Ledger::acknowledge(HostIndex host, const store::AppendBatch& batch,
                         const std::vector<store::DotRange>& ranges, Findings& findings) {
  std::size_t item = 0;
  for (const store::DotRange& range : ranges) {
    for (std::uint64_t i = 0; i < range.count && item < batch.items.size(); ++i, ++item) {
      promise(host, {range.log, range.first_seq + i}, range.duplicate, batch.topic,
              batch.items[item], findings);
    }
  }
  if (item != batch.items.size()) {
    findings.add("ledger", host, "an answer names fewer dots than were asked for");
  }
}

void Ledger::promise(HostIndex host, const Dot& dot, bool duplicate, const std::string& topic,
                     const store::AppendItem& item, Findings& findings) {
  const std::optional<Uuid> id = client_id(item);
  if (id) {
    const auto known = by_client_id_.find(*id);
    if (known != by_client_id_.end()) {
      if (known->second != dot) {
        findings.add("ledger", host, "a repeated client id got another dot: " + dot_text(dot));
      }
      if (!duplicate) {
        findings.add("ledger", host, "a repeated client id was not noticed: " + dot_text(dot));
      }
      return;
    }
    by_client_id_.emplace(*id, dot);
  }
  const auto excused = excused_.find(host);
  const bool forgiven = excused != excused_.end() && excused->second(topic);
  if (!promises_.emplace(dot, Promise{host, topic, item, promises_.size(), forgiven}).second) {
    findings.add("ledger", host, "a dot was given twice: " + dot_text(dot));
  }
}

void Ledger::excuse(HostIndex host) {
  excuse(host, [](std::string_view) { return true; });
}

void Ledger::excuse(HostIndex host, std::function<bool(std::string_view topic)> topics) {
  for (auto& [dot, promise] : promises_)
    promise.forgiven = promise.forgiven || (promise.host == host && topics(promise.topic));
  excused_[host] = std::move(topics);
}

void Ledger::forgive(const std::function<bool(const Dot&)>& is_held) {
  for (auto& [dot, promise] : promises_) {
    if (!promise.forgiven) promise.forgiven = !is_held(dot);
  }
}

void Ledger::move_to(Ledger& other, const std::function<bool(const Dot&)>& moves) {
  for (auto it = promises_.begin(); it != promises_.end();) {
    if (!moves(it->first)) {
      ++it;
      continue;
    }
    Promise moved = std::move(it->second);
    moved.number = other.promises_.size();
    if (const auto id = client_id(moved.item)) other.by_client_id_.emplace(*id, it->first);
    other.promises_.emplace(it->first, std::move(moved));
    it = promises_.erase(it);
  }
}

}  // namespace ebb::sim
