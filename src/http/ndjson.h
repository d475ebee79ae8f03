// Cuts a stream of bytes into lines, wherever its chunks happen to end.
//
// Model:   lines end with "\n" or "\r\n"; the last one may end with the stream. Blank lines count
//          and are passed over.
// Limits:  a line of more than `line_bytes_max` is an answer of its own; no more than that and one
//          chunk is kept.
// Threads: not thread-safe.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace ebb::http {

class NdjsonCutter {
 public:
  explicit NdjsonCutter(std::size_t line_bytes_max) : line_bytes_max_(line_bytes_max) {}

  void push(std::string_view chunk);
  // No more bytes come: what is left is the last line.
  void finish() { finished_ = true; }

  enum class Next {
    kLine,
    kNeedMore,  // or, after finish(), the end
    kTooLong,   // the line is over the bound; there is nothing sensible behind it
  };
  // The next line that is not blank, without its end. `line` is followed by kJsonPadding readable
  // bytes and valid until the next push().
  Next next(std::string_view& line);
  // Of the line that next() gave or found too long, from 1.
  std::uint64_t line_number() const { return line_number_; }

 private:
  std::size_t line_bytes_max_;
  std::vector<char> buffer_;  // begin_ to end_ are bytes of the stream, kJsonPadding more behind
  std::size_t begin_ = 0;
  std::size_t searched_ = 0;  // no line ends between begin_ and here
  std::size_t end_ = 0;
  std::uint64_t line_number_ = 0;
  bool finished_ = false;
};

}  // namespace ebb::http
