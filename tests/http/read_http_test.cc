#include <doctest/doctest.h>

#include "tests/http/api.h"

namespace {

using ebb::tests::Api;
using ebb::tests::HttpClient;

void check_refused(Api& api, std::string_view target, std::string_view field) {
  CAPTURE(target);
  const auto answer = api.get(target);
  CHECK(answer.status == 400);
  CHECK(answer.code() == "invalid_argument");
  CHECK(answer.field() == field);
}

TEST_CASE("events are filtered by what the query names") {
  Api api;
  REQUIRE(api.post("/v1/events", R"([{"type":"a","ts":1000},{"type":"b","ts":2000},)"
                                 R"({"type":"a","ts":3000}])")
              .status == 200);
  REQUIRE(api.post("/v1/events?topic=other", R"({"type":"a","ts":1500})").status == 200);
  CHECK(api.read().size() == 4);
  CHECK(api.read("?type=a").size() == 3);
  CHECK(api.read("?type=a&topic=events").size() == 2);
  CHECK(api.read("?from=1500&to=3000").size() == 2);
  CHECK(api.read("?from=1970-01-01T00:00:02Z").size() == 2);
  const auto event = api.read("?type=b").at(0);
  const std::string log = event["log"];
  CHECK(api.read("?log=" + log).size() == 3);
  CHECK(api.read("?device=" + event["device"].get<std::string>()).size() == 4);
  CHECK(api.read("?topic=events&after=" + log + ":2").size() == 1);
  CHECK(api.read("?type=nothing").empty());
}

TEST_CASE("pages follow each other by their cursor until there is nothing more") {
  Api api;
  std::string array = "[";
  for (int n = 0; n < 25; ++n)
    array += std::string(n == 0 ? "" : ",") + R"({"type":"t","payload":)" + std::to_string(n) + "}";
  REQUIRE(api.post("/v1/events", array + "]").status == 200);
  REQUIRE(api.post("/v1/events?topic=b", R"([{"type":"t"},{"type":"t"}])").status == 200);
  std::string cursor;
  std::vector<std::string> dots;
  int pages = 0;
  do {
    const auto answer = api.get("/v1/events?limit=9" + (cursor.empty() ? "" : "&after=" + cursor));
    REQUIRE(answer.status == 200);
    for (std::size_t at = answer.body.find("\"dot\":\""); at != std::string::npos;
         at = answer.body.find("\"dot\":\"", at + 1))
      dots.push_back(answer.body.substr(at + 7, answer.body.find('"', at + 7) - at - 7));
    const auto header = answer.headers.find("ebb-cursor");
    cursor = header == answer.headers.end() ? "" : header->second;
    ++pages;
  } while (!cursor.empty() && pages < 10);
  CHECK(pages == 3);
  std::sort(dots.begin(), dots.end());
  CHECK(std::unique(dots.begin(), dots.end()) == dots.end());
  CHECK(dots.size() == 27);
}

TEST_CASE("a page ends before it is too large, with a cursor behind its last event") {
  Api api;
  const std::string event = R"({"type":"t","payload":")" + std::string(60000, 'x') + "\"}";
  std::string array = "[" + event;
  for (int n = 1; n < 16; ++n)
    array += "," + event;
  for (int n = 0; n < 6; ++n)
    REQUIRE(api.post("/v1/events", array + "]").status == 200);
  const auto first = api.get("/v1/events?limit=10000");
  CHECK(first.body.size() < (5 << 20));
  const std::string cursor = first.headers.at("ebb-cursor");
  REQUIRE_FALSE(cursor.empty());
  const auto rest = api.read("?limit=10000&after=" + cursor);
  CHECK(rest.front()["seq"] == 1 + std::count(first.body.begin(), first.body.end(), '\n'));
  CHECK(rest.back()["seq"] == 96);
}

TEST_CASE("the newest events are the last by time of all logs, oldest first") {
  Api api;
  for (int n = 0; n < 6; ++n) {
    const std::string body = R"({"type":"t","payload":)" + std::to_string(n) + "}";
    REQUIRE(api.post("/v1/events?topic=" + std::string(n % 2 == 0 ? "a" : "b"), body).status ==
            200);
  }
  const auto events = api.read("?newest=3");
  REQUIRE(events.size() == 3);
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(events[i]["payload"] == 3 + i);
  CHECK(api.read("?newest=2&topic=a").at(0)["payload"] == 2);
  CHECK(api.read("?newest=100").size() == 6);
  const auto answer = api.get("/v1/events?newest=3");
  CHECK(answer.headers.count("ebb-cursor") == 0);
  CHECK(answer.headers.count("ebb-cut") == 0);
  check_refused(api, "/v1/events?newest=0", "newest");
  check_refused(api, "/v1/events?newest=1&limit=2", "newest");
  check_refused(api, "/v1/events?newest=1&follow=sse", "newest");
}

