// SlotTable: the links that have greeted, by their slot numbers.
//
// Model:     going over it ends behind the highest slot in use, and meets null where one is free.
// Ownership: refers to links; whoever drops a link frees its slot.
// Threads:   not thread-safe; part of the engine.
#pragma once

#include <array>
#include <cstddef>

#include "core/limits.h"

namespace ebb::mesh {

struct Link;

class SlotTable {
 public:
  static constexpr std::size_t size() { return limits::kLinks; }
  Link* operator[](std::size_t slot) const { return links_[slot]; }
  // Null: the slot is free again.
  void set(std::size_t slot, Link* link) {
    links_[slot] = link;
    if (slot >= end_) end_ = slot + 1;
    while (end_ > 0 && links_[end_ - 1] == nullptr)
      --end_;
  }
  Link* const* begin() const { return links_.data(); }
  Link* const* end() const { return links_.data() + end_; }

 private:
  std::array<Link*, limits::kLinks> links_{};
  std::size_t end_ = 0;
};

}  // namespace ebb::mesh
