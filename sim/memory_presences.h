// MemoryPresences: what a store in memory keeps of presence records, as store/presences.h does on
// files.
//
// Ownership: the rows are those of its disk, which must outlive it.
// Threads:   not thread-safe; owned by its store.
// Limits:    limits::kPresences devices; a new one then takes the place of a random other, never
//            that of this device.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "codec/event.h"
#include "core/limits.h"
#include "store/types.h"

namespace ebb::sim {

class MemoryPresences {
 public:
  using Rows = std::map<DeviceId, store::PresenceRow>;
  MemoryPresences(Rows& rows, const DeviceId& own, std::function<std::uint64_t()> random,
                  std::size_t devices_max = limits::kPresences)
      : rows_(rows), own_(own), random_(std::move(random)), devices_max_(devices_max) {}

  // An event of one of the device's control topics.
  void keep(const DeviceId& device, const codec::EventView& event);
  // What is new since the last time.
  std::vector<store::PresenceRow> take_news();

 private:
  void make_room();

  Rows& rows_;
  DeviceId own_;
  std::function<std::uint64_t()> random_;
  std::size_t devices_max_;
  Rows news_;
};

}  // namespace ebb::sim
