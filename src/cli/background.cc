#include "cli/background.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>

#include "cli/print.h"

namespace ebb::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kReadyFd = 3;  // in the child
constexpr std::size_t kVerdictBytesMax = 4096;
constexpr std::string_view kReady = "ready\n";
constexpr Duration kEndOfFailedStart = seconds(5);

Duration time_until(Clock::time_point deadline) {
  const auto rest = std::chrono::duration_cast<std::chrono::microseconds>(deadline - Clock::now());
  return microseconds(std::max<std::int64_t>(rest.count(), 0));
}

// posix_spawn with its attributes, which have to be destroyed.
class Spawn {
 public:
  Spawn() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }
  ~Spawn() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  Spawn(const Spawn&) = delete;
  Spawn& operator=(const Spawn&) = delete;

  Outcome<pid_t> start(const BackgroundOptions& options, int input_fd, int log_fd, int ready_fd) {
    // The log first: descriptor 3 may be the log here and is the pipe there.
    if (input_fd >= 0) {
      posix_spawn_file_actions_adddup2(&actions_, input_fd, STDIN_FILENO);
    } else {
      posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    }
    posix_spawn_file_actions_adddup2(&actions_, log_fd, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, log_fd, STDERR_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, ready_fd, kReadyFd);
    // Whatever else whoever calls has open (a lock of flock, a pipe) is no business of a node that
    // goes on running.
    posix_spawn_file_actions_addclosefrom_np(&actions_, kReadyFd + 1);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);

    std::vector<std::string> words = {"ebb"};
    words.insert(words.end(), options.command.begin(), options.command.end());
    // Before the rest, none of which can take it for a value of its own then.
    words.push_back("--ready-fd=" + std::to_string(kReadyFd));
    words.insert(words.end(), options.arguments.begin(), options.arguments.end());
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (std::string& word : words)
      arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_t pid = 0;
    const int error = posix_spawn(&pid, options.program.c_str(), &actions_, &attributes_,
                                  arguments.data(), environ);
    if (error == 0) return pid;
    return Failure{.what = "cannot start " + options.program + ": " + std::strerror(error)};
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

// A pipe that has the child's input and ends behind it; not open when there is none.
Outcome<UniqueFd> input_of(const BackgroundOptions& options) {
  if (options.input.empty()) return UniqueFd();
  int ends[2];
  // It is small, so the pipe takes it whole.
  if (options.input.size() > kVerdictBytesMax || pipe2(ends, O_CLOEXEC) != 0) {
    return Failure{.what = std::string("cannot start a node: ") + std::strerror(errno)};
  }
  UniqueFd reading(ends[0]);
  const UniqueFd writing(ends[1]);
  if (write_all(writing.get(), options.input) != 0) {
    return Failure{.what = std::string("cannot start a node: ") + std::strerror(errno)};
  }
  return reading;
}

// All that the child says of its start: empty when it ended without a word, nullopt when it is
// late.
std::optional<std::string> read_verdict(int fd, Clock::time_point deadline) {
  std::string text;
  char part[512];
  while (text != kReady && text.size() < kVerdictBytesMax) {
    if (!wait_readable(fd, time_until(deadline))) return std::nullopt;
    const ssize_t got = read(fd, part, sizeof part);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(part, static_cast<std::size_t>(got));
  }
  return text;
}

// What stands behind `name` in a line of its own; empty when there is none.
std::string line_of(const std::string& verdict, std::string_view name) {
  for (std::size_t at = 0; at < verdict.size();) {
    const std::size_t end = std::min(verdict.find('\n', at), verdict.size());
    if (verdict.compare(at, name.size(), name) == 0) {
      return verdict.substr(at + name.size(), end - at - name.size());
    }
    at = end + 1;
  }
  return {};
}

ExitCode exit_of_child(pid_t pid) {
  const UniqueFd end = process_end(pid);
  if (end.is_open() && !wait_readable(end.get(), kEndOfFailedStart)) return ExitCode::kFailed;
  int status = 0;
  if (waitpid(pid, &status, WNOHANG) != pid || !WIFEXITED(status)) return ExitCode::kFailed;
  return WEXITSTATUS(status) == 2 ? ExitCode::kUsage : ExitCode::kFailed;
}

// The last line that is not empty of what was logged behind `from`.
std::string last_logged_line(const std::string& path, off_t from) {
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return {};
  constexpr off_t kTailBytes = 4096;
  struct stat info {};
  if (fstat(file.get(), &info) != 0) return {};
  char tail[kTailBytes];
  if (from > info.st_size) from = 0;  // the log has been begun anew
  const ssize_t got =
      pread(file.get(), tail, sizeof tail, std::max<off_t>(from, info.st_size - kTailBytes));
  if (got <= 0) return {};
  std::string text(tail, static_cast<std::size_t>(got));
  text.erase(text.find_last_not_of(" \n") + 1);
  return text.substr(text.rfind('\n') + 1);
}

}  // namespace

UniqueFd process_end(pid_t pid) {
  return UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
}

bool wait_readable(int fd, Duration timeout) {
  const Clock::time_point deadline = Clock::now() + std::chrono::microseconds(timeout.us);
  pollfd one{fd, POLLIN, 0};
  while (true) {
    // Rounded up, so that no wait of less than a millisecond spins.
    const std::int64_t ms = (time_until(deadline).us + 999) / 1000;
    const int ready = poll(&one, 1, static_cast<int>(std::min<std::int64_t>(ms, 1000)));
    if (ready > 0) return true;
    if (ready == 0 && time_until(deadline).us == 0) return false;
    if (ready < 0 && errno != EINTR) return false;
  }
}

void pause_for(Duration time) {
  // A negative descriptor is never ready.
  wait_readable(-1, time);
}

Outcome<pid_t> start_in_background(const BackgroundOptions& options) {
  const Clock::time_point deadline = Clock::now() + std::chrono::microseconds(options.timeout.us);
  const UniqueFd log(
      open(options.log_path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  if (!log.is_open()) {
    return Failure{.what = "cannot write " + options.log_path + ": " + std::strerror(errno)};
  }
  struct stat before {};
  int ends[2];
  if (fstat(log.get(), &before) != 0 || pipe2(ends, O_CLOEXEC) != 0) {
    return Failure{.what = std::string("cannot start a node: ") + std::strerror(errno)};
  }
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  EBB_ASSIGN(const UniqueFd input, input_of(options));
  EBB_ASSIGN(const pid_t pid,
             Spawn().start(options, input.is_open() ? input.get() : -1, log.get(), writing.get()));
  writing.reset();

  const std::optional<std::string> verdict = read_verdict(reading.get(), deadline);
  if (verdict && *verdict == kReady) return pid;
  if (!verdict) {
    return Failure{.exit = ExitCode::kTimeout,
                   .what = fmt::format("the node (process {}) is not ready after {}", pid,
                                       duration_text(options.timeout.us)),
                   .why = "a large store or a slow disk; it goes on starting",
                   .next = "look into " + options.log_path + ", or wait longer with --timeout"};
  }
  Failure failure{.exit = exit_of_child(pid), .what = "the node did not start"};
  const std::string error = line_of(*verdict, "error: ");
  const std::string next = line_of(*verdict, "next: ");
  if (!error.empty()) {
    failure.what += ": " + error;
  } else {
    failure.why = last_logged_line(options.log_path, before.st_size);
  }
  failure.next = (next.empty() ? "" : next + "; ") + "see " + options.log_path;
  return failure;
}

}  // namespace ebb::cli
