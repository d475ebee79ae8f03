// Starting and stopping a node, with scripts and a FakeApi in its place.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "cli/background.h"
#include "tests/cli/command_run.h"

using ebb::tests::CommandRun;
using ebb::tests::FakeAnswer;

namespace {

constexpr const char* kStatus =
    R"({"device":"abcdefgh-ijklmnop","listen":"127.0.0.1:7401","verdict":{"level":"ok"}})";

void write_program(CommandRun& ebb, const std::string& script) {
  ebb.program = (ebb.temp / "node.sh").string();
  std::ofstream(ebb.program) << "#!/bin/sh\n" << script;
  std::filesystem::permissions(ebb.program, std::filesystem::perms::owner_all);
}

std::string file_text(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("up starts this program in a session of its own and prints where it is") {
  CommandRun ebb;
  // The script makes the API appear at its place, as a node would.
  const std::string dir = ebb.temp.path().string();
  ebb.api.emplace(dir + "/api.sock").on("GET /v1/status", kStatus);
  write_program(ebb,
                "echo \"$@\"; echo oops >&2\n"
                "[ $(cut -d' ' -f6 /proc/$$/stat) -eq $$ ] && echo own session\n"
                "mv '" +
                    dir + "/api.sock' '" + dir + "/ebb.sock'; echo ready >&3\n");
  CHECK(ebb.run({"up", "--listen=127.0.0.1:0", "--peer=a:1", "--peer", "b:2"}) == 0);
  CHECK(ebb.out ==
        "device  abcdefgh-ijklmnop\nlisten  127.0.0.1:7401\nsocket  " + dir + "/ebb.sock\n");
  CHECK(ebb.err_has("ebb down"));
  CHECK(file_text(ebb.temp / "ebb.log") ==
        "--dir=" + dir + " run --ready-fd=3 --listen=127.0.0.1:0 --peer=a:1 --peer=b:2\n" +
            "oops\nown session\n");
}

TEST_CASE("up hands none of its descriptors on") {
  CommandRun ebb;
  const std::string dir = ebb.temp.path().string();
  ebb.api.emplace(dir + "/api.sock").on("GET /v1/status", kStatus);
  const int held = open((ebb.temp / "held").c_str(), O_RDWR | O_CREAT, 0600);
  REQUIRE(held > 3);
  write_program(ebb, "[ -e /proc/$$/fd/" + std::to_string(held) + " ] && echo inherited\nmv '" +
                         dir + "/api.sock' '" + dir + "/ebb.sock'; echo ready >&3\n");
  CHECK(ebb.run({"up"}) == 0);
  close(held);
  CHECK(file_text(ebb.temp / "ebb.log").empty());
}

TEST_CASE("up says how to let another machine in where that can be, or that nobody was met") {
  CommandRun ebb;
  const auto told = [&ebb](const std::string& listen, bool issues, int peers) {
    ebb.serve().on("GET /v1/status", R"({"device":"d","listen":")" + listen + R"(","peers":)" +
                                         std::to_string(peers) +
                                         R"(,"issuer":true,"membership":{"issues":)" +
                                         (issues ? "true" : "false") + "}}");
    CHECK(ebb.run({"up"}) == 0);
    return std::pair(ebb.out_has("invite  `ebb invite"), ebb.err_has("nobody was found yet"));
  };
  CHECK(told("127.0.0.1:7401", true, 0) == std::pair(true, false));
  CHECK(told("off", true, 0) == std::pair(false, false));
  CHECK(told("127.0.0.1:7401", false, 0) == std::pair(false, true));
  CHECK(told("127.0.0.1:7401", false, 1) == std::pair(false, false));
}

TEST_CASE("up says that a link key is made anew, where there was a device") {
  CommandRun ebb;
  ebb.program = "/nonexistent";
  CHECK(ebb.run({"up"}) == 1);
  CHECK_FALSE(ebb.err_has("link.key"));
  std::filesystem::create_directory(ebb.temp / "keys");
  std::ofstream(ebb.temp / "keys/identity.key") << "x";
  CHECK(ebb.run({"up"}) == 1);
  CHECK(ebb.err_has("keys/link.key is missing, so a new link key is made"));
  std::ofstream(ebb.temp / "keys/link.key") << "x";
  CHECK(ebb.run({"up"}) == 1);
  CHECK_FALSE(ebb.err_has("link.key"));
}

TEST_CASE("up beside a running node says so and starts none") {
  CommandRun ebb;
  ebb.serve().on("GET /v1/status", kStatus);
  ebb.program = "/nonexistent";
  CHECK(ebb.run({"up", "--json"}) == 0);
  CHECK(ebb.err_has("already"));
  CHECK(ebb.out_has(R"("device":"abcdefgh-ijklmnop")"));
  CHECK(ebb.out_has("/ebb.sock\""));
}

TEST_CASE("up with flags beside a running node does not pretend to have changed it") {
  CommandRun ebb;
  ebb.serve().on("GET /v1/status", kStatus);
  ebb.program = "/nonexistent";
  for (const std::string flag :
       {"--peer=a:1", "--listen=a:1", "--log-level=debug", "--log-format=json"}) {
    CAPTURE(flag);
    CHECK(ebb.run({"up", flag}) == 1);
    CHECK(ebb.err_has("already; its flags were not changed"));
    CHECK(
        ebb.err_has("`ebb down --dir " + ebb.temp.path().string() + "` first, or `ebb peers add"));
    CHECK(ebb.out.empty());
  }
}

TEST_CASE("an empty value of a flag is refused before anything is started") {
  CommandRun ebb;
  ebb.program = "/nonexistent";
  for (const std::string command : {"up", "run"}) {
    CHECK(ebb.run({command, "--peer", ""}) == 2);
    CHECK(ebb.err_has("--peer needs host:port"));
    CHECK(ebb.run({command, "--peer=", "--listen=127.0.0.1:0"}) == 2);
    CHECK(ebb.err_has("--peer needs host:port"));
    CHECK(ebb.run({command, "--listen", ""}) == 2);
    CHECK(ebb.err_has("--listen needs host:port"));
    CHECK(ebb.run({command, "--listen="}) == 2);
    CHECK(ebb.err_has("--listen needs host:port"));
    CHECK(ebb.run({command, "--log-level", ""}) == 2);
  }
}

TEST_CASE("up notes variables that mean nothing and a directory that is open to others") {
  CommandRun ebb;
  ebb.program = "/nonexistent";
  ebb.names = {"EBB_DIR", "EBB_PEER", "EBB_QQQQQQQQQQ"};
  chmod(ebb.temp.path().c_str(), 0755);
  CHECK(ebb.run({"up"}) == 1);
  CHECK(ebb.err_has("EBB_PEER is not known and not used; did you mean EBB_PEERS?\n"));
  CHECK(ebb.err_has("EBB_QQQQQQQQQQ is not known and not used\n"));
  CHECK_FALSE(ebb.err_has("EBB_DIR"));
  CHECK(ebb.err_has("is open to others (mode 0755); `chmod 700 "));
  chmod(ebb.temp.path().c_str(), 0700);
  CHECK(ebb.run({"up"}) == 1);
  CHECK_FALSE(ebb.err_has("open to others"));
}

TEST_CASE("up without a device says how to make one") {
  CommandRun ebb;
  ebb.has_device = false;
  ebb.program = "/nonexistent";
  CHECK(ebb.run({"up"}) == 1);
  CHECK(ebb.err_has("run `ebb init`"));
}

TEST_CASE("a node that does not start tells why in its own words") {
  CommandRun ebb;
  write_program(ebb, "echo 'error: port 7401 in use' >&3; exit 1\n");
  CHECK(ebb.run({"up"}) == 1);
  CHECK(ebb.err_has("the node did not start: port 7401 in use"));
  CHECK(ebb.err_has("ebb.log"));
  write_program(ebb, "echo 'error: no space' >&3; echo 'next: free some space' >&3; exit 1\n");
  CHECK(ebb.run({"up"}) == 1);
  CHECK(ebb.err_has("the node did not start: no space\n  next: free some space; see "));
  write_program(ebb, "echo 'first'; echo 'unknown flag' >&2; exit 2\n");
  CHECK(ebb.run({"up"}) == 2);
  CHECK(ebb.err_has("why:  unknown flag"));
  ebb.program = "/nonexistent";
  CHECK(ebb.run({"up"}) == 1);
  CHECK(ebb.err_has("/nonexistent"));
}

TEST_CASE("up ends with exit code 5 when the node is not ready in time") {
  CommandRun ebb;
  const auto fifo = ebb.temp / "fifo";
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  // Waits for the test, holding the pipe open.
  write_program(ebb, "read line < '" + fifo.string() + "'\n");
  CHECK(ebb.run({"up", "--timeout=0.05"}) == 5);
  CHECK(ebb.err_has("not ready after 50.0 ms"));
  std::ofstream(fifo) << "go\n";
  CHECK(waitpid(-1, nullptr, 0) > 0);
}

TEST_CASE("down asks the node to stop and waits until nobody answers") {
  CommandRun ebb;
  ebb.serve().on("POST /v1/shutdown",
                 FakeAnswer{.body = R"({"stopping": true})", .stops_listening = true});
  CHECK(ebb.run({"down"}) == 0);
  CHECK(ebb.out.empty());
  CHECK(ebb.err_has("has stopped"));
  CHECK(ebb.run({"down"}) == 3);
}

TEST_CASE("down waits for the process as well") {
  CommandRun ebb;
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  const pid_t child = fork();
  if (child == 0) {
    char byte = 0;
    close(ends[1]);
    _exit(read(ends[0], &byte, 1) == 0 ? 0 : 1);  // until the test closes its end
  }
  std::ofstream(ebb.temp / "ebb.pid") << child << '\n';
  // On a busy machine the answer itself may take longer than that, which is another text.
  for (int attempt = 0; attempt < 50 && !ebb.err_has("has not ended"); ++attempt) {
    ebb.serve().on("POST /v1/shutdown", FakeAnswer{.body = "{}", .stops_listening = true});
    CHECK(ebb.run({"down", "--timeout=0.1"}) == 5);
  }
  CHECK(ebb.err_has("has not ended"));
  ebb.serve().on("POST /v1/shutdown", FakeAnswer{.body = "{}", .stops_listening = true});
  close(ends[1]);
  CHECK(ebb.run({"down", "--json"}) == 0);
  CHECK(ebb.out == "{}\n");
  CHECK(waitpid(child, nullptr, WNOHANG) == child);
  close(ends[0]);
}

TEST_CASE("down ends with exit code 5 when the node goes on answering") {
  CommandRun ebb;
  ebb.serve().on("POST /v1/shutdown", "{}");
  CHECK(ebb.run({"down", "--timeout=0.05"}) == 5);
}
