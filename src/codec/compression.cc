#include <zstd.h>

#include <array>
#include <memory>

#include "codec/segment.h"
#include "core/check.h"
#include "core/limits.h"

namespace ebb::codec {
namespace {

constexpr int kLevel = 1;

struct FreeCompressor {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};
struct FreeDecompressor {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

// One context a thread, because making one costs more than a segment's compression; nothing of one
// call is left for the next.
ZSTD_CCtx& compressor() {
  thread_local std::unique_ptr<ZSTD_CCtx, FreeCompressor> context(ZSTD_createCCtx());
  EBB_CHECK(context != nullptr);
  return *context;
}
ZSTD_DCtx& decompressor() {
  thread_local std::unique_ptr<ZSTD_DCtx, FreeDecompressor> context(ZSTD_createDCtx());
  EBB_CHECK(context != nullptr);
  return *context;
}

// zstd may be built to read frames of its versions before 0.8 too, whose headers say other things
// at other places; the format is that of RFC 8878 alone.
bool has_magic(ByteView frame) {
  constexpr std::array<std::uint8_t, 4> kMagic = {0x28, 0xb5, 0x2f, 0xfd};
  return frame.size() >= kMagic.size() && equal(frame.first(kMagic.size()), kMagic);
}

// Whether the frame's header keeps to the window of the format. zstd itself checks that only when
// it streams; we decompress at once.
bool window_is_bounded(ByteView frame) {
  constexpr std::size_t kDescriptorAt = 4;  // behind the magic number
  constexpr std::uint8_t kSingleSegment = 0x20;
  if (frame.size() < kDescriptorAt + 2) return false;
  // The window of a single segment is its content, whose size is checked elsewhere.
  if ((frame[kDescriptorAt] & kSingleSegment) != 0) return true;
  const std::uint8_t window = frame[kDescriptorAt + 1];
  const std::uint64_t base = std::uint64_t{1} << (10 + (window >> 3));
  return base + base / 8 * (window & 7) <= (std::uint64_t{1} << limits::kZstdWindowLog);
}

Result<Bytes> decompress(ByteView frame) {
  if (!has_magic(frame)) return Error{ErrorCode::kMalformed, "segment: not a zstd frame"};
  const unsigned long long size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  // An empty frame says 0; no segment is empty.
  if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR || size == 0) {
    return Error{ErrorCode::kMalformed, "segment: zstd frame does not declare its size"};
  }
  if (size > limits::kSegmentDecodedBytes) {
    return Error{ErrorCode::kTooLarge, "segment: decoded body"};
  }
  if (!window_is_bounded(frame)) return Error{ErrorCode::kTooLarge, "segment: zstd window"};
  if (ZSTD_findFrameCompressedSize(frame.data(), frame.size()) != frame.size()) {
    return Error{ErrorCode::kMalformed, "segment: not exactly one zstd frame"};
  }
  Bytes raw(static_cast<std::size_t>(size));
  const std::size_t written =
      ZSTD_decompressDCtx(&decompressor(), raw.data(), raw.size(), frame.data(), frame.size());
  if (ZSTD_isError(written) != 0 || written != raw.size()) {
    return Error{ErrorCode::kMalformed, "segment: zstd"};
  }
  return raw;
}

// Empty when it did not get smaller.
Bytes compress(ByteView raw) {
  ZSTD_CCtx& context = compressor();
  ZSTD_CCtx_reset(&context, ZSTD_reset_session_and_parameters);
  ZSTD_CCtx_setParameter(&context, ZSTD_c_compressionLevel, kLevel);
  ZSTD_CCtx_setParameter(&context, ZSTD_c_windowLog, limits::kZstdWindowLog);
  ZSTD_CCtx_setParameter(&context, ZSTD_c_contentSizeFlag, 1);
  Bytes frame(raw.size());
  const std::size_t written =
      ZSTD_compress2(&context, frame.data(), frame.size(), raw.data(), raw.size());
  // The one error possible is that the frame does not fit where the raw bytes do.
  if (ZSTD_isError(written) != 0 || written >= raw.size()) return {};
  frame.resize(written);
  return frame;
}

}  // namespace

Result<Bytes> decode_body(SegmentCodec codec, ByteView body) {
  if (body.size() > limits::kSegmentDecodedBytes)
    return Error{ErrorCode::kTooLarge, "segment: body"};
  switch (codec) {
    case SegmentCodec::kRaw:
      return to_bytes(body);
    case SegmentCodec::kZstd:
      return decompress(body);
    case SegmentCodec::kColumnar:
      break;
  }
  return Error{ErrorCode::kUnsupported, "segment: codec"};
}

EncodedBody encode_body(SegmentCodec wanted, ByteView raw) {
  if (wanted == SegmentCodec::kZstd && !raw.empty()) {
    Bytes frame = compress(raw);
    if (!frame.empty()) return {SegmentCodec::kZstd, std::move(frame)};
  }
  return {SegmentCodec::kRaw, to_bytes(raw)};
}

}  // namespace ebb::codec
