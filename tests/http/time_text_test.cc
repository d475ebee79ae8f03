#include "http/time_text.h"

#include <doctest/doctest.h>

namespace {

using ebb::http::parse_rfc3339;
using ebb::http::parse_time;

TEST_CASE("an RFC 3339 time is the instant it names, to the millisecond") {
  CHECK(parse_rfc3339("1970-01-01T00:00:00Z") == 0);
  CHECK(parse_rfc3339("2015-05-17T10:05:00Z") == 1431857100000);
  CHECK(parse_rfc3339("2015-05-17t10:05:00z") == 1431857100000);
  CHECK(parse_rfc3339("2015-05-17 12:05:00+02:00") == 1431857100000);
  CHECK(parse_rfc3339("2015-05-17T00:35:00-09:30") == 1431857100000);
  CHECK(parse_rfc3339("2015-05-17T10:05:00.5Z") == 1431857100500);
  CHECK(parse_rfc3339("2015-05-17T10:05:00.0019999Z") == 1431857100001);
  CHECK(parse_rfc3339("2016-12-31T23:59:60Z") == parse_rfc3339("2017-01-01T00:00:00Z"));
  CHECK(parse_rfc3339("2000-02-29T00:00:00Z") == 951782400000);
}

TEST_CASE("a fraction of a time before 1970 is cut off towards the past") {
  CHECK(parse_rfc3339("1969-12-31T23:59:59.9999Z") == -1);
  CHECK(parse_rfc3339("1969-12-31T23:59:59.0001Z") == -1000);
  CHECK(parse_rfc3339("0000-01-01T00:00:00Z") == -62167219200000);
}

TEST_CASE("a text that names no instant is refused") {
  for (const char* text : {"", "now", "2015-05-17", "2015-05-17T10:05:00", "2015-05-17T10:05Z",
                           "2015-05-17T10:05:00.Z", "2015-02-29T00:00:00Z", "2015-13-01T00:00:00Z",
                           "2015-00-01T00:00:00Z", "2015-05-17T24:00:00Z", "2015-05-17T10:60:00Z",
                           "2015-05-17T10:05:61Z", "2015-05-17T10:05:00+24:00",
                           "2015-05-17T10:05:00+02", "2015-05-17T10:05:00ZZ", "15-05-17T10:05:00Z",
                           "+015-05-17T10:05:00Z", " 2015-05-17T10:05:00Z"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_rfc3339(text).has_value());
  }
}

TEST_CASE("a time in a query is milliseconds or RFC 3339") {
  CHECK(parse_time("1431857100000") == 1431857100000);
  CHECK(parse_time("-5") == -5);
  CHECK(parse_time("1970-01-01T00:00:00.005Z") == 5);
  CHECK_FALSE(parse_time("5ms").has_value());
  CHECK_FALSE(parse_time("99999999999999999999").has_value());
  CHECK_FALSE(parse_time("").has_value());
}

}  // namespace
