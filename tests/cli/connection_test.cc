// What happens when the node does not answer as it should.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "core/data_directory.h"
#include "tests/cli/command_run.h"

using ebb::tests::CommandRun;
using ebb::tests::FakeAnswer;

TEST_CASE("without a node every reading command ends with 3 and says how to start it") {
  CommandRun ebb;
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"status"},
                                             {"links"},
                                             {"peers"},
                                             {"heads"},
                                             {"trace"},
                                             {"digest"},
                                             {"query", "t"},
                                             {"counter", "c"},
                                             {"set", "s"},
                                             {"sql", "q"},
                                             {"tail"},
                                             {"tail", "-f"},
                                             {"append", "t"},
                                             {"append", "--ndjson", "/dev/null"},
                                             {"down"}}) {
    CHECK_MESSAGE(ebb.run(words) == 3, words[0]);
    CHECK(ebb.err_has("no node is running for " + ebb.temp.path().string() +
                      ": start it with `ebb up --dir " + ebb.temp.path().string() + "`"));
    CHECK(ebb.out.empty());
  }
}

TEST_CASE("without a device the way to make one is told") {
  CommandRun ebb;
  ebb.has_device = false;
  CHECK(ebb.run({"status"}) == 3);
  CHECK(ebb.err_has("ebb init"));
}

TEST_CASE("hints carry the directory that was given, as a shell takes it") {
  CommandRun ebb;
  const std::string dir = (ebb.temp / "my till's").string();
  const std::string quoted = "'" + ebb.temp.path().string() + "/my till'\\''s'";
  ebb.has_device = false;
  CHECK(ebb.run_bare({"--dir", dir, "status"}) == 3);
  CHECK(ebb.err_has("next: make one with `ebb init --dir " + quoted +
                    "`, then start it with `ebb up --dir " + quoted + "`\n"));
  ebb.has_device = true;
  CHECK(ebb.run_bare({"status", "--dir", dir}) == 3);
  CHECK(ebb.err_has("start it with `ebb up --dir " + quoted + "`\n"));
  ebb.variables["EBB_DIR"] = dir;
  CHECK(ebb.run_bare({"status"}) == 3);
  CHECK(ebb.err_has("start it with `ebb up --dir " + quoted + "`\n"));
}

TEST_CASE("a hint names no directory only where a shell finds it that means no other") {
  CommandRun ebb;
  const std::string usual = (ebb.temp / ".local/share/ebb").string();
  const auto hint = [&](const std::vector<std::string>& words) {
    CHECK(ebb.run_bare(words) == 3);
    const std::string before = "start it with `ebb up";
    const std::size_t at = ebb.err.find(before) + before.size();
    return ebb.err.substr(at, ebb.err.find('`', at) - at);
  };
  CHECK(hint({"status"}).empty());
  CHECK(hint({"status", "--dir", usual + "/."}).empty());
  ebb.variables["EBB_DIR"] = usual + "/";
  CHECK(hint({"status"}).empty());
  // In this shell `ebb` alone is of the other directory.
  ebb.variables["EBB_DIR"] = "/elsewhere";
  CHECK(hint({"status"}) == " --dir /elsewhere");
  CHECK(hint({"status", "--dir", usual}) == " --dir " + usual);
  // From wherever it is pasted.
  const std::string here = std::filesystem::current_path().string();
  CHECK(hint({"status", "--dir", "till"}) == " --dir " + ebb::shell_word(here + "/till"));
  // So is what EBB_DIR names from here alone.
  ebb.variables["EBB_DIR"] =
      std::filesystem::path(usual).lexically_relative(std::filesystem::current_path()).string();
  CHECK(hint({"status"}) == " --dir " + usual);
  ebb.variables.clear();
  ebb.variables["EBB_DIR"] = "/elsewhere";
  CHECK(hint({"status"}) == " --dir /elsewhere");
}

