#include "codec/value.h"

#include <doctest/doctest.h>

#include <limits>

#include "core/limits.h"

using namespace ebb;
using namespace ebb::codec;

namespace {

Bytes hex(std::string_view text) {
  const auto bytes = from_hex(text);
  REQUIRE(bytes.has_value());
  return *bytes;
}

template <class Write>
std::string written(const Write& write) {
  Bytes out;
  Writer writer(out);
  write(writer);
  CHECK(validate(out, SIZE_MAX, 0).ok());
  return to_hex(ByteView(out).first(std::min<std::size_t>(out.size(), 16)));
}

std::string uint_hex(std::uint64_t value) {
  return written([value](Writer& w) { w.uint(value); });
}
std::string int_hex(std::int64_t value) {
  return written([value](Writer& w) { w.integer(value); });
}
std::string real_hex(double value) {
  return written([value](Writer& w) { w.real(value); });
}

// nullopt: valid.
std::optional<ErrorCode> refusal(std::string_view text, std::size_t depth_max = limits::kDepth) {
  const Status status = validate(hex(text), limits::kPayloadBytes, depth_max);
  if (status.ok()) return std::nullopt;
  return status.error().code;
}

}  // namespace

TEST_CASE("an integer is written in its shortest form") {
  CHECK(uint_hex(0) == "00");
  CHECK(uint_hex(0x7f) == "7f");
  CHECK(uint_hex(0x80) == "cc80");
  CHECK(uint_hex(0xff) == "ccff");
  CHECK(uint_hex(0x100) == "cd0100");
  CHECK(uint_hex(0xffff) == "cdffff");
  CHECK(uint_hex(0x10000) == "ce00010000");
  CHECK(uint_hex(0xffffffff) == "ceffffffff");
  CHECK(uint_hex(0x100000000) == "cf0000000100000000");
  CHECK(uint_hex(UINT64_MAX) == "cfffffffffffffffff");
  CHECK(int_hex(0) == "00");
  CHECK(int_hex(0x80) == "cc80");
  CHECK(int_hex(INT64_MAX) == "cf7fffffffffffffff");
  CHECK(int_hex(-1) == "ff");
  CHECK(int_hex(-32) == "e0");
  CHECK(int_hex(-33) == "d0df");
  CHECK(int_hex(-128) == "d080");
  CHECK(int_hex(-129) == "d1ff7f");
  CHECK(int_hex(-32768) == "d18000");
  CHECK(int_hex(-32769) == "d2ffff7fff");
  CHECK(int_hex(INT32_MIN) == "d280000000");
  CHECK(int_hex(std::int64_t{INT32_MIN} - 1) == "d3ffffffff7fffffff");
  CHECK(int_hex(INT64_MIN) == "d38000000000000000");
}

TEST_CASE("a double is always float64, whole numbers and -0.0 too") {
  CHECK(real_hex(1.0) == "cb3ff0000000000000");
  CHECK(real_hex(0.0) == "cb0000000000000000");
  CHECK(real_hex(-0.0) == "cb8000000000000000");
  CHECK(real_hex(5e-324) == "cb0000000000000001");
  CHECK(real_hex(std::numeric_limits<double>::max()) == "cb7fefffffffffffff");
}

TEST_CASE("texts, bytes and containers have the shortest header") {
  const auto str = [](std::size_t size) {
    return written([size](Writer& w) { w.str(std::string(size, 'a')); }).substr(0, 6);
  };
  CHECK(str(0) == "a0");
  CHECK(str(31) == "bf6161");
  CHECK(str(32) == "d92061");
  CHECK(str(255) == "d9ff61");
  CHECK(str(256) == "da0100");
  CHECK(str(65535) == "daffff");
  CHECK(str(65536) == "db0001");
  const auto bin = [](std::size_t size) {
    return written([size](Writer& w) { w.bin(Bytes(size)); }).substr(0, 6);
  };
  CHECK(bin(0) == "c400");
  CHECK(bin(255) == "c4ff00");
  CHECK(bin(256) == "c50100");
  CHECK(bin(65536) == "c60001");
  Bytes out;
  Writer writer(out);
  writer.array(15);
  writer.array(16);
  writer.map(15);
  writer.map(16);
  writer.boolean(true);
  writer.boolean(false);
  writer.nil();
  CHECK(to_hex(out) == "9fdc00108fde0010c3c2c0");
}

TEST_CASE("forms that are longer than needed are not canonical") {
  for (const char* longer : {
           "cc7f",
           "cd00ff",
           "ce0000ffff",
           "cf00000000ffffffff",  // uint
           "d0ff",
           "d0e0",
           "d1ff80",
           "d2ffff8000",
           "d3ffffffff80000000",  // negative
           "d001",
           "d10001",
           "d200000001",
           "d30000000000000001",  // signed, not negative
           "d90161",
           "da000161",
           "db0000000161",  // str
           "c5000161",
           "c60000000161",  // bin
           "dc000101",
           "dd0000000101",
           "de0001a16101",
           "df00000001a16101",
           "ca3f800000",  // float32
       }) {
    CAPTURE(longer);
    CHECK(refusal(longer) == ErrorCode::kNotCanonical);
    CHECK(refusal("92c0" + std::string(longer)) == ErrorCode::kNotCanonical);
  }
}

TEST_CASE("extensions and keys that are no text are not canonical") {
  for (const char* bad : {"d40000", "d5000000", "c70000", "c7010000", "c8000000", "81c0c0",
                          "810102", "8190c0", "8180c0", "81c40161c0"}) {
    CAPTURE(bad);
    CHECK(refusal(bad) == ErrorCode::kNotCanonical);
  }
}

