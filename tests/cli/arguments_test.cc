// How the command line is written, and what becomes of wrong use.
#include "cli/arguments.h"

#include <doctest/doctest.h>

#include "tests/cli/command_run.h"

using ebb::Result;
using ebb::cli::ConfigLine;
using ebb::cli::InitAnswer;
using ebb::cli::InitWanted;
using ebb::cli::Overrides;
using ebb::tests::CommandRun;

TEST_CASE("an unknown flag is wrong use and the nearest one is suggested") {
  CommandRun ebb;
  CHECK(ebb.run({"status", "--colour"}) == 2);
  CHECK(ebb.err_has("unknown flag --colour"));
  CHECK(ebb.err_has("did you mean --color?"));
  CHECK(ebb.run({"append", "--tpoic=x"}) == 2);
  CHECK(ebb.err_has("did you mean --topic?"));
  CHECK(ebb.run({"status", "--zzzzzzzz"}) == 2);
  CHECK_FALSE(ebb.err_has("did you mean"));
}

TEST_CASE("an unknown command is wrong use and the nearest one is suggested") {
  CommandRun ebb;
  CHECK(ebb.run({"statsu"}) == 2);
  CHECK(ebb.err_has("unknown command statsu"));
  CHECK(ebb.err_has("did you mean status?"));
  CHECK(ebb.run({"config", "shw"}) == 2);
  CHECK(ebb.err_has("did you mean show?"));
  CHECK(ebb.run({"digest", "extra"}) == 2);
  CHECK(ebb.err_has("one word too many: extra"));
}

TEST_CASE("missing and bad values are wrong use") {
  CommandRun ebb;
  CHECK(ebb.run({"config"}) == 2);
  CHECK(ebb.run({"append"}) == 2);
  CHECK(ebb.run({"status", "--timeout", "soon"}) == 2);
  CHECK(ebb.run({"status", "--timeout=0"}) == 2);
  CHECK(ebb.run({"status", "--color=purple"}) == 2);
  CHECK(ebb.run({"set", "s", "replace", "x"}) == 2);
  CHECK(ebb.run({"set", "s", "add"}) == 2);
  CHECK(ebb.run({"counter", "c", "add", "1.5"}) == 2);
  CHECK(ebb.run({"trace", "--limit=0"}) == 2);
  CHECK(ebb.run({"status", "-q", "-v"}) == 2);
  CHECK(ebb.run({"append", "t", "--ndjson", "-"}) == 2);
  CHECK(ebb.out.empty());
}

TEST_CASE("a hint names the command with the words that lead to it") {
  CommandRun ebb;
  CHECK(ebb.run({"mesh", "export"}) == 2);
  CHECK(ebb.err_has("`ebb mesh export --help`"));
  CHECK(ebb.run({"config", "show", "extra"}) == 2);
  CHECK(ebb.err_has("`ebb config show --help`"));
  CHECK(ebb.run({"append", "t", "--source="}) == 2);
  CHECK(ebb.err_has("--source has no value"));
}

TEST_CASE("an empty value is wrong use, whichever flag or word it is of") {
  CommandRun ebb;
  bool acted = false;
  ebb.local.init = [&](const std::string&, const InitWanted&) -> Result<InitAnswer> {
    acted = true;
    return InitAnswer{"abcdefgh-ijklmnop"};
  };
  auto& api = ebb.serve();
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"--dir", "", "init"}, "--dir has no value"},
      {{"status", "--dir", ""}, "--dir has no value"},
      {{"init", "--mesh", ""}, "--mesh has no value"},
      {{"init", "--name", ""}, "--name has no value"},
      {{"up", "--peer", "a:1", "--peer", ""}, "--peer needs host:port"},
      {{"run", "--listen", ""}, "--listen needs host:port"},
      {{"config", "show", "--log-level", ""}, "--log-level has no value"},
      {{"config", "check", "--log-format", ""}, "--log-format has no value"},
      {{"append", "t", "--topic", ""}, "--topic has no value"},
      {{"append", "t", "--source", ""}, "--source has no value"},
      {{"append", "t", "--ts", ""}, "--ts has no value"},
      {{"append", "t", "--id", ""}, "--id has no value"},
      {{"append", "t", "--payload", ""}, "--payload has no value"},
      {{"append", "--ndjson", ""}, "--ndjson has no value"},
      {{"append", ""}, "TYPE is empty"},
      {{"append", "t", ""}, "k=v is empty"},
      {{"tail", "--device", ""}, "--device has no value"},
      {{"tail", "--type", ""}, "--type has no value"},
      {{"tail", "--topic", ""}, "--topic has no value"},
      {{"tail", "--limit", ""}, "--limit has no value"},
      {{"query", ""}, "VIEW is empty"},
      {{"query", "t", "--from", ""}, "--from has no value"},
      {{"query", "t", "--to", ""}, "--to has no value"},
      {{"counter", "c", "--topic", ""}, "--topic has no value"},
      {{"set", "s", "add", "x", "--id", ""}, "--id has no value"},
      {{"sql", ""}, "STATEMENT is empty"},
      {{"trace", ""}, "PEER is empty"},
      {{"trace", "--limit", ""}, "--limit has no value"},
      {{"peers", "add", ""}, "ADDR is empty"},
      {{"mesh", "export", ""}, "FILE is empty"},
      {{"digest", "--timeout", ""}, "--timeout has no value"},
      {{"digest", "--color", ""}, "--color has no value"}};
  for (const auto& each : cases) {
    const std::vector<std::string>& words = each.first;
    CAPTURE(words.front());
    CHECK((words.front() == "--dir" ? ebb.run_bare(words) : ebb.run(words)) == 2);
    CHECK_MESSAGE(ebb.err_has("ebb: " + each.second), ebb.err);
    CHECK(ebb.out.empty());
  }
  CHECK_FALSE(acted);
  CHECK(api.requests().empty());
}

