// HeadTable: every log this node holds or has heard of: how far it is held, how far it is in hand,
// and what each link is known to have of it.
//
// Model:
//   - held: committed. pending: verified and handed to a commit that has not been answered; never
//     less than held. known: the furthest anyone has claimed; never less than held.
//   - A link is a slot number 0..63, so that a set of links is one word.
//   - What happens to a link as a whole (it ends, it holds all that we held at some arrival) is
//     noted once, and each entry takes it over when it is looked up next; entries are only handed
//     out after that. So the end of a link, and two nodes in sync, cost nothing per log.
//   - Logs that are known to go on beyond what is held, and those of which nothing is stored, are
//     kept in sets, so that looking for what is missing does not go through what is not.
//   - Every link is eager for a log when the log or the link is new, but for control logs: there a
//     link is lazy until it asks.
//   - The tree of fingerprints and the sum of each device are over held heads; they move with
//     advance().
//   - A claim of a peer is a hint: it is clamped to limits::kSeqMax, allocates nothing by its size,
//     and is taken back when the peer cannot show the events.
// Threads:   not thread-safe; part of the engine.
// Limits:    limits::kKnownLogs entries; beyond it find_or_add answers null.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/ids.h"
#include "core/limits.h"
#include "core/pointer_index.h"
#include "core/time.h"
#include "mesh/arrival_order.h"
#include "mesh/types.h"
#include "trust/fingerprint_tree.h"
#include "trust/hash.h"

namespace ebb::mesh {

using SlotMask = std::uint64_t;
inline constexpr int kNoSlot = -1;
constexpr SlotMask slot_bit(int slot) { return SlotMask{1} << static_cast<unsigned>(slot); }

// One log as seen over one link.
struct PeerLog {
  Seq announced = 0;      // the peer says that it holds this durably
  Seq sent = 0;           // we have sent up to this on the link
  Seq told = 0;           // we have said that we hold this durably
  bool key_sent = false;  // the log's key was named on the link
  bool refused = false;   // not to be asked for from this link again
  bool by_push = false;   // `announced` was only shown by a push, which may run ahead of a commit
  // What the peer has, or will have when it has read what is on its way.
  Seq reaches() const { return announced > sent ? announced : sent; }
};

struct LogEntry {
  LogId id;
  LogKey key;
  bool has_key = false;
  bool unproven = false;  // the key, by a peer's word alone: goes with the links that named it
  Position held;
  Hlc hlc;
  Signature signature;
  Arrival arrival = 0;
  bool capped = false;

  Position pending;
  std::uint32_t commits = 0;  // not answered yet
  Seq known = 0;

  SlotMask lazy = 0;               // links that asked us to announce and not to push
  SlotMask pruned = 0;             // links that we asked so
  SlotMask tried = 0;              // links asked in vain for what is missing now
  int parent = kNoSlot;            // the link that pushed first
  int racer = kNoSlot;             // another one that was faster the last time
  int bringer = kNoSlot;           // the link that brought the latest news, however it did
  std::optional<Instant> flooded;  // when every link was made eager
  Seq flooded_seq = 0;             // of our own log: what was flooded

  int asked = kNoSlot;      // the link that was sent a WANT for this log
  bool asked_live = false;  // for a single announcement, so with a deadline
  bool answered = false;    // something useful came since
  bool repairing = false;   // asked for because of an audit, and not stored yet
  Instant asked_at;
  Seq asked_to = 0;  // 0: all that the link has
  // Of the segment that came last, from a link: what a part of the log is measured by.
  std::uint32_t segment_events = 0, segment_bytes = 0, segment_decoded = 0;
  std::optional<Instant> timer;  // the entry in Context::log_timers

  PeerLog& peer(int slot);
  const PeerLog* find_peer(int slot) const;
  // Once its key is known.
  void set_key(const LogKey& of_log);
  // Of the topic that every node has, as far as the key is known.
  bool is_control() const { return has_key && key.topic == kControlTopic; }

 private:
  friend class HeadTable;
  std::vector<PeerLog> peers_;                   // by slot, as long as the highest slot in use here
  trust::FingerprintSum* device_sum_ = nullptr;  // of its device, in HeadTable::sums_; once stored
  std::uint64_t links_taken_over_ = 0;  // HeadTable::link_changes_ when it was looked up last
};

class HeadTable {
 public:
  HeadTable() : hash_key_(trust::short_hash_key()) {}
  HeadTable(const HeadTable&) = delete;
  HeadTable& operator=(const HeadTable&) = delete;
  HeadTable(HeadTable&&) = default;
  HeadTable& operator=(HeadTable&&) = default;

