#include "codec/frame.h"

#include <utility>

#include "core/check.h"
#include "core/limits.h"
#include "core/secret.h"

namespace ebb::codec {
namespace {

// The header: what kind of chunk, then its size in three bytes.
constexpr std::uint32_t kMore = std::uint32_t{1} << 31;
constexpr std::uint32_t kPriorityShift = 24;
constexpr std::uint32_t kPriorityMask = 0x7;
constexpr std::uint32_t kSizeMask = 0xffffff;
// A link at rest keeps room for small messages, not for the largest chunk it ever had.
constexpr std::size_t kKeptBytes = std::size_t{4} << 10;
constexpr std::uint32_t kUnknown = ~(kMore | (kPriorityMask << kPriorityShift) | kSizeMask);

}  // namespace

void append_chunk(Priority priority, ByteView piece, bool more, Bytes& out) {
  EBB_CHECK(!piece.empty() && piece.size() <= limits::kChunkBytes);
  const auto class_bits = static_cast<std::uint32_t>(priority) << kPriorityShift;
  out.reserve(out.size() + kChunkHeaderBytes + piece.size());
  append_be32(out, (more ? kMore : 0) | class_bits | static_cast<std::uint32_t>(piece.size()));
  append(out, piece);
}

void FrameSplitter::push(ByteView bytes) {
  if (broken_) return;
  // What was handed out is dropped here, when no view of it can be in use any more.
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(begin_));
  begin_ = 0;
  append(buffer_, bytes);
}

Result<ByteView> FrameSplitter::next() {
  joined_ = Bytes();  // and its memory is free, which `{}` would keep
  while (!broken_) {
    EBB_ASSIGN(const std::optional<Chunk> chunk, next_chunk());
    if (!chunk) {
      release();
      return ByteView{};
    }
    if (!chunk->more && begun_[index_of(chunk->priority)].empty()) return chunk->piece;
    EBB_RETURN_IF_ERROR(join(*chunk));
    if (chunk->more) continue;
    joined_ = std::exchange(begun_[index_of(chunk->priority)], {});
    begun_bytes_ -= joined_.size();
    return ByteView(joined_);
  }
  return *broken_;
}

void FrameSplitter::erase() {
  erase_bytes(buffer_);
  begin_ = 0;
  for (Bytes& begun : begun_)
    erase_bytes(begun);
  begun_bytes_ = 0;
  erase_bytes(joined_);
}

void FrameSplitter::release() {
  if (begin_ < buffer_.size() || buffer_.capacity() <= kKeptBytes) return;
  buffer_ = Bytes();
  begin_ = 0;
}

Result<std::optional<FrameSplitter::Chunk>> FrameSplitter::next_chunk() {
  const ByteView rest = ByteView(buffer_).subspan(begin_);
  if (rest.size() < kChunkHeaderBytes) return std::optional<Chunk>{};
  const std::uint32_t header = read_be32(rest);
  const std::size_t size = header & kSizeMask;
  const std::uint32_t priority = (header >> kPriorityShift) & kPriorityMask;
  if ((header & kUnknown) != 0 || priority >= kPriorities) {
    return fail(ErrorCode::kMalformed, "chunk: header");
  }
  if (size == 0 || size > limits::kChunkBytes) return fail(ErrorCode::kTooLarge, "chunk: size");
  if (rest.size() - kChunkHeaderBytes < size) return std::optional<Chunk>{};
  begin_ += kChunkHeaderBytes + size;
  return std::optional(Chunk{static_cast<Priority>(priority), (header & kMore) != 0,
                             rest.subspan(kChunkHeaderBytes, size)});
}

Status FrameSplitter::join(const Chunk& chunk) {
  Bytes& begun = begun_[index_of(chunk.priority)];
  if (begun.size() + chunk.piece.size() > limits::kFrameBytes) {
    return fail(ErrorCode::kTooLarge, "frame: size");
  }
  if (begun_bytes_ + chunk.piece.size() > limits::kBegunBytes) {
    return fail(ErrorCode::kTooLarge, "frames begun: size");
  }
  append(begun, chunk.piece);
  begun_bytes_ += chunk.piece.size();
  return {};
}

Error FrameSplitter::fail(ErrorCode code, const char* what) {
  broken_ = Error{code, what};
  buffer_ = Bytes();
  begin_ = 0;
  begun_ = {};
  begun_bytes_ = 0;
  return *broken_;
}

}  // namespace ebb::codec
