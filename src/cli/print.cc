#include "cli/print.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <array>

#include "core/check.h"

namespace ebb::cli {
namespace {

struct Decoded {
  std::uint32_t code = 0;
  std::size_t bytes = 0;  // 0: not UTF-8
};

// The character that `text` (not empty) begins with.
Decoded decode_one(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return {};
  std::uint32_t code = lead & (0xffU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code = (code << 6) | (byte(i) & 0x3fU);
  }
  constexpr std::array<std::uint32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  if (code < kLeast[size] || code > 0x10ffff || surrogate) return {};
  return {code, size};
}

bool is_harmless(std::uint32_t code) {
  if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return false;
  const bool separator = code == 0x2028 || code == 0x2029;
  const bool directional = code == 0x061c || code == 0x200e || code == 0x200f ||
                           (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
  return !separator && !directional && code != 0xfeff;
}

std::string escape_of(std::uint32_t code) {
  switch (code) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      return fmt::format("\\u{:04x}", code);
  }
}

// Characters, which is columns for all but wide scripts.
std::size_t columns_of(std::string_view escaped) {
  return static_cast<std::size_t>(std::count_if(escaped.begin(), escaped.end(), [](char c) {
    return (static_cast<unsigned>(c) & 0xc0) != 0x80;
  }));
}

std::string cut_escaped(std::string_view escaped, std::size_t columns) {
  constexpr std::string_view kCut = "..";
  if (columns_of(escaped) <= columns) return std::string(escaped);
  const std::size_t kept = columns > kCut.size() ? columns - kCut.size() : 0;
  std::size_t end = 0;
  for (std::size_t seen = 0; seen < kept; ++seen)
    end += decode_one(escaped.substr(end)).bytes;
  return std::string(escaped.substr(0, end)).append(kCut.substr(0, columns));
}

}  // namespace

std::string escape_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Decoded one = decode_one(text);
    if (one.bytes == 0) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
      text.remove_prefix(1);
      continue;
    }
    if (is_harmless(one.code)) {
      out.append(text.substr(0, one.bytes));
    } else {
      out += escape_of(one.code);
    }
    text.remove_prefix(one.bytes);
  }
  return out;
}

std::string fit_text(std::string_view text, std::size_t columns) {
  return cut_escaped(escape_text(text), columns);
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 5> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB"};
  if (bytes < 1024) return std::to_string(bytes) + " B";
  double scaled = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (scaled >= 1024 && unit + 1 < kUnits.size()) {
    scaled /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", scaled, kUnits[unit]);
}

std::string age_text(std::int64_t ms) {
  constexpr std::int64_t kSecond = 1000, kMinute = 60 * kSecond, kHour = 60 * kMinute,
                         kDay = 24 * kHour;
  ms = std::max<std::int64_t>(ms, 0);
  if (ms < kSecond) return fmt::format("{} ms", ms);
  if (ms < 2 * kMinute) return fmt::format("{} s", ms / kSecond);
  if (ms < 2 * kHour) return fmt::format("{} min", ms / kMinute);
  if (ms < 2 * kDay) return fmt::format("{} h", ms / kHour);
  return fmt::format("{} d", ms / kDay);
}

std::string duration_text(std::int64_t us) {
  us = std::max<std::int64_t>(us, 0);
  if (us < 1000) return fmt::format("{} us", us);
  if (us < 1000000) return fmt::format("{:.1f} ms", static_cast<double>(us) / 1e3);
  if (us < 120000000) return fmt::format("{:.1f} s", static_cast<double>(us) / 1e6);
  return age_text(us / 1000);
}

std::string time_text(std::int64_t ms) {
  std::int64_t rest = ms % 1000;
  if (rest < 0) rest += 1000;
  const time_t seconds = ms / 1000 - (ms % 1000 < 0 ? 1 : 0);
  tm parts{};
  // Years that no calendar of this machine can show stay a number.
  if (gmtime_r(&seconds, &parts) == nullptr) return std::to_string(ms) + " ms";
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900LL,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     rest);
}

std::string minute_text(std::int64_t ms) {
  constexpr std::size_t kBehind = std::string_view(":00.000Z").size();
  std::string text = time_text(ms);
  if (text.ends_with('Z')) text.replace(text.size() - kBehind, kBehind, "Z");
  return text;
}

std::string count_text(std::uint64_t count, std::string_view singular) {
  return fmt::format("{} {}{}", count, singular, count == 1 ? "" : "s");
}

std::string events_text(std::uint64_t events, std::uint64_t logs, std::uint64_t records) {
  std::string text = count_text(events, "event") + " in " + count_text(logs, "log");
  if (records > 0) text += " (+" + count_text(records, "record") + ")";
  return text;
}

std::string paint(Colour colour, std::string_view text, bool enabled) {
  if (!enabled || colour == Colour::kNone) return std::string(text);
  std::string_view code;
  switch (colour) {
    case Colour::kNone:
      break;
    case Colour::kBold:
      code = "1";
      break;
    case Colour::kDim:
      code = "2";
      break;
    case Colour::kGreen:
      code = "32";
      break;
    case Colour::kYellow:
      code = "33";
      break;
    case Colour::kRed:
      code = "31";
      break;
  }
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

void Table::add(const std::vector<std::string>& cells) {
  EBB_CHECK(cells.size() == columns_.size());
  std::vector<std::string>& row = rows_.emplace_back();
  for (const std::string& cell : cells)
    row.push_back(escape_text(cell));
}

std::string Table::text(bool colours, std::size_t columns_max) const {
  std::vector<std::string> headings;
  std::vector<std::size_t> widths;
  for (const Column& column : columns_) {
    headings.push_back(escape_text(column.heading));
    widths.push_back(columns_of(headings.back()));
  }
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], columns_of(row[i]));
  }
  const auto line_of = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string padding(widths[i] - columns_of(cells[i]), ' ');
      if (i > 0) line += "  ";
      line += columns_[i].align == Align::kRight ? padding + cells[i] : cells[i] + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    return columns_max == 0 ? line : cut_escaped(line, columns_max);
  };
  std::string text = paint(Colour::kBold, line_of(headings), colours) + '\n';
  for (const auto& row : rows_)
    text += line_of(row) + '\n';
  return text;
}

}  // namespace ebb::cli