  // Takes over what is stored at start.
  void load(const std::vector<StoredHead>& heads);
  // A head after a commit. Returns the entry; never null for a log that is stored.
  LogEntry* advance(const StoredHead& head);

  LogEntry* find(const LogId& log);
  const LogEntry* find(const LogId& log) const;
  LogEntry* find_or_add(const LogId& log);
  // All entries in order of id, for those who look at heads only: what an entry says of links may
  // be out of date until it is looked up by find().
  const std::map<LogId, LogEntry>& entries() const {
    looked_at_ += entries_.size();
    return entries_;
  }
  // How many entries were handed out, all of them at once counted as all: what shows that work does
  // not grow with the number of logs.
  std::uint64_t looked_at() const { return looked_at_; }
  // The same from one id on.
  using EntryIterator = std::map<LogId, LogEntry>::const_iterator;
  EntryIterator entries_from(const LogId& log) const { return entries_.lower_bound(log); }
  EntryIterator entries_after(const LogId& log) const { return entries_.upper_bound(log); }
  EntryIterator entries_end() const { return entries_.end(); }
  // Logs whose newest commit came after `arrival`, in order of arrival.
  const ArrivalOrder& by_arrival() const { return by_arrival_; }
  // Logs of one device that are held, in order of id.
  std::vector<LogEntry*> of_device(const DeviceId& device);
  // Logs that somebody has claimed to be longer than what is held, in order of id.
  const std::set<LogId>& behind() const { return behind_; }

  // Takes note that the link holds the log up to `seq`.
  void announce(LogEntry& entry, int slot, Seq seq);
  // The link holds every head that we have committed up to this arrival and not moved since.
  void announce_all(int slot, Arrival upto);
  // The link's claim beyond what is in hand was wrong.
  void retract(LogEntry& entry, int slot);
  // The link lacks everything from here on, whatever it has claimed.
  void lacks(LogEntry& entry, int slot, Seq from);
  // The link is gone. Its claims stay known, unless `liar`; claims of logs of which nothing was
  // ever shown go too when the table is half full, so that nobody can fill it with inventions for
  // good.
  void forget_slot(int slot, bool liar);

  const trust::FingerprintSum& root() const { return held_.whole(); }
  // Sums over ranges of log ids.
  const trust::FingerprintTree& held() const { return held_; }
  // The same of one topic's logs, once they are kept: from then on for good. Null: none.
  void keep_topics();
  const trust::FingerprintTree* topic(std::string_view topic) const;
  trust::FingerprintSum device_sum(const DeviceId& device) const;
  std::uint64_t events_held() const { return events_held_; }
  std::uint64_t events_known() const { return events_known_; }

 private:
  // What happened to the link of a slot, by the number of the change.
  struct SlotChanges {
    std::uint64_t ended = 0;
    std::uint64_t in_sync = 0;
    Arrival holds_upto = 0;  // since in_sync
  };
  LogEntry& add(const LogId& log);
  void note_stored(LogEntry& entry, const DeviceId& device);
  LogEntry* look_up(const LogId& log) const;
  std::uint64_t hash_of(const LogId& log) const { return trust::short_hash(log.view(), hash_key_); }
  void take_over_links(LogEntry& entry) const;
  void set_known(LogEntry& entry, Seq known);
  void lower_known(LogEntry& entry);

  // Mutable, because an entry takes over changes of links whoever looks it up.
  mutable std::map<LogId, LogEntry> entries_;
  // By a keyed hash, so that nobody can choose ids that are slow to find.
  trust::ShortHashKey hash_key_{};
  PointerIndex<LogEntry> index_;
  ArrivalOrder by_arrival_;
  std::map<DeviceId, trust::FingerprintSum> sums_;
  std::set<std::pair<DeviceId, LogId>> by_device_;
  std::set<LogId> behind_;
  std::set<LogId> unstored_;
  std::array<SlotChanges, limits::kLinks> slots_{};
  std::uint64_t link_changes_ = 0;
  trust::FingerprintTree held_;
  bool topics_kept_ = false;
  std::map<std::string, trust::FingerprintTree, std::less<>> topics_;
  std::uint64_t events_held_ = 0;
  std::uint64_t events_known_ = 0;
  mutable LogEntry* last_ = nullptr;  // found last: a step asks for few logs, again and again
  mutable std::uint64_t looked_at_ = 0;
};

}  // namespace ebb::mesh