TEST_CASE("the newest events end at the size of an answer, which says so") {
  Api api;
  const std::string event = R"({"type":"t","payload":")" + std::string(60000, 'x') + "\"}\n";
  std::string lines;
  for (int n = 0; n < 100; ++n)
    lines += event;
  REQUIRE(api.post("/v1/events", lines, "application/x-ndjson").status == 200);
  const auto answer = api.get("/v1/events?newest=100");
  REQUIRE(answer.status == 200);
  CHECK(answer.headers.at("ebb-cut") == "bytes");
  CHECK(answer.body.size() < (5 << 20));
  CHECK(answer.body.size() > (3 << 20));
  const std::size_t last = answer.body.rfind("\n", answer.body.size() - 2) + 1;
  CHECK(nlohmann::json::parse(answer.body.substr(last))["seq"] == 100);
}

TEST_CASE("numbers say what they stand on") {
  Api api;
  REQUIRE(api.post("/v1/events", R"([{"type":"t"},{"type":"t"}])").status == 200);
  const auto stands = [](const nlohmann::json& answer) {
    CAPTURE(answer.dump());
    const auto completeness = answer.at("completeness");
    CHECK(completeness["state"] == "alone");
    CHECK(completeness["held"] == 3);  // with the opening record
    CHECK(completeness["missing"].empty());
  };
  stands(api.post("/v1/sql", R"({"sql":"select count(*) from events"})").json());
  for (const char* target :
       {"/v1/views/t", "/v1/views", "/v1/counters/c", "/v1/sets/s", "/v1/status"})
    stands(api.get(target).json());
}

TEST_CASE("queries of state share flushes, and ask for none when nothing is new") {
  Api api;
  REQUIRE(api.post("/v1/events", R"({"type":"t"})").status == 200);
  const auto flushes = [&api] {
    return api.node().on_loop([](auto& node) { return node.counters().state_flushes; });
  };
  CHECK(api.get("/v1/views/t").json()["value"] == 1);
  const auto once = flushes();
  for (int n = 0; n < 50; ++n)
    CHECK(api.get("/v1/views/t").json()["value"] == 1);
  CHECK(flushes() == once);
  REQUIRE(api.post("/v1/events", R"({"type":"t"})").status == 200);
  CHECK(api.get("/v1/views/t").json()["value"] == 2);
  CHECK(flushes() == once + 1);
}

TEST_CASE("a query that is wrong is refused by the name of the parameter") {
  Api api;
  check_refused(api, "/v1/events?limit=0", "limit");
  check_refused(api, "/v1/events?limit=10001", "limit");
  check_refused(api, "/v1/events?limit=ten", "limit");
  check_refused(api, "/v1/events?device=abc", "device");
  check_refused(api, "/v1/events?log=abc", "log");
  check_refused(api, "/v1/events?after=abc", "after");
  check_refused(api, "/v1/events?from=yesterday", "from");
  check_refused(api, "/v1/events?to=12:00", "to");
  check_refused(api, "/v1/events?topic=A", "topic");
  check_refused(api, "/v1/events?follow=ws", "follow");
  check_refused(api, "/v1/events?colour=red", "colour");
  check_refused(api, "/v1/events?type=a&type=b", "type");
  check_refused(api, "/v1/status?x=1", "x");
  CHECK(api.get("/v1/events?type=%zz").status == 400);
  CHECK(api.get("/v1/events?type=%00").status == 400);
  CHECK(api.get("/v1/events?type=%ff").status == 400);
}

