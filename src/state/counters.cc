#include "state/counters.h"

#include <algorithm>
#include <utility>

#include "core/planted.h"

namespace ebb::state {
namespace {

Int128 plus(Int128 total, std::int64_t amount) {
  if (total == kOverflowed) return kOverflowed;
  if (amount > 0 && total > kInt128Max - amount) return kOverflowed;
  if (amount < 0 && total < -kInt128Max - amount) return kOverflowed;
  return total + amount;
}

}  // namespace

void Counters::add(const ObjectId& object, const LogId& log, std::int64_t amount) {
  auto& entry = *cells_.try_emplace(CounterKey{object, log}).first;
  Cell& cell = entry.second;
  cell.total = plus(cell.total, amount);
  if (!std::exchange(cell.for_store, true)) for_store_.push_back(&entry);
  if (!std::exchange(cell.for_tree, true)) for_tree_.push_back(&entry);
}

Status Counters::load(ByteView key, ByteView value) {
  EBB_ASSIGN(CounterKey parsed, parse_counter_key(key));
  EBB_ASSIGN(const Int128 total, parse_counter_value(value));
  const auto [entry, is_new] = cells_.try_emplace(std::move(parsed));
  if (!is_new) return Error{ErrorCode::kCorrupt, "state: counter twice"};
  entry->second.total = total;
  entry->second.for_tree = true;
  for_tree_.push_back(&*entry);
  return {};
}

void Counters::take(std::vector<Entry>& out) {
  for (auto* const entry : for_store_) {
    const CounterKey& key = entry->first;
    out.push_back({counter_key(key.object, key.log), counter_value(entry->second.total)});
    entry->second.for_store = planted(Bug::kStoreTotalsOnce);
  }
  for_store_.clear();
}

void Counters::update(MerkleTree& tree) {
  for (auto* const entry : for_tree_) {
    const CounterKey& key = entry->first;
    tree.set(counter_key(key.object, key.log), counter_value(entry->second.total));
    entry->second.for_tree = false;
  }
  for_tree_.clear();
}

bool Counters::all_logs(const std::function<bool(const LogId&)>& known) const {
  return std::all_of(cells_.begin(), cells_.end(),
                     [&known](const auto& entry) { return known(entry.first.log); });
}

}  // namespace ebb::state
