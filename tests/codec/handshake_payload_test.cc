// What each end of a link says in its handshake, against known bytes and broken ones.
#include "codec/handshake_payload.h"

#include <doctest/doctest.h>

#include "core/limits.h"
#include "tests/codec/samples.h"
#include "tests/vectors/vector_file.h"

using namespace ebb;
using namespace ebb::codec;
using namespace ebb::tests;

namespace {

HandshakePayload usual() {
  HandshakePayload payload;
  payload.device = counting<DeviceId>(0x10);
  payload.proof = counting<Signature>(0x40);
  return payload;
}

}  // namespace

TEST_CASE("golden payloads of a handshake, and what is signed for one") {
  const VectorFile file("handshake_payload.txt");
  CHECK(encode_handshake_payload(usual()) == file.at("usual"));
  const auto read = decode_handshake_payload(file.at("usual"));
  REQUIRE(read.ok());
  CHECK(*read == usual());
  CHECK(proof_bytes(HandshakeEnd::kResponder, counting<Hash>(0x80).view(),
                    counting<Hash>(0xa0).view()) == file.at("signed, responder"));
}

TEST_CASE("golden payload with all that an end may claim") {
  const auto read = decode_handshake_payload(VectorFile("handshake_payload.txt").at("with claims"));
  REQUIRE(read.ok());
  HandshakePayload wanted = usual();
  wanted.wire_min = 2;
  wanted.wire_max = 256;
  wanted.features = 5;
  wanted.receiver_index = 0x01020304;
  wanted.certificate = to_bytes(as_bytes("abc"));
  wanted.authority_heads = {0x90};
  CHECK(*read == wanted);
  CHECK(encode_handshake_payload(wanted) == VectorFile("handshake_payload.txt").at("with claims"));
}

TEST_CASE(
    "no prefix of a payload is one, nor one with bytes behind it, nor one that is too large") {
  const Bytes bytes = encode_handshake_payload(usual());
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK(!decode_handshake_payload(ByteView(bytes).first(size)).ok());
  Bytes longer = bytes;
  longer.push_back(0);
  CHECK(!decode_handshake_payload(longer).ok());
  longer.resize(limits::kHandshakePayloadBytes + 1);
  const auto large = decode_handshake_payload(longer);
  REQUIRE(!large.ok());
  CHECK(large.error().code == ErrorCode::kTooLarge);
}

TEST_CASE("versions of the wire that end before they begin are none") {
  HandshakePayload payload = usual();
  payload.wire_min = 2;
  const auto read = decode_handshake_payload(encode_handshake_payload(payload));
  REQUIRE(!read.ok());
  CHECK(read.error().code == ErrorCode::kMalformed);
}
