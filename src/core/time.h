// Time as values: Instant and Duration for the engine's own monotonic time, WallTime for what a
// clock on the wall claims. They are different types on purpose and never convert.
//
// Units:   Instant and Duration in microseconds; the origin of Instant is chosen by the driver.
//          WallTime in milliseconds since 1970-01-01T00:00:00Z, may be negative.
// Threads: values; any thread.
#pragma once

#include <compare>
#include <cstdint>

namespace ebb {

struct Duration {
  std::int64_t us = 0;
  auto operator<=>(const Duration&) const = default;
  constexpr std::int64_t ms() const { return us / 1000; }
};
constexpr Duration microseconds(std::int64_t n) { return {n}; }
constexpr Duration milliseconds(std::int64_t n) { return {n * 1000}; }
constexpr Duration seconds(std::int64_t n) { return {n * 1000000}; }
constexpr Duration operator+(Duration a, Duration b) { return {a.us + b.us}; }
constexpr Duration operator-(Duration a, Duration b) { return {a.us - b.us}; }
constexpr Duration operator*(Duration a, std::int64_t n) { return {a.us * n}; }
constexpr Duration operator/(Duration a, std::int64_t n) { return {a.us / n}; }

struct Instant {
  std::int64_t us = 0;
  auto operator<=>(const Instant&) const = default;
};
constexpr Instant operator+(Instant t, Duration d) { return {t.us + d.us}; }
constexpr Instant operator-(Instant t, Duration d) { return {t.us - d.us}; }
constexpr Duration operator-(Instant a, Instant b) { return {a.us - b.us}; }

struct WallTime {
  std::int64_t ms = 0;
  auto operator<=>(const WallTime&) const = default;
};

}  // namespace ebb
