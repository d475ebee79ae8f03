#include "sim/memory_presences.h"

#include <iterator>
#include <utility>

#include "codec/record.h"
#include "store/presences.h"

namespace ebb::sim {

void MemoryPresences::keep(const DeviceId& device, const codec::EventView& event) {
  if (event.type != codec::kPresenceType) return;
  auto said = codec::decode_presence(event.payload);
  if (!said) return;
  const store::PresenceRow row{device, event.hlc, std::move(*said)};
  const auto known = rows_.find(device);
  if (known != rows_.end() && !store::is_newer_presence(row, known->second)) return;
  if (known == rows_.end()) make_room();
  rows_.insert_or_assign(device, row);
  news_.insert_or_assign(device, row);
}

void MemoryPresences::make_room() {
  if (rows_.size() < devices_max_) return;
  auto victim = rows_.begin();
  std::advance(victim, static_cast<std::ptrdiff_t>(random_() % rows_.size()));
  if (victim->first == own_) victim = std::next(victim);
  if (victim == rows_.end()) victim = rows_.begin();
  if (victim->first == own_) return;
  news_.erase(victim->first);
  rows_.erase(victim);
}

std::vector<store::PresenceRow> MemoryPresences::take_news() {
  std::vector<store::PresenceRow> out;
  for (auto& [device, row] : std::exchange(news_, {}))
    out.push_back(std::move(row));
  return out;
}

}  // namespace ebb::sim
