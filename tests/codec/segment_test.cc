#include "codec/segment.h"

#include <doctest/doctest.h>
#include <zstd.h>

#include "core/limits.h"
#include "core/rng.h"
#include "tests/codec/samples.h"

using namespace ebb;
using namespace ebb::codec;
using namespace ebb::tests;

namespace {

SegmentView view_with(ByteView body) {
  SegmentView segment;
  segment.log = counting<LogId>(0x20);
  segment.first_seq = 5;
  segment.count = 3;
  segment.body = body;
  segment.prev_chain = counting<Hash>(0x30);
  segment.head = {7, {99}, counting<Signature>(0x40)};
  return segment;
}

// nullopt: it decodes.
std::optional<ErrorCode> refusal(const SegmentView& segment) {
  const Bytes bytes = encode_segment(segment);
  const auto decoded = decode_segment(bytes);
  if (decoded.ok()) return std::nullopt;
  return decoded.error().code;
}

ErrorCode body_refusal(SegmentCodec codec, ByteView body) {
  const auto decoded = decode_body(codec, body);
  REQUIRE_FALSE(decoded.ok());
  return decoded.error().code;
}

struct FrameOptions {
  int window_log = 18;
  int content_size = 1;
  bool streamed = false;  // the window is then in the header, and the size is not
};

Bytes zstd_frame(ByteView raw, const FrameOptions& options) {
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, options.window_log);
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, options.content_size);
  Bytes frame(ZSTD_compressBound(raw.size()) + 64);
  if (options.streamed) {
    if (options.content_size != 0) ZSTD_CCtx_setPledgedSrcSize(context, raw.size());
    ZSTD_inBuffer in{raw.data(), raw.size(), 0};
    ZSTD_outBuffer out{frame.data(), frame.size(), 0};
    // A first step that does not end the frame keeps zstd from looking at the whole at once.
    REQUIRE(ZSTD_isError(ZSTD_compressStream2(context, &out, &in, ZSTD_e_continue)) == 0);
    REQUIRE(ZSTD_compressStream2(context, &out, &in, ZSTD_e_end) == 0);
    frame.resize(out.pos);
  } else {
    frame.resize(ZSTD_compress2(context, frame.data(), frame.size(), raw.data(), raw.size()));
  }
  ZSTD_freeCCtx(context);
  return frame;
}

}  // namespace

TEST_CASE("a segment reads back equal") {
  const Bytes body = sample_body(3);
  const SegmentView segment = view_with(body);
  const Bytes bytes = encode_segment(segment);
  const auto decoded = decode_segment(bytes);
  REQUIRE(decoded.ok());
  CHECK(decoded->log == segment.log);
  CHECK(decoded->first_seq == 5);
  CHECK(decoded->count == 3);
  CHECK(decoded->last_seq() == 7);
  CHECK(decoded->codec == SegmentCodec::kRaw);
  CHECK(equal(decoded->body, body));
  CHECK(decoded->prev_chain == segment.prev_chain);
  CHECK(decoded->head == segment.head);
}

TEST_CASE("numbers of a segment that do not fit together are refused") {
  SegmentView segment = view_with({});
  CHECK_FALSE(refusal(segment).has_value());
  segment.head.seq = 8;
  CHECK(refusal(segment) == ErrorCode::kMalformed);
  segment = view_with({});
  segment.first_seq = 0;
  segment.head.seq = 2;
  CHECK(refusal(segment) == ErrorCode::kMalformed);
  segment = view_with({});
  segment.count = 0;
  segment.head.seq = 4;
  CHECK(refusal(segment) == ErrorCode::kMalformed);
  segment = view_with({});
  segment.count = limits::kSegmentEvents + 1;
  segment.head.seq = segment.last_seq();
  CHECK(refusal(segment) == ErrorCode::kTooLarge);
  segment = view_with({});
  segment.first_seq = UINT64_MAX - 1;
  segment.head.seq = segment.last_seq();  // wraps
  CHECK(refusal(segment) == ErrorCode::kMalformed);
  segment = view_with({});
  segment.codec = SegmentCodec::kColumnar;
  CHECK(refusal(segment) == ErrorCode::kUnsupported);
  const Bytes large(limits::kSegmentDecodedBytes + 1);
  CHECK(refusal(view_with(large)) == ErrorCode::kTooLarge);
}

TEST_CASE("a segment has exactly seven elements and its head three") {
  Bytes bytes = encode_segment(view_with({}));
  bytes[0] = 0x98;
  bytes.push_back(0xc0);
  CHECK(decode_segment(bytes).error().code == ErrorCode::kMalformed);
  bytes = encode_segment(view_with({}));
  const std::size_t head = bytes.size() - 2 - 64 - 2 - 1 - 0;  // [seq, hlc, bin64]: 1 + 1 + 1 + 66
  REQUIRE(bytes[head] == 0x93);
  bytes[head] = 0x94;
  bytes.push_back(0xc0);
  CHECK(decode_segment(bytes).error().code == ErrorCode::kMalformed);
}

TEST_CASE("a body survives each codec") {
  const Bytes raw = sample_body(100);
  for (const SegmentCodec wanted : {SegmentCodec::kRaw, SegmentCodec::kZstd}) {
    const EncodedBody body = encode_body(wanted, raw);
    CHECK(body.codec == wanted);
    CHECK((wanted == SegmentCodec::kRaw) == (body.bytes.size() == raw.size()));
    const auto decoded = decode_body(body.codec, body.bytes);
    REQUIRE(decoded.ok());
    CHECK(*decoded == raw);
  }
  CHECK(body_refusal(SegmentCodec::kColumnar, raw) == ErrorCode::kUnsupported);
}

