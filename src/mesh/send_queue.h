// SendQueue: what waits to go out on one link, and in which order it goes.
//
// Model:
//   - Control goes first, always, in the order in which it was given.
//   - The other priorities share the link 8:4:2:1 by start-time fair queueing: each has a clock
//   that
//     runs the faster the smaller its share, the one that is furthest behind goes next, and one
//     that was idle starts at the present. So what is rare goes at once.
//   - Inside a priority logs take turns by deficit round robin, kQuantum bytes a turn, or what the
//     caller says for a slow link.
//   - Chunks: a frame that has begun may be interrupted by frames of other priorities, never by one
//     of its own.
//   - Invariant: what is queued of one log leaves in the order in which it was given: as long as
//     something of it waits, more of it joins the same priority.
//     Rationale: a segment that overtakes the one before it is a gap for the receiver, and is sent
//     twice.
// Units:     bytes as queued, without what encoding adds to segments.
// Ownership: shares the segments.
// Threads:   not thread-safe; owned by its link.
// Limits:    none of its own: who queues looks at bytes().
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <variant>
#include <vector>

#include "codec/frame.h"
#include "core/bytes.h"
#include "core/ids.h"
#include "core/shared_bytes.h"

namespace ebb::mesh {

// Segments of one log that will be one DELTA; encoded when its turn has come.
struct QueuedDelta {
  LogId log;
  ReconciliationId reconciliation;
  std::vector<LogKey> keys;
  std::vector<SharedBytes> segments;
  std::uint64_t job = 0;  // the WANT that it answers; 0: none
  bool flood = false;
};

// Which priorities may send now.
using PriorityMask = std::uint8_t;
constexpr PriorityMask mask_of(codec::Priority priority) {
  return static_cast<PriorityMask>(1U << static_cast<unsigned>(priority));
}
inline constexpr PriorityMask kAllPriorities = (1U << codec::kPriorities) - 1;

class SendQueue {
 public:
  using Item = std::variant<Bytes, QueuedDelta>;  // an encoded message, or segments
  static constexpr std::size_t kQuantum = std::size_t{16} << 10;

  void push(codec::Priority priority, Bytes message);
  void push(codec::Priority priority, QueuedDelta delta);

  bool empty() const { return total_bytes_ == 0; }
  std::size_t bytes() const { return total_bytes_; }
  std::size_t bytes(codec::Priority priority) const { return lane(priority).bytes; }
  std::size_t bytes(PriorityMask priorities) const;

  // For a frame that goes as one chunk at once, while nothing waits (checked): the chunk, and what
  // push(), take(), begin() and take_chunk() would make of the turns.
  void pass(codec::Priority priority, ByteView message, Bytes& out);

  // Whose turn it is among `allowed`; nullopt when none of them has anything.
  std::optional<codec::Priority> next(PriorityMask allowed);
  // The priority's frame that has begun and not ended.
  bool has_begun(codec::Priority priority) const;
  // Of one log, without what has begun.
  std::size_t waiting_of(const LogId& log) const;
  // Takes out what begins next in the priority, which must have something waiting and no frame
  // begun (checked); it is to be encoded and given to begin().
  Item take(codec::Priority priority, std::size_t quantum = kQuantum);
  void begin(codec::Priority priority, const Item& item, Bytes message);
  // Moves a chunk of at most `bytes_max` of the begun frame to `out`. Returns the job that the
  // frame belonged to when that was its end; 0 otherwise.
  std::uint64_t take_chunk(codec::Priority priority, std::size_t bytes_max, Bytes& out);

 private:
  struct Flow {
    std::deque<Item> items;
    std::size_t bytes = 0;
    std::size_t deficit = 0;
    bool has_turn = false;  // its quantum of this turn is in the deficit
  };
  struct Frame {
    Bytes message;
    std::size_t sent = 0;
    LogId log;
    std::uint64_t job = 0;
  };
  struct Lane {
    std::map<LogId, Flow> flows;  // messages that are no segments are one flow, of the zero id
    std::deque<LogId> turns;
    std::optional<Frame> begun;
    std::size_t bytes = 0;  // of all of it
    std::uint64_t clock = 0;
  };

  Lane& lane(codec::Priority priority) { return lanes_[codec::index_of(priority)]; }
  const Lane& lane(codec::Priority priority) const { return lanes_[codec::index_of(priority)]; }
  void push(codec::Priority priority, const LogId& log, Item item);
  void ended(Lane& lane, const LogId& log);

  std::array<Lane, codec::kPriorities> lanes_;
  std::map<LogId, codec::Priority> lane_of_;  // logs of which something waits or has begun
  std::uint64_t present_ = 0;                 // of the clocks
  std::size_t total_bytes_ = 0;
};

}  // namespace ebb::mesh