TEST_CASE("what is printed for other machines does not say where this one keeps its data") {
  CommandRun ebb;
  ebb.variables["EBB_DIR"] = ebb.temp.path().string();
  ebb.serve().on("POST /v1/invites", R"({"invite":"ebb1-abc","id":"0011223344556677"})");
  ebb.api->on("GET /v1/status", R"({"membership":{"admit":"invite"}})");
  ebb.local.export_mesh = [](const std::string&) { return ebb::Result<std::string>("secret"); };
  CHECK(ebb.run_bare({"invite"}) == 0);
  CHECK(ebb.err_has("on the other machine: `ebb join LINE && ebb up`"));
  CHECK(ebb.err_has("`ebb invite rm 00112233 --dir " + ebb.temp.path().string() + "`"));
  // On an issuer, which another one is, or this.
  const std::string file = (ebb.temp / "mesh").string();
  CHECK(ebb.run_bare({"mesh", "export", file}) == 0);
  CHECK(ebb.err_has("`ebb init --mesh FILE && ebb up --peer HOST:PORT`"));
  CHECK(ebb.err_has("`ebb mesh admit secret` on an issuer"));
  CHECK(ebb.err_has("`ebb invite` or `ebb cert issue NAMES FOLDER`"));
  std::filesystem::create_directory(ebb.temp / "keys");
  std::ofstream(ebb.temp / "keys/issuer.key") << "key";
  CHECK(ebb.run_bare({"mesh", "export", file, "--force"}) == 0);
  CHECK(ebb.err_has("`ebb mesh admit secret --dir " + ebb.temp.path().string() + "` on an issuer"));
}

TEST_CASE("a word of a shell is quoted where it needs it") {
  CHECK(ebb::shell_word("/a/b-c_d.1") == "/a/b-c_d.1");
  CHECK(ebb::shell_word("a b") == "'a b'");
  CHECK(ebb::shell_word("$HOME/~") == "'$HOME/~'");
  CHECK(ebb::shell_word("it's") == "'it'\\''s'");
  CHECK(ebb::shell_word("") == "''");
}

TEST_CASE("a socket that a dead node left is no node") {
  CommandRun ebb;
  // The FakeApi's socket file outlives it, as that of a killed node does.
  ebb.serve();
  ebb.api.reset();
  REQUIRE(std::filesystem::exists(ebb.temp / "ebb.sock"));
  CHECK(ebb.run({"status"}) == 3);
  CHECK(ebb.err_has("Connection refused"));
}

TEST_CASE("a node that gives no answer in time ends the command with 5") {
  CommandRun ebb;
  ebb.serve().on("GET /v1/status", FakeAnswer{.never = true});
  CHECK(ebb.run({"status", "--timeout=0.05"}) == 5);
  CHECK(ebb.err_has("no answer in 50.0 ms"));
  ebb.serve().on("POST /v1/events", FakeAnswer{.never = true});
  CHECK(ebb.run({"append", "--ndjson", "/dev/null", "--timeout=0.05"}) == 5);
}

TEST_CASE("a data directory deeper than a socket's address is reached") {
  CommandRun ebb;
  std::filesystem::path deep = ebb.temp.path();
  while (deep.string().size() < 300)
    deep /= std::string(40, 'd');
  std::filesystem::create_directories(deep);
  ebb.api.emplace((deep / "ebb.sock").string()).on("GET /v1/digest", R"({"digest":"aa"})");
  CHECK(ebb.run_bare({"--dir", deep.string(), "digest"}) == 0);
  CHECK(ebb.out == "aa\n");
  CHECK(ebb.run_bare({"--dir", deep.string() + "/none", "digest"}) == 3);
}

TEST_CASE("an answer that is not JSON is told as such") {
  CommandRun ebb;
  ebb.serve().on("GET /v1/digest", "not json");
  CHECK(ebb.run({"digest"}) == 1);
  CHECK(ebb.err_has("not JSON"));
}

TEST_CASE("an answer cut short is a failure") {
  CommandRun ebb;
  ebb.serve().on("GET /v1/digest", FakeAnswer{.body = "{}", .cut_short = true});
  CHECK(ebb.run({"digest"}) == 1);
  CHECK(ebb.err_has("connection to the node broke"));
}

TEST_CASE("verbose tells each request") {
  CommandRun ebb;
  ebb.serve().on("GET /v1/digest", R"({"digest":"aa"})");
  CHECK(ebb.run({"digest", "-v"}) == 0);
  CHECK(ebb.err_has("GET /v1/digest: 200, 15 B, "));
  CHECK(ebb.out == "aa\n");
}
