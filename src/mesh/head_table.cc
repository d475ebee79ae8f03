#include "mesh/head_table.h"

#include <algorithm>
#include <utility>

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

void LogEntry::set_key(const LogKey& of_log) {
  if (std::exchange(has_key, true)) return;
  key = of_log;
  if (is_control()) lazy = ~SlotMask{0};
}

void HeadTable::load(const std::vector<StoredHead>& heads) {
  std::vector<const StoredHead*> ordered;
  ordered.reserve(heads.size());
  for (const StoredHead& head : heads)
    ordered.push_back(&head);
  const auto came_before = [](const StoredHead* a, const StoredHead* b) {
    return a->arrival < b->arrival;
  };
  std::sort(ordered.begin(), ordered.end(), came_before);
  for (const StoredHead* head : ordered)
    advance(*head);
}

LogEntry* HeadTable::advance(const StoredHead& head) {
  LogEntry* known = find(head.log);  // with what links held of it before it moves
  LogEntry& entry = known != nullptr ? *known : add(head.log);
  entry.set_key(head.key);
  if (entry.device_sum_ == nullptr) note_stored(entry, head.key.device);
  held_.set(head.log, head.held);
  if (topics_kept_) topics_[entry.key.topic].set(head.log, head.held);
  entry.device_sum_->move(head.log, entry.held, head.held);
  events_held_ = events_held_ - entry.held.seq + head.held.seq;
  by_arrival_.move(head.log, entry.arrival, head.arrival);
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

void HeadTable::note_stored(LogEntry& entry, const DeviceId& device) {
  entry.device_sum_ = &sums_[device];
  unstored_.erase(entry.id);
  by_device_.emplace(device, entry.id);
}

LogEntry& HeadTable::add(const LogId& log) {
  LogEntry& entry = entries_[log];
  entry.id = log;
  index_.insert(hash_of(log), entry);
  entry.links_taken_over_ = link_changes_;
  return entry;
}

LogEntry* HeadTable::look_up(const LogId& log) const {
  if (last_ != nullptr && last_->id == log) return last_;
  LogEntry* found =
      index_.find(hash_of(log), [&log](const LogEntry& entry) { return entry.id == log; });
  if (found != nullptr) last_ = found;
  return found;
}

LogEntry* HeadTable::find(const LogId& log) {
  LogEntry* entry = look_up(log);
  if (entry != nullptr) take_over_links(*entry);
  return entry;
}

const LogEntry* HeadTable::find(const LogId& log) const {
  LogEntry* entry = look_up(log);
  if (entry != nullptr) take_over_links(*entry);
  return entry;
}

void HeadTable::take_over_links(LogEntry& entry) const {
  ++looked_at_;
  const std::uint64_t seen = std::exchange(entry.links_taken_over_, link_changes_);
  if (seen == link_changes_) return;
  for (int slot = 0; slot < static_cast<int>(limits::kLinks); ++slot) {
    const SlotChanges& changes = slots_[static_cast<std::size_t>(slot)];
    if (changes.ended > seen) {
      const SlotMask keep = ~slot_bit(slot);
      entry.lazy = entry.is_control() ? entry.lazy | slot_bit(slot) : entry.lazy & keep;
      entry.pruned &= keep;
      entry.tried &= keep;
      if (entry.parent == slot) entry.parent = kNoSlot;
      if (entry.racer == slot) entry.racer = kNoSlot;
      if (entry.bringer == slot) entry.bringer = kNoSlot;
      if (entry.find_peer(slot) != nullptr) entry.peer(slot) = PeerLog{};
    }
    const bool held_there = changes.in_sync > seen && changes.in_sync > changes.ended &&
                            entry.arrival != 0 && entry.arrival <= changes.holds_upto;
    if (!held_there) continue;
    PeerLog& peer = entry.peer(slot);
    peer.announced = std::max(peer.announced, entry.held.seq);
  }
}

LogEntry* HeadTable::find_or_add(const LogId& log) {
  if (LogEntry* entry = find(log)) return entry;
  if (entries_.size() >= limits::kKnownLogs) return nullptr;
  unstored_.insert(log);
  return &add(log);
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
  if (clamped >= peer.announced) peer.by_push = false;
  peer.announced = std::max(peer.announced, clamped);
  if (clamped > entry.known && !entry.capped) set_known(entry, clamped);
}

void HeadTable::retract(LogEntry& entry, int slot) {
  PeerLog& peer = entry.peer(slot);
  peer.announced = std::min(peer.announced, entry.pending.seq);
  lower_known(entry);
}

void HeadTable::lacks(LogEntry& entry, int slot, Seq from) {
  PeerLog& peer = entry.peer(slot);
  if (peer.announced < from) return;
  peer.announced = from - 1;
  lower_known(entry);
}

void HeadTable::announce_all(int slot, Arrival upto) {
  SlotChanges& changes = slots_[static_cast<std::size_t>(slot)];
  // What an earlier one has said of the same link still holds.
  const bool again = changes.in_sync > changes.ended;
  changes.in_sync = ++link_changes_;
  changes.holds_upto = again ? std::max(changes.holds_upto, upto) : upto;
}

void HeadTable::forget_slot(int slot, bool liar) {
  slots_[static_cast<std::size_t>(slot)].ended = ++link_changes_;
  if (liar) {
    const std::vector<LogId> claimed(behind_.begin(), behind_.end());
    for (const LogId& log : claimed)
      lower_known(*find(log));
  }
  const bool crowded = entries_.size() > limits::kKnownLogs / 2;
  for (auto it = unstored_.begin(); it != unstored_.end();) {
    LogEntry& entry = *find(*it++);
    const bool shown = (entry.has_key && !entry.unproven) || entry.pending.seq > 0;
    if (crowded && !shown) lower_known(entry);
    const bool idle = !entry.timer && entry.commits == 0;
    if (shown || entry.known > 0 || !idle) continue;
    const LogId log = entry.id;
    last_ = nullptr;
    unstored_.erase(log);
    index_.erase(hash_of(log), entry);
    entries_.erase(log);
  }
}

void HeadTable::keep_topics() {
  if (std::exchange(topics_kept_, true)) return;
  for (const auto& [log, entry] : entries_) {
    if (entry.held.seq > 0) topics_[entry.key.topic].set(log, entry.held);
  }
}

const trust::FingerprintTree* HeadTable::topic(std::string_view topic) const {
  const auto it = topics_.find(topic);
  return it == topics_.end() ? nullptr : &it->second;
}

trust::FingerprintSum HeadTable::device_sum(const DeviceId& device) const {
  const auto it = sums_.find(device);
  return it == sums_.end() ? trust::FingerprintSum{} : it->second;
}

void HeadTable::set_known(LogEntry& entry, Seq known) {
  events_known_ = events_known_ - entry.known + known;
  entry.known = known;
  if (known > entry.held.seq) {
    behind_.insert(entry.id);
  } else {
    behind_.erase(entry.id);
  }
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
