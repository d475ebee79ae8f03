// Views, objects, digest and SQL, with a FakeApi in place of the node.
#include <doctest/doctest.h>

#include "tests/cli/command_run.h"

using ebb::tests::CommandRun;
using ebb::tests::FakeAnswer;

namespace {

// What a query prints for this completeness.
std::string query_output(const std::string& completeness, const std::string& late = "0") {
  CommandRun ebb;
  ebb.serve().on("GET /v1/views/t",
                 R"({"value":3,"late":)" + late + R"(,"completeness":)" + completeness + "}");
  CHECK(ebb.run({"query", "t"}) == 0);
  return ebb.out;
}

}  // namespace

TEST_CASE("a value is printed with what it stands on, in words") {
  CHECK(query_output(R"({"state":"in_sync","links":5,"links_in_sync":2})") ==
        "3   in sync with 2 links\n");
  CHECK(query_output(R"({"state":"in_sync","links":1,"links_in_sync":1})", "2") ==
        "3   in sync with 1 link, 2 late\n");
  CHECK(query_output(R"({"state":"alone","held":3})") ==
        "3   alone: no link, this is what the device holds\n");
  CHECK(query_output(R"({"state":"behind","held":3,"known":5,"missing_logs":2})") ==
        "3   behind: 3 of 5 known events are here, 2 logs incomplete\n");
}

TEST_CASE("a view's name and window are escaped, and --json is the API's answer") {
  CommandRun ebb;
  const std::string answer = R"({"view": "a/b", "value": "340282366920938463463"})";
  ebb.serve().on("GET /v1/views/a%2Fb", answer);
  CHECK(ebb.run({"query", "a/b", "--from", "2015-05-17T10:05:00+00:00", "--to=5", "--json"}) == 0);
  CHECK(ebb.out == answer + "\n");
  CHECK(ebb.api->requests().at(0).target ==
        "/v1/views/a%2Fb?from=2015-05-17T10%3A05%3A00%2B00%3A00&to=5");
  CHECK(ebb.run({"query", "a/b"}) == 0);
  CHECK(ebb.out == "340282366920938463463   completeness unknown\n");
}

TEST_CASE("counters are read and added to, below zero too") {
  CommandRun ebb;
  auto& api = ebb.serve();
  api.on("GET /v1/counters/c", R"({"name":"c","topic":"events","value":18446744073709551616})");
  CHECK(ebb.run({"counter", "c"}) == 0);
  CHECK(ebb.out == "18446744073709551616\n");
  api.on("POST /v1/counters/c", R"({"dots":[{"log":"l","first":2,"count":1}]})");
  CHECK(ebb.run({"counter", "c", "add", "-5", "--topic=x"}) == 0);
  CHECK(ebb.out == "l:2\n");
  CHECK(api.requests().back().target == "/v1/counters/c?topic=x");
  CHECK(api.requests().back().body == R"({"add":-5})");
  CHECK(ebb.run({"counter", "c", "add", "5", "--id=a-b"}) == 0);
  CHECK(api.requests().back().body == R"({"add":5,"id":"a-b"})");
  const auto asked = api.requests().size();
  CHECK(ebb.run({"counter", "c", "--id=a-b"}) == 2);
  CHECK(ebb.run({"set", "s", "--id=a-b"}) == 2);
  CHECK(api.requests().size() == asked);
}

TEST_CASE("sets are read and changed, their elements made harmless") {
  CommandRun ebb;
  auto& api = ebb.serve();
  api.on("GET /v1/sets/s", R"({"name":"s","elements":["a","b\n\u001b[1m","c"]})");
  CHECK(ebb.run({"set", "s"}) == 0);
  CHECK(ebb.out == "a\nb\\n\\u001b[1m\nc\n");
  api.on("POST /v1/sets/s", R"({"dots":[{"log":"l","first":3,"count":1,"duplicate":false}]})");
  CHECK(ebb.run({"set", "s", "add", "x\"y"}) == 0);
  CHECK(api.requests().back().body == R"({"add":"x\"y"})");
  CHECK(ebb.run({"set", "s", "remove", "--", "-x"}) == 0);
  CHECK(api.requests().back().body == R"({"remove":"-x"})");
  CHECK(ebb.run({"set", "s", "remove", "x", "--id=a-b"}) == 0);
  CHECK(api.requests().back().body == R"({"remove":"x","id":"a-b"})");
}

