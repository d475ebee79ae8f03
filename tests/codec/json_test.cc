#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "codec/value.h"

using namespace ebb;
using namespace ebb::codec;

namespace {

template <class Write>
std::string json(const Write& write) {
  Bytes out;
  Writer writer(out);
  write(writer);
  const auto text = to_json(out);
  REQUIRE(text.ok());
  return *text;
}

std::string real_json(double value) {
  return json([value](Writer& w) { w.real(value); });
}

std::string str_json(std::string_view value) {
  return json([value](Writer& w) { w.str(value); });
}

}  // namespace

TEST_CASE("integers stay integers, from -2^63 to 2^64-1") {
  CHECK(json([](Writer& w) { w.integer(INT64_MIN); }) == "-9223372036854775808");
  CHECK(json([](Writer& w) { w.uint(UINT64_MAX); }) == "18446744073709551615");
  CHECK(json([](Writer& w) { w.uint(0); }) == "0");
  CHECK(json([](Writer& w) { w.integer(-1); }) == "-1");
  CHECK(json([](Writer& w) { w.uint(1); }) == "1");
}

TEST_CASE("doubles are told from integers and read back equal") {
  CHECK(real_json(1.0) == "1.0");
  CHECK(real_json(-0.0) == "-0.0");
  CHECK(real_json(0.1) == "0.1");
  CHECK(real_json(5e-324) == "5e-324");
  CHECK(real_json(std::numeric_limits<double>::max()) == "1.7976931348623157e+308");
  CHECK(real_json(1e22) == "1e+22");
  CHECK(real_json(-123456.0) == "-123456.0");
  for (const double value : {1.0 / 3, 2.5, -1e-7, 9007199254740993.0, 1e15, 123456789012345680.0}) {
    const std::string text = real_json(value);
    CAPTURE(text);
    CHECK(std::strtod(text.c_str(), nullptr) == value);
    CHECK(text.find_first_of(".e") != std::string::npos);
  }
  CHECK(std::signbit(std::strtod(real_json(-0.0).c_str(), nullptr)));
}

TEST_CASE("text is escaped where JSON or a line reader needs it, and nowhere else") {
  CHECK(str_json("plain / text \x7f") == "\"plain / text \x7f\"");
  CHECK(str_json("\"\\") == "\"\\\"\\\\\"");
  CHECK(str_json("\b\t\n\f\r") == "\"\\b\\t\\n\\f\\r\"");
  CHECK(str_json(std::string_view("\0\x1f", 2)) == "\"\\u0000\\u001f\"");
  CHECK(str_json("a\xe2\x80\xa8"
                 "b\xe2\x80\xa9") == "\"a\\u2028b\\u2029\"");
  CHECK(str_json("\xe2\x82\xac \xe2\x80\xa7 \xf0\x9f\x8c\x8a") ==
        "\"\xe2\x82\xac \xe2\x80\xa7 \xf0\x9f\x8c\x8a\"");
  CHECK(str_json("") == "\"\"");
}

TEST_CASE("containers, empty keys and nulls are printed as they are") {
  const std::string text = json([](Writer& w) {
    w.map(4);
    w.str("");
    w.nil();
    w.str("a");
    w.array(3);
    w.array(0);
    w.map(0);
    w.boolean(true);
    w.str("b");
    w.map(1);
    w.str("c");
    w.boolean(false);
    w.str("d");
    w.uint(7);
  });
  CHECK(text == R"({"":null,"a":[[],{},true],"b":{"c":false},"d":7})");
}

TEST_CASE("bytes become base64 text") {
  const auto bin_json = [](std::string_view value) {
    return json([value](Writer& w) { w.bin(as_bytes(value)); });
  };
  CHECK(bin_json("") == "\"\"");
  CHECK(bin_json("f") == "\"Zg==\"");
  CHECK(bin_json("fo") == "\"Zm8=\"");
  CHECK(bin_json("foo") == "\"Zm9v\"");
  CHECK(bin_json("foobar") == "\"Zm9vYmFy\"");
  CHECK(bin_json("\xfb\xff") == "\"+/8=\"");
}

TEST_CASE("what is not one canonical value has no JSON") {
  for (const Bytes& bad : {Bytes{}, Bytes{0xc1}, Bytes{0xcc, 0x01}, Bytes{1, 1}, Bytes{0x91}}) {
    CHECK_FALSE(to_json(bad).ok());
  }
}
