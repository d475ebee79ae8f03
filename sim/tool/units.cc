#include "sim/tool/units.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <span>

namespace ebb::sim_tool {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array kTimes = {Unit{"ms", 1000},      Unit{"s", 1000000},
                               Unit{"m", 60000000},   Unit{"min", 60000000},
                               Unit{"h", 3600000000}, Unit{"d", 86400000000}};
// In bits a second; those in bytes follow.
constexpr std::array kRates = {
    Unit{"bit/s", 1}, Unit{"kbit/s", 1000}, Unit{"Mbit/s", 1000000}, Unit{"Gbit/s", 1000000000},
    Unit{"B/s", 8},   Unit{"kB/s", 8000},   Unit{"MB/s", 8000000}};
constexpr std::array kSizes = {Unit{"B", 1}, Unit{"KiB", 1 << 10}, Unit{"MiB", 1 << 20},
                               Unit{"GiB", 1 << 30}};
constexpr std::array kPeriods = {Unit{"/s", 1000000}, Unit{"/m", 60000000}, Unit{"/min", 60000000},
                                 Unit{"/h", 3600000000}, Unit{"/d", 86400000000}};
constexpr std::uint64_t kMost = std::uint64_t{1} << 53;

// The number in front, and the rest without the space between.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
  if (text.starts_with(' ')) text.remove_prefix(1);
  return value;
}

std::optional<std::uint64_t> factor_of(std::string_view name, std::span<const Unit> units) {
  for (const Unit& unit : units) {
    if (unit.name == name) return unit.factor;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> quantity(std::string_view text, std::span<const Unit> units) {
  const auto number = take_number(text);
  const auto factor = factor_of(text, units);
  if (!number || !factor || *number > kMost / *factor) return std::nullopt;
  return *number * *factor;
}

std::optional<std::int32_t> minute_of(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  for (const std::size_t at : {0U, 1U, 3U, 4U}) {
    if (text[at] < '0' || text[at] > '9') return std::nullopt;
  }
  const int hour = (text[0] - '0') * 10 + text[1] - '0';
  const int minute = (text[3] - '0') * 10 + text[4] - '0';
  if (hour > 24 || minute > 59 || (hour == 24 && minute > 0)) return std::nullopt;
  return hour * 60 + minute;
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  const auto us = quantity(text, kTimes);
  if (!us) return std::nullopt;
  return microseconds(static_cast<std::int64_t>(*us));
}

std::optional<std::uint64_t> parse_rate(std::string_view text) {
  const auto bits = quantity(text, kRates);
  if (!bits || *bits < 8) return std::nullopt;
  return *bits / 8;
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) { return quantity(text, kSizes); }

std::optional<std::uint64_t> parse_permille(std::string_view text) {
  const auto whole = take_number(text);
  if (!whole || *whole > 100) return std::nullopt;
  std::uint64_t tenths = 0;
  if (text.starts_with('.')) {
    if (text.size() < 2 || text[1] < '0' || text[1] > '9') return std::nullopt;
    tenths = static_cast<std::uint64_t>(text[1] - '0');
    text.remove_prefix(2);
    if (text.starts_with(' ')) text.remove_prefix(1);
  }
  if (text != "%" || *whole * 10 + tenths > 1000) return std::nullopt;
  return *whole * 10 + tenths;
}

std::optional<Duration> parse_frequency(std::string_view text) {
  const auto count = take_number(text);
  const auto period = factor_of(text, kPeriods);
  if (!count || !period || *count == 0 || *count > *period) return std::nullopt;
  return microseconds(static_cast<std::int64_t>(*period / *count));
}

std::optional<mesh::QuietHours> parse_hours(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto from = minute_of(text.substr(0, dash));
  const auto to = minute_of(text.substr(dash + 1));
  if (!from || !to || *from == *to) return std::nullopt;
  return mesh::QuietHours{*from, *to};
}

std::string duration_words(Duration duration) {
  const double s = static_cast<double>(duration.us) / 1e6;
  if (duration.us == 0) return "0 s";
  if (s < 1) return fmt::format("{:.0f} ms", s * 1000);
  if (s < 120) return fmt::format("{:.1f} s", s);
  if (s < 7200) return fmt::format("{:.1f} min", s / 60);
  if (s < 172800) return fmt::format("{:.1f} h", s / 3600);
  return fmt::format("{:.1f} d", s / 86400);
}

}  // namespace ebb::sim_tool
