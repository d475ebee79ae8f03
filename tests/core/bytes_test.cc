#include "core/bytes.h"

#include <doctest/doctest.h>

#include <cstring>

#include "core/rng.h"

using namespace ebb;

TEST_CASE("integers are written and read in big-endian order") {
  Bytes out;
  append_be16(out, 0x0102);
  append_be32(out, 0x03040506);
  append_be64(out, 0x0708090a0b0c0d0e);
  CHECK(to_hex(out) == "0102030405060708090a0b0c0d0e");
  CHECK(read_be16(out) == 0x0102);
  CHECK(read_be32(ByteView(out).subspan(2)) == 0x03040506);
  CHECK(read_be64(ByteView(out).subspan(6)) == 0x0708090a0b0c0d0e);
}

TEST_CASE("hex takes both cases and refuses odd lengths and other characters") {
  CHECK(from_hex("00fFA5") == Bytes{0x00, 0xff, 0xa5});
  CHECK(from_hex("") == Bytes{});
  for (const char* bad : {"0", "0g", "0x00", " 00", "00 "})
    CHECK_FALSE(from_hex(bad).has_value());
}

TEST_CASE("base32 is that of RFC 4648 in lower case without padding") {
  const std::pair<const char*, const char*> examples[] = {{"", ""},
                                                          {"f", "my"},
                                                          {"fo", "mzxq"},
                                                          {"foo", "mzxw6"},
                                                          {"foob", "mzxw6yq"},
                                                          {"fooba", "mzxw6ytb"},
                                                          {"foobar", "mzxw6ytboi"}};
  for (const auto& [plain, text] : examples) {
    CHECK(to_base32(as_bytes(plain)) == text);
    CHECK(from_base32(text) == to_bytes(as_bytes(plain)));
  }
}

TEST_CASE("base32 ignores case and group marks and refuses what encodes nothing") {
  CHECK(from_base32("MZXW-6YTB-OI") == to_bytes(as_bytes("foobar")));
  for (const char* bad : {"m", "mz1w6", "mzxw6y==", "mz xq", "my0", "mzx", "mz"}) {
    CAPTURE(bad);
    CHECK_FALSE(from_base32(bad).has_value());
  }
}

TEST_CASE("any bytes survive hex and base32") {
  Rng rng(1);
  for (std::size_t size = 0; size < 70; ++size) {
    Bytes bytes(size);
    for (auto& byte : bytes)
      byte = static_cast<std::uint8_t>(rng.below(256));
    CHECK(from_hex(to_hex(bytes)) == bytes);
    CHECK(from_base32(to_base32(bytes)) == bytes);
  }
}

TEST_CASE("fixed bytes come only from exactly their size and order by their bytes") {
  using Four = FixedBytes<4, struct FourTag>;
  CHECK_FALSE(Four::from(Bytes(3)).has_value());
  CHECK_FALSE(Four::from(Bytes(5)).has_value());
  CHECK(Four::from(Bytes(4))->is_zero());
  const Bytes low{0, 0, 0, 0xff};
  const Bytes high{1, 0, 0, 0};
  CHECK(*Four::from(low) < *Four::from(high));
  CHECK(equal(Four::from(low)->view(), low));
}

TEST_CASE("values of fixed size order as their bytes do, and are equal when those are") {
  struct OddTag;
  using Odd = FixedBytes<19, OddTag>;  // two words and three bytes
  Rng rng(7);
  for (int i = 0; i < 5000; ++i) {
    Odd a;
    for (std::uint8_t& byte : a.data)
      byte = static_cast<std::uint8_t>(rng.next());
    Odd b = a;
    // Nothing, one byte or two differ.
    for (std::uint64_t changes = rng.below(3); changes > 0; --changes)
      b.data[rng.below(Odd::kSize)] = static_cast<std::uint8_t>(rng.next());
    const int order = std::memcmp(a.data.data(), b.data.data(), Odd::kSize);
    CHECK((a < b) == (order < 0));
    CHECK((a > b) == (order > 0));
    CHECK((a == b) == (order == 0));
  }
}
