#include <doctest/doctest.h>

#include <limits>

#include "codec/value.h"
#include "core/limits.h"

using namespace ebb;
using namespace ebb::codec;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

ValueBuilder payload_builder() { return ValueBuilder(limits::kPayloadBytes, limits::kDepth); }

template <class Build>
Result<Bytes> built(const Build& build) {
  ValueBuilder builder = payload_builder();
  build(builder);
  return builder.finish();
}

template <class Build>
std::string built_hex(const Build& build) {
  const auto value = built(build);
  REQUIRE(value.ok());
  CHECK(validate(*value, limits::kPayloadBytes, limits::kDepth).ok());
  return to_hex(*value);
}

template <class Build>
Error built_error(const Build& build) {
  const auto value = built(build);
  REQUIRE_FALSE(value.ok());
  return value.error();
}

void nest(ValueBuilder& builder, int depth) {
  for (int i = 0; i < depth; ++i)
    builder.begin_array();
  for (int i = 0; i < depth; ++i)
    builder.end_array();
}

}  // namespace

TEST_CASE("scalars are values of their own") {
  CHECK(built_hex([](ValueBuilder& b) { b.nil(); }) == "c0");
  CHECK(built_hex([](ValueBuilder& b) { b.boolean(true); }) == "c3");
  CHECK(built_hex([](ValueBuilder& b) { b.uint(UINT64_MAX); }) == "cfffffffffffffffff");
  CHECK(built_hex([](ValueBuilder& b) { b.integer(INT64_MIN); }) == "d38000000000000000");
  CHECK(built_hex([](ValueBuilder& b) { b.integer(1); }) == "01");
  CHECK(built_hex([](ValueBuilder& b) { b.real(1.0); }) == "cb3ff0000000000000");
  CHECK(built_hex([](ValueBuilder& b) { b.real(-0.0); }) == "cb8000000000000000");
  CHECK(built_hex([](ValueBuilder& b) { b.str(""); }) == "a0");
}

TEST_CASE("keys come out in the order of their bytes, however they came in") {
  const std::string expected = built_hex([](ValueBuilder& b) {
    b.begin_map();
    b.key("");
    b.uint(0);
    b.key("a");
    b.uint(1);
    b.key("aa");
    b.uint(2);
    b.key("\xc3\xa9");
    b.uint(3);
    b.end_map();
  });
  CHECK(expected == "84a000a16101a2616102a2c3a903");
  const std::string shuffled = built_hex([](ValueBuilder& b) {
    b.begin_map();
    b.key("\xc3\xa9");
    b.uint(3);
    b.key("aa");
    b.uint(2);
    b.key("");
    b.uint(0);
    b.key("a");
    b.uint(1);
    b.end_map();
  });
  CHECK(shuffled == expected);
}

TEST_CASE("nested maps are sorted each for itself, and move with their key") {
  const std::string value = built_hex([](ValueBuilder& b) {
    b.begin_map();
    b.key("z");
    b.begin_map();
    b.key("d");
    b.begin_array();
    b.uint(1);
    b.nil();
    b.end_array();
    b.key("c");
    b.str("x");
    b.end_map();
    b.key("a");
    b.begin_map();
    b.end_map();
    b.end_map();
  });
  CHECK(value == "82a16180a17a82a163a178a1649201c0");
}

TEST_CASE("containers of every header size are written right") {
  for (const unsigned size : {0U, 1U, 15U, 16U, 255U, 256U, 4096U}) {
    CAPTURE(size);
    const auto array = built([size](ValueBuilder& b) {
      b.begin_array();
      for (unsigned i = 0; i < size; ++i)
        b.uint(i % 100);
      b.end_array();
    });
    REQUIRE(array.ok());
    CHECK(validate(*array, limits::kPayloadBytes, 1).ok());
    // Backwards, so that the map is sorted; the header is inserted after that.
    const auto map = built([size](ValueBuilder& b) {
      b.begin_map();
      for (unsigned i = size; i > 0; --i) {
        b.key(std::to_string(i));
        b.uint(1);
      }
      b.end_map();
    });
    REQUIRE(map.ok());
    CHECK(validate(*map, limits::kPayloadBytes, 1).ok());
    if (size > 0) CHECK(as_int(*map_get(*map, std::to_string(size))) == 1);
  }
}

TEST_CASE("a repeated key is refused by name, near and far, on every level") {
  const Error near = built_error([](ValueBuilder& b) {
    b.begin_map();
    b.key("price");
    b.uint(1);
    b.key("price");
    b.uint(1);
    b.end_map();
  });
  CHECK(near.code == ErrorCode::kDuplicateKey);
  CHECK(near.detail == "price");
  const Error far = built_error([](ValueBuilder& b) {
    b.begin_array();
    b.begin_map();
    for (const char* key : {"x", "name", "b", "name"}) {
      b.key(key);
      b.nil();
    }
    b.end_map();
    b.end_array();
  });
  CHECK(far.code == ErrorCode::kDuplicateKey);
  CHECK(far.detail == "name");
}

TEST_CASE("eight levels are built and nine are too deep") {
  CHECK(built([](ValueBuilder& b) { nest(b, 8); }).ok());
  CHECK(built_error([](ValueBuilder& b) { nest(b, 9); }).code == ErrorCode::kTooDeep);
}

TEST_CASE("what cannot be kept is refused by its reason") {
  for (const double bad : {kInfinity, -kInfinity, std::numeric_limits<double>::quiet_NaN()}) {
    CHECK(built_error([bad](ValueBuilder& b) { b.real(bad); }).code == ErrorCode::kOutOfRange);
  }
  CHECK(built_error([](ValueBuilder& b) { b.str("\xed\xa0\x80"); }).code == ErrorCode::kMalformed);
  const auto bad_key = [](ValueBuilder& b) {
    b.begin_map();
    b.key("\xff");
    b.nil();
    b.end_map();
  };
  CHECK(built_error(bad_key).code == ErrorCode::kMalformed);
  const auto too_many = [](ValueBuilder& b) {
    b.begin_array();
    for (std::size_t i = 0; i <= limits::kElementsPerContainer; ++i)
      b.nil();
    b.end_array();
  };
  CHECK(built_error(too_many).code == ErrorCode::kTooLarge);
}

TEST_CASE("the bound on bytes counts headers and is exact") {
  const auto text_of = [](std::size_t size) {
    return built([size](ValueBuilder& b) { b.str(std::string(size, 'x')); });
  };
  CHECK(text_of(limits::kPayloadBytes - 3).value().size() == limits::kPayloadBytes);
  CHECK(text_of(limits::kPayloadBytes - 2).error().code == ErrorCode::kTooLarge);
  const auto many = built_error([](ValueBuilder& b) {
    b.begin_array();
    for (int i = 0; i < 4096; ++i)
      b.str("sixteen bytes...");
    b.end_array();
  });
  CHECK(many.code == ErrorCode::kTooLarge);
}

TEST_CASE("the first error sticks until finish, and then the builder is as new") {
  ValueBuilder builder = payload_builder();
  builder.begin_map();
  builder.key("a");
  builder.real(kInfinity);
  builder.str("\xff");
  builder.end_map();
  CHECK(builder.finish().error().code == ErrorCode::kOutOfRange);
  builder.begin_array();
  CHECK(builder.finish().error().code == ErrorCode::kMalformed);
  CHECK(builder.finish().error().code == ErrorCode::kMalformed);
  builder.uint(5);
  CHECK(builder.finish().value() == Bytes{5});
}