TEST_CASE("a counter is the sum of what was added") {
  Api api;
  CHECK(api.get("/v1/counters/sold").json()["value"] == 0);
  CHECK(api.post("/v1/counters/sold", R"({"add":5})").json()["appended"] == 1);
  CHECK(api.post("/v1/counters/sold", R"({"add":-7})").status == 200);
  CHECK(api.post("/v1/counters/sold?topic=till", R"({"add":1})").status == 200);
  const auto answer = api.get("/v1/counters/sold").json();
  CHECK(answer["value"] == -2);
  CHECK(answer["name"] == "sold");
  CHECK(answer["topic"] == "events");
  CHECK(api.get("/v1/counters/sold?topic=till").json()["value"] == 1);
  CHECK(api.post("/v1/counters/a%2Fb%20c", R"({"add":3})").status == 200);
  CHECK(api.get("/v1/counters/a%2fb%20c").json()["name"] == "a/b c");
}

TEST_CASE("a total beyond 64 bits is a text of digits") {
  Api api;
  for (int n = 0; n < 3; ++n)
    REQUIRE(api.post("/v1/counters/big", R"({"add":9223372036854775807})").status == 200);
  CHECK(api.get("/v1/counters/big").json()["value"] == "27670116110564327421");
}

TEST_CASE("a set holds what was added and not removed") {
  Api api;
  for (const char* change :
       {R"({"add":"x"})", R"({"add":"\u00e9\n"})", R"({"add":"y"})", R"({"remove":"x"})"})
    REQUIRE(api.post("/v1/sets/open", change).status == 200);
  CHECK(api.get("/v1/sets/open").json()["elements"] == nlohmann::json({"y", "é\n"}));
  CHECK(api.get("/v1/sets/none").json()["elements"].empty());
}

TEST_CASE("a change of an object with an id counts once, however often it is sent") {
  Api api;
  const char* const add = R"({"add":5,"id":"6f1e7c3a-0000-4000-8000-000000000001"})";
  const auto first = api.post("/v1/counters/sold", add).json();
  const auto again = api.post("/v1/counters/sold", add).json();
  CHECK(again["dots"][0]["duplicate"] == true);
  CHECK(again["dots"][0]["first"] == first["dots"][0]["first"]);
  CHECK(api.get("/v1/counters/sold").json()["value"] == 5);
  const char* const put = R"({"id":"6f1e7c3a-0000-4000-8000-000000000002","add":"x"})";
  CHECK(api.post("/v1/sets/open", put).status == 200);
  CHECK(api.post("/v1/sets/open", R"({"remove":"x","id":null})").status == 200);
  CHECK(api.post("/v1/sets/open", put).json()["dots"][0]["duplicate"] == true);
  CHECK(api.get("/v1/sets/open").json()["elements"].empty());
}

TEST_CASE("a change of an object that is wrong is refused by its field") {
  Api api;
  const auto check = [&api](std::string_view target, std::string_view body, int status,
                            std::string_view code, std::string_view field) {
    CAPTURE(body);
    const auto answer = api.post(target, body);
    CHECK(answer.status == status);
    CHECK(answer.code() == code);
    CHECK(answer.field() == field);
  };
  check("/v1/counters/c", R"({})", 400, "invalid_argument", "add");
  check("/v1/counters/c", R"({"add":1.5})", 400, "malformed", "add");
  check("/v1/counters/c", R"({"add":"1"})", 400, "malformed", "add");
  check("/v1/counters/c", R"({"add":9223372036854775808})", 400, "out_of_range", "add");
  check("/v1/counters/c", R"({"add":18446744073709551616})", 400, "out_of_range", "add");
  check("/v1/counters/c", R"({"add":1,"add":1})", 400, "duplicate_key", "add");
  check("/v1/counters/c", R"({"sub":1})", 400, "invalid_argument", "sub");
  check("/v1/counters/c", R"([1])", 400, "malformed", "");
  check("/v1/counters/c", R"({"add":1}x)", 400, "malformed", "");
  check("/v1/counters/" + std::string(129, 'n'), R"({"add":1})", 413, "too_large", "name");
  check("/v1/counters/c", R"({"add":1,"id":"x"})", 400, "invalid_argument", "id");
  check("/v1/counters/c", R"({"add":1,"id":7})", 400, "malformed", "id");
  check("/v1/sets/s", R"({"add":1})", 400, "invalid_argument", "add");
  check("/v1/sets/s", R"({"remove":1})", 400, "invalid_argument", "remove");
  check("/v1/sets/s", R"({"remove":"x","id":"x"})", 400, "invalid_argument", "id");
  check("/v1/sets/s", R"({"id":null})", 400, "invalid_argument", "add");
  check("/v1/sets/s", R"({"add":["x"]})", 400, "invalid_argument", "add");
  check("/v1/sets/s", R"({"add":"x","remove":"y"})", 400, "invalid_argument", "add");
  check("/v1/sets/s", R"({"add":")" + std::string(1025, 'x') + "\"}", 413, "too_large", "add");
  CHECK(api.events() == 0);
}

