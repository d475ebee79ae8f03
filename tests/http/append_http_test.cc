#include <doctest/doctest.h>

#include "tests/http/api.h"

namespace {

using ebb::tests::Api;
using ebb::tests::HttpClient;

constexpr const char* kNdjson = "application/x-ndjson";
constexpr const char* kId = "6f1c1e0e-95f7-4d3e-9a51-0d4b3b8a1c11";

std::string lines(int from, int to) {
  std::string text;
  for (int n = from; n < to; ++n)
    text += R"({"type":"t","payload":)" + std::to_string(n) + "}\n";
  return text;
}

TEST_CASE("one event and an array of them are answered with their dots") {
  Api api;
  const auto one = api.post("/v1/events", R"({"type":"t","payload":{"a":1.0}})");
  REQUIRE(one.status == 200);
  CHECK(one.json()["appended"] == 1);
  CHECK(one.json()["duplicates"] == 0);
  REQUIRE(one.json()["dots"].size() == 1);
  CHECK(one.json()["dots"][0]["first"] == 1);

  const auto many = api.post("/v1/events", R"([{"type":"t"},{"type":"u"},{"type":"v"}])");
  REQUIRE(many.status == 200);
  CHECK(many.json()["appended"] == 3);
  CHECK(many.json()["dots"][0]["first"] == 2);
  CHECK(many.json()["dots"][0]["count"] == 3);
  CHECK(many.json()["dots"][0]["log"] == one.json()["dots"][0]["log"]);

  const auto none = api.post("/v1/events", "[]");
  CHECK(none.status == 200);
  CHECK(none.json()["appended"] == 0);
  CHECK(api.events() == 4);
}

TEST_CASE("an event reads back as it was sent") {
  Api api;
  REQUIRE(api.post("/v1/events?topic=web",
                   R"({"type":"t","ts":"2015-05-17T10:05:00.5Z","source":"kiosk","schema":2,)"
                   R"("payload":{"":null,"n":-0.0,"u":18446744073709551615,"d":5e-324}})")
              .status == 200);
  const auto raw = api.get("/v1/events?topic=web").body;
  CHECK(raw.find(R"("payload":{"":null,"d":5e-324,"n":-0.0,"u":18446744073709551615})") !=
        std::string::npos);
  const auto event = api.read("?topic=web").at(0);
  CHECK(event["ts"] == 1431857100500);
  CHECK(event["type"] == "t");
  CHECK(event["source"] == "kiosk");
  CHECK(event["schema"] == 2);
  CHECK(event["topic"] == "web");
  CHECK(event["seq"] == 1);
  CHECK(event["dot"] == event["log"].get<std::string>() + ":1");
  CHECK(event["id"].get<std::string>().size() == 36);
}

TEST_CASE("a repeated client id is answered with the first dot") {
  Api api;
  const std::string event = R"({"type":"t","id":")" + std::string(kId) + "\"}";
  const auto first = api.post("/v1/events", event).json();
  REQUIRE(api.post("/v1/events", R"({"type":"t"})").status == 200);
  const auto again = api.post("/v1/events", event).json();
  CHECK(again["appended"] == 0);
  CHECK(again["duplicates"] == 1);
  CHECK(again["dots"][0]["first"] == first["dots"][0]["first"]);
  CHECK(again["dots"][0]["duplicate"] == true);
  CHECK(api.read().at(0)["id"] == kId);
  CHECK(api.events() == 2);
}

TEST_CASE("of an array all is stored or nothing") {
  Api api;
  const auto bad = api.post("/v1/events", R"([{"type":"t"},{"type":"t","payload":1e999}])");
  CHECK(bad.status == 400);
  CHECK(bad.code() == "out_of_range");
  CHECK(bad.field() == "[1].payload");
  const auto mixed = api.post("/v1/events", R"([{"type":"t","topic":"a"},{"type":"t"}])");
  CHECK(mixed.status == 400);
  CHECK(mixed.field() == "topic");
  CHECK(api.events() == 0);
  const auto topics =
      api.post("/v1/events", R"([{"type":"t","topic":"a"},{"type":"t","topic":"a"}])");
  CHECK(topics.status == 200);
  CHECK(api.read("?topic=a").size() == 2);
}

