// FrameSplitter: cuts a byte stream into frames. Bytes in, whole frames out.
//
// Model:     keeps the bytes of at most one incomplete frame.
// Errors:    kTooLarge for a length of 0 or above limits::kFrameBytes (the stream is then useless:
//            every further call fails the same way).
// Limits:    buffers only bytes that were received, never a length that was claimed.
// Threads:   not thread-safe; owned by its link.
// Spec:      docs/wire_format.md section 7
#pragma once

#include "core/bytes.h"
#include "core/result.h"

namespace ebb::codec {

class FrameSplitter {
 public:
  // Takes the next bytes of the stream.
  void push(ByteView bytes);
  // The next whole frame without its length; an empty view when more bytes are needed. The view is
  // valid until the next call of push().
  Result<ByteView> next();
  std::size_t buffered_bytes() const { return buffer_.size() - begin_; }

 private:
  Bytes buffer_;
  std::size_t begin_ = 0;
  bool broken_ = false;
};

}  // namespace ebb::codec
