// ArrivalOrder: logs in the order in which their newest commits came.
//
// Model:     arrival numbers grow, so a log that moves goes to the end; where it was stays as a gap
//            until gaps are the larger half. Looking for what came last touches the end alone.
// Threads:   not thread-safe; part of the engine.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "core/ids.h"

namespace ebb::mesh {

class ArrivalOrder {
 public:
  struct Place {
    Arrival first = 0;
    LogId second;
    bool gap = false;
  };
  // Over places that are no gaps; good until the order changes.
  class Iterator {
   public:
    Iterator(const Place* at, const Place* end) : at_(at), end_(end) { skip_gaps(); }
    const Place& operator*() const { return *at_; }
    const Place* operator->() const { return at_; }
    Iterator& operator++() {
      ++at_;
      skip_gaps();
      return *this;
    }
    bool operator==(const Iterator& other) const { return at_ == other.at_; }

   private:
    void skip_gaps() {
      while (at_ != end_ && at_->gap)
        ++at_;
    }
    const Place* at_;
    const Place* end_;
  };

  // The log is now at `arrival`; 0: nowhere. `before`: where it was; 0: nowhere.
  void move(const LogId& log, Arrival before, Arrival arrival) {
    if (before != 0) erase(before);
    if (arrival != 0) insert(arrival, log);
  }

  Iterator begin() const { return at(0); }
  Iterator end() const { return at(places_.size()); }
  // The first that came later.
  Iterator upper_bound(Arrival arrival) const { return at(index_after(arrival)); }
  // Up to `most` logs that came after `after` and not after `last`, the newest first.
  std::vector<Place> newest(Arrival after, Arrival last, std::size_t most) const {
    std::vector<Place> found;
    for (std::size_t i = index_after(last); i > 0 && found.size() < most; --i) {
      const Place& place = places_[i - 1];
      if (place.first <= after) break;
      if (!place.gap) found.push_back(place);
    }
    return found;
  }

 private:
  Iterator at(std::size_t index) const {
    return {places_.data() + index, places_.data() + places_.size()};
  }

  // Mostly asked for what came lately, so it looks from the end on, in steps that double.
  std::size_t index_after(Arrival arrival) const {
    std::size_t low = places_.size();
    std::size_t high = low;
    for (std::size_t step = 1; low > 0 && places_[low - 1].first > arrival; step *= 2) {
      high = low - 1;
      low = low > step ? low - step : 0;
    }
    const auto from = places_.begin() + static_cast<std::ptrdiff_t>(low);
    const auto to = places_.begin() + static_cast<std::ptrdiff_t>(high);
    const auto later = std::upper_bound(
        from, to, arrival, [](Arrival wanted, const Place& place) { return wanted < place.first; });
    return static_cast<std::size_t>(later - places_.begin());
  }

  // Two logs are never at one arrival; where they are, the last word counts.
  void insert(Arrival arrival, const LogId& log) {
    const std::size_t index = index_after(arrival);
    if (index > 0 && places_[index - 1].first == arrival) {
      gaps_ -= places_[index - 1].gap ? 1U : 0U;
      places_[index - 1] = {arrival, log, false};
      return;
    }
    places_.insert(places_.begin() + static_cast<std::ptrdiff_t>(index), {arrival, log, false});
  }

  void erase(Arrival arrival) {
    const std::size_t index = index_after(arrival);
    if (index == 0 || places_[index - 1].first != arrival || places_[index - 1].gap) return;
    places_[index - 1].gap = true;
    ++gaps_;
    if (gaps_ * 2 <= places_.size() || gaps_ < kGapsKept) return;
    std::erase_if(places_, [](const Place& place) { return place.gap; });
    gaps_ = 0;
  }

  static constexpr std::size_t kGapsKept = 64;
  std::vector<Place> places_;  // ascending
  std::size_t gaps_ = 0;
};

}  // namespace ebb::mesh
