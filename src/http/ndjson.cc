#include "http/ndjson.h"

#include <cstring>

#include "http/json_events.h"

namespace ebb::http {
namespace {

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

}  // namespace

void NdjsonCutter::push(std::string_view chunk) {
  if (chunk.empty()) return;
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    searched_ -= begin_;
    begin_ = 0;
  }
  if (buffer_.size() < end_ + chunk.size() + kJsonPadding) {
    buffer_.resize(end_ + chunk.size() + kJsonPadding);
  }
  std::memcpy(buffer_.data() + end_, chunk.data(), chunk.size());
  end_ += chunk.size();
}

NdjsonCutter::Next NdjsonCutter::next(std::string_view& line) {
  while (begin_ < end_) {
    const char* from = buffer_.data() + searched_;
    const void* found = std::memchr(from, '\n', end_ - searched_);
    if (found == nullptr && !finished_) {
      searched_ = end_;
      if (end_ - begin_ <= line_bytes_max_) return Next::kNeedMore;
      ++line_number_;
      return Next::kTooLong;
    }
    const auto stop =
        found == nullptr
            ? end_
            : static_cast<std::size_t>(static_cast<const char*>(found) - buffer_.data());
    line = {buffer_.data() + begin_, stop - begin_};
    begin_ = found == nullptr ? end_ : stop + 1;
    searched_ = begin_;
    ++line_number_;
    if (line.size() > line_bytes_max_) return Next::kTooLong;
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (!is_blank(line)) return Next::kLine;
  }
  return Next::kNeedMore;
}

}  // namespace ebb::http
