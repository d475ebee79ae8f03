#include "node/clocks.h"

#include <time.h>

#include <array>
#include <chrono>
#include <ctime>
#include <string>

#include "core/check.h"

namespace ebb::node {

Instant monotonic_now() {
  // The steady clock of the library stands still while the machine is suspended: time that passed
  // would be missing from stamps, and from how long ago a peer was heard.
  timespec now{};
  EBB_CHECK(clock_gettime(CLOCK_BOOTTIME, &now) == 0);
  return {std::int64_t{now.tv_sec} * 1000000 + now.tv_nsec / 1000};
}

WallTime wall_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::milliseconds>(now).count()};
}

mesh::LocalTime local_now() {
  constexpr std::int64_t kDaySeconds = 86400;
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm local{};
  if (::localtime_r(&now, &local) == nullptr) return {now / kDaySeconds, 0};
  const std::int64_t seconds = static_cast<std::int64_t>(now) + local.tm_gmtoff;
  return {seconds / kDaySeconds, local.tm_hour * 60 + local.tm_min};
}

Duration until_next_minute() {
  constexpr std::int64_t kMinuteMs = 60000;
  return milliseconds(kMinuteMs - wall_now().ms % kMinuteMs);
}

ClockReading clock_reading() { return {wall_now(), monotonic_now()}; }

std::string utc_text(WallTime when) {
  const std::time_t seconds = when.ms / 1000;
  std::tm parts{};
  std::array<char, 32> text{};
  if (::gmtime_r(&seconds, &parts) == nullptr ||
      std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts) == 0) {
    return std::to_string(when.ms) + " ms";
  }
  return text.data();
}

}  // namespace ebb::node
