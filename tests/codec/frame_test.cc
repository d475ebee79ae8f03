#include "codec/frame.h"

#include <doctest/doctest.h>

#include <memory>

#include "codec/message.h"
#include "core/limits.h"
#include "core/rng.h"
#include "tests/codec/allocation_peak.h"

using namespace ebb;
using namespace ebb::codec;
using ebb::tests::GivenBack;

namespace {

Bytes frame_of(ByteView message, Priority priority = Priority::kControl) {
  Bytes out;
  append_frame(priority, message, out);
  return out;
}

Bytes header(std::uint32_t value) {
  Bytes out;
  append_be32(out, value);
  return out;
}

Bytes chunk(Priority priority, const Bytes& piece, bool more) {
  Bytes out;
  append_chunk(priority, piece, more, out);
  return out;
}

constexpr std::uint32_t kMore = 0x80000000;

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

TEST_CASE("frames of each priority are put together, however their chunks are mixed") {
  std::vector<Bytes> messages;
  for (std::uint8_t i = 0; i < kPriorities; ++i)
    messages.push_back(Bytes(2000 + 500 * std::size_t{i}, i));
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Rng rng(seed);
    std::vector<std::size_t> sent(kPriorities, 0);
    std::vector<Bytes> expected;
    FrameSplitter splitter;
    while (expected.size() < kPriorities) {
      const std::size_t i = rng.below(kPriorities);
      const ByteView rest = ByteView(messages[i]).subspan(sent[i]);
      if (rest.empty()) continue;
      const std::size_t size = rng.between(1, std::min<std::size_t>(rest.size(), 700));
      const bool more = size < rest.size();
      Bytes wire;
      append_chunk(static_cast<Priority>(i), rest.first(size), more, wire);
      sent[i] += size;
      splitter.push(wire);
      const std::vector<Bytes> whole = drain(splitter);
      REQUIRE(whole.size() == (more ? 0U : 1U));
      if (more) continue;
      expected.push_back(messages[i]);
      CHECK(whole[0] == messages[i]);
    }
    CHECK(splitter.buffered_bytes() == 0);
  }
}

TEST_CASE("what came in one push is handed out one by one") {
  FrameSplitter splitter;
  Bytes stream = frame_of(Bytes(1000, 1));
  append(stream, frame_of(Bytes(100000, 2)));
  append(stream, header(0));
  splitter.push(stream);
  const auto one = splitter.next();
  REQUIRE(one.ok());
  CHECK(to_bytes(*one) == Bytes(1000, 1));
  const auto two = splitter.next();
  REQUIRE(two.ok());
  CHECK(to_bytes(*two) == Bytes(100000, 2));
  CHECK_FALSE(splitter.next().ok());
}

TEST_CASE("the largest chunk is taken, and one more byte breaks the stream for good") {
  FrameSplitter splitter;
  const Bytes largest(limits::kChunkBytes, 3);
  splitter.push(chunk(Priority::kBulk, largest, false));
  CHECK(drain(splitter) == std::vector<Bytes>{largest});
  for (const std::uint32_t size : {0U, static_cast<std::uint32_t>(limits::kChunkBytes + 1),
                                   0xffffffU, kMore | 0U, kMore | 0xffffffU}) {
    FrameSplitter broken;
    broken.push(header(size));
    CHECK(broken.next().error().code == ErrorCode::kTooLarge);
    broken.push(frame_of(Bytes(5, 5)));
    CHECK(broken.next().error().code == ErrorCode::kTooLarge);
    CHECK(broken.buffered_bytes() == 0);
  }
}

TEST_CASE("a priority or a flag that there is not breaks the stream for good") {
  for (std::uint32_t top = 0; top < 256; ++top) {
    const bool known = (top & 0x7f) < kPriorities;
    FrameSplitter splitter;
    splitter.push(chunk(Priority::kLive, Bytes(9, 9), true));
    splitter.push(header((top << 24) | 1));
    const auto frame = splitter.next();
    CAPTURE(top);
    CHECK(frame.ok() == known);
    if (known) continue;
    CHECK(frame.error().code == ErrorCode::kMalformed);
    CHECK(splitter.buffered_bytes() == 0);
    splitter.push(frame_of(Bytes(5, 5)));
    CHECK(splitter.next().error().code == ErrorCode::kMalformed);
  }
}

TEST_CASE("the largest frame is taken, and one more byte breaks the stream for good") {
  const Bytes largest(limits::kFrameBytes, 3);
  FrameSplitter splitter;
  splitter.push(frame_of(largest, Priority::kHistory));
  CHECK(drain(splitter) == std::vector<Bytes>{largest});
  const Bytes piece(limits::kChunkBytes, 4);
  FrameSplitter broken;
  for (std::size_t sent = 0; sent < limits::kFrameBytes; sent += piece.size()) {
    broken.push(chunk(Priority::kHistory, piece, true));
    REQUIRE(broken.next().ok());
  }
  broken.push(chunk(Priority::kHistory, Bytes(1, 1), false));
  CHECK(broken.next().error().code == ErrorCode::kTooLarge);
  CHECK(broken.buffered_bytes() == 0);
}

TEST_CASE("frames that are begun and never ended are kept to their bound together") {
  FrameSplitter splitter;
  const Bytes piece(limits::kChunkBytes, 4);
  std::size_t sent = 0;
  std::size_t peak = 0;
  while (true) {
    splitter.push(chunk(static_cast<Priority>(sent / piece.size() % kPriorities), piece, true));
    sent += piece.size();
    const auto frame = splitter.next();
    if (!frame.ok()) break;
    CHECK(frame->empty());
    peak = std::max(peak, splitter.buffered_bytes());
  }
  CHECK(peak == limits::kBegunBytes);
  CHECK(sent == limits::kBegunBytes + piece.size());
  CHECK(splitter.buffered_bytes() == 0);
}

TEST_CASE("a claimed size buffers nothing") {
  FrameSplitter splitter;
  splitter.push(header(kMore | static_cast<std::uint32_t>(limits::kChunkBytes)));
  CHECK(splitter.next()->empty());
  CHECK(splitter.buffered_bytes() == 4);
}

TEST_CASE("a frame above a chunk is cut into full ones") {
  const Bytes message(2 * limits::kChunkBytes + 5, 7);
  const Bytes stream = frame_of(message, Priority::kCatchUp);
  CHECK(stream.size() == message.size() + 3 * kChunkHeaderBytes);
  CHECK(read_be32(stream) == 0x82010000);
  CHECK(read_be32(ByteView(stream).last(5 + kChunkHeaderBytes)) == 0x02000005);
}

TEST_CASE("of what was erased nothing is left in memory, whole or begun") {
  const Bytes secret(32, 0xa7);
  Bytes whole = chunk(Priority::kControl, secret, false);
  Bytes begun = chunk(Priority::kLive, secret, true);
  std::size_t left = 1;
  {
    auto splitter = std::make_unique<FrameSplitter>();
    splitter->push(begun);
    CHECK(splitter->next()->empty());
    splitter->push(whole);
    CHECK(equal(*splitter->next(), secret));
    splitter->erase();
    CHECK(splitter->buffered_bytes() == 0);
    const GivenBack given_back(secret);
    splitter.reset();
    left = given_back.blocks();
  }
  CHECK(left == 0);
  FrameSplitter splitter;
  splitter.push(whole);
  splitter.erase();
  CHECK(splitter.next()->empty());
  splitter.push(whole);
  CHECK(equal(*splitter.next(), secret));
}