TEST_CASE("what is wrong with an append is told by code and field") {
  Api api;
  const auto check = [&api](std::string_view target, std::string_view body, int status,
                            std::string_view code, std::string_view field) {
    CAPTURE(body);
    const auto answer = api.post(target, body);
    CHECK(answer.status == status);
    CHECK(answer.code() == code);
    CHECK(answer.field() == field);
    CHECK_FALSE(answer.json()["error"]["message"].get<std::string>().empty());
  };
  check("/v1/events", "{", 400, "malformed", "");
  check("/v1/events", "", 400, "malformed", "");
  check("/v1/events", R"({"payload":1})", 400, "invalid_argument", "type");
  check("/v1/events", R"({"type":"t","colour":1})", 400, "invalid_argument", "colour");
  check("/v1/events", R"({"type":"t","payload":[1,18446744073709551616]})", 400, "out_of_range",
        "payload[1]");
  check("/v1/events", R"({"type":"t","payload":{"a":1,"a":2}})", 400, "duplicate_key", "payload");
  check("/v1/events", R"({"type":"t","payload":[[[[[[[[[1]]]]]]]]]})", 400, "too_deep",
        "payload[0][0][0][0][0][0][0][0]");
  check("/v1/events", R"({"type":"t","payload":")" + std::string(70000, 'x') + "\"}", 413,
        "too_large", "payload");
  check("/v1/events?topic=Nope", R"({"type":"t"})", 400, "invalid_argument", "topic");
  check("/v1/events?topic=_ebb", R"({"type":"t"})", 400, "invalid_argument", "topic");
  check("/v1/events?tpoic=a", R"({"type":"t"})", 400, "invalid_argument", "tpoic");
  CHECK(api.post("/v1/events", R"({"type":"t"})", "text/plain").status == 415);
  CHECK(api.post("/v1/events", R"({"type":"t"})", "").status == 200);
  CHECK(api.post("/v1/events", R"({"type":"t"})", "Application/JSON; charset=utf-8").status == 200);
  CHECK(api.events() == 2);
}

TEST_CASE("a body over the limit is refused before its end, and the server goes on") {
  Api api;
  HttpClient client(api.socket());
  const std::string part(65536, ' ');
  client.send_head("POST", "/v1/events", "application/json", part.size() * 64);
  for (int i = 0; i < 20; ++i)
    client.send(part);
  const auto answer = client.read_answer();
  CHECK(answer.status == 413);
  CHECK(answer.code() == "too_large");
  CHECK(answer.headers.at("connection") == "close");
  CHECK(api.post("/v1/events", R"({"type":"t"})").status == 200);
}

TEST_CASE("a stream is stored whole and in order, wherever its pieces end") {
  Api api;
  const std::string text = lines(0, 5000);
  HttpClient client(api.socket());
  client.send_head("POST", "/v1/events", kNdjson, std::nullopt);
  std::size_t size = 1;
  for (std::size_t at = 0; at < text.size(); at += size, size = size * 7 % 8191 + 1)
    client.send_chunk(std::string_view(text).substr(at, size));
  client.send_chunk("");
  const auto answer = client.read_answer();
  REQUIRE(answer.status == 200);
  CHECK(answer.json()["appended"] == 5000);
  REQUIRE(answer.json()["dots"].size() == 1);
  CHECK(answer.json()["dots"][0]["count"] == 5000);
  const auto events = api.read("?limit=10000");
  REQUIRE(events.size() == 5000);
  for (std::size_t n = 0; n < events.size(); ++n) {
    REQUIRE(events[n]["seq"] == n + 1);
    REQUIRE(events[n]["payload"] == n);
  }
}

TEST_CASE("a stream longer than the append queue is held back, not refused") {
  Api api;
  const int count = 120000;
  const auto answer = api.post("/v1/events", lines(0, count), kNdjson);
  REQUIRE(answer.status == 200);
  CHECK(answer.json()["appended"] == count);
  CHECK(api.events() == count);
}

TEST_CASE("a stream takes blank lines, both line ends and a last line without one") {
  Api api;
  const auto answer = api.post(
      "/v1/events", "\n{\"type\":\"a\"}\r\n  \r\n{\"type\":\"b\"}\n\n{\"type\":\"c\"}", kNdjson);
  REQUIRE(answer.status == 200);
  CHECK(answer.json()["appended"] == 3);
  CHECK(api.post("/v1/events", "", kNdjson).json()["appended"] == 0);
}

