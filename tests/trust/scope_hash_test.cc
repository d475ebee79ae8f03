#include "trust/scope_hash.h"

#include <doctest/doctest.h>

#include "trust/hash.h"

namespace ebb::trust {
namespace {

// The hashes were computed by another program from the bytes that docs/wire_format.md gives.
TEST_CASE("the hash of a scope is over its bytes, and that of a full one zero") {
  REQUIRE(crypto_ready().ok());
  DeviceId device;
  for (std::size_t i = 0; i < DeviceId::kSize; ++i)
    device.data[i] = static_cast<std::uint8_t>(0x90 + i);
  CHECK(to_hex(scope_hash({ScopeKind::kPartial, {"a", "b"}, {device}}).view()) ==
        "cf825b92689c3b92");
  CHECK(to_hex(scope_hash({ScopeKind::kLeaf, {}, {}}).view()) == "258718294d475e63");
  CHECK(scope_hash({}) == ScopeHash{});
}

}  // namespace
}  // namespace ebb::trust
