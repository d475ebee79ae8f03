#include "http/daemon.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "http/start_problem.h"
#include "node/uv_handles.h"
#include "tests/http/client.h"
#include "tests/node/node_thread.h"
#include "tests/temp_dir.h"

namespace {

using ebb::ErrorCode;
using ebb::http::DaemonOptions;
using ebb::http::explain_start;
using ebb::http::problem_text;
using ebb::http::ready_text;
using ebb::http::run_daemon;
using ebb::tests::HttpClient;
using ebb::tests::TempDir;

// A daemon on a thread, with the pipe that tells how its start went.
class Daemon {
 public:
  explicit Daemon(const std::string& dir, const std::string& listen = "127.0.0.1:0") {
    REQUIRE(pipe2(ends_, O_CLOEXEC) == 0);
    DaemonOptions options{.dir = dir, .overrides = {}, .ready_fd = ends_[1]};
    options.overrides.values["node.listen"] = {listen, "flag --listen"};
    options.overrides.values["log.level"] = {"error", "flag --log-level"};
    thread_ = std::thread([this, options] { code_ = run_daemon(options); });
    char c = 0;
    while (read(ends_[0], &c, 1) == 1 && c != '\n')
      verdict_ += c;
  }
  ~Daemon() {
    join();
    close(ends_[0]);
  }
  const std::string& verdict() const { return verdict_; }
  int join() {
    if (thread_.joinable()) thread_.join();
    return code_;
  }

 private:
  int ends_[2] = {-1, -1};
  std::thread thread_;
  std::string verdict_;
  int code_ = -1;
};

TEST_CASE("a daemon says that it is ready, serves, and ends when it is asked to") {
  TempDir dir;
  const std::string home = (dir / "n").string();
  static_cast<void>(ebb::tests::make_home(home));
  Daemon daemon(home);
  REQUIRE(daemon.verdict() == "ready");
  pid_t pid = 0;
  std::ifstream(home + "/ebb.pid") >> pid;
  CHECK(pid == getpid());
  {
    HttpClient client(home + "/ebb.sock");
    CHECK(client.post("/v1/events", R"({"type":"t"})").status == 200);
    const auto stopping = client.post("/v1/shutdown", "{}");
    CHECK(stopping.status == 200);
    CHECK(stopping.json()["stopping"] == true);
  }
  CHECK(daemon.join() == 0);
  CHECK_FALSE(std::filesystem::exists(home + "/ebb.pid"));
  CHECK_FALSE(std::filesystem::exists(home + "/ebb.sock"));
}

TEST_CASE("a daemon that cannot start says why to both that listen") {
  TempDir dir;
  {
    Daemon daemon((dir / "nothing").string());
    CHECK(daemon.verdict().starts_with("error: "));
    CHECK(daemon.verdict().find("ebb init") != std::string::npos);
    CHECK(daemon.join() == 1);
  }
  const std::string home = (dir / "n").string();
  static_cast<void>(ebb::tests::make_home(home));
  {
    Daemon daemon(home, "nonsense");
    CHECK(daemon.verdict().find("--listen") != std::string::npos);
    CHECK(daemon.join() == 2);
  }
  {
    Daemon first(home);
    REQUIRE(first.verdict() == "ready");
    Daemon second(home);
    CHECK(second.verdict().find("running") != std::string::npos);
    CHECK(second.join() == 1);
    CHECK(HttpClient(home + "/ebb.sock").post("/v1/shutdown", "").status == 200);
    CHECK(first.join() == 0);
  }
}

TEST_CASE("a problem of the start says what, why and what to do next") {
  const auto port = explain_start({ErrorCode::kBusy, "port in use", "127.0.0.1:7401"}, "dir");
  CHECK(problem_text(port) ==
        "ebb: cannot listen on 127.0.0.1:7401: the port is in use\n"
        "  why:  another program, perhaps another node, has it\n"
        "  next: stop that program, or choose another address with --listen or in dir/ebb.toml\n");
  // No node runs for want of descriptors, and no disk is to blame.
  const auto files = explain_start(ebb::node::uv_error(UV_EMFILE, "event loop"), "dir");
  CHECK(files.what.find("too many open files") != std::string::npos);
  CHECK(files.next.find("ulimit -n") != std::string::npos);
  const auto full = explain_start({ErrorCode::kDiskFull, "database or disk is full"}, "dir");
  CHECK(ready_text(full) ==
        "error: database or disk is full\n"
        "next: free some space, or raise store.disk_budget_bytes in dir/ebb.toml\n");
  for (const std::string_view foreign :
       {"store belongs to another device", "store belongs to another mesh"}) {
    const auto problem = explain_start({ErrorCode::kInvalidArgument, foreign}, "dir");
    CHECK(problem.next.find("the store in dir/store and the keys") != std::string::npos);
    CHECK_FALSE(problem.usage);
  }
  const auto busy = explain_start({ErrorCode::kBusy, "lock", "dir"}, "a dir");
  CHECK(busy.next.find("`ebb down --dir 'a dir'` stops it") != std::string::npos);
  const auto newer = explain_start({ErrorCode::kUnsupported, "store", "version 9"}, "dir");
  CHECK(newer.why.find("nothing was written") != std::string::npos);
  const auto key = explain_start({ErrorCode::kCorrupt, "key file", "k is damaged: do this"}, "dir");
  CHECK(problem_text(key) == "ebb: k is damaged: do this\n");
  const auto flag =
      explain_start({ErrorCode::kInvalidArgument, "config", "flag --listen: no port"}, "dir");
  CHECK(flag.usage);
  const auto file =
      explain_start({ErrorCode::kInvalidArgument, "config", "ebb.toml line 3: x"}, "dir");
  CHECK_FALSE(file.usage);
}

}  // namespace
