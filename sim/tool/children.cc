#include "sim/tool/children.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <utility>

#include "core/check.h"

namespace ebb::sim_tool {
namespace {

constexpr std::size_t kSaidBytes = std::size_t{64} << 10;  // of stderr; the rest is read and left

Error no_process(const char* what) { return {ErrorCode::kIo, what, std::strerror(errno)}; }

bool write_all(int fd, const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t wrote = write(fd, text.data() + at, text.size() - at);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return false;
    at += static_cast<std::size_t>(wrote);
  }
  return true;
}

// Never returns: destructors and buffers of the parent are not the child's to run or to flush.
[[noreturn]] void be_child(pid_t parent, int answer_fd, int said_fd,
                           const std::function<std::string()>& work) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);  // it was gone before that took effect
  dup2(said_fd, STDERR_FILENO);
  const bool written = write_all(answer_fd, work());
  std::fflush(stderr);
  _exit(written ? 0 : 1);
}

}  // namespace

Children::~Children() {
  for (Child& child : children_) {
    kill(child.pid, SIGKILL);
    reap(child);
  }
}

Status Children::start(std::uint64_t task, const std::function<std::string()>& work) {
  std::array<int, 2> answer{};
  std::array<int, 2> said{};
  if (pipe2(answer.data(), O_CLOEXEC) != 0) return no_process("pipe");
  if (pipe2(said.data(), O_CLOEXEC) != 0) {
    const Error error = no_process("pipe");
    close(answer[0]);
    close(answer[1]);
    return error;
  }
  std::fflush(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) be_child(parent, answer[1], said[1], work);
  const Error failed = no_process("fork");
  close(answer[1]);
  close(said[1]);
  if (pid < 0) {
    close(answer[0]);
    close(said[0]);
    return failed;
  }
  Child child{pid, answer[0], said[0], {}};
  child.result.task = task;
  children_.push_back(std::move(child));
  return {};
}

void Children::read_some(int& fd, std::string& into) {
  std::array<char, 16384> buffer{};
  const ssize_t got = read(fd, buffer.data(), buffer.size());
  if (got < 0 && errno == EINTR) return;
  if (got > 0) {
    into.append(buffer.data(), static_cast<std::size_t>(got));
    return;
  }
  close(std::exchange(fd, -1));
}

void Children::reap(Child& child) {
  for (int* const fd : {&child.answer_fd, &child.said_fd}) {
    if (*fd >= 0) close(std::exchange(*fd, -1));
  }
  int status = 0;
  while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) child.result.signal = WTERMSIG(status);
  if (WIFEXITED(status)) child.result.exit_code = WEXITSTATUS(status);
}

std::optional<ChildResult> Children::next() {
  while (!children_.empty()) {
    for (std::size_t i = 0; i < children_.size(); ++i) {
      Child& child = children_[i];
      if (child.answer_fd >= 0 || child.said_fd >= 0) continue;
      reap(child);
      ChildResult result = std::move(child.result);
      children_.erase(children_.begin() + static_cast<std::ptrdiff_t>(i));
      return result;
    }
    std::vector<pollfd> waits;
    for (const Child& child : children_) {
      waits.push_back({child.answer_fd, POLLIN, 0});  // poll() skips those that are -1
      waits.push_back({child.said_fd, POLLIN, 0});
    }
    if (poll(waits.data(), waits.size(), -1) < 0) {
      EBB_CHECK(errno == EINTR);
      continue;
    }
    for (std::size_t i = 0; i < children_.size(); ++i) {
      Child& child = children_[i];
      if (waits[2 * i].revents != 0) read_some(child.answer_fd, child.result.answer);
      if (waits[2 * i + 1].revents != 0) read_some(child.said_fd, child.result.said);
      if (child.result.said.size() > kSaidBytes) child.result.said.resize(kSaidBytes);
    }
  }
  return std::nullopt;
}

Result<ChildResult> run_child(const std::function<std::string()>& work) {
  Children children;
  EBB_RETURN_IF_ERROR(children.start(0, work));
  std::optional<ChildResult> result = children.next();
  EBB_CHECK(result.has_value());
  return std::move(*result);
}

}  // namespace ebb::sim_tool
