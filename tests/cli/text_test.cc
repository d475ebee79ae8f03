#include <doctest/doctest.h>

#include "cli/event_text.h"
#include "cli/http_client.h"
#include "cli/raw_json.h"
#include "cli/suggest.h"
#include "core/edit_distance.h"

using namespace ebb::cli;

TEST_CASE("the nearest word is suggested when it is near") {
  const std::vector<std::string> words = {"append", "status", "peers", "--color"};
  CHECK(nearest_word("stauts", words) == "status");
  CHECK(nearest_word("--colour", words) == "--color");
  CHECK(nearest_word("peer", words) == "peers");
  CHECK(nearest_word("banana", words) == std::nullopt);
  CHECK(nearest_word("", words) == std::nullopt);
  CHECK(nearest_word(std::string(10000, 'a'), words) == std::nullopt);
  CHECK(ebb::edit_distance("abcd", "abdc") == 1);
  CHECK(ebb::edit_distance("", "abc") == 3);
}

TEST_CASE("members and elements are cut out of JSON as they stand") {
  const std::string text = R"( {"a": [1.0, "x,]\"}", {"b":[2]}] , "n": -0.0,"e":[],"s":"é\n"} )";
  const auto list = raw_elements(raw_member(text, "a").value_or(""));
  REQUIRE(list.size() == 3);
  CHECK(list[0] == "1.0");
  CHECK(list[1] == R"("x,]\"}")");
  CHECK(list[2] == R"({"b":[2]})");
  CHECK(raw_member(list[2], "b") == "[2]");
  CHECK(raw_member(text, "n") == "-0.0");
  CHECK(raw_elements(raw_member(text, "e").value_or("")).empty());
  CHECK(plain_text(raw_member(text, "s").value_or("")) == "é\n");
  CHECK(raw_member(text, "b") == std::nullopt);
  CHECK(raw_member("[1]", "a") == std::nullopt);
  CHECK(raw_member("{}", "a") == std::nullopt);
  CHECK(raw_elements("{}").empty());
}

TEST_CASE("text that is not UTF-8 is no JSON string") {
  CHECK(quote_json("a\"\n") == R"("a\"\n")");
  CHECK(quote_json("\xff") == std::nullopt);
}

TEST_CASE("everything but unreserved characters is escaped in a target") {
  CHECK(percent_encoded("a/b c&é~") == "a%2Fb%20c%26%C3%A9~");
  RequestTarget target("/v1/x");
  target.with("a", "1 2").with("none", "").with("b", "=");
  CHECK(target.text() == "/v1/x?a=1%202&b=%3D");
}

namespace {

std::string object_of(const AppendOptions& options) {
  auto object = event_object(options);
  return object.ok() ? object.value() : "failed: " + object.error().what;
}

}  // namespace

TEST_CASE("a value is JSON where it parses as such, else text, and keeps its digits") {
  AppendOptions options{.type = "t"};
  options.pairs = {"i=5",    "d=1.0",  "z=-0.0",  "big=18446744073709551615",
                   "s=home", "e=",     "q=\"5\"", "l=[1,{}]",
                   "n=null", "eq=a=b", "v=007"};
  CHECK(object_of(options) ==
        R"({"type":"t","payload":{"i":5,"d":1.0,"z":-0.0,"big":18446744073709551615,)"
        R"("s":"home","e":"","q":"5","l":[1,{}],"n":null,"eq":"a=b","v":"007"}})");
}

TEST_CASE("an event without fields has no payload member") {
  CHECK(object_of({.type = "a\"b"}) == R"({"type":"a\"b"})");
}

TEST_CASE("ts is a number when it is one, else text") {
  AppendOptions options{.type = "t", .source = "kiosk", .id = "u", .topic = "x"};
  options.ts = "-12";
  CHECK(object_of(options) == R"({"type":"t","ts":-12,"source":"kiosk","id":"u","topic":"x"})");
  options.ts = "2015-05-17T10:05:00Z";
  CHECK(object_of(options).find(R"("ts":"2015-05-17T10:05:00Z")") != std::string::npos);
}

