// Text for people: tables, colours, sizes, ages, and peers' texts made harmless.
//
// Model:   whatever may come from another device (types, sources, names, payloads) passes
//          escape_text() before it reaches a terminal; Table does so with every cell.
// Threads: values and pure functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ebb::cli {

// Replaces what could move a cursor, forge a line or reorder text by an escape: control characters
// (C0, DEL, C1), line separators, directional marks, and bytes that are not UTF-8.
std::string escape_text(std::string_view text);
// The first `columns` characters of escaped text, with ".." at the end when something was cut.
std::string fit_text(std::string_view text, std::size_t columns);

std::string bytes_text(std::uint64_t bytes);  // "1.2 MiB"
std::string age_text(std::int64_t ms);        // "4 min"; "0 ms" when negative
std::string duration_text(std::int64_t us);   // "12.3 ms"
std::string time_text(std::int64_t ms);       // "2015-05-17 10:05:00.000Z"
std::string minute_text(std::int64_t ms);     // "2015-05-17 10:05Z"
std::string count_text(std::uint64_t count, std::string_view singular);  // "1 link", "2 links"
// "14 events in 4 logs (+3 records)": records are what devices wrote of themselves, into _ebb.
std::string events_text(std::uint64_t events, std::uint64_t logs, std::uint64_t records);

enum class Colour { kNone, kBold, kDim, kGreen, kYellow, kRed };
std::string paint(Colour colour, std::string_view text, bool enabled);

// Rows under headings, each column as wide as its widest cell.
class Table {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string heading;
    Align align = Align::kLeft;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  // As many cells as columns (checked).
  void add(const std::vector<std::string>& cells);
  bool empty() const { return rows_.empty(); }
  // Lines that end in '\n'. `columns_max` cuts lines, 0 does not.
  std::string text(bool colours, std::size_t columns_max = 0) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace ebb::cli