TEST_CASE("only a frame of today's zstd is one") {
  Bytes frame = encode_body(SegmentCodec::kZstd, sample_body(100)).bytes;
  REQUIRE(frame[0] == 0x28);
  // 0.7, whose library decodes such frames where it is built with them; 0.6; a skippable frame.
  constexpr std::uint8_t kOthers[] = {0x27, 0x26, 0x25, 0x50};
  for (const std::uint8_t first : kOthers) {
    Bytes other = frame;
    other[0] = first;
    const auto decoded = decode_body(SegmentCodec::kZstd, other);
    REQUIRE_FALSE(decoded.ok());
    CHECK(decoded.error().code == ErrorCode::kMalformed);
    CHECK(decoded.error().context == "segment: not a zstd frame");
  }
  CHECK(body_refusal(SegmentCodec::kZstd, ByteView(frame).first(3)) == ErrorCode::kMalformed);
}

TEST_CASE("a body that does not get smaller stays raw") {
  Rng rng(7);
  Bytes noise(1000);
  for (auto& byte : noise)
    byte = static_cast<std::uint8_t>(rng.below(256));
  for (const Bytes& raw : {noise, Bytes{1}, Bytes{}}) {
    const EncodedBody body = encode_body(SegmentCodec::kZstd, raw);
    CHECK(body.codec == SegmentCodec::kRaw);
    CHECK(body.bytes == raw);
  }
}

TEST_CASE("a zstd frame is alone, whole, bounded and says its size") {
  const Bytes raw = sample_body(100);
  const Bytes good = zstd_frame(raw, {});
  CHECK(decode_body(SegmentCodec::kZstd, good).value() == raw);
  CHECK(decode_body(SegmentCodec::kZstd, zstd_frame(raw, {.streamed = true})).ok());

  Bytes trailing = good;
  trailing.push_back(0);
  CHECK(body_refusal(SegmentCodec::kZstd, trailing) == ErrorCode::kMalformed);
  Bytes twice = good;
  append(twice, good);
  CHECK(body_refusal(SegmentCodec::kZstd, twice) == ErrorCode::kMalformed);
  CHECK(body_refusal(SegmentCodec::kZstd, ByteView(good).first(good.size() - 1)) ==
        ErrorCode::kMalformed);
  const Bytes sizeless = zstd_frame(raw, {.content_size = 0, .streamed = true});
  CHECK(body_refusal(SegmentCodec::kZstd, sizeless) == ErrorCode::kMalformed);
  const Bytes skippable{0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4};
  CHECK(body_refusal(SegmentCodec::kZstd, skippable) == ErrorCode::kMalformed);
  CHECK(body_refusal(SegmentCodec::kZstd, zstd_frame({}, {})) == ErrorCode::kMalformed);
  CHECK(body_refusal(SegmentCodec::kZstd, {}) == ErrorCode::kMalformed);
}

TEST_CASE("a zstd frame of zeros is taken up to the bound on decoded bytes") {
  const Bytes largest(limits::kSegmentDecodedBytes);
  CHECK(decode_body(SegmentCodec::kZstd, zstd_frame(largest, {})).value() == largest);
  const Bytes larger(limits::kSegmentDecodedBytes + 1);
  CHECK(body_refusal(SegmentCodec::kZstd, zstd_frame(larger, {})) == ErrorCode::kTooLarge);
}

TEST_CASE("a zstd window above 2^18 is refused") {
  // Magic, a descriptor (four bytes of content size, window stated), the window, 4 as the size, and
  // one raw block.
  Bytes frame{0x28, 0xb5, 0x2f, 0xfd, 0x80, 0x40, 4, 0, 0, 0, 0x21, 0, 0, 1, 2, 3, 4};
  CHECK(decode_body(SegmentCodec::kZstd, frame).value() == Bytes{1, 2, 3, 4});
  for (const unsigned window : {0x41U, 0x48U, 0x50U, 0x57U}) {
    frame[5] = static_cast<std::uint8_t>(window);
    CHECK(body_refusal(SegmentCodec::kZstd, frame) == ErrorCode::kTooLarge);
  }
}

TEST_CASE("a body splits into exactly its events") {
  Bytes raw = sample_body(5);
  const auto events = split_body(raw, 5);
  REQUIRE(events.ok());
  Bytes joined;
  for (const BodyEvent& event : *events)
    append(joined, event.bytes);
  CHECK(joined == raw);
  CHECK((*events)[1].event.hlc == Hlc::at({kSampleMs}, 2));
  CHECK(split_body(raw, 4).error().code == ErrorCode::kMalformed);
  CHECK(split_body(raw, 6).error().code == ErrorCode::kMalformed);
  raw.pop_back();
  CHECK_FALSE(split_body(raw, 5).ok());
}

TEST_CASE("the first bad event is named by its index, one of a newer format is marked") {
  Bytes raw = sample_event(1);
  append(raw, Bytes{0x93, 0x02, 0x05, 0xa1, 'x'});
  const auto events = split_body(raw, 2);
  REQUIRE(events.ok());
  CHECK_FALSE((*events)[0].newer_format);
  CHECK((*events)[1].newer_format);
  CHECK((*events)[1].bytes.size() == 5);
  CHECK((*events)[1].event.hlc.value == 5);
  append(raw, Bytes{0x05});
  CHECK(split_body(raw, 3).error().message() ==
        "malformed: event: not an array of its fields: event 2");
}