TEST_CASE("fields that cannot be meant are refused as wrong use") {
  const auto code_of = [](const AppendOptions& options) {
    const auto object = event_object(options);
    return object.ok() ? ExitCode::kOk : object.error().exit;
  };
  CHECK(code_of({.type = "t", .pairs = {"word"}}) == ExitCode::kUsage);
  CHECK(code_of({.type = "t", .pairs = {"=5"}}) == ExitCode::kUsage);
  CHECK(code_of({.type = "t", .pairs = {"a=1", "a=2"}}) == ExitCode::kUsage);
  CHECK(code_of({.type = "t", .pairs = {"a=\xff"}}) == ExitCode::kUsage);
  CHECK(code_of({.type = "t", .pairs = {"a=1"}, .payload = "5"}) == ExitCode::kUsage);
  CHECK(code_of({.type = "t", .payload = "{"}) == ExitCode::kUsage);
  CHECK(code_of({.type = "\xff"}) == ExitCode::kUsage);
  for (const std::string number : {"1e400", "-1e400", "1.5E+999", "123456789e400",
                                   "18446744073709551616", "-9223372036854775809"}) {
    CAPTURE(number);
    CHECK(is_json_number(number));
    CHECK(code_of({.type = "t", .pairs = {"z=" + number}}) == ExitCode::kUsage);
    CHECK(code_of({.type = "t", .pairs = {"z=\"" + number + "\""}}) == ExitCode::kOk);
  }
  for (const std::string payload : {"[{\"a\":18446744073709551616}]", "-9223372036854775809"}) {
    CAPTURE(payload);
    CHECK(code_of({.type = "t", .payload = payload}) == ExitCode::kUsage);
    CHECK(code_of({.type = "t", .pairs = {"z=" + payload}}) == ExitCode::kUsage);
  }
  for (const std::string number : {"18446744073709551615", "-9223372036854775808", "1e22",
                                   "18446744073709551616.0", "\"18446744073709551616\""}) {
    CAPTURE(number);
    CHECK(code_of({.type = "t", .payload = number}) == ExitCode::kOk);
    CHECK(code_of({.type = "t", .pairs = {"z=" + number}}) == ExitCode::kOk);
  }
  for (const std::string text : {"01e5", "1e", "1.", ".5", "-", "1e400x", "+1", "", "0x1"}) {
    CAPTURE(text);
    CHECK_FALSE(is_json_number(text));
    CHECK(code_of({.type = "t", .pairs = {"z=" + text}}) == ExitCode::kOk);
  }
  CHECK(code_of({.type = "t", .payload = " [1.0] "}) == ExitCode::kOk);
}

TEST_CASE("lines are cut the same however the stream is split") {
  const std::string text = "one\n\ntwo\nrest";
  for (std::size_t size = 1; size <= text.size(); ++size) {
    LineCutter cutter;
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size(); at += size) {
      cutter.feed(std::string_view(text).substr(at, size), [&](std::string_view line) {
        lines.emplace_back(line);
        return true;
      });
    }
    CHECK(lines == std::vector<std::string>{"one", "", "two"});
  }
}

TEST_CASE("an event stream is read message by message") {
  EventStream stream;
  std::vector<EventStream::Message> messages;
  const auto take = [&](const EventStream::Message& message) {
    messages.push_back(message);
    return messages.size() < 3;
  };
  CHECK(stream.feed(": hello\n\nid: c1\nda", take));
  CHECK(stream.feed("ta: {\"a\":1}\r\n\r\ndata:x\ndata: y\nid: c2\n\n", take));
  CHECK_FALSE(stream.feed("event: dropped\n\ndata: never\n\n", take));
  REQUIRE(messages.size() == 3);
  CHECK(messages[0].id == "c1");
  CHECK(messages[0].data == "{\"a\":1}");
  CHECK(messages[1].data == "x\ny");
  CHECK(messages[1].id == "c2");
  CHECK(messages[2].event == "dropped");
  CHECK(messages[2].data.empty());
}

TEST_CASE("an event on a terminal is one harmless line") {
  const std::string event =
      R"({"device":"abcdefgh-ijklmnop","ts":0,"type":"a\u001bb","source":null,)"
      "\"payload\":\"\xe2\x80\xae\"}";
  CHECK(event_line(event, 0, false) ==
        "1970-01-01 00:00:00.000Z  abcdefgh  a\\u001bb        \"\\u202e\"\n");
  CHECK(event_line(event, 50, false) == "1970-01-01 00:00:00.000Z  abcdefgh  a\\u001bb    ..\n");
}
