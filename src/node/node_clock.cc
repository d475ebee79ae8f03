// What a node makes of its wall clock: for people, and for the engine.
#include <cstdlib>
#include <string>

#include "node/clocks.h"
#include "node/log.h"
#include "node/node_impl.h"

namespace ebb::node {
namespace {

std::string span_text(std::int64_t ms) {
  const std::int64_t s = std::llabs(ms) / 1000;
  constexpr std::int64_t kHour = 3600;
  constexpr std::int64_t kDay = 24 * kHour;
  if (s < 120) return std::to_string(s) + " s";
  if (s < 2 * kHour) return std::to_string(s / 60) + " min";
  if (s < 2 * kDay) return std::to_string(s / kHour) + " h";
  return std::to_string(s / kDay) + " days";
}

std::string why_text(const ClockVerdict& verdict, std::size_t peers) {
  const std::string off = span_text(verdict.off_ms);
  switch (verdict.doubt) {
    case ClockDoubt::kNone:
      return "";
    case ClockDoubt::kBeforeBuild:
      return "the clock shows a time " + off + " before this program was built";
    case ClockDoubt::kBeforeLastCommit:
      return "the clock is " + off + " behind the last event that was stored";
    case ClockDoubt::kFarFromPeers:
      return "the clock is " + off + (verdict.off_ms > 0 ? " ahead of " : " behind ") +
             "the median of " + std::to_string(peers) + " other devices";
    case ClockDoubt::kUnsettled:
      return "the clock has moved again within ten minutes of being set right";
  }
  return "";
}

std::string next_text(const ClockVerdict& verdict) {
  if (!verdict.suspect()) return "";
  if (verdict.doubt == ClockDoubt::kBeforeLastCommit) {
    return "set the clock; where it is right already, three linked devices that agree settle a "
           "difference of more than ten minutes, and time a smaller one";
  }
  if (verdict.doubt == ClockDoubt::kUnsettled) {
    return "see what sets the clock: a time service, another program, a failing battery";
  }
  return "set the clock, or have a time service set it";
}

}  // namespace

ClockStatus Node::Impl::clock_status() const {
  const ClockReading now = clock_reading();
  const ClockVerdict verdict = clock.judge(now);
  ClockStatus status;
  status.suspect = verdict.suspect();
  status.doubt = clock_doubt_name(verdict.doubt);
  status.time = verdict.time;
  if (clock.peers()) {
    status.peers = clock.peers()->peers;
    status.ahead_ms = now.wall.ms - clock.peers()->at(now.monotonic).ms;
  }
  status.why = why_text(verdict, status.peers);
  status.next = next_text(verdict);
  return status;
}

void Node::Impl::note_clock() {
  const ClockStatus status = clock_status();
  if (status.suspect == clock_suspect) return;
  clock_suspect = status.suspect;
  if (status.suspect) {
    log(LogLevel::kWarn, "clock_suspect",
        {{"reason", std::string(status.doubt)}, {"why", status.why}, {"next", status.next}});
  } else {
    log(LogLevel::kInfo, "clock_trusted");
  }
  // Before the engine runs its configuration says it.
  if (driver.running()) driver.feed(mesh::ClockJudged{clock_suspect});
}

}  // namespace ebb::node
