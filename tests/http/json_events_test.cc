#include "http/json_events.h"

#include <doctest/doctest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "codec/value.h"
#include "core/rng.h"
#include "http/json_fields.h"

namespace {

using ebb::ErrorCode;
using ebb::http::EventParser;
using ebb::http::ParsedEvent;

// The text with the room behind it that the parser wants, in a buffer of its own so that a
// sanitizer sees a read beyond.
std::vector<char> padded(std::string_view text) {
  std::vector<char> buffer(text.begin(), text.end());
  buffer.resize(text.size() + ebb::http::kJsonPadding, '\n');
  return buffer;
}

struct Outcome {
  ebb::Status status;
  std::string field;
  ParsedEvent parsed;
  std::string payload() const { return ebb::codec::to_json(parsed.event.payload).value(); }
};

Outcome parse(std::string_view text) {
  EventParser parser;
  const auto buffer = padded(text);
  Outcome outcome;
  outcome.status = parser.parse_object({buffer.data(), text.size()}, outcome.parsed);
  outcome.field = parser.field();
  return outcome;
}

// Of an event whose payload is this JSON text.
Outcome parse_payload(std::string_view payload) {
  return parse("{\"type\":\"t\",\"payload\":" + std::string(payload) + "}");
}

void check_refused(const Outcome& outcome, ErrorCode code, std::string_view field) {
  REQUIRE_FALSE(outcome.status.ok());
  CHECK(ebb::error_code_name(outcome.status.error().code) == ebb::error_code_name(code));
  CHECK(outcome.field == field);
}

std::string nested(std::size_t depth) {
  return std::string(depth, '[') + "1" + std::string(depth, ']');
}

TEST_CASE("an event keeps every field that was given") {
  const auto outcome = parse(
      R"({"device":"kiosk-05","ts":"2015-05-17T10:05:00Z","type":"page_view","schema":3,)"
      R"("id":"0f0e0d0c-0b0a-0908-0706-050403020100","topic":"web","payload":{"b":1,"a":[]}} )");
  REQUIRE(outcome.status.ok());
  const auto& event = outcome.parsed.event;
  CHECK(event.type == "page_view");
  CHECK(event.source == "kiosk-05");
  CHECK(event.ts_ms == 1431857100000);
  CHECK(event.schema == 3);
  CHECK(ebb::uuid_text(event.id.value()) == "0f0e0d0c-0b0a-0908-0706-050403020100");
  CHECK(outcome.parsed.topic == "web");
  CHECK(outcome.payload() == R"({"a":[],"b":1})");
}

TEST_CASE("absent and null fields of an event are the same, and the payload is then null") {
  for (const char* text :
       {R"({"type":"t"})", R"({"type":"t","ts":null,"source":null,"schema":null,"id":null,)"
                           R"("topic":null,"payload":null})"}) {
    const auto outcome = parse(text);
    REQUIRE(outcome.status.ok());
    CHECK_FALSE(outcome.parsed.event.ts_ms);
    CHECK_FALSE(outcome.parsed.event.source);
    CHECK_FALSE(outcome.parsed.event.id);
    CHECK_FALSE(outcome.parsed.topic);
    CHECK(outcome.parsed.event.schema == 0);
    CHECK(outcome.payload() == "null");
  }
}

TEST_CASE("numbers of a payload read back as the same numbers") {
  for (const char* number :
       {"0", "-1", "-9223372036854775808", "9223372036854775807", "9223372036854775808",
        "18446744073709551615", "1.0", "-0.0", "5e-324", "0.1", "1.7976931348623157e308"}) {
    CAPTURE(number);
    const auto outcome = parse_payload(number);
    REQUIRE(outcome.status.ok());
    const std::string text = outcome.payload();
    const auto sent = nlohmann::json::parse(number);
    const auto kept = nlohmann::json::parse(text);
    CHECK(sent.type() == kept.type());
    CHECK(sent == kept);
    CHECK(text.starts_with('-') == (number[0] == '-'));
  }
  CHECK(parse_payload("-0").payload() == "0");
  CHECK(parse_payload("1e2").payload() == parse_payload("100.0").payload());
}

TEST_CASE("texts, empty keys and nulls of a payload read back equal") {
  for (const char* value :
       {R"("")", R"("héllo 😀")", R"({"":null})", R"({"":{"":""}})", R"([null,true,false])",
        R"("\u0000\u0001\t\"\\\/")", R"("\ud83d\ude00")", R"({"a":[],"b":{}})"}) {
    CAPTURE(value);
    const auto outcome = parse_payload(value);
    REQUIRE(outcome.status.ok());
    CHECK(nlohmann::json::parse(outcome.payload()) == nlohmann::json::parse(value));
  }
}

TEST_CASE("a number that cannot be kept is refused by the name of its place") {
  for (const char* number : {"18446744073709551616", "-9223372036854775809", "1e400", "-1e400",
                             "123456789012345678901234567890"}) {
    CAPTURE(number);
    const auto text = R"({"items":[1,{"price":)" + std::string(number) + "}]}";
    check_refused(parse_payload(text), ErrorCode::kOutOfRange, "payload.items[1].price");
  }
  check_refused(parse(R"({"type":"t","ts":9223372036854775808})"), ErrorCode::kOutOfRange, "ts");
  check_refused(parse(R"({"type":"t","ts":99999999999999999999})"), ErrorCode::kOutOfRange, "ts");
  check_refused(parse(R"({"type":"t","schema":-1})"), ErrorCode::kOutOfRange, "schema");
}

TEST_CASE("a repeated key is refused by its name") {
  const auto outcome = parse_payload(R"({"a":{"twin":1,"x":2,"twin":1}})");
  check_refused(outcome, ErrorCode::kDuplicateKey, "payload");
  CHECK(outcome.status.error().message().find("twin") != std::string::npos);
  check_refused(parse(R"({"type":"t","type":"t"})"), ErrorCode::kDuplicateKey, "type");
  check_refused(parse_payload(R"({"a":1,"\u0061":2})"), ErrorCode::kDuplicateKey, "payload");
}

TEST_CASE("a payload may nest eight levels and not nine") {
  CHECK(parse_payload(nested(8)).payload() == nested(8));
  check_refused(parse_payload(nested(9)), ErrorCode::kTooDeep, "payload[0][0][0][0][0][0][0][0]");
  check_refused(parse_payload(nested(900)), ErrorCode::kTooDeep, "payload[0][0][0][0][0][0][0][0]");
}

TEST_CASE("a payload over a bound is refused as too large") {
  const std::string most(65533, 'x');
  CHECK(parse_payload("\"" + most + "\"").status.ok());
  const auto long_one = parse_payload("\"" + most + "x\"");
  check_refused(long_one, ErrorCode::kTooLarge, "payload");
  CHECK(long_one.status.error().detail == "more than 65536 bytes as it is stored");
  std::string wide = "[0";
  for (int i = 1; i < 4096; ++i)
    wide += ",0";
  CHECK(parse_payload(wide + "]").status.ok());
  std::string object = "{\"k0\":0";
  for (int i = 1; i < 4096; ++i)
    object += ",\"k" + std::to_string(i) + "\":0";
  CHECK(parse_payload(object + "}").status.ok());
  for (const std::string& text : {wide + ",0]", object + ",\"more\":0}"}) {
    const auto wide_one = parse_payload(text);
    check_refused(wide_one, ErrorCode::kTooLarge, "payload");
    CHECK(wide_one.status.error().detail == "more than 4096 elements in one array or object");
  }
}

TEST_CASE("a byte order mark before an event is named") {
  const auto outcome = parse("\xef\xbb\xbf{\"type\":\"t\"}");
  REQUIRE_FALSE(outcome.status.ok());
  CHECK(outcome.status.error().code == ErrorCode::kMalformed);
  CHECK(outcome.status.error().detail.find("byte order mark") != std::string::npos);
}

TEST_CASE("every field of an event that is wrong is refused by its name") {
  check_refused(parse(R"({"payload":1})"), ErrorCode::kInvalidArgument, "type");
  check_refused(parse(R"({"type":""})"), ErrorCode::kInvalidArgument, "type");
  check_refused(parse(R"({"type":null})"), ErrorCode::kMalformed, "type");
  check_refused(parse(R"({"type":1})"), ErrorCode::kMalformed, "type");
  check_refused(parse(R"({"type":"ebb.set.add"})"), ErrorCode::kInvalidArgument, "type");
  check_refused(parse("{\"type\":\"" + std::string(129, 't') + "\"}"), ErrorCode::kTooLarge,
                "type");
  check_refused(parse(R"({"type":"t","tpye":"u"})"), ErrorCode::kInvalidArgument, "tpye");
  check_refused(parse(R"({"type":"t","ts":1.5})"), ErrorCode::kMalformed, "ts");
  check_refused(parse(R"({"type":"t","ts":true})"), ErrorCode::kMalformed, "ts");
  check_refused(parse(R"({"type":"t","ts":"2015-05-17T10:05:00"})"), ErrorCode::kInvalidArgument,
                "ts");
  check_refused(parse(R"({"type":"t","source":7})"), ErrorCode::kMalformed, "source");
  check_refused(parse(R"({"type":"t","source":"a","device":"b"})"), ErrorCode::kInvalidArgument,
                "device");
  check_refused(parse(R"({"type":"t","source":"\ud800x"})"), ErrorCode::kMalformed, "source");
  check_refused(parse(R"({"type":"t","schema":"1"})"), ErrorCode::kMalformed, "schema");
  check_refused(parse(R"({"type":"t","id":"7"})"), ErrorCode::kInvalidArgument, "id");
  check_refused(parse(R"({"type":"t","topic":"Upper"})"), ErrorCode::kInvalidArgument, "topic");
  check_refused(parse(R"({"type":"t","topic":"_ebb"})"), ErrorCode::kInvalidArgument, "topic");
}

TEST_CASE("text that is not one JSON object is refused as malformed") {
  for (const char* text : {"",
                           " ",
                           "{",
                           "}",
                           "[]",
                           "1",
                           "\"x\"",
                           "null",
                           "{\"type\":\"t\"",
                           "{\"type\":\"t\"}}",
                           "{\"type\":\"t\"} x",
                           "{\"type\":\"t\"}{\"type\":\"t\"}",
                           "{type:\"t\"}",
                           "{\"type\":\"t\",}",
                           "{\"type\" \"t\"}",
                           "{\"type\":\"t\" \"payload\":1}",
                           "{\"type\":\"t\",\"payload\":01}",
                           "{\"type\":\"t\",\"payload\":1.}",
                           "{\"type\":\"t\",\"payload\":tru}",
                           "{\"type\":\"t\",\"payload\":nul}",
                           "{\"type\":\"t\",\"payload\":[1,]}",
                           "{\"type\":\"t\",\"payload\":[1 2]}",
                           "{\"type\":\"t\",\"payload\":{\"a\"}}",
                           "{\"type\":\"t\",\"payload\":\"\\x\"}",
                           "{\"type\":\"t\",\"payload\":\"\n\"}",
                           "{\"type\":\"t\",\"payload\":\"\xff\"}",
                           "{\"type\":\"t\",\"payload\":NaN}",
                           "{\"type\":\"t\",\"payload\":+1}"}) {
    CAPTURE(text);
    const auto outcome = parse(text);
    REQUIRE_FALSE(outcome.status.ok());
    CHECK(outcome.status.error().code == ErrorCode::kMalformed);
  }
}

TEST_CASE("a parser is as new after an error") {
  EventParser parser;
  ParsedEvent parsed;
  const auto bad = padded(R"({"type":"t","payload":{"a":[{"b":1e999)");
  const auto good = padded(R"({"type":"t","payload":{"a":1}})");
  REQUIRE_FALSE(parser.parse_object({bad.data(), 38}, parsed).ok());
  REQUIRE(parser.parse_object({good.data(), 30}, parsed).ok());
  CHECK(parser.field().empty());
  CHECK(ebb::codec::to_json(parsed.event.payload).value() == R"({"a":1})");
}

TEST_CASE("an array gives its events in order, and names the one that is wrong") {
  EventParser parser;
  std::vector<ParsedEvent> events;
  const std::string_view text = R"([{"type":"a"},{"type":"b","payload":[1]} ] )";
  const auto good = padded(text);
  REQUIRE(parser.parse_array({good.data(), text.size()}, events).ok());
  REQUIRE(events.size() == 2);
  CHECK(events[0].event.type == "a");
  CHECK(events[1].event.type == "b");

  const std::string_view wrong = R"([{"type":"a"},{"type":"b","payload":{"x":1e999}}])";
  const auto bad = padded(wrong);
  const auto status = parser.parse_array({bad.data(), wrong.size()}, events);
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().code == ErrorCode::kOutOfRange);
  CHECK(parser.field() == "[1].payload.x");

