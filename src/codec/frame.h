// Chunks and frames: a message travels as one frame, a frame as chunks of its priority, and between
// the chunks of one frame those of others may go. FrameSplitter puts them together again: bytes in,
// whole frames out.
//
// Model:     at most one frame of each priority is begun and not ended. A frame that came in one
//            chunk is handed out without a copy.
// Errors:    kTooLarge: a chunk of no bytes or of more than limits::kChunkBytes, a frame above
//            limits::kFrameBytes, begun frames above limits::kBegunBytes together; kMalformed: a
//            priority or a flag that there is not. The stream is then useless: every further call
//            fails the same way, and nothing of it is kept.
// Limits:    buffers only bytes that were received, never a length that was claimed: what of a
//            chunk has come, and the begun frames.
// Threads:   not thread-safe; owned by its link.
// Spec:      docs/wire_format.md section 7
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/bytes.h"
#include "core/result.h"

namespace ebb::codec {

// Whose turn it is on a link. DO NOT CHANGE: sent.
enum class Priority : std::uint8_t {
  kControl = 0,
  kLive = 1,
  kCatchUp = 2,
  kHistory = 3,
  kBulk = 4,
};
inline constexpr std::size_t kPriorities = 5;
constexpr std::size_t index_of(Priority priority) { return static_cast<std::size_t>(priority); }

inline constexpr std::size_t kChunkHeaderBytes = 4;

// Appends one chunk. Checked: 1 to limits::kChunkBytes bytes. `more`: the frame goes on.
void append_chunk(Priority priority, ByteView piece, bool more, Bytes& out);

class FrameSplitter {
 public:
  // Takes the next bytes of the stream.
  void push(ByteView bytes);
  // The next whole frame; an empty view when more bytes are needed. The view is valid until the
  // next call of push() or next().
  Result<ByteView> next();
  // Zeroes what it holds, and what next() has handed out last: there was a secret among it.
  void erase();
  std::size_t buffered_bytes() const { return buffer_.size() - begin_ + begun_bytes_; }

 private:
  struct Chunk {
    Priority priority = Priority::kControl;
    bool more = false;
    ByteView piece;
  };
  // Nullopt while it has not come whole.
  Result<std::optional<Chunk>> next_chunk();
  // Gives memory back when everything has been handed out.
  void release();
  Status join(const Chunk& chunk);
  Error fail(ErrorCode code, const char* what);

  Bytes buffer_;
  std::size_t begin_ = 0;
  std::array<Bytes, kPriorities> begun_;
  std::size_t begun_bytes_ = 0;
  Bytes joined_;  // what next() has handed out last, if it came in several chunks
  std::optional<Error> broken_;
};

}  // namespace ebb::codec
