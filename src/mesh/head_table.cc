#include "mesh/head_table.h"

#include <algorithm>

#include "core/limits.h"

namespace ebb::mesh {

PeerLog& LogEntry::peer(int slot) {
  const auto index = static_cast<std::size_t>(slot);
  if (peers_.size() <= index) peers_.resize(index + 1);
  return peers_[index];
}

const PeerLog* LogEntry::find_peer(int slot) const {
  const auto index = static_cast<std::size_t>(slot);
  return index < peers_.size() ? &peers_[index] : nullptr;
}

void HeadTable::load(const std::vector<StoredHead>& heads) {
  for (const StoredHead& head : heads)
    advance(head);
}

LogEntry* HeadTable::advance(const StoredHead& head) {
  LogEntry& entry = entries_[head.log];
  entry.id = head.log;
  if (!entry.has_key) {
    entry.key = head.key;
    entry.has_key = true;
  }
  held_.set(head.log, head.held);
  sums_[head.key.device].move(head.log, entry.held, head.held);
  events_held_ = events_held_ - entry.held.seq + head.held.seq;
  by_device_.emplace(head.key.device, head.log);
  if (entry.arrival != 0) by_arrival_.erase(entry.arrival);
  if (head.arrival != 0) by_arrival_[head.arrival] = head.log;
  entry.held = head.held;
  entry.hlc = head.hlc;
  entry.signature = head.signature;
  entry.arrival = head.arrival;
  entry.capped = head.capped;
  if (entry.pending.seq < head.held.seq) entry.pending = head.held;
  // Nobody has more of a log that is capped, whatever was said before it was.
  set_known(entry, head.capped ? head.held.seq : std::max(entry.known, head.held.seq));
  return &entry;
}

LogEntry* HeadTable::find(const LogId& log) {
  const auto it = entries_.find(log);
  return it == entries_.end() ? nullptr : &it->second;
}

const LogEntry* HeadTable::find(const LogId& log) const {
  const auto it = entries_.find(log);
  return it == entries_.end() ? nullptr : &it->second;
}

LogEntry* HeadTable::find_or_add(const LogId& log) {
  if (LogEntry* entry = find(log)) return entry;
  if (entries_.size() >= limits::kKnownLogs) return nullptr;
  LogEntry& entry = entries_[log];
  entry.id = log;
  return &entry;
}

std::vector<LogEntry*> HeadTable::of_device(const DeviceId& device) {
  std::vector<LogEntry*> found;
  for (auto it = by_device_.lower_bound({device, LogId{}});
       it != by_device_.end() && it->first == device; ++it) {
    found.push_back(find(it->second));
  }
  return found;
}

void HeadTable::announce(LogEntry& entry, int slot, Seq seq) {
  const Seq clamped = std::min(seq, limits::kSeqMax);
  PeerLog& peer = entry.peer(slot);
  peer.announced = std::max(peer.announced, clamped);
  if (clamped > entry.known && !entry.capped) set_known(entry, clamped);
}

void HeadTable::retract(LogEntry& entry, int slot) {
  PeerLog& peer = entry.peer(slot);
  peer.announced = std::min(peer.announced, entry.pending.seq);
  lower_known(entry);
}

void HeadTable::forget_slot(int slot, bool liar) {
  const SlotMask keep = ~slot_bit(slot);
  const bool crowded = entries_.size() > limits::kKnownLogs / 2;
  for (auto it = entries_.begin(); it != entries_.end();) {
    LogEntry& entry = it->second;
    entry.lazy &= keep;
    entry.pruned &= keep;
    entry.tried &= keep;
    if (entry.parent == slot) entry.parent = kNoSlot;
    if (entry.racer == slot) entry.racer = kNoSlot;
    if (entry.find_peer(slot) != nullptr) entry.peer(slot) = PeerLog{};
    const bool shown = entry.has_key || entry.pending.seq > 0;
    if (liar || (crowded && !shown)) lower_known(entry);
    const bool idle = !entry.timer && entry.commits == 0;
    it = !shown && entry.known == 0 && idle ? entries_.erase(it) : std::next(it);
  }
}

trust::FingerprintSum HeadTable::device_sum(const DeviceId& device) const {
  const auto it = sums_.find(device);
  return it == sums_.end() ? trust::FingerprintSum{} : it->second;
}

void HeadTable::set_known(LogEntry& entry, Seq known) {
  events_known_ = events_known_ - entry.known + known;
  entry.known = known;
}

void HeadTable::lower_known(LogEntry& entry) {
  if (entry.capped) return set_known(entry, entry.held.seq);
  Seq known = entry.pending.seq;
  for (int slot = 0; slot < static_cast<int>(limits::kLinks); ++slot) {
    const PeerLog* peer = entry.find_peer(slot);
    if (peer == nullptr) break;
    known = std::max(known, peer->announced);
  }
  set_known(entry, known);
}

}  // namespace ebb::mesh
