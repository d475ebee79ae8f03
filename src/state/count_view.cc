#include "state/count_view.h"

#include <cstring>
#include <utility>

namespace ebb::state {
namespace {

// Spreads what differs between neighbours; decides only where the cache looks, never what is found.
std::uint64_t cache_hash(std::string_view type, std::int64_t window_start_ms, const LogId& log) {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15ULL;
  std::uint64_t hash = read_be64(log.view()) ^ static_cast<std::uint64_t>(window_start_ms);
  for (; type.size() >= 8; type.remove_prefix(8)) {
    std::uint64_t part = 0;
    std::memcpy(&part, type.data(), 8);
    hash = (hash ^ part) * kOdd;
    hash ^= hash >> 29;
  }
  std::uint64_t part = type.size() + 1;
  for (const char c : type)
    part = (part << 8) | static_cast<std::uint8_t>(c);
  hash = (hash ^ part) * kOdd;
  return hash >> 32;
}

}  // namespace

CountView::Found CountView::find(std::string_view type, const Place& place) {
  Found& slot = cache_[cache_hash(type, place.window_start_ms, place.log) % kCacheSlots];
  if (slot.cell != nullptr && slot.cell->first == place && *slot.type == type) return slot;
  auto entry = types_.find(type);
  if (entry == types_.end()) entry = types_.emplace(std::string(type), Cells{}).first;
  slot = {&entry->first, &*entry->second.try_emplace(place).first};
  return slot;
}

void CountView::add(const LogId& log, const codec::EventView& event) {
  const std::int64_t ts_ms = event.effective_ts_ms();
  const Found found = find(event.type, {count_window_start(ts_ms), log});
  Cell& cell = found.cell->second;
  ++cell.counts.count;
  // An hlc has 48 bits of milliseconds, so the difference cannot leave int64.
  if (ts_ms < event.hlc.wall().ms - kCountLatenessMs) ++cell.counts.late;
  if (!std::exchange(cell.for_store, true)) for_store_.push_back(found);
}

Status CountView::load(ByteView key, ByteView value) {
  EBB_ASSIGN(const CountKey parsed, parse_count_key(key));
  EBB_ASSIGN(const Counts counts, parse_counts(value));
  Cell& cell = find(parsed.type, {parsed.window_start_ms, parsed.log}).cell->second;
  if (cell.counts.count != 0) return Error{ErrorCode::kCorrupt, "state: count cell twice"};
  cell.counts = counts;
  return {};
}

void CountView::take(std::vector<Entry>& out) {
  for (const Found& found : for_store_) {
    auto& [place, cell] = *found.cell;
    out.push_back(
        {count_key(*found.type, place.window_start_ms, place.log), counts_value(cell.counts)});
    cell.for_store = false;
  }
  for_store_.clear();
}

Hash CountView::root(HashFn hash) const {
  MerkleTree tree(hash);
  for (const auto& [type, cells] : types_) {
    for (const auto& [place, cell] : cells) {
      tree.set(count_key(type, place.window_start_ms, place.log), counts_value(cell.counts));
    }
  }
  return tree.root();
}

std::map<LogId, std::uint64_t> CountView::events_by_log() const {
  std::map<LogId, std::uint64_t> events;
  for (const auto& [type, cells] : types_) {
    for (const auto& [place, cell] : cells)
      events[place.log] += cell.counts.count;
  }
  return events;
}

}  // namespace ebb::state