TEST_CASE("a bad line is told with its number at once, and earlier lines stay acknowledged") {
  Api api;
  HttpClient client(api.socket());
  // The stream goes on, as one from a sensor would.
  client.send_head("POST", "/v1/events", kNdjson, std::nullopt);
  client.send_chunk(lines(0, 16) + "{\"type\": oops}\n" + lines(17, 20));
  const auto answer = client.read_answer();
  CHECK(answer.status == 400);
  CHECK(answer.code() == "malformed");
  CHECK(answer.json()["error"]["line"] == 17);
  CHECK(answer.json()["error"]["field"] == "type");
  CHECK(answer.json()["appended"] == 16);
  CHECK(answer.json()["dots"][0]["count"] == 16);
  CHECK(api.events() == 16);

  const auto whole =
      api.post("/v1/events", lines(0, 3) + "{\"type\":\"\"}\n" + lines(4, 9000), kNdjson);
  CHECK(whole.status == 400);
  CHECK(whole.json()["error"]["line"] == 4);
  CHECK(whole.json()["appended"] == 3);
  CHECK(api.events() == 19);
}

TEST_CASE("a line over the limit ends the stream with its number") {
  Api api;
  const auto answer =
      api.post("/v1/events", lines(0, 2) + std::string((1 << 20) + 1, ' ') + "\n", kNdjson);
  CHECK(answer.status == 413);
  CHECK(answer.json()["error"]["line"] == 3);
  CHECK(answer.json()["appended"] == 2);
}

TEST_CASE("a line of a stream may be of a topic of its own") {
  Api api;
  const auto answer = api.post("/v1/events?topic=mine",
                               "{\"type\":\"t\"}\n{\"type\":\"t\",\"topic\":\"other\"}\n"
                               "{\"type\":\"t\"}\n",
                               kNdjson);
  REQUIRE(answer.status == 200);
  CHECK(answer.json()["appended"] == 3);
  CHECK(answer.json()["dots"].size() == 3);
  CHECK(api.read("?topic=mine").size() == 2);
  CHECK(api.read("?topic=other").size() == 1);
}

TEST_CASE("a stream that trickles is stored line by line") {
  Api api;
  HttpClient client(api.socket());
  client.send_head("POST", "/v1/events", kNdjson, std::nullopt);
  for (int n = 1; n <= 3; ++n) {
    client.send_chunk(lines(n, n + 1));
    api.wait_for("/v1/digest", [n](const auto& answer) { return answer.json()["events"] == n; });
  }
  client.send_chunk("{\"type\":\"last\"}");
  client.send_chunk("");
  CHECK(client.read_answer().json()["appended"] == 4);
}

TEST_CASE("a client that goes away in the middle of a stream leaves what came whole") {
  Api api;
  {
    HttpClient client(api.socket());
    client.send_head("POST", "/v1/events", kNdjson, std::nullopt);
    client.send_chunk(lines(0, 5) + "{\"type\":\"ha");
    api.wait_for("/v1/digest", [](const auto& answer) { return answer.json()["events"] == 5; });
  }
  CHECK(api.post("/v1/events", lines(5, 6), kNdjson).status == 200);
  CHECK(api.events() == 6);
}

TEST_CASE("several requests travel on one connection") {
  Api api;
  HttpClient client(api.socket());
  for (int n = 0; n < 3; ++n) {
    CHECK(client.post("/v1/events", lines(n, n + 1), kNdjson).status == 200);
    CHECK(client.post("/v1/events", R"({"type":"t"})").status == 200);
    CHECK(client.get("/v1/nothing").status == 404);
    CHECK(client.get("/livez").body == "ok\n");
  }
  CHECK(api.events() == 6);
}

TEST_CASE("a repeated id inside a stream is counted as a duplicate") {
  Api api;
  const std::string event = R"({"type":"t","id":")" + std::string(kId) + "\"}\n";
  const auto answer = api.post("/v1/events", event + lines(0, 2) + event, kNdjson).json();
  CHECK(answer["appended"] == 3);
  CHECK(answer["duplicates"] == 1);
  CHECK(api.events() == 3);
}

}  // namespace
