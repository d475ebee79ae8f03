#include <doctest/doctest.h>

#include "tests/http/api.h"

namespace {

using ebb::tests::Api;
using ebb::tests::HttpClient;

constexpr const char* kNdjson = "application/x-ndjson";

std::unique_ptr<HttpClient> follow(Api& api, const std::string& more = "") {
  auto client = std::make_unique<HttpClient>(api.socket());
  client->send_head("GET", "/v1/events?follow=sse" + more, "", 0);
  const auto head = client->read_head();
  REQUIRE(head.status == 200);
  CHECK(head.headers.at("content-type") == "text/event-stream");
  return client;
}

// One message of the stream, by field.
std::map<std::string, std::string> next(HttpClient& client) {
  std::map<std::string, std::string> fields;
  const std::string text = client.read_until("\n\n");
  for (std::size_t at = 0; at < text.size() && text[at] != '\n';) {
    const std::size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    const std::size_t colon = line.find(": ");
    REQUIRE(colon != std::string::npos);
    fields[line.substr(0, colon)] = line.substr(colon + 2);
    at = end + 1;
  }
  return fields;
}

void append(Api& api, const std::string& body, const std::string& topic = "events") {
  REQUIRE(api.post("/v1/events?topic=" + topic, body).status == 200);
}

TEST_CASE("a follower is sent what is appended from now on") {
  Api api;
  append(api, R"({"type":"before"})");
  auto client = follow(api);
  for (int n = 0; n < 3; ++n) {
    append(api, R"({"type":"t","payload":)" + std::to_string(n) + "}");
    const auto message = next(*client);
    const auto event = nlohmann::json::parse(message.at("data"));
    CHECK(event["payload"] == n);
    CHECK(event["seq"] == n + 2);
    CHECK(message.at("id") == event["dot"]);
  }
}

TEST_CASE("a follower with a cursor is sent everything behind it, in order and once") {
  Api api;
  std::string lines;
  for (int n = 0; n < 2500; ++n)
    lines += R"({"type":"t","payload":)" + std::to_string(n) + "}\n";
  REQUIRE(api.post("/v1/events", lines, kNdjson).status == 200);
  const std::string log = api.read("?limit=1").at(0)["log"];
  auto client = follow(api, "&after=" + log + ":100");
  for (int n = 100; n < 2500; ++n)
    REQUIRE(nlohmann::json::parse(next(*client).at("data"))["payload"] == n);
  append(api, R"({"type":"t","payload":"live"})");
  const auto live = next(*client);
  CHECK(nlohmann::json::parse(live.at("data"))["payload"] == "live");
  CHECK(live.at("id") == log + ":2501");
}

TEST_CASE("the cursor of a follower covers every log that it has read") {
  Api api;
  append(api, R"({"type":"t"})");
  auto client = follow(api, "&type=t");
  append(api, R"({"type":"other"})", "b");
  append(api, R"({"type":"t"})", "b");
  const std::string cursor = next(*client).at("id");
  CHECK(std::count(cursor.begin(), cursor.end(), ',') == 1);
  append(api, R"({"type":"t","payload":"new"})");
  auto again = follow(api, "&type=t&after=" + cursor);
  CHECK(nlohmann::json::parse(next(*again).at("data"))["payload"] == "new");
}

TEST_CASE("a follower is sent only what its filter lets through") {
  Api api;
  auto client = follow(api, "&topic=web&type=click");
  append(api, R"({"type":"click"})");
  append(api, R"({"type":"scroll"})", "web");
  append(api, R"({"type":"click","payload":1})", "web");
  CHECK(nlohmann::json::parse(next(*client).at("data"))["payload"] == 1);
}

TEST_CASE("a follower that takes nothing is dropped, and told where it was") {
  Api api({.follow_patience = ebb::milliseconds(60)});
  const std::string event = R"({"type":"t","payload":")" + std::string(60000, 'x') + "\"}\n";
  auto client = follow(api);
  std::string lines;
  for (int n = 0; n < 200; ++n)
    lines += event;
  REQUIRE(api.post("/v1/events", lines, kNdjson).status == 200);
  // Nothing is read meanwhile: 12 MB do not fit into the socket.
  api.wait_for("/metrics", [](const auto& answer) {
    return answer.body.find("\nebb_followers_dropped_total 1\n") != std::string::npos;
  });
  std::uint64_t seen = 0;
  while (true) {
    const auto message = next(*client);
    if (message.count("event") > 0) {
      CHECK(message.at("event") == "dropped");
      break;
    }
    CHECK(nlohmann::json::parse(message.at("data"))["seq"] == ++seen);
  }
  CHECK(seen > 0);
  CHECK(seen < 200);
}

TEST_CASE("there is room for so many followers, and again when they have gone") {
  Api api;
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (std::size_t n = 0; n < ebb::limits::kHttpFollowers; ++n)
    clients.push_back(follow(api));
  const auto refused = api.get("/v1/events?follow=sse");
  CHECK(refused.status == 429);
  CHECK(refused.headers.count("retry-after") == 1);
  clients.clear();
  bool room = false;
  for (int n = 0; n < 100 && !room; ++n) {
    append(api, R"({"type":"t"})");  // what is sent shows that nobody is there
    HttpClient client(api.socket());
    client.send_head("GET", "/v1/events?follow=sse", "", 0);
    room = client.read_head().status == 200;
  }
  CHECK(room);
}

TEST_CASE("a server ends while clients follow, stream and wait") {
  std::unique_ptr<HttpClient> follower;
  std::unique_ptr<HttpClient> streamer;
  {
    Api api;
    follower = follow(api);
    streamer = std::make_unique<HttpClient>(api.socket());
    streamer->send_head("POST", "/v1/events", kNdjson, std::nullopt);
    streamer->send_chunk("{\"type\":\"t\"}\n{\"type\"");
    next(*follower);
  }
  CHECK(streamer->at_end());
  const auto last = next(*follower);
  CHECK(last.at("event") == "stopped");
  CHECK(last.at("data") == "{}");
  CHECK(follower->stream_ends());
}

// Waiting for it the server would never end.
TEST_CASE("a server ends without a follower that does not read") {
  std::unique_ptr<HttpClient> follower;
  std::string lines;
  {
    Api api;
    follower = follow(api);
    for (int n = 0; n < 60; ++n)
      lines += R"({"type":"t","payload":")" + std::string(60000, 'x') + "\"}\n";
    REQUIRE(api.post("/v1/events", lines, kNdjson).status == 200);
  }
  const std::string rest = follower->rest();
  CHECK(rest.size() < lines.size());
  CHECK(rest.find("event: stopped") == std::string::npos);
}

}  // namespace
