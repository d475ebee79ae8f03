// Signatures on which implementations of Ed25519 disagree: the one verdict of this program. How
// they are made is told in docs/decisions/0026-channel.md.
#include <doctest/doctest.h>

#include <string>

#include "tests/vectors/vector_file.h"
#include "trust/hash.h"
#include "trust/identity.h"

using namespace ebb;
using namespace ebb::trust;

namespace {

// Those that hold; every other signature of the file does not.
bool is_to_hold(const std::string& name) {
  return name == "honest" || name == "honest, empty message" ||
         name.ends_with("mixed order, both equations hold") ||
         name == "key with a part of order 2, both equations hold";
}

bool holds(ByteView entry) {
  const auto key = DeviceId::from(entry.first(DeviceId::kSize));
  const auto signature = Signature::from(entry.subspan(DeviceId::kSize, Signature::kSize));
  return verify(*key, entry.subspan(DeviceId::kSize + Signature::kSize), *signature);
}

// How many entries begin so.
std::size_t count(const tests::VectorFile& file, std::string_view beginning) {
  std::size_t found = 0;
  for (const auto& [name, bytes] : file.entries())
    if (name.starts_with(beginning)) ++found;
  return found;
}

}  // namespace

TEST_CASE("each signature at the edges of Ed25519 has its documented verdict") {
  REQUIRE(crypto_ready().ok());
  const tests::VectorFile file("ed25519.txt");
  std::size_t held = 0;
  for (const auto& entry : file.entries()) {
    const std::string& name = entry.first;
    CAPTURE(name);
    CHECK(holds(entry.second) == is_to_hold(name));
    if (is_to_hold(name)) ++held;
  }
  CHECK(held == 5);
  // Nothing of the list has been lost.
  CHECK(file.entries().size() == 44);
  CHECK(count(file, "S plus ") == 3);
  CHECK(count(file, "R of small order ") == 8);
  CHECK(count(file, "key of small order ") == 8);
  CHECK(count(file, "key and R of small order") == 4);
  CHECK(count(file, "key not canonical, ") == 6);
  CHECK(count(file, "R not canonical, ") == 6);
}

TEST_CASE("a signature that holds is the only one: no other S, and no other spelling of R") {
  REQUIRE(crypto_ready().ok());
  const tests::VectorFile file("ed25519.txt");
  for (const auto& entry : file.entries()) {
    const std::string& name = entry.first;
    const Bytes& bytes = entry.second;
    if (!is_to_hold(name)) continue;
    CAPTURE(name);
    for (std::size_t byte = DeviceId::kSize; byte < DeviceId::kSize + Signature::kSize; ++byte) {
      for (unsigned bit = 1; bit < 256; bit <<= 1) {
        Bytes changed = bytes;
        changed[byte] = static_cast<std::uint8_t>(changed[byte] ^ bit);
        CHECK_FALSE(holds(changed));
      }
    }
  }
}
