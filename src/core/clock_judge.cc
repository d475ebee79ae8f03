#include "core/clock_judge.h"

#include <algorithm>

#include "core/limits.h"

namespace ebb {
namespace {

// Wall clocks claim anything; beyond these they are compared no more exactly.
constexpr std::int64_t kMsMax = std::int64_t{1} << 52;

std::int64_t difference(WallTime a, WallTime b) {
  return std::clamp(a.ms, -kMsMax, kMsMax) - std::clamp(b.ms, -kMsMax, kMsMax);
}

bool apart(std::int64_t difference_ms, std::int64_t bound_ms) {
  return difference_ms > bound_ms || difference_ms < -bound_ms;
}

}  // namespace

std::string_view clock_doubt_name(ClockDoubt doubt) {
  switch (doubt) {
    case ClockDoubt::kNone:
      return "";
    case ClockDoubt::kBeforeBuild:
      return "before_build";
    case ClockDoubt::kBeforeLastCommit:
      return "before_last_commit";
    case ClockDoubt::kFarFromPeers:
      return "far_from_peers";
    case ClockDoubt::kUnsettled:
      return "unsettled";
  }
  return "";
}

ClockJudge::ClockJudge(const Start& start)
    : built_(start.built),
      last_commit_(start.last_commit),
      line_time_(std::max(start.built, start.last_commit.value_or(start.built))),
      line_at_(start.now) {}

WallTime ClockJudge::reckoned(Instant now) const {
  return {line_time_.ms + std::max<std::int64_t>((now - line_at_).ms(), 0)};
}

// How far the line is from what peers say; nullopt: they say nothing.
std::optional<std::int64_t> ClockJudge::line_off_peers(Instant now) const {
  if (!peers_) return std::nullopt;
  return difference(peers_->at(now), reckoned(now));
}

ClockJudge::Doubt ClockJudge::doubt_of(const ClockReading& now) const {
  if (now.wall < built_) return {ClockDoubt::kBeforeBuild, difference(now.wall, built_)};
  if (peers_) {
    const std::int64_t off = difference(now.wall, peers_->at(now.monotonic));
    if (apart(off, limits::kClockPeersMs)) return {ClockDoubt::kFarFromPeers, off};
    // Where they prove the stamps wrong, these are no measure of the clock.
    if (apart(*line_off_peers(now.monotonic), limits::kClockPeersMs)) return {};
  }
  if (!last_commit_) return {};
  const std::int64_t off = difference(now.wall, *last_commit_);
  if (off < -limits::kClockBackMs) return {ClockDoubt::kBeforeLastCommit, off};
  return {};
}

// What was stamped on the line so far is wrong by this much; nullopt: nothing shows that.
std::optional<std::int64_t> ClockJudge::line_error(const ClockReading& now,
                                                   const Doubt& found) const {
  const WallTime line = reckoned(now.monotonic);
  const bool believed = found.doubt == ClockDoubt::kNone;
  if (!believed && !peers_) return std::nullopt;
  const WallTime right = believed ? now.wall : peers_->at(now.monotonic);
  const std::int64_t off = difference(right, line);
  // A clock that was believed and steps forward may have been wrong before it or be wrong now; it
  // is believed again, as long as nobody contradicts.
  const bool contradicted =
      !believed || doubted_ ||
      (last_commit_ && difference(right, *last_commit_) < -limits::kClockBackMs);
  const bool apart_enough = peers_ ? apart(*line_off_peers(now.monotonic), limits::kClockPeersMs)
                                   : apart(off, limits::kClockBackMs);
  return contradicted && apart_enough ? std::optional(off) : std::nullopt;
}

ClockVerdict ClockJudge::judge(const ClockReading& now) const {
  const Doubt found = doubt_of(now);
  const WallTime line = reckoned(now.monotonic);
  ClockVerdict verdict{line, found.doubt, found.off_ms, std::nullopt, false};
  if (const auto error = line_error(now, found)) {
    if (repaired_at_ && (now.monotonic - *repaired_at_).ms() < limits::kClockRepairMs) {
      return unrepaired(now, verdict);
    }
    verdict.repair_ms = error;
    verdict.new_line = true;
    verdict.time = verdict.suspect() ? peers_->at(now.monotonic) : now.wall;
    return verdict;
  }
  if (verdict.suspect()) return verdict;
  verdict.time = now.wall;
  // Peers that confirm the clock confirm what it has stamped so far.
  verdict.new_line = peers_ || apart(difference(now.wall, line), limits::kClockBackMs);
  return verdict;
}

ClockVerdict ClockJudge::unrepaired(const ClockReading& now, ClockVerdict verdict) const {
  if (!verdict.suspect()) verdict.doubt = ClockDoubt::kUnsettled;
  verdict.time = reckoned(now.monotonic);
  verdict.repair_ms.reset();
  verdict.new_line = false;
  return verdict;
}

void ClockJudge::follow(const ClockReading& now, const ClockVerdict& verdict) {
  last_commit_ = verdict.time;
  doubted_ = verdict.suspect();
  // While the line is kept it is not drawn anew, or rounding would slow it down.
  if (!verdict.suspect() || verdict.new_line) {
    line_time_ = verdict.time;
    line_at_ = now.monotonic;
  }
  if (verdict.repair_ms) repaired_at_ = now.monotonic;
}

}  // namespace ebb
