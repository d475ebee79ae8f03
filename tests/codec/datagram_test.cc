#include <doctest/doctest.h>

#include "codec/datagram.h"
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

GossipDatagram sample_root() { return sample_datagrams({})[0].second; }

}  // namespace

TEST_CASE("a root reads back equal") {
  const auto decoded = decode_datagram(encode_datagram(sample_root()));
  REQUIRE(decoded.ok());
  CHECK(decoded->echo == sample_root().echo);
  CHECK(decoded->device == sample_root().device);
  CHECK(std::get<RootDatagram>(decoded->body) == std::get<RootDatagram>(sample_root().body));
}

TEST_CASE("a cookie is smaller than the smallest root") {
  GossipDatagram smallest;
  smallest.body = RootDatagram{};
  GossipDatagram cookie;
  cookie.counter = UINT64_MAX;
  cookie.body = CookieDatagram{};
  CHECK(encode_datagram(cookie).size() == 89);
  CHECK(encode_datagram(smallest).size() == 157);
}

TEST_CASE("lists of a datagram are bounded, and the longest fit") {
  GossipDatagram datagram;
  datagram.body = HeadsDatagram{
      std::vector<ListedHead>(limits::kHeadsPerDatagram, {{}, (Seq{1} << 40) - 1, {}})};
  CHECK(decode_datagram(encode_datagram(datagram)).ok());
  RootDatagram root;
  root.count = root.view_count = 100000;
  root.epoch = root.cursor.epoch = root.arrival_head = root.cursor.arrival = UINT64_MAX;
  root.view_heads.resize(limits::kViewPerDatagram, {{}, (Seq{1} << 40) - 1, {}});
  datagram.body = root;
  CHECK(decode_datagram(encode_datagram(datagram)).ok());
  WantDatagram want;
  want.logs.resize(limits::kHeadsPerDatagram + 1);
  datagram.body = want;
  CHECK(code_of(encode_datagram(datagram)) == ErrorCode::kTooLarge);
}

TEST_CASE("a datagram of another type or version is unsupported") {
  Bytes bytes = encode_datagram(sample_root());
  bytes[0] = 6;
  CHECK(code_of(bytes) == ErrorCode::kUnsupported);
  bytes[0] = 1;
  bytes[1] = 2;
  CHECK(code_of(bytes) == ErrorCode::kUnsupported);
}

TEST_CASE("what is reserved in the header is zero") {
  for (const std::size_t at : {2U, 3U, 4U, 7U}) {
    Bytes bytes = encode_datagram(sample_root());
    bytes[at] = 1;
    CHECK(code_of(bytes) == ErrorCode::kMalformed);
  }
}

TEST_CASE("a datagram that is too short or too long is refused") {
  CHECK(code_of({}) == ErrorCode::kMalformed);
  CHECK(code_of(Bytes(16, 0)) == ErrorCode::kUnsupported);
  CHECK(code_of(Bytes(limits::kDatagramBytes + 1, 1)) == ErrorCode::kTooLarge);
  Bytes bytes = encode_datagram(sample_root());
  bytes.push_back(0xc0);
  CHECK(code_of(bytes) == ErrorCode::kMalformed);
}