  for (std::string_view broken : {R"([{"type":"a"})", R"([{"type":"a"}]])", R"([1])", R"([)",
                                  R"([{"type":"a"},])", R"([{"type":"a"}] [])"}) {
    CAPTURE(broken);
    const auto buffer = padded(broken);
    const auto refused = parser.parse_array({buffer.data(), broken.size()}, events);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code == ErrorCode::kMalformed);
  }
}

// The on-demand parser checks late and only what is visited, so its answer is held against a parser
// that builds everything, on texts broken at random.
std::string told(const ebb::Status& status) { return status.ok() ? "ok" : status.error().detail; }

TEST_CASE("what follows an object is told apart from an object that ends early") {
  for (const char* text :
       {R"({"type":"v"} x)", R"({"type":"v"}1)", R"({"type":"v"} {"type":"w"})", R"({"type":"v"}])",
        R"({"type":"v","payload":{"a":"\"}"}}  "")", R"({"type":"v"},)"}) {
    CAPTURE(text);
    CHECK(told(parse(text).status) == "something follows the object or array");
  }
  for (const char* text : {R"({"type":"v")", R"({"type":"v","payload":[1)",
                           R"({"type":"v","payload":{"a":1)", R"({"type":"v","payload":["}"])"}) {
    CAPTURE(text);
    CHECK(told(parse(text).status) == "it ends early");
  }
  EventParser parser;
  std::vector<ParsedEvent> events;
  const std::string_view followed = R"([{"type":"v"}] x)", open = R"([{"type":"v"})";
  CHECK(told(parser.parse_array({padded(followed).data(), followed.size()}, events)) ==
        "something follows the object or array");
  CHECK(told(parser.parse_array({padded(open).data(), open.size()}, events)) == "it ends early");
  std::string field;
  const std::string_view fields = R"({"sql":"select 1"} x)";
  const auto parsed =
      ebb::http::parse_fields({padded(fields).data(), fields.size()}, {"sql"}, field);
  REQUIRE_FALSE(parsed.ok());
  CHECK(parsed.error().detail == "something follows the object or array");
}

