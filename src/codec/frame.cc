#include "codec/frame.h"

#include "core/limits.h"

namespace ebb::codec {
namespace {
constexpr std::size_t kLengthBytes = 4;
}  // namespace

void FrameSplitter::push(ByteView bytes) {
  if (broken_) {
    buffer_ = {};
    begin_ = 0;
    return;
  }
  // What was handed out is dropped here, when no view of it can be in use any more.
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(begin_));
  begin_ = 0;
  append(buffer_, bytes);
}

Result<ByteView> FrameSplitter::next() {
  if (broken_) return Error{ErrorCode::kTooLarge, "frame: length"};
  const ByteView rest = ByteView(buffer_).subspan(begin_);
  if (rest.size() < kLengthBytes) return ByteView{};
  const std::size_t length = read_be32(rest);
  if (length == 0 || length > limits::kFrameBytes) {
    broken_ = true;
    return Error{ErrorCode::kTooLarge, "frame: length"};
  }
  if (rest.size() - kLengthBytes < length) return ByteView{};
  begin_ += kLengthBytes + length;
  return rest.subspan(kLengthBytes, length);
}

}  // namespace ebb::codec
