#include "trust/identity.h"

#include <doctest/doctest.h>

#include "trust/hash.h"

using namespace ebb;
using namespace ebb::trust;

namespace {

std::unique_ptr<Identity> identity_of(std::string_view seed) {
  REQUIRE(crypto_ready().ok());
  return std::move(Identity::from_seed(*from_hex(seed))).value();
}

}  // namespace

TEST_CASE("libsodium before 1.0.18 is refused") {
  CHECK(is_supported_sodium(10, 3));  // 1.0.18
  CHECK(is_supported_sodium(26, 1));  // 1.0.19
  CHECK_FALSE(is_supported_sodium(10, 2));
  CHECK_FALSE(is_supported_sodium(9, 6));
}

TEST_CASE("keys and signatures are those of RFC 8032") {
  const auto first =
      identity_of("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
  CHECK(to_hex(first->device().view()) ==
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  CHECK(to_hex(first->sign({}).view()) ==
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bac"
        "c61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b");
}

TEST_CASE("a signature holds for its message and its device only") {
  const auto one = identity_of(std::string(64, '1'));
  const auto two = identity_of(std::string(64, '2'));
  const ByteView message = as_bytes("a head");
  const Signature signature = one->sign(message);
  CHECK(verify(one->device(), message, signature));
  CHECK_FALSE(verify(two->device(), message, signature));
  CHECK_FALSE(verify(one->device(), as_bytes("a heaD"), signature));
  for (std::size_t i = 0; i < Signature::kSize; ++i) {
    Signature changed = signature;
    changed.data[i] ^= 1;
    CHECK_FALSE(verify(one->device(), message, changed));
  }
}

TEST_CASE("a key of small order signs nothing") {
  REQUIRE(crypto_ready().ok());
  DeviceId identity_point;
  identity_point.data[0] = 1;
  Signature zero_s;
  zero_s.data[0] = 1;
  CHECK_FALSE(verify(identity_point, as_bytes("anything"), zero_s));
  CHECK_FALSE(verify(DeviceId{}, as_bytes("anything"), Signature{}));
}

TEST_CASE("a seed has 32 bytes") {
  REQUIRE(crypto_ready().ok());
  for (const std::size_t size : {0U, 31U, 33U, 64U}) {
    const auto result = Identity::from_seed(Bytes(size));
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().code == ErrorCode::kInvalidArgument);
  }
}
