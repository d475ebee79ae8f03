#include <doctest/doctest.h>

#include "codec/message.h"
#include "core/limits.h"
#include "tests/codec/samples.h"

using namespace ebb;
using namespace ebb::codec;
using namespace ebb::tests;

namespace {

ErrorCode code_of(ByteView bytes) {
  const auto decoded = decode_datagram(bytes);
  REQUIRE_FALSE(decoded.ok());
  return decoded.error().code;
}

}  // namespace

TEST_CASE("a gossip datagram reads back equal") {
  const Bytes bytes = encode_datagram(sample_datagram());
  const auto decoded = decode_datagram(bytes);
  REQUIRE(decoded.ok());
  CHECK(*decoded == sample_datagram());
}

TEST_CASE("a datagram of another type or version is unsupported") {
  Bytes bytes = encode_datagram(sample_datagram());
  bytes[0] = 2;
  CHECK(code_of(bytes) == ErrorCode::kUnsupported);
  bytes[0] = 1;
  bytes[1] = 2;
  CHECK(code_of(bytes) == ErrorCode::kUnsupported);
}

TEST_CASE("what is reserved in the header is zero") {
  for (const std::size_t at : {2U, 3U, 4U, 7U}) {
    Bytes bytes = encode_datagram(sample_datagram());
    bytes[at] = 1;
    CHECK(code_of(bytes) == ErrorCode::kMalformed);
  }
}

TEST_CASE("a datagram that is too short or too long is refused") {
  CHECK(code_of({}) == ErrorCode::kMalformed);
  CHECK(code_of(Bytes(16, 0)) == ErrorCode::kUnsupported);
  CHECK(code_of(Bytes(limits::kDatagramBytes + 1, 1)) == ErrorCode::kTooLarge);
  Bytes bytes = encode_datagram(sample_datagram());
  bytes.push_back(0xc0);
  CHECK(code_of(bytes) == ErrorCode::kMalformed);
}
