// PointerIndex: from the hash of a key to a thing that somebody else owns.
//
// Model:     one array of (hash, pointer), at most half full, searched from the hash's own place
//            on. A look-up reads one line of the array, mostly, and then the thing itself; a table
//            of nodes reads a bucket, a node before and the node. With tens of thousands of things,
//            of which each step asks for other ones, that is what a look-up costs.
// Ownership: owns no thing; each must outlive its place here.
// Threads:   not thread-safe.
// Determinism: nothing can be told in the order of its places.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace ebb {

template <class T>
class PointerIndex {
 public:
  // The thing of this hash of which `is_it` is true, or null.
  template <class Is>
  T* find(std::uint64_t hash, Is is_it) const {
    if (places_.empty()) return nullptr;
    for (std::size_t at = home(hash); places_[at].thing != nullptr; at = next(at)) {
      if (places_[at].hash != hash) continue;
      fetch(*places_[at].thing);
      if (is_it(*places_[at].thing)) return places_[at].thing;
    }
    return nullptr;
  }

  // Not one that is here already.
  void insert(std::uint64_t hash, T& thing) {
    if (2 * (size_ + 1) > places_.size()) grow();
    put(hash, thing);
    ++size_;
  }

  // No effect when it is not here.
  void erase(std::uint64_t hash, const T& thing) {
    if (places_.empty()) return;
    std::size_t at = home(hash);
    while (places_[at].thing != &thing) {
      if (places_[at].thing == nullptr) return;
      at = next(at);
    }
    --size_;
    // Those behind it that would not be found past the empty place move into it.
    for (std::size_t later = next(at); places_[later].thing != nullptr; later = next(later)) {
      const std::size_t from_home = distance(home(places_[later].hash), later);
      if (from_home < distance(at, later)) continue;
      places_[at] = places_[later];
      at = later;
    }
    places_[at] = {};
  }

  std::size_t size() const { return size_; }
  void clear() {
    places_.clear();
    size_ = 0;
  }

 private:
  static constexpr std::size_t kPlacesMin = 16;  // a power of two, as every number of places
  static constexpr std::size_t kLineBytes = 64;  // of the machines' caches

  struct Place {
    std::uint64_t hash = 0;
    T* thing = nullptr;
  };

  // Whoever asked for a thing is about to read most of it: all its lines are on their way while the
  // first is waited for.
  static void fetch(const T& thing) {
    const auto* const bytes = reinterpret_cast<const std::byte*>(&thing);
    for (std::size_t at = 0; at < sizeof(T); at += kLineBytes)
      __builtin_prefetch(bytes + at);
  }

  std::size_t home(std::uint64_t hash) const {
    return static_cast<std::size_t>(hash) & (places_.size() - 1);
  }
  std::size_t next(std::size_t at) const { return (at + 1) & (places_.size() - 1); }
  std::size_t distance(std::size_t from, std::size_t to) const {
    return (to - from) & (places_.size() - 1);
  }

  void put(std::uint64_t hash, T& thing) {
    std::size_t at = home(hash);
    while (places_[at].thing != nullptr)
      at = next(at);
    places_[at] = {hash, &thing};
  }

  void grow() {
    const std::size_t places = places_.empty() ? kPlacesMin : 2 * places_.size();
    const std::vector<Place> old = std::exchange(places_, std::vector<Place>(places));
    for (const Place& place : old) {
      if (place.thing != nullptr) put(place.hash, *place.thing);
    }
  }

  std::vector<Place> places_;
  std::size_t size_ = 0;
};

}  // namespace ebb
