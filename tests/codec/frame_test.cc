#include "codec/frame.h"

#include <doctest/doctest.h>

#include "core/limits.h"
#include "core/rng.h"

using namespace ebb;
using namespace ebb::codec;

namespace {

Bytes frame_of(ByteView message) {
  Bytes out;
  append_be32(out, static_cast<std::uint32_t>(message.size()));
  append(out, message);
  return out;
}

// All whole frames that are there, as copies.
std::vector<Bytes> drain(FrameSplitter& splitter) {
  std::vector<Bytes> frames;
  while (true) {
    const auto next = splitter.next();
    REQUIRE(next.ok());
    if (next->empty()) return frames;
    frames.push_back(to_bytes(*next));
  }
}

}  // namespace

TEST_CASE("frames come out whole, however the stream is cut") {
  std::vector<Bytes> expected;
  Bytes stream;
  for (std::uint8_t size = 1; size < 60; ++size) {
    expected.push_back(Bytes(size, size));
    append(stream, frame_of(expected.back()));
  }
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Rng rng(seed);
    FrameSplitter splitter;
    std::vector<Bytes> frames;
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t size = std::min<std::size_t>(stream.size() - at, rng.between(0, 90));
      splitter.push(ByteView(stream).subspan(at, size));
      at += size;
      for (Bytes& frame : drain(splitter))
        frames.push_back(std::move(frame));
    }
    CHECK(frames == expected);
    CHECK(splitter.buffered_bytes() == 0);
  }
}

TEST_CASE("views of one push stay valid until the next") {
  FrameSplitter splitter;
  Bytes stream = frame_of(Bytes(1000, 1));
  append(stream, frame_of(Bytes(1000, 2)));
  append(stream, Bytes{0, 0, 0, 0});
  splitter.push(stream);
  const auto one = splitter.next();
  const auto two = splitter.next();
  CHECK_FALSE(splitter.next().ok());
  CHECK(to_bytes(*one) == Bytes(1000, 1));
  CHECK(to_bytes(*two) == Bytes(1000, 2));
}

TEST_CASE("the largest frame is taken, and one more byte breaks the stream for good") {
  FrameSplitter splitter;
  const Bytes largest(limits::kFrameBytes, 3);
  splitter.push(frame_of(largest));
  CHECK(drain(splitter) == std::vector<Bytes>{largest});
  for (const std::uint32_t length :
       {0U, static_cast<std::uint32_t>(limits::kFrameBytes + 1), 0xffffffffU}) {
    FrameSplitter broken;
    Bytes header;
    append_be32(header, length);
    broken.push(header);
    CHECK(broken.next().error().code == ErrorCode::kTooLarge);
    broken.push(frame_of(Bytes(5, 5)));
    CHECK(broken.next().error().code == ErrorCode::kTooLarge);
    CHECK(broken.buffered_bytes() == 0);
  }
}

TEST_CASE("a claimed length buffers nothing") {
  FrameSplitter splitter;
  Bytes header;
  append_be32(header, static_cast<std::uint32_t>(limits::kFrameBytes));
  splitter.push(header);
  CHECK(splitter.next()->empty());
  CHECK(splitter.buffered_bytes() == 4);
}
