#include "http/time_text.h"

#include <charconv>
#include <chrono>

namespace ebb::http {
namespace {

constexpr std::int64_t kMsPerMinute = 60000;
constexpr std::int64_t kMsPerDay = std::int64_t{24} * 60 * kMsPerMinute;

template <class Number>
std::optional<Number> parse_all(std::string_view text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Reads fixed forms from the front of a text; the first mismatch sticks.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  unsigned digits(std::size_t count) {
    if (text_.size() < count) return fail();
    unsigned value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (text_[i] < '0' || text_[i] > '9') return fail();
      value = value * 10 + static_cast<unsigned>(text_[i] - '0');
    }
    text_.remove_prefix(count);
    return value;
  }
  // The character that was there, one of `allowed`.
  char one_of(std::string_view allowed) {
    if (text_.empty() || allowed.find(text_[0]) == std::string_view::npos) {
      fail();
      return '\0';
    }
    const char found = text_[0];
    text_.remove_prefix(1);
    return found;
  }
  // ".123456" as milliseconds; 0 when there is none.
  unsigned fraction_ms() {
    if (text_.empty() || text_[0] != '.') return 0;
    text_.remove_prefix(1);
    unsigned ms = 0;
    unsigned unit = 100;
    if (text_.empty() || text_[0] < '0' || text_[0] > '9') return fail();
    for (; !text_.empty() && text_[0] >= '0' && text_[0] <= '9'; text_.remove_prefix(1)) {
      ms += unit * static_cast<unsigned>(text_[0] - '0');
      unit /= 10;
    }
    return ms;
  }
  bool complete() const { return ok_ && text_.empty(); }

 private:
  unsigned fail() {
    ok_ = false;
    text_ = {};
    return 0;
  }

  std::string_view text_;
  bool ok_ = true;
};

}  // namespace

std::optional<std::int64_t> parse_rfc3339(std::string_view text) {
  Cursor in(text);
  const unsigned year = in.digits(4);
  in.one_of("-");
  const unsigned month = in.digits(2);
  in.one_of("-");
  const unsigned day = in.digits(2);
  in.one_of("Tt ");
  const unsigned hour = in.digits(2);
  in.one_of(":");
  const unsigned minute = in.digits(2);
  in.one_of(":");
  const unsigned second = in.digits(2);
  const unsigned ms = in.fraction_ms();
  std::int64_t offset_minutes = 0;
  const char zone = in.one_of("Zz+-");
  if (zone == '+' || zone == '-') {
    const unsigned offset_hours = in.digits(2);
    in.one_of(":");
    const unsigned offset_rest = in.digits(2);
    if (offset_hours > 23 || offset_rest > 59) return std::nullopt;
    offset_minutes = std::int64_t{offset_hours} * 60 + offset_rest;
    if (zone == '-') offset_minutes = -offset_minutes;
  }
  if (!in.complete() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)),
                                         std::chrono::month(month), std::chrono::day(day)};
  if (!date.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t minutes = std::int64_t{hour} * 60 + minute - offset_minutes;
  return days * kMsPerDay + minutes * kMsPerMinute + std::int64_t{second} * 1000 + ms;
}

std::optional<std::int64_t> parse_time(std::string_view text) {
  if (const auto ms = parse_all<std::int64_t>(text)) return ms;
  return parse_rfc3339(text);
}

std::optional<std::uint64_t> parse_uint(std::string_view text) {
  return parse_all<std::uint64_t>(text);
}

}  // namespace ebb::http
