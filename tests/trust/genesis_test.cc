#include "trust/genesis.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "codec/value.h"
#include "core/limits.h"
#include "tests/codec/samples.h"
#include "trust/hash.h"

using namespace ebb;
using namespace ebb::tests;
using namespace ebb::trust;

namespace {

Genesis sample_genesis() {
  return {counting<DeviceId>(0x90), {kSampleMs}, counting<GenesisNonce>(0xa0)};
}

}  // namespace

TEST_CASE("a genesis reads back equal, and another one is another mesh") {
  const Bytes bytes = encode_genesis(sample_genesis());
  const auto decoded = decode_genesis(bytes);
  REQUIRE(decoded.ok());
  CHECK(*decoded == sample_genesis());
  Genesis other = sample_genesis();
  other.nonce.data[0] ^= 1;
  CHECK(mesh_id(encode_genesis(other)) != mesh_id(bytes));
}

TEST_CASE("a mesh was made from 1970 on, and not beyond the last time there is") {
  Genesis genesis = sample_genesis();
  for (const std::int64_t ms : {std::int64_t{0}, limits::kTrustTimeMax}) {
    genesis.created = {ms};
    const auto decoded = decode_genesis(encode_genesis(genesis));
    REQUIRE(decoded.ok());
    CHECK(decoded->created == genesis.created);
  }
  for (const std::int64_t ms :
       {std::int64_t{-1}, INT64_MIN, limits::kTrustTimeMax + 1, INT64_MAX}) {
    CAPTURE(ms);
    genesis.created = {ms};
    CHECK(decode_genesis(encode_genesis(genesis)).error().code == ErrorCode::kMalformed);
  }
}

TEST_CASE("a genesis that is cut, of another label or not canonical is refused") {
  const Bytes bytes = encode_genesis(sample_genesis());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK_FALSE(decode_genesis(ByteView(bytes).first(size)).ok());
  }
  Bytes label = bytes;
  label[14] = '2';
  CHECK(decode_genesis(label).error().code == ErrorCode::kMalformed);
  Bytes longer{0xdc, 0x00, 0x04};
  longer.insert(longer.end(), bytes.begin() + 1, bytes.end());
  CHECK(decode_genesis(longer).error().code == ErrorCode::kNotCanonical);
}
