#include "codec/datagram.h"

#include <doctest/doctest.h>

#include "codec/message.h"
#include "core/limits.h"
#include "tests/codec/samples.h"

using namespace ebb;
using namespace ebb::codec;
using namespace ebb::tests;

namespace {

ErrorCode code_of(std::uint8_t type, ByteView plain) {
  const auto decoded = decode_datagram(type, plain);
  REQUIRE_FALSE(decoded.ok());
  return decoded.error().code;
}

DatagramBody sample_root() { return sample_datagrams({})[0].second; }

}  // namespace

TEST_CASE("a root reads back equal") {
  const auto decoded = decode_datagram(1, encode_datagram(sample_root()));
  REQUIRE(decoded.ok());
  CHECK(std::get<RootDatagram>(*decoded) == std::get<RootDatagram>(sample_root()));
}

TEST_CASE("a question has a number") {
  Bytes plain = encode_datagram(RootDatagram{});
  REQUIRE(plain[1] == 1);
  plain[1] = 0;
  CHECK(code_of(1, plain) == ErrorCode::kMalformed);
}

TEST_CASE("lists of a datagram are bounded, and the longest fit") {
  const HeadsDatagram heads{
      std::vector<ListedHead>(limits::kHeadsPerDatagram, {{}, (Seq{1} << 40) - 1, {}})};
  CHECK(decode_datagram(2, encode_datagram(heads)).ok());
  RootDatagram root;
  root.question = UINT8_MAX;
  root.count = root.view_count = 100000;
  root.epoch = root.cursor.epoch = root.arrival_head = root.cursor.arrival = UINT64_MAX;
  root.view_heads.resize(limits::kViewPerDatagram, {{}, (Seq{1} << 40) - 1, {}});
  CHECK(decode_datagram(1, encode_datagram(root)).ok());
  WantDatagram want;
  want.logs.resize(limits::kHeadsPerDatagram + 1);
  CHECK(code_of(3, encode_datagram(want)) == ErrorCode::kTooLarge);
}

TEST_CASE("a datagram of another type is unsupported") {
  const Bytes plain = encode_datagram(sample_root());
  CHECK(code_of(0, plain) == ErrorCode::kUnsupported);
  CHECK(code_of(5, plain) == ErrorCode::kUnsupported);
}

TEST_CASE("a datagram that is too short or too long is refused") {
  CHECK_FALSE(decode_datagram(1, {}).ok());
  CHECK(code_of(1, Bytes(kDatagramBodyBytes + 1, 1)) == ErrorCode::kTooLarge);
  Bytes plain = encode_datagram(sample_root());
  plain.push_back(0xc0);
  CHECK(code_of(1, plain) == ErrorCode::kMalformed);
}
