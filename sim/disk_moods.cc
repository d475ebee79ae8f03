#include "sim/disk_moods.h"

#include <algorithm>
#include <utility>

namespace ebb::sim {
namespace {

constexpr Duration kLateMin = milliseconds(100);
constexpr Duration kLateMax = seconds(2);

}  // namespace

Duration DiskMoods::draw(Duration low, Duration high) {
  return microseconds(static_cast<std::int64_t>(
      rng_.between(static_cast<std::uint64_t>(low.us), static_cast<std::uint64_t>(high.us))));
}

Duration DiskMoods::behind_stall(Duration duration) {
  const Duration left = stalled_.until - queue_.now();
  if (left <= Duration{}) return duration;
  felt(stalled_, Fault::kDiskStall);
  return left + duration;
}

void DiskMoods::felt(Window& window, Fault fault) {
  if (!std::exchange(window.felt, true)) counts_.count(fault);
}

Duration DiskMoods::commit_duration() {
  if (rng_.chance(options_.commit_late_permille, 1000)) {
    counts_.count(Fault::kCommitLate);
    return behind_stall(draw(kLateMin, kLateMax));
  }
  return behind_stall(draw(options_.commit_min, options_.commit_max));
}

Duration DiskMoods::read_duration() {
  if (rng_.chance(options_.read_late_permille, 1000)) {
    counts_.count(Fault::kReadLate);
    return behind_stall(draw(kLateMin, kLateMax));
  }
  return behind_stall(draw(microseconds(1), options_.read_max));
}

std::optional<Error> DiskMoods::commit_error() {
  const bool once = rng_.chance(options_.commit_fail_permille, 1000);
  if (queue_.now() < fails_.until) {
    felt(fails_, Fault::kCommitsFail);
    return Error{ErrorCode::kDiskFull, "simulated: commits fail"};
  }
  if (!once) return std::nullopt;
  counts_.count(Fault::kCommitFails);
  return Error{ErrorCode::kDiskFull, "simulated: one commit fails"};
}

std::optional<Error> DiskMoods::read_error() {
  if (!rng_.chance(options_.read_fail_permille, 1000)) return std::nullopt;
  counts_.count(Fault::kReadFails);
  return Error{ErrorCode::kIo, "simulated: a read fails"};
}

void DiskMoods::calm() {
  options_.commit_fail_permille = 0;
  options_.commit_late_permille = 0;
  options_.read_fail_permille = 0;
  options_.read_late_permille = 0;
  fails_.until = queue_.now();
  stalled_.until = queue_.now();
  full_.until = queue_.now();
}

}  // namespace ebb::sim
