#include "channel/beacon.h"

#include <doctest/doctest.h>

#include "tests/channel/ends.h"
#include "trust/hash.h"

using namespace ebb;
using namespace ebb::channel;
using namespace ebb::tests;

namespace {

AccessKey beacon_key() { return AccessKey::for_beacon(kMesh, kMeshSecret); }

Beacon beacon_of(std::uint8_t mark, std::uint16_t port) {
  Beacon beacon;
  beacon.nonce.data.fill(mark);
  beacon.port = port;
  return beacon;
}

ErrorCode refusal(ByteView bytes, const AccessKey& key) {
  const auto read = read_beacon(key, bytes);
  REQUIRE_FALSE(read.ok());
  return read.error().code;
}

}  // namespace

TEST_CASE("a beacon says its port to who knows mesh and secret") {
  REQUIRE(trust::crypto_ready().ok());
  const Bytes bytes = write_beacon(beacon_key(), beacon_of(7, 7401));
  CHECK(bytes.size() == kBeaconBytes);
  CHECK(*read_beacon(beacon_key(), bytes) == beacon_of(7, 7401));
  CHECK(*read_beacon(beacon_key(), write_beacon(beacon_key(), beacon_of(8, 65535))) ==
        beacon_of(8, 65535));
}

TEST_CASE("a beacon that was touched or cut is none, nor is one of another mesh or secret") {
  REQUIRE(trust::crypto_ready().ok());
  const Bytes bytes = write_beacon(beacon_key(), beacon_of(7, 7401));
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    Bytes spoiled = bytes;
    spoiled[bit / 8] = static_cast<std::uint8_t>(spoiled[bit / 8] ^ (1U << bit % 8));
    CHECK(refusal(spoiled, beacon_key()) ==
          (bit < 8 ? ErrorCode::kUnsupported : ErrorCode::kBadSignature));
  }
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK(refusal(ByteView(bytes).first(size), beacon_key()) == ErrorCode::kMalformed);
  Bytes longer = bytes;
  longer.push_back(0);
  CHECK(refusal(longer, beacon_key()) == ErrorCode::kMalformed);
  const MeshId other_mesh = *MeshId::from(as_bytes("another mesh 16b"));
  const auto other_secret = *trust::MeshSecret::from(as_bytes("another secret, it has 32 bytes."));
  CHECK(refusal(bytes, AccessKey::for_beacon(other_mesh, kMeshSecret)) == ErrorCode::kBadSignature);
  CHECK(refusal(bytes, AccessKey::for_beacon(kMesh, other_secret)) == ErrorCode::kBadSignature);
  // The mac of a handshake is no beacon's.
  CHECK(refusal(bytes, AccessKey::for_link(kMesh, kMeshSecret)) == ErrorCode::kBadSignature);
}

TEST_CASE("a beacon of port 0 is none, though its mac is right") {
  REQUIRE(trust::crypto_ready().ok());
  Bytes bytes = write_beacon(beacon_key(), beacon_of(7, 1));
  bytes[18] = 0;
  bytes.resize(kBeaconBytes - kMacBytes);
  const Bytes body = bytes;
  append(bytes, beacon_key().mac(body).view());
  CHECK(refusal(bytes, beacon_key()) == ErrorCode::kMalformed);
}