TEST_CASE("numbers that are not finite are out of range") {
  for (const char* bad : {"cb7ff0000000000000", "cbfff0000000000000", "cb7ff8000000000000",
                          "cbfff8000000000001", "91cb7ff0000000000001"}) {
    CAPTURE(bad);
    CHECK(refusal(bad) == ErrorCode::kOutOfRange);
  }
}

TEST_CASE("keys are unique and in the order of their bytes, in each map for itself") {
  CHECK_FALSE(refusal("82a16101a16202").has_value());
  CHECK(refusal("82a16101a16101") == ErrorCode::kDuplicateKey);
  CHECK(refusal("82a0c0a0c0") == ErrorCode::kDuplicateKey);
  CHECK(refusal("82a16201a16101") == ErrorCode::kNotCanonical);
  // A prefix comes first; U+00E9 (c3 a9) comes after "z".
  CHECK_FALSE(refusal("83a0c0a161c0a26161c0").has_value());
  CHECK_FALSE(refusal("82a17ac0a2c3a9c0").has_value());
  CHECK(refusal("82a2c3a9c0a17ac0") == ErrorCode::kNotCanonical);
  // {"a": {"a": 1, "b": 2}, "b": {"a": 1}}
  CHECK_FALSE(refusal("82a16182a16101a16202a16281a16101").has_value());
  // {"b": {"c": 1}, "a": 2}: the inner map does not hide the order of the outer.
  CHECK(refusal("82a16281a16301a16102") == ErrorCode::kNotCanonical);
  // [{"b": 1}, {"a": 1}]
  CHECK_FALSE(refusal("9281a1620181a16101").has_value());
}

TEST_CASE("text is strict UTF-8, as a value and as a key") {
  for (const char* good :
       {"a161", "a2c280", "a3e0a080", "a3ed9fbf", "a3ee8080", "a4f0908080", "a4f48fbfbf", "a100"}) {
    CAPTURE(good);
    CHECK_FALSE(refusal(good).has_value());
  }
  for (const char* bad :
       {"a180", "a1ff", "a2c080", "a2c1bf", "a1c2", "a2c241", "a3e09fbf", "a3eda080", "a3edbfbf",
        "a2e0a0", "a4f08fbfbf", "a4f4908080", "a4f5808080", "a3f09080", "a9616161616161616180"}) {
    CAPTURE(bad);
    CHECK(refusal(bad) == ErrorCode::kMalformed);
    CHECK(refusal("81" + std::string(bad) + "c0") == ErrorCode::kMalformed);
  }
}

TEST_CASE("nesting is bounded, and scalars are at depth 0") {
  CHECK_FALSE(refusal("9191919191919190").has_value());
  CHECK(refusal("919191919191919190") == ErrorCode::kTooDeep);
  CHECK(refusal("81a16181a16181a16181a16181a16181a16181a16181a16180") == ErrorCode::kTooDeep);
  CHECK_FALSE(refusal("01", 0).has_value());
  CHECK(refusal("90", 0) == ErrorCode::kTooDeep);
}

TEST_CASE("a container has at most 4096 elements") {
  const auto array = [](std::size_t size) {
    Bytes out;
    Writer(out).array(size);
    out.insert(out.end(), size, 0xc0);
    return validate(out, SIZE_MAX, 1);
  };
  CHECK(array(limits::kElementsPerContainer).ok());
  REQUIRE_FALSE(array(limits::kElementsPerContainer + 1).ok());
  CHECK(array(limits::kElementsPerContainer + 1).error().code == ErrorCode::kTooLarge);
}

TEST_CASE("a value is whole, alone and within its bound") {
  for (const char* bad : {"", "c1", "92c0", "a2", "a261", "cb00", "cf", "81a161", "c0c0", "dc0fff",
                          "de0fff", "dcff", "c4", "c403ff"}) {
    CAPTURE(bad);
    CHECK(refusal(bad) == ErrorCode::kMalformed);
  }
  CHECK(validate(hex("a26161"), 3, 0).ok());
  REQUIRE_FALSE(validate(hex("a26161"), 2, 0).ok());
  CHECK(validate(hex("a26161"), 2, 0).error().code == ErrorCode::kTooLarge);
}

TEST_CASE("map_get finds the value of a top-level key") {
  // {"": 7, "a": {"b": 1}, "b": [2, 3], "z": null}
  const Bytes map = hex("84a007a16181a16201a162920203a17ac0");
  const auto get = [&map](std::string_view key) {
    const auto value = map_get(map, key);
    return value ? to_hex(*value) : std::string("none");
  };
  CHECK(get("") == "07");
  CHECK(get("a") == "81a16201");
  CHECK(get("b") == "920203");
  CHECK(get("z") == "c0");
  CHECK(get("c") == "none");
  for (const char* no_map : {"01", "9101", "80", "a161", "82a161"}) {
    CHECK_FALSE(map_get(hex(no_map), "a").has_value());
  }
}

TEST_CASE("as_int and as_str read exactly one scalar of their type") {
  CHECK(as_int(hex("05")) == 5);
  CHECK(as_int(hex("d38000000000000000")) == INT64_MIN);
  CHECK(as_int(hex("cf7fffffffffffffff")) == INT64_MAX);
  CHECK(as_str(hex("a3616263")) == "abc");
  CHECK(as_str(hex("a0")) == "");
  for (const char* other : {"", "c0", "cf8000000000000000", "cb3ff0000000000000", "9101", "0505"}) {
    CAPTURE(other);
    CHECK_FALSE(as_int(hex(other)).has_value());
    CHECK_FALSE(as_str(hex(other)).has_value());
  }
}