TEST_CASE("without a command the help says what there is") {
  CommandRun ebb;
  CHECK(ebb.run_bare({}) == 2);
  CHECK(ebb.err_has("append"));
  CHECK(ebb.run_bare({"--help"}) == 0);
  CHECK(ebb.out_has("status"));
  CHECK(ebb.out_has("docs/architecture.md, Words"));
  CHECK_FALSE(ebb.out_has("ready-fd"));
  CHECK(ebb.run_bare({"run", "--help"}) == 0);
  CHECK(ebb.out_has("--listen"));
  CHECK_FALSE(ebb.out_has("ready-fd"));
}

TEST_CASE("version is told by command and by flag") {
  CommandRun ebb;
  CHECK(ebb.run_bare({"version"}) == 0);
  CHECK(ebb.out == "ebb " EBB_VERSION "\n");
  CHECK(ebb.run_bare({"--version"}) == 0);
  CHECK(ebb.out == "ebb " EBB_VERSION "\n");
  CHECK(ebb.run_bare({"--json", "version"}) == 0);
  CHECK(ebb.out == "{\"version\":\"" EBB_VERSION "\"}\n");
}

TEST_CASE("global flags stand before and behind the command") {
  CommandRun ebb;
  ebb.serve().on("GET /v1/digest", R"({"digest":"aa"})");
  const std::string dir = ebb.temp.path().string();
  for (const auto& words : {std::vector<std::string>{"--dir", dir, "--json", "digest"},
                            std::vector<std::string>{"digest", "--json", "--dir", dir},
                            std::vector<std::string>{"--json", "digest", "--dir=" + dir}}) {
    CHECK(ebb.run_bare(words) == 0);
    CHECK(ebb.out == "{\"digest\":\"aa\"}\n");
  }
}

TEST_CASE("the directory comes from the flag, else EBB_DIR, else HOME") {
  CommandRun ebb;
  std::string seen;
  ebb.local.export_mesh = [&](const std::string& dir) -> Result<std::string> {
    seen = dir;
    return ebb::Error{ebb::ErrorCode::kNotFound, "device"};
  };
  const std::vector<std::string> words = {"mesh", "export", "f"};
  CHECK(ebb.run_bare(words) == 1);
  CHECK(seen == ebb.temp.path().string() + "/.local/share/ebb");
  ebb.variables["EBB_DIR"] = "/a/b/";
  CHECK(ebb.run_bare(words) == 1);
  CHECK(seen == "/a/b");
  CHECK(ebb.run_bare({"mesh", "export", "f", "--dir=/c/./d"}) == 1);
  CHECK(seen == "/c/d");
  ebb.variables.clear();
  CHECK(ebb.run_bare(words) == 2);
  CHECK(ebb.err_has("--dir"));
}

TEST_CASE("an event type may be named like a command") {
  CommandRun ebb;
  ebb.serve().on("POST /v1/events", R"({"appended":1,"dots":[]})");
  CHECK(ebb.run({"append", "status", "peers=up"}) == 0);
  CHECK(ebb.api->requests().at(0).body == R"({"type":"status","payload":{"peers":"up"}})");
}

TEST_CASE("run hands flags and environment on with their origins") {
  CommandRun ebb;
  Overrides seen;
  int seen_fd = 0;
  ebb.local.run = [&](const std::string&, const Overrides& overrides, int ready_fd,
                      const std::string&) {
    seen = overrides;
    seen_fd = ready_fd;
    return 1;
  };
  ebb.variables["EBB_LISTEN"] = "127.0.0.1:1";
  ebb.variables["EBB_PEERS"] = "a:1,b:2";
  ebb.variables["EBB_NAME"] = "till";
  ebb.variables["EBB_LOG_LEVEL"] = "debug";
  CHECK(ebb.run({"run", "--listen", "127.0.0.1:2", "--log-format=json", "--ready-fd=7"}) == 1);
  CHECK(seen == Overrides{{"node.listen", {"127.0.0.1:2", "flag --listen"}},
                          {"node.peers", {"a:1,b:2", "environment EBB_PEERS"}},
                          {"node.name", {"till", "environment EBB_NAME"}},
                          {"log.level", {"debug", "environment EBB_LOG_LEVEL"}},
                          {"log.format", {"json", "flag --log-format"}}});
  CHECK(seen_fd == 7);
  CHECK(ebb.run({"run", "--peer", "c:3", "--peer", "d:4"}) == 1);
  CHECK(seen.at("node.peers") == std::pair<std::string, std::string>("c:3,d:4", "flag --peer"));
  CHECK(seen_fd == -1);
}