TEST_CASE("the built-in view counts events by type and by minute of their ts") {
  Api api;
  REQUIRE(api.post("/v1/events", R"([{"type":"page","ts":60000},{"type":"page","ts":119999},)"
                                 R"({"type":"page","ts":120000},{"type":"other"}])")
              .status == 200);
  const auto view = api.get("/v1/views/page").json();
  CHECK(view["view"] == "page");
  CHECK(view["value"] == 3);
  CHECK(view["late"] == 3);
  CHECK(view["completeness"]["state"] == "alone");
  CHECK(view["completeness"]["held"] == 5);  // with the opening record
  CHECK(api.get("/v1/views/page?from=60000&to=120000").json()["value"] == 2);
  CHECK(api.get("/v1/views/page?from=120000").json()["value"] == 1);
  CHECK(api.get("/v1/views/nothing").json()["value"] == 0);
  check_refused(api, "/v1/views/page?from=soon", "from");
  const auto all = api.get("/v1/views").json()["views"];
  REQUIRE(all.size() == 2);  // and none of the records that the device wrote of itself
  CHECK(all[0]["view"] == "other");
  CHECK(all[1]["value"] == 3);
}

TEST_CASE("SQL reads and cannot write") {
  Api api;
  REQUIRE(
      api.post("/v1/events", R"([{"type":"a","payload":1},{"type":"a"},{"type":"b"}])").status ==
      200);
  const auto good =
      api.post("/v1/sql", R"({"sql":"select type, count(*) as n, 1.0, null, x'00ff' from events )"
                          R"(where topic='events' group by type order by type"})");
  REQUIRE(good.status == 200);
  CHECK(good.json()["columns"][1] == "n");
  CHECK(good.body.find(R"("rows":[["a",2,1.0,null,"00ff"],["b",1,1.0,null,"00ff"]])") !=
        std::string::npos);
  const auto check = [&api](std::string_view body, int status, std::string_view code) {
    CAPTURE(body);
    const auto answer = api.post("/v1/sql", body);
    CHECK(answer.status == status);
    CHECK(answer.code() == code);
  };
  check(R"({"sql":"delete from events"})", 400, "invalid_argument");
  check(R"({"sql":"drop table segments"})", 400, "invalid_argument");
  check(R"({"sql":"select 1; select 2"})", 400, "invalid_argument");
  check(R"({"sql":"selec 1"})", 400, "invalid_argument");
  check(R"({"sql":"attach 'x' as y"})", 400, "invalid_argument");
  check(R"({"sql":""})", 400, "invalid_argument");
  check(R"({"sql":1})", 400, "invalid_argument");
  check(R"({})", 400, "invalid_argument");
  check(R"({"sql":")" + std::string(20000, ' ') + "\"}", 413, "too_large");
  check(
      R"({"sql":"with recursive n(i) as (select 1 union all select i+1 from n) select i from n"})",
      400, "invalid_argument");
  const std::string nine =
      "events a, events b, events c, events d, events e, events f, events g, events h, events i";
  check(R"({"sql":"select 1 from )" + nine + "\"}", 413, "too_large");
  CHECK(api.events() == 3);
}

TEST_CASE("no more SQL runs at once than is allowed, and the rest is asked to come back") {
  Api api;
  std::string lines;
  for (int n = 0; n < 2000; ++n)
    lines += "{\"type\":\"t\"}\n";
  REQUIRE(api.post("/v1/events", lines, "application/x-ndjson").status == 200);
  const std::string slow = R"({"sql":"select count(*) from events a, events b, events c"})";
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (int n = 0; n < 5; ++n) {
    clients.push_back(std::make_unique<HttpClient>(api.socket()));
    clients.back()->send_head("POST", "/v1/sql", "application/json", slow.size());
    clients.back()->send(slow);
  }
  int refused = 0;
  for (auto& client : clients) {
    const auto answer = client->read_answer();
    if (answer.status == 429) {
      ++refused;
      CHECK(answer.headers.count("retry-after") == 1);
    } else {
      CHECK(answer.status == 413);
    }
  }
  CHECK(refused == 1);
  CHECK(api.post("/v1/sql", R"({"sql":"select 1"})").status == 200);
}

}  // namespace
