#include "http/daemon.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "core/unique_fd.h"
#include "http/server.h"
#include "http/start_problem.h"
#include "node/home.h"
#include "node/log.h"
#include "node/node.h"

namespace ebb::http {
namespace {

constexpr int kExitOk = 0;
constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;

// Tells whoever started us how it went, once.
class ReadyNotice {
 public:
  explicit ReadyNotice(int fd) : fd_(fd) {}
  ~ReadyNotice() { send(""); }
  ReadyNotice(const ReadyNotice&) = delete;
  ReadyNotice& operator=(const ReadyNotice&) = delete;

  void send(const std::string& line) {
    if (!fd_.is_open()) return;
    // Nobody reads any more when it fails, so there is nobody to tell.
    static_cast<void>(write_all(fd_.get(), line));
    fd_.reset();
  }

 private:
  UniqueFd fd_;
};

// The process id in a file, for `ebb down` and for people; gone with the object.
class PidFile {
 public:
  static Result<std::unique_ptr<PidFile>> write(const std::string& path) {
    const UniqueFd file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    const int code =
        file.is_open() ? write_all(file.get(), std::to_string(getpid()) + "\n") : errno;
    if (code != 0) return Error{ErrorCode::kIo, "pid file", path + ": " + std::strerror(code)};
    return std::unique_ptr<PidFile>(new PidFile(path));
  }
  ~PidFile() { unlink(path_.c_str()); }
  PidFile(const PidFile&) = delete;
  PidFile& operator=(const PidFile&) = delete;

 private:
  explicit PidFile(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// SIGTERM and SIGINT as something to read. Made before any thread, so that all threads leave them
// to the loop.
class StopSignals {
 public:
  static Result<std::unique_ptr<StopSignals>> block() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    if (pthread_sigmask(SIG_BLOCK, &signals, nullptr) != 0) {
      return Error{ErrorCode::kIo, "signals", std::strerror(errno)};
    }
    const int fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) return Error{ErrorCode::kIo, "signals", std::strerror(errno)};
    return std::unique_ptr<StopSignals>(new StopSignals(fd));
  }
  ~StopSignals() { close(fd_); }
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  int fd() const { return fd_; }
  // The signals that came are taken, so that the descriptor is not readable any more.
  void take() const {
    signalfd_siginfo info;
    while (read(fd_, &info, sizeof info) == sizeof info)
      node::log(node::LogLevel::kInfo, "signal", {{"signal", std::to_string(info.ssi_signo)}});
  }

 private:
  explicit StopSignals(int fd) : fd_(fd) {}
  int fd_;
};

// Everything that runs, in the order in which it is taken down again (last first).
struct Running {
  std::unique_ptr<StopSignals> signals;
  std::unique_ptr<node::Node> node;
  std::unique_ptr<PidFile> pid_file;
  std::unique_ptr<Server> server;
  std::unique_ptr<node::Node::Watch> watch;
};

Status start(DaemonOptions& options, Running& running) {
  EBB_ASSIGN(node::Home home, node::load_home(options.dir));
  EBB_ASSIGN(node::Config config, node::load_config(home.paths.config, options.overrides));
  config.built = options.built;
  EBB_RETURN_IF_ERROR(node::start_logging(config.log_level, config.log_format, home.paths.log));
  EBB_ASSIGN(running.signals, StopSignals::block());
  if (home.issuer_sealed && !options.passphrase.empty()) {
    EBB_RETURN_IF_ERROR(node::open_issuer(home, options.passphrase));
    erase_text(options.passphrase);  // before there are other threads
  }
  if (home.issuer_sealed) {
    node::log(node::LogLevel::kWarn, "no_issuer",
              {{"reason",
                "the issuer's key is under a passphrase, and none was given: this node "
                "invites and certifies nobody"}});
  }
  const node::HomePaths paths = home.paths;
  EBB_ASSIGN(running.node, node::Node::start(std::move(home), std::move(config)));
  EBB_ASSIGN(running.pid_file, PidFile::write(paths.pid));
  EBB_ASSIGN(running.server, Server::start(*running.node, paths.socket));
  running.watch = running.node->watch_readable(running.signals->fd(), [&running] {
    running.signals->take();
    running.node->request_stop();
  });
  return {};
}

}  // namespace

int run_daemon(DaemonOptions options) {
  ReadyNotice ready(options.ready_fd);
  Running running;
  const Status started = start(options, running);
  erase_text(options.passphrase);
  if (!started) {
    const StartProblem problem = explain_start(started.error(), options.dir);
    std::fputs(problem_text(problem).c_str(), stderr);
    ready.send(ready_text(problem));
    return problem.usage ? kExitUsage : kExitFailed;
  }
  ready.send("ready\n");
  running.node->run();
  node::log(node::LogLevel::kInfo, "stopped");
  return kExitOk;
}

}  // namespace ebb::http