TEST_CASE("whatever is taken is JSON, and what is not JSON is never taken") {
  const std::string whole =
      R"({"type":"t","ts":12,"payload":{"a":[1,2.5e3,-0.0,true,null,{"":"x\u00e9"}],"b":"\\\""}})";
  const std::string_view alphabet = "{}[]\",:\\0123456789.eE+-tfnul \t\xc3\xa9\n";
  ebb::Rng rng(7);
  EventParser parser;
  int taken = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text = whole;
    for (std::uint64_t edits = rng.between(1, 3); edits > 0; --edits) {
      const std::size_t at = rng.below(text.size());
      const char c = alphabet[rng.below(alphabet.size())];
      if (rng.chance(1, 3)) {
        text.erase(at, rng.between(1, 4));
      } else if (rng.chance(1, 2)) {
        text[at] = c;
      } else {
        text.insert(at, 1, c);
      }
      if (text.empty()) text = "{";
    }
    const auto buffer = padded(text);
    ParsedEvent parsed;
    if (!parser.parse_object({buffer.data(), text.size()}, parsed).ok()) continue;
    ++taken;
    CAPTURE(text);
    REQUIRE(nlohmann::json::accept(text));
    const auto sent = nlohmann::json::parse(text);
    const auto kept = nlohmann::json::parse(ebb::codec::to_json(parsed.event.payload).value());
    REQUIRE((sent.contains("payload") ? sent["payload"] : nlohmann::json()) == kept);
  }
  CHECK(taken > 100);
}

}  // namespace
