// ClockJudge: whether the machine's wall clock may be believed, and what time to stamp with.
//
// Model:     a wall clock is doubted that is before the build of the program, more than
//            kClockBackMs before the wall time of the last commit, or more than kClockPeersMs from
//            the median of at least kClockPeersMin peers. While it is doubted time goes on from
//            where stamps stood (the line), at the pace of the monotonic clock. When it then turns
//            out that the line itself was wrong, the verdict asks for a repair: from now on another
//            line, and how far the old one was off. Where peers are known only they can prove that:
//            when the line is more than kClockPeersMs from their median; a clock that was set back
//            by less is doubted until it has caught up. Without them a doubted clock that is set
//            right does.
//            Invariant: judge() changes nothing, so a verdict whose commit fails leaves no trace.
// Units:     offsets in ms, positive: to be added to what was stamped.
// Ownership: a value; whoever stamps keeps it, others may keep copies.
// Threads:   value; not thread-safe.
// Limits:    one repair per kClockRepairMs, so that a clock that swings costs few incarnations.
// Spec:      docs/wire_format.md section 10
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/time.h"

namespace ebb {

// Both clocks of a machine, read at one moment.
struct ClockReading {
  WallTime wall;
  Instant monotonic;
};

// The median of what peers say the time is, as a line over our own monotonic clock: a step of our
// own wall clock does not move it.
struct PeerClock {
  WallTime at_origin;  // at Instant{}
  std::size_t peers = 0;
  WallTime at(Instant now) const { return {at_origin.ms + now.us / 1000}; }
  bool operator==(const PeerClock&) const = default;
};

enum class ClockDoubt : std::uint8_t {
  kNone,
  kBeforeBuild,
  kBeforeLastCommit,
  kFarFromPeers,
  kUnsettled,  // it was repaired a moment ago and has moved again
};
// "", "before_build", "before_last_commit", "far_from_peers", "unsettled".
std::string_view clock_doubt_name(ClockDoubt doubt);

struct ClockVerdict {
  WallTime time;  // to stamp with, and to store with the commit
  ClockDoubt doubt = ClockDoubt::kNone;
  // How far the wall clock is ahead of what it was found to contradict; negative: behind.
  std::int64_t off_ms = 0;
  // What was stamped on the line so far is wrong by this much.
  std::optional<std::int64_t> repair_ms;
  // A new line begins here: what was stamped before has another error, or none; or the peers have
  // confirmed it.
  bool new_line = false;

  bool suspect() const { return doubt != ClockDoubt::kNone; }
};

class ClockJudge {
 public:
  struct Start {
    WallTime built;                       // of the program; 0: not known
    std::optional<WallTime> last_commit;  // as stored; nullopt: nothing was ever committed
    Instant now;
  };
  explicit ClockJudge(const Start& start);

  // What the peers say now; nullopt when there are too few.
  void hear(std::optional<PeerClock> peers) { peers_ = peers; }
  const std::optional<PeerClock>& peers() const { return peers_; }

  ClockVerdict judge(const ClockReading& now) const;
  // The verdict was acted upon: something was stamped with it and is stored.
  void follow(const ClockReading& now, const ClockVerdict& verdict);
  // The verdict of that moment where its repair cannot be made: the old line goes on, suspect.
  ClockVerdict unrepaired(const ClockReading& now, ClockVerdict verdict) const;

 private:
  struct Doubt {
    ClockDoubt doubt = ClockDoubt::kNone;
    std::int64_t off_ms = 0;
  };
  Doubt doubt_of(const ClockReading& now) const;
  std::optional<std::int64_t> line_off_peers(Instant now) const;
  std::optional<std::int64_t> line_error(const ClockReading& now, const Doubt& found) const;
  WallTime reckoned(Instant now) const;

  WallTime built_;
  std::optional<WallTime> last_commit_;
  // The line: what stamps follow while the wall clock is not believed.
  WallTime line_time_;
  Instant line_at_;
  bool doubted_ = false;  // when something was stamped last
  std::optional<Instant> repaired_at_;
  std::optional<PeerClock> peers_;
};

}  // namespace ebb
