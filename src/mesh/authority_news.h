// AuthorityNews: which records of authorities came, in the order in which they did, so that each
// link is told those that are new and no others.
//
// Model:   one list for all links. Each has a place in it and goes on from there as its queue has
//          room, so a slow link costs a number and no copies. What all links are past is forgotten.
//          Who tells looks the record up: it may be dropped by then.
// Limits:  no more entries than twice the records that are held, or kFew: beyond that, those are
//          dropped that are not held, or came again since.
// Threads: not thread-safe; part of the engine.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <set>
#include <utility>

#include "core/ids.h"
#include "mesh/types.h"

namespace ebb::mesh {

class AuthorityNews {
 public:
  struct Item {
    std::uint64_t place = 0;
    DeviceId authority;
    Position position;
    LinkId bringer;  // it holds it
  };

  // The place of the next one that comes.
  std::uint64_t end() const { return end_; }
  // The first one at this place or behind it; null: none. Valid until the next add() or forget().
  const Item* at(std::uint64_t place) const {
    const auto found = std::partition_point(
        items_.begin(), items_.end(), [place](const Item& item) { return item.place < place; });
    return found == items_.end() ? nullptr : &*found;
  }

  template <class Holds>  // of an Item, whether its record is held
  void add(const DeviceId& authority, const Position& position, LinkId bringer, Holds holds) {
    items_.push_back({end_++, authority, position, bringer});
    if (items_.size() < look_at_) return;
    std::set<std::pair<DeviceId, Position>> later;
    std::deque<Item> kept;
    for (auto item = items_.rbegin(); item != items_.rend(); ++item) {
      const bool is_last = later.insert({item->authority, item->position}).second;
      if (is_last && holds(*item)) kept.push_front(*item);
    }
    items_ = std::move(kept);
    look_at_ = std::max(kFew, 2 * items_.size());
  }

  // What is before this place.
  void forget(std::uint64_t place) {
    while (!items_.empty() && items_.front().place < place)
      items_.pop_front();
  }
  std::size_t size() const { return items_.size(); }

 private:
  static constexpr std::size_t kFew = 4096;

  std::deque<Item> items_;
  std::uint64_t end_ = 1;
  std::size_t look_at_ = kFew;
};

}  // namespace ebb::mesh
