#include "core/ids.h"

#include <doctest/doctest.h>

#include "core/limits.h"

using namespace ebb;

TEST_CASE("ids that clients choose cannot be looked up by a hash of their first bytes") {
  CHECK_FALSE(std::is_default_constructible_v<std::hash<Uuid>>);
  CHECK(std::is_default_constructible_v<std::hash<LogId>>);
}

TEST_CASE("topics are short names of a small alphabet") {
  for (const char* good : {"events", "a", "0", "a.b-c_d", "-x", ".x", "_ebb"}) {
    CAPTURE(good);
    CHECK(is_valid_topic(good));
  }
  for (const char* bad : {"", "_x", "_ebb2", "_", "Events", "a b", "a/b", "\xc3\xa9"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_valid_topic(bad));
  }
  CHECK(is_valid_topic(std::string(limits::kTopicBytes, 't')));
  CHECK_FALSE(is_valid_topic(std::string(limits::kTopicBytes + 1, 't')));
}

TEST_CASE("a device is shown in groups of eight and read back with or without them") {
  DeviceId device;
  for (std::size_t i = 0; i < device.data.size(); ++i) {
    device.data[i] = static_cast<std::uint8_t>(i * 7);
  }
  const std::string text = device_text(device);
  CHECK(text.size() == 52 + 6);
  CHECK(text.substr(0, 8) == device_short(device));
  CHECK(text[8] == '-');
  CHECK(parse_device(text) == device);
  CHECK(parse_device(to_base32(device.view())) == device);
  CHECK_FALSE(parse_device(text.substr(0, 50)).has_value());
  CHECK_FALSE(parse_device("").has_value());
}

TEST_CASE("a dot is log:seq") {
  const Dot dot{LogId{{1, 2, 3}}, 42};
  const std::string text = dot_text(dot);
  CHECK(text == log_text(dot.log) + ":42");
  CHECK(text.size() == 26 + 3);
  CHECK(parse_dot(text) == dot);
  CHECK(parse_dot(log_text(dot.log) + ":18446744073709551615")->seq == UINT64_MAX);
  for (const char* bad :
       {"", ":", ":0", ":-1", ":+1", ": 1", ":1 ", ":1x", ":18446744073709551616"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_dot(log_text(dot.log) + bad).has_value());
  }
  CHECK_FALSE(parse_dot("abc:1").has_value());
}

TEST_CASE("a uuid is read in its one form") {
  const std::string text = "01234567-89ab-cdef-0123-456789abcdef";
  const auto id = parse_uuid(text);
  REQUIRE(id.has_value());
  CHECK(uuid_text(*id) == text);
  CHECK(parse_uuid("01234567-89AB-CDEF-0123-456789ABCDEF") == id);
  for (const char* bad :
       {"", "0123456789abcdef0123456789abcdef", "01234567-89ab-cdef-0123-456789abcde",
        "01234567-89ab-cdef-0123-456789abcdeg", "012345678-9ab-cdef-0123-456789abcdef",
        "{1234567-89ab-cdef-0123-456789abcde}"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_uuid(bad).has_value());
  }
}