TEST_CASE("digest prints the digest alone") {
  CommandRun ebb;
  ebb.serve().on("GET /v1/digest", R"({"digest":"00ff","events":5})");
  CHECK(ebb.run({"digest"}) == 0);
  CHECK(ebb.out == "00ff\n");
}

TEST_CASE("sql prints an aligned table and a single value alone; --json is the API's answer") {
  CommandRun ebb;
  auto& api = ebb.serve();
  std::string answer =
      R"({"columns":["type","n","n"],"rows":[["visit",1.0,null],["a\u001b",100,"x"]]})";
  api.on("POST /v1/sql", answer);
  CHECK(ebb.run({"sql", "select \"x\""}) == 0);
  CHECK(api.requests().at(0).body == R"({"sql":"select \"x\""})");
  CHECK(ebb.out ==
        "type       n  n\n"
        "visit    1.0  NULL\n"
        "a\\u001b  100  x\n");
  CHECK(ebb.run({"sql", "q", "--json"}) == 0);
  CHECK(ebb.out == answer + "\n");
  answer = R"({"columns":["v"],"rows":[["5e-324 é"]],"completeness":{"state":"alone"}})";
  ebb.serve().on("POST /v1/sql", answer);
  CHECK(ebb.run({"sql", "q", "--json"}) == 0);
  CHECK(ebb.out == answer + "\n");
  CHECK(ebb.run({"sql", "q"}) == 0);
  CHECK(ebb.out == "5e-324 é\n");
  ebb.serve().on("POST /v1/sql", R"({"columns":["a","b"],"rows":[]})");
  CHECK(ebb.run({"sql", "q"}) == 0);
  CHECK(ebb.out.empty());
}

TEST_CASE("sql that finds no row prints nothing that a script could take for one") {
  CommandRun ebb;
  auto& api = ebb.serve();
  for (const std::string columns : {R"(["seq"])", R"(["a","b"])", "[]"}) {
    CAPTURE(columns);
    api.on("POST /v1/sql", R"({"columns":)" + columns + R"(,"rows":[]})");
    for (const bool on_terminal : {false, true}) {
      ebb.on_terminal = on_terminal;
      CHECK(ebb.run({"sql", "q"}) == 0);
      CHECK(ebb.out.empty());
      CHECK(ebb.err == (on_terminal ? "no rows\n" : ""));
      CHECK(ebb.run({"-q", "sql", "q"}) == 0);
      CHECK(ebb.err.empty());
    }
    ebb.on_terminal = false;
    CHECK(ebb.run({"sql", "q", "--json"}) == 0);
    CHECK(ebb.out_has("\"rows\":[]"));
  }
}

TEST_CASE("query without a view lists them, and a type that nobody knows is said to be one") {
  CommandRun ebb;
  auto& api = ebb.serve();
  const std::string views = R"({"views":[{"view":"visit","value":12},{"view":"zero","value":0}],)"
                            R"("completeness":{"state":"alone"}})";
  api.on("GET /v1/views", views);
  CHECK(ebb.run({"query"}) == 0);
  CHECK(ebb.out ==
        "view   value\nvisit     12\nzero       0\n"
        "alone: no link, this is what the device holds\n");
  CHECK(ebb.run({"query", "--json"}) == 0);
  CHECK(ebb.out == views + "\n");
  CHECK(ebb.run({"query", "--from=5"}) == 2);
  for (const std::string view : {"vist", "qqqqqqqq", "zero"})
    api.on("GET /v1/views/" + view, R"({"value":0,"late":0})");
  CHECK(ebb.run({"query", "vist"}) == 0);
  CHECK(ebb.err == "no event of this type is known; did you mean visit?\n");
  CHECK(ebb.run({"query", "qqqqqqqq"}) == 0);
  CHECK(ebb.err == "no event of this type is known\n");
  CHECK(ebb.run({"query", "zero"}) == 0);
  CHECK(ebb.err.empty());
}
