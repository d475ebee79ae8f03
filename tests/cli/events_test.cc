// Appending and reading events, with a FakeApi in place of the node.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <fstream>

#include "tests/cli/command_run.h"

using ebb::tests::CommandRun;
using ebb::tests::FakeAnswer;

namespace {

// A pipe whose writing end the test holds.
struct Pipe {
  int reading = -1, writing = -1;
  Pipe() {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    reading = ends[0];
    writing = ends[1];
  }
  ~Pipe() {
    close(reading);
    close_writing();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void put(const std::string& text) const {
    REQUIRE(write(writing, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  void close_writing() {
    if (writing >= 0) close(writing);
    writing = -1;
  }
};

}  // namespace

TEST_CASE("append sends one object and prints its dot") {
  CommandRun ebb;
  ebb.serve().on("POST /v1/events",
                 R"({"appended":1,"duplicates":0,)"
                 R"("dots":[{"log":"abc","first":7,"count":1,"duplicate":false}]})");
  CHECK(ebb.run({"append", "visit", "page=home", "n=1.0", "--topic=web", "--ts=5"}) == 0);
  CHECK(ebb.out == "abc:7\n");
  const auto request = ebb.api->requests().at(0);
  CHECK(request.body ==
        R"({"type":"visit","payload":{"page":"home","n":1.0},"ts":5,"topic":"web"})");
  CHECK(request.head.find("Content-Type: application/json\r\n") != std::string::npos);
  CHECK(ebb.run({"append", "visit", "--payload", "[1]", "--id=u", "--source=s"}) == 0);
  CHECK(ebb.api->requests().at(1).body ==
        R"({"type":"visit","payload":[1],"source":"s","id":"u"})");
}

TEST_CASE("a refused event is told with its field and what to do") {
  CommandRun ebb;
  ebb.serve().on(
      "POST /v1/events",
      FakeAnswer{.status = 413,
                 .body = R"({"error":{"code":"too_large","message":"70000 bytes, at most 65536",)"
                         R"("field":"payload"}})"});
  CHECK(ebb.run({"append", "t"}) == 1);
  CHECK(ebb.err == "ebb: 70000 bytes, at most 65536 (field payload)\n");
  CHECK(ebb.out.empty());
  ebb.serve().on(
      "POST /v1/events",
      FakeAnswer{.status = 507, .body = R"({"error":{"code":"disk_full","message":"full"}})"});
  CHECK(ebb.run({"append", "t"}) == 1);
  CHECK(ebb.err_has("why:  nothing of this was stored\n"));
  CHECK(ebb.err_has("free some space on the node's disk\n"));
  ebb.serve().on(
      "POST /v1/events",
      FakeAnswer{.status = 507,
                 .body = R"({"error":{"code":"disk_full",)"
                         R"("message":"store.disk_budget_bytes: 4096 bytes: raise it"}})"});
  CHECK(ebb.run({"append", "t"}) == 1);
  CHECK(ebb.err_has("store.disk_budget_bytes"));
  CHECK_FALSE(ebb.err_has("free some space"));
  CHECK(ebb.run({"append", "--ndjson", "/dev/null"}) == 1);
  CHECK_FALSE(ebb.err_has("nothing of this was stored"));
  ebb.serve().on("POST /v1/events", FakeAnswer{.status = 500, .body = "<html>"});
  CHECK(ebb.run({"append", "t"}) == 1);
  CHECK(ebb.err_has("HTTP status 500"));
}

TEST_CASE("a stream is sent in chunks from a file, and its totals are printed") {
  CommandRun ebb;
  std::string lines;
  for (int i = 0; i < 5000; ++i)
    lines += R"({"type":"t","payload":)" + std::to_string(i) + "}\n";
  std::ofstream(ebb.temp / "in") << lines;
  ebb.serve().on("POST /v1/events", R"({"appended":4999,"duplicates":1,"dots":[]})");
  const std::string file = (ebb.temp / "in").string();
  CHECK(ebb.run({"append", "--ndjson", file, "--topic", "a"}) == 0);
  CHECK(ebb.out == "appended 4999 events, 1 duplicate\n");
  CHECK(ebb.err.empty());
  const auto request = ebb.api->requests().at(0);
  CHECK(request.target == "/v1/events?topic=a");
  CHECK(request.body == lines);
  CHECK(request.head.find("Transfer-Encoding: chunked\r\n") != std::string::npos);
  CHECK(request.head.find("Content-Type: application/x-ndjson\r\n") != std::string::npos);
  CHECK(request.head.find("Expect:") == std::string::npos);

  ebb.on_terminal = true;
  CHECK(ebb.run({"append", "--ndjson", file}) == 0);
  CHECK(ebb.err_has("appending ["));
}

TEST_CASE("a stream of standard input may be empty") {
  CommandRun ebb;
  Pipe input;
  input.close_writing();
  ebb.input_fd = input.reading;
  ebb.serve().on("POST /v1/events", R"({"appended":0,"duplicates":0,"dots":[]})");
  CHECK(ebb.run({"append", "--ndjson", "-"}) == 0);
  CHECK(ebb.out == "appended 0 events\n");
  CHECK(ebb.api->requests().at(0).body.empty());
}

TEST_CASE("a bad line is told at once, while the input is still open") {
  CommandRun ebb;
  const Pipe input;
  input.put("{\"type\":\"t\"}\n{oops\n");
  ebb.input_fd = input.reading;
  ebb.serve().on(
      "POST /v1/events",
      FakeAnswer{.status = 400,
                 .body = R"({"error":{"code":"malformed","message":"not JSON","line":17},)"
                         R"("appended":16,"duplicates":0,"dots":[]})",
                 .before_body_ends = true});
  CHECK(ebb.run({"append", "--ndjson", "-"}) == 1);
  CHECK(ebb.err_has("ebb: line 17: not JSON\n"));
  CHECK(ebb.err_has("stored before it: 16 events (16 appended, 0 there already)"));
  CHECK(ebb.out.empty());
}

TEST_CASE("a stream that the disk has stopped is not blamed on its line") {
  CommandRun ebb;
  std::ofstream(ebb.temp / "in") << "{\"type\":\"t\"}\n";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({"code":"disk_full","message":"store.disk_budget_bytes: raise it","line":17})",
       "append from line 17 on when that is mended"},
      {R"({"code":"disk_full","message":"full","line":17})",
       "free some space on the node's disk; then append from line 17 on when that is mended"},
      {R"({"code":"io","message":"disk"})", "append the rest when that is mended"},
      {R"({"code":"too_large","message":"long","line":17})",
       "mend the line and append from it on"}};
  ebb.serve();
  for (const auto& [error, next] : cases) {
    ebb.api->on(
        "POST /v1/events",
        FakeAnswer{.status = 507,
                   .body = R"({"error":)" + error + R"(,"appended":16,"duplicates":0,"dots":[]})"});
  }
  for (const auto& [error, next] : cases) {
    CHECK(ebb.run({"append", "--ndjson", (ebb.temp / "in").string()}) == 1);
    CHECK(ebb.err.substr(ebb.err.find("next: ")) == "next: " + next + "\n");
  }
}

TEST_CASE("a bad line is told while much of the input is not read yet") {
  CommandRun ebb;
  std::ofstream(ebb.temp / "in") << std::string(8 << 20, '\n');
  ebb.serve().on(
      "POST /v1/events",
      FakeAnswer{.status = 400,
                 .body = R"({"error":{"code":"malformed","message":"line 1: x","line":1},)"
                         R"("appended":0,"duplicates":0,"dots":[]})",
                 .before_body_ends = true});
  CHECK(ebb.run({"append", "--ndjson", (ebb.temp / "in").string()}) == 1);
  CHECK(ebb.err_has("ebb: line 1: x\n"));
}

TEST_CASE("input that cannot be read is told") {
  CommandRun ebb;
  ebb.serve();
  CHECK(ebb.run({"append", "--ndjson", (ebb.temp / "none").string()}) == 1);
  CHECK(ebb.err_has("No such file"));
  CHECK(ebb.run({"append", "--ndjson", ebb.temp.path().string()}) == 1);
  CHECK(ebb.err_has("a directory"));
  const int unreadable = open("/dev/null", O_WRONLY | O_CLOEXEC);
  ebb.input_fd = unreadable;
  CHECK(ebb.run({"append", "--ndjson", "-"}) == 1);
  CHECK(ebb.err_has("cannot read the input"));
  close(unreadable);
}

TEST_CASE("tail passes the API's bytes through when piped, page after page") {
  CommandRun ebb;
  auto& api = ebb.serve();
  api.on("GET /v1/events",
         FakeAnswer{.body = "{\"payload\":1.0, \"x\":18446744073709551615}\n{\"p\":\"\xc2\x9b\"}\n",
                    .headers = "Ebb-Cursor: c/1\r\n"});
  api.on("GET /v1/events",
         FakeAnswer{.body = "{\"payload\":5e-324}\n", .headers = "ebb-cursor:\r\n"});
  CHECK(ebb.run({"tail", "--type", "a b", "--topic=t"}) == 0);
  CHECK(ebb.out ==
        "{\"payload\":1.0, \"x\":18446744073709551615}\n{\"p\":\"\xc2\x9b\"}\n"
        "{\"payload\":5e-324}\n");
  CHECK(api.requests().at(0).target == "/v1/events?type=a%20b&topic=t&limit=10000");
  CHECK(api.requests().at(1).target == "/v1/events?type=a%20b&topic=t&limit=10000&after=c%2F1");
  CHECK(api.requests().size() == 2);
}

TEST_CASE("tail with a limit asks for the newest, once") {
  CommandRun ebb;
  auto& api = ebb.serve();
  api.on("GET /v1/events", "{\"n\":2}\n{\"n\":3}\n");
  CHECK(ebb.run({"tail", "--limit=2", "--type=t"}) == 0);
  CHECK(ebb.out == "{\"n\":2}\n{\"n\":3}\n");
  REQUIRE(api.requests().size() == 1);
  CHECK(api.requests().at(0).target == "/v1/events?type=t&newest=2");
  CHECK(ebb.run({"tail", "--limit=10001"}) == 2);
  CHECK(ebb.err_has("--limit goes up to 10000"));
  const auto asked = api.requests().size();
  for (const std::string limit : {"0", "00", "-1", "1.5", "x"}) {
    for (const auto& words : {std::vector<std::string>{"tail", "--limit=" + limit},
                              std::vector<std::string>{"tail", "-f", "--limit", limit}}) {
      CAPTURE(limit);
      CHECK(ebb.run(words) == 2);
      CHECK_MESSAGE(ebb.err_has("has to be a number of 1 or more, not " + limit), ebb.err);
    }
  }
  CHECK(api.requests().size() == asked);
}

TEST_CASE("tail says so when an answer left older events out") {
  CommandRun ebb;
  ebb.serve().on("GET /v1/events", FakeAnswer{.body = "{}\n", .headers = "Ebb-Cut: bytes\r\n"});
  CHECK(ebb.run({"tail", "--limit=2"}) == 0);
  CHECK(ebb.err_has("older ones left out"));
}

TEST_CASE("tail on a terminal prints harmless lines, NDJSON when asked") {
  CommandRun ebb;
  ebb.on_terminal = true;
  const std::string event =
      R"({"device":"abcdefgh-ijklmnop","ts":0,"type":"t","source":"\u001b[2J","payload":{"a":1}})";
  ebb.serve().on("GET /v1/events", event + "\n");
  CHECK(ebb.run({"tail", "--color=never"}) == 0);
  CHECK(ebb.out ==
        "1970-01-01 00:00:00.000Z  abcdefgh  t               \\u001b[2J     {\"a\":1}\n");
  CHECK(ebb.run({"tail", "--json"}) == 0);
  CHECK(ebb.out == event + "\n");
}

TEST_CASE("tail -f prints events as they come and ends with the node") {
  CommandRun ebb;
  ebb.serve().on("GET /v1/events",
                 ": hi\n\nid: c1\ndata: {\"n\":1}\n\nid: c2\ndata: {\"n\":2}\n\n");
  CHECK(ebb.run({"tail", "-f"}) == 3);
  CHECK(ebb.out == "{\"n\":1}\n{\"n\":2}\n");
  CHECK(ebb.err_has("has stopped"));
  CHECK(ebb.api->requests().at(0).target == "/v1/events?follow=sse");
  CHECK(ebb.run({"tail", "-f", "--limit=1"}) == 0);
  CHECK(ebb.out == "{\"n\":1}\n");
}

TEST_CASE("tail -f goes on after the last event seen when it was dropped") {
  CommandRun ebb;
  auto& api = ebb.serve();
  api.on("GET /v1/events", "data: {\"n\":1}\n\nid: c1\n\nevent: dropped\n\n");
  api.on("GET /v1/events", "id: c2\ndata: {\"n\":2}\n\n");
  CHECK(ebb.run({"tail", "-f", "--limit=2"}) == 0);
  CHECK(ebb.out == "{\"n\":1}\n{\"n\":2}\n");
  CHECK(ebb.err_has("fell behind"));
  CHECK(api.requests().at(1).target == "/v1/events?follow=sse&after=c1");
}

TEST_CASE("tail -f takes the end of a stream for the end of the node, however it comes") {
  for (const bool told : {true, false}) {
    CAPTURE(told);
    CommandRun ebb;
    FakeAnswer answer{.body = "id: c1\ndata: {\"n\":1}\n\n", .cut_short = !told};
    if (told) answer.body += "event: stopped\ndata: {}\n\n";
    ebb.serve().on("GET /v1/events", answer);
    CHECK(ebb.run({"tail", "-f"}) == 3);
    CHECK(ebb.out == "{\"n\":1}\n");
    CHECK(ebb.err_has("has stopped"));
    CHECK(ebb.err_has("next: start it with `ebb up --dir " + ebb.temp.path().string() + "`"));
  }
}

TEST_CASE("tail -f tells an error of the node and prints no event for it") {
  CommandRun ebb;
  ebb.serve().on("GET /v1/events",
                 "data: {\"n\":1}\n\nevent: error\ndata: "
                 "{\"code\":\"corrupt\",\"message\":\"stored segment: bad\"}\n\n");
  CHECK(ebb.run({"tail", "-f"}) == 1);
  CHECK(ebb.out == "{\"n\":1}\n");
  CHECK(ebb.err_has("the node cannot go on: stored segment: bad"));
}

TEST_CASE("a stream whose node goes away may be stored in part, and says how to send it again") {
  CommandRun ebb;
  std::ofstream(ebb.temp / "in") << "{\"type\":\"t\"}\n";
  ebb.serve().on("POST /v1/events", FakeAnswer{.body = "{", .cut_short = true});
  CHECK(ebb.run({"append", "--ndjson", (ebb.temp / "in").string()}) == 1);
  CHECK(ebb.err_has("lines already sent may be stored; with `id` in each they can be sent again"));
}

TEST_CASE("a device is named by a beginning of its id") {
  CommandRun ebb;
  auto& api = ebb.serve();
  api.on("GET /v1/heads", R"({"heads":[{"device":"abcdefgh-2222"},{"device":"abcdzzzz-3333"}]})");
  api.on("GET /v1/peers", R"({"peers":[{"device":"zzzz4444-5555"},{"device":null}]})");
  api.on("GET /v1/events", "");
  CHECK(ebb.run({"tail", "--device=ABCDEFGH2"}) == 0);
  CHECK(api.requests().back().target == "/v1/events?device=abcdefgh-2222&limit=10000");
  CHECK(ebb.run({"tail", "--device=zz"}) == 0);
  CHECK(ebb.run({"tail", "--device=abcd"}) == 1);
  CHECK(ebb.err_has("2 devices begin with abcd"));
  CHECK(ebb.err_has("abcdefgh-2222, abcdzzzz-3333"));
  CHECK(ebb.run({"tail", "--device=q"}) == 1);
  CHECK(ebb.err_has("no known device"));
}
