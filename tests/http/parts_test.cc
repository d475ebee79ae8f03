// The small parts of the local API: targets, cursors, dots, answers, JSON and metrics text.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "http/answer.h"
#include "http/appended.h"
#include "http/completeness.h"
#include "http/cursor.h"
#include "http/json_writer.h"
#include "http/prometheus.h"
#include "http/target.h"

namespace {

using ebb::ErrorCode;
using ebb::LogId;
using namespace ebb::http;

LogId log_of(std::uint8_t byte) {
  LogId log;
  log.data.fill(byte);
  return log;
}

TEST_CASE("completeness names the logs that are missing, and counts those it does not name") {
  ebb::node::NodeStatus status;
  status.events_held = 10;
  status.events_known = 15;
  status.links = 1;
  status.links_in_sync = 1;
  ebb::node::MissingLog named{.log = log_of(1), .key = ebb::LogKey{}, .held = 3, .known = 7};
  named.key->topic = "events";
  status.missing = {3, {named, {.log = log_of(2), .key = {}, .held = 0, .known = 1}}};
  std::string text;
  JsonWriter out(text);
  write_completeness(out, status);
  const auto json = nlohmann::json::parse(text);
  CHECK(json["state"] == "behind");
  CHECK(json["scope"] == "full");
  CHECK(json["missing_logs"] == 3);
  REQUIRE(json["missing"].size() == 2);
  CHECK(json["missing"][0]["log"] == ebb::log_text(log_of(1)));
  CHECK(json["missing"][0]["topic"] == "events");
  CHECK(json["missing"][0]["device"] == ebb::device_text({}));
  CHECK(json["missing"][0]["held"] == 3);
  CHECK(json["missing"][0]["known"] == 7);
  CHECK(json["missing"][1]["device"].is_null());
  CHECK(json["missing"][1]["topic"].is_null());
}

TEST_CASE("a target is decoded once") {
  const auto target = parse_target("/v1/counters/a%2Fb%2520+c?topic=a+b%2B&x=&flag&&y=%c3%a9");
  REQUIRE(target.ok());
  CHECK(target->path == "/v1/counters/a/b%20+c");
  CHECK(target->query.at("topic") == "a b+");
  CHECK(target->query.at("x").empty());
  CHECK(target->query.at("flag").empty());
  CHECK(target->query.at("y") == "é");
}

TEST_CASE("a target that is no text is refused") {
  for (const char* raw : {"/%", "/%4", "/%4g", "/a?x=%", "/%00", "/%ff", "/a?x=1&x=2"}) {
    CAPTURE(raw);
    CHECK_FALSE(parse_target(raw).ok());
  }
  CHECK(parse_target("/%41")->path == "/A");
}

TEST_CASE("a cursor reads back as it was written, and a dot is one") {
  const Positions positions = {{log_of(1), 7}, {log_of(2), 1}};
  const std::string text = cursor_text(positions);
  CHECK(parse_cursor(text).value() == positions);
  CHECK(parse_cursor(ebb::dot_text({log_of(3), 9})).value() == Positions{{log_of(3), 9}});
  CHECK(cursor_text({}).empty());
  CHECK_FALSE(parse_cursor(text + ",x").ok());
  CHECK_FALSE(parse_cursor(text + "," + text).ok());
}

TEST_CASE("dots that continue each other are told as one range") {
  Appended appended(2);
  appended.add({{log_of(1), 1, 2, false}, {log_of(1), 3, 1, false}});
  appended.add({{log_of(1), 4, 1, false}});
  appended.add({{log_of(1), 2, 1, true}});
  const auto text = [&appended] {
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    appended.write(json);
    json.end_object();
    return out;
  };
  const std::string log = ebb::log_text(log_of(1));
  CHECK(text() == R"({"appended":4,"duplicates":1,"dots":[{"log":")" + log +
                      R"(","first":1,"count":4,"duplicate":false},{"log":")" + log +
                      R"(","first":2,"count":1,"duplicate":true}]})");
  appended.add({{log_of(2), 1, 1, false}, {log_of(2), 2, 1, false}});
  CHECK(text().find(R"("appended":6)") != std::string::npos);
  CHECK(text().find(log_text(log_of(2))) == std::string::npos);
  CHECK(text().ends_with(R"("dots_complete":false})"));
}

TEST_CASE("JSON is written with its commas and every number as its kind") {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("a").begin_array().value(1).value(-2).begin_array().end_array();
  json.value(18446744073709551615ULL).value(1.0).value(1e300).value(true).null();
  json.value(std::optional<int>()).end_array().field("q\"", "x\ny").field("f", false).end_object();
  CHECK(out == R"({"a":[1,-2,[],18446744073709551615,1.0,1e+300,true,null,null],)"
               R"("q\"":"x\ny","f":false})");
}

TEST_CASE("every error code has a status, and those worth a retry say so") {
  CHECK(http_status(ErrorCode::kOutOfRange) == 400);
  CHECK(http_status(ErrorCode::kNotFound) == 404);
  CHECK(http_status(ErrorCode::kExists) == 409);
  CHECK(http_status(ErrorCode::kTooLarge) == 413);
  CHECK(http_status(ErrorCode::kIo) == 500);
  CHECK(http_status(ErrorCode::kBusy) == 503);
  CHECK(http_status(ErrorCode::kDiskFull) == 507);
  const Answer busy = error_answer({ErrorCode::kBusy, "append queue full", ""});
  CHECK(busy.body == R"({"error":{"code":"busy","message":"append queue full"}})");
  REQUIRE(busy.headers.size() == 1);
  CHECK(busy.headers[0].first == "Retry-After");
  CHECK(error_answer({ErrorCode::kDiskFull, "commit", ""}).headers.empty());
  CHECK(error_answer({ErrorCode::kMalformed, "x", "\xff!"}, "f").body ==
        "{\"error\":{\"code\":\"malformed\",\"message\":\"x: \xef\xbf\xbd!\",\"field\":\"f\"}}");
}

TEST_CASE("bytes that are no text become text") {
  CHECK(as_utf8("plain é") == "plain é");
  CHECK(as_utf8("a\xff"
                "b\xc3") ==
        "a\xef\xbf\xbd"
        "b\xef\xbf\xbd");
  CHECK(as_utf8("\xed\xa0\x80") == "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

TEST_CASE("a histogram is told in cumulative buckets") {
  ebb::node::Histogram values{.bounds = {0.001, 1}, .counts = {2, 1, 4}, .sum = 9.5, .count = 7};
  std::string out;
  PrometheusText(out).histogram("ebb_x_seconds", "How long.", values);
  CHECK(out ==
        "# HELP ebb_x_seconds How long.\n# TYPE ebb_x_seconds histogram\n"
        "ebb_x_seconds_bucket{le=\"0.001\"} 2\nebb_x_seconds_bucket{le=\"1\"} 3\n"
        "ebb_x_seconds_bucket{le=\"+Inf\"} 7\nebb_x_seconds_sum 9.5\nebb_x_seconds_count 7\n");
}

TEST_CASE("labels of a metric are escaped") {
  std::string out;
  PrometheusText text(out);
  text.family("ebb_x", "gauge", "X.");
  text.sample(std::uint64_t{3}, {{"a", "q\"\\\n"}, {"b", ""}});
  CHECK(out.ends_with("ebb_x{a=\"q\\\"\\\\\\n\",b=\"\"} 3\n"));
}

}  // namespace
