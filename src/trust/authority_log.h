// AuthorityLog: the records that are held of one authority, as far as its share goes.
//
// Model:     a set, in an order of importance: first the way that the root has named, from its end
//            down as far as it is there; then what takes something away; then the rest, both in
//            order of (seq, chain). Held is a record when those before it in that order weigh no
//            more than the share, which the way has for itself: no flood takes its room. So which
//            are held follows from those that came and not from when they came: while the share
//            stays or gets less, holding is a join. It gets more when another log is ended; what
//            was dropped does not come back by that, so what takes something away is remembered by
//            its position until it is here again. Rationale: the one that goes beyond the share is
//            still held, for without it a node that has it and one that has not would never agree
//            where the share ends. Of a log whose way to its end is whole, all else means nothing
//            and is not taken any more; what was there stays while there is room for everything,
//            for an end that names another branch.
// Errors:    none; positions that must be there are checked.
// Ownership: views into records are valid until the record is dropped.
// Threads:   not thread-safe; part of an Authority.
// Cost:      O(log n) each; the end of a log costs what is on the way.
// Spec:      docs/wire_format.md section 13
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "core/bytes.h"
#include "core/ids.h"
#include "core/time.h"

namespace ebb::trust {

// Positions of records, as far as they are remembered one by one.
struct Missing {
  static constexpr std::size_t kMost = 256;

  std::set<Position> records;
  bool more = false;  // there were more than kMost: none is remembered then

  bool any() const { return more || !records.empty(); }
  void add(const Position& position);
};

class AuthorityLog {
 public:
  enum class Rank : std::uint8_t { kNamed, kTakesAway, kOther };
  struct Held {
    Bytes encoded;
    Hash previous;
    WallTime at;
    bool takes_away = false;
    bool certifies = false;  // its certificate holds, and is this authority's to write
    Rank rank = Rank::kOther;
  };
  using Record = std::pair<const Position, Held>;

  // What the way to the end may weigh, and what all else. SIZE_MAX: there is room for everything.
  struct Shares {
    std::size_t way = SIZE_MAX;
    std::size_t rest = SIZE_MAX;
  };

  // `start`: chain(0).
  explicit AuthorityLog(const Hash& start) : start_{0, start} {}

  // Before the first record.
  const Position& start() const { return start_; }
  const std::map<Position, Held>& records() const { return records_; }
  const Record* find(const Position& position) const;
  // The only record of this seq; null when there is none or several.
  const Record* only_of(Seq seq) const;
  // The least seq of which there are several records.
  std::optional<Seq> fork() const;
  // Whether it is one of the first two of that seq.
  bool is_proof(const Position& position) const;

  // What it counts for beside a share: about what it takes in memory.
  static std::size_t weight_of(const Held& held);
  std::size_t weight() const { return weight_; }
  // Of the way to the end as far as it is there, and of all else as far as it means something.
  std::size_t weight_of_way() const { return way_weight_; }
  std::size_t weight_of_rest() const { return is_whole_ ? 0 : weight_ - way_weight_; }
  // Something was dropped, or would be as soon as it came.
  bool is_full(const Shares& shares) const;
  // Whether a record that is not here would be held.
  bool has_room(const Position& position, bool takes_away, const Shares& shares) const;
  // Whether the last in order of importance is beyond the shares.
  bool is_over(const Shares& shares) const;
  // Something that takes away is missing, or may have had no room.
  bool lacks_taken(const Shares& shares) const;
  // Of what was held here and dropped, what takes something away and has not come back. Nothing
  // when the way to the end is whole: what is not on it is void.
  const Missing& missing() const { return missing_; }
  // What an earlier run has told; to be called when all that is held is here again.
  void restore_missing(const Missing& missing);
  // The seq up to which a log without an end may count: below a fork, and below what was dropped.
  Seq count_limit(const Shares& shares) const;

  // One that is not here.
  const Record& insert(const Position& position, Held&& held);
  // The last in order of importance; there is one (checked).
  const Record& last() const;
  void drop_last();

  // Where the root has ended it. A second end takes the place of the first.
  void set_end(const Position& end);
  const std::optional<Position>& end() const { return end_; }
  // The highest position on the way to the end that is not there; seq 0 when all are.
  const Position& wanted() const { return wanted_; }
  bool is_whole() const { return is_whole_; }
  // Whether a record that is held means something.
  bool means_something(const Held& held) const { return !is_whole_ || held.rank == Rank::kNamed; }
  // Of one that is whole: what means nothing.
  void drop_unnamed();

 private:
  struct Key {
    Rank rank;
    Seq place;  // of those on the way it falls as the seq rises
    Hash chain;
    auto operator<=>(const Key&) const = default;
  };
  static Key key_of(const Position& position, Rank rank);
  static Rank natural_rank(const Held& held);
  void walk();
  void rank_anew(std::map<Position, Held>::iterator at, Rank rank);
  void erase(std::map<Position, Held>::iterator at);

  Position start_;
  std::map<Position, Held> records_;
  std::set<Key> order_;
  std::set<Seq> forks_;  // those with several records
  std::size_t weight_ = 0;
  std::size_t way_weight_ = 0;
  std::optional<Position> end_;
  Position wanted_;
  bool is_whole_ = false;
  Missing missing_;
};

}  // namespace ebb::trust
