#include "cli/passphrase.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "core/data_directory.h"
#include "core/limits.h"
#include "core/secret.h"
#include "core/unique_fd.h"

namespace ebb::cli {
namespace {

// A file that others can read, or write anew, is no place for it; a pipe is nobody else's.
std::optional<Failure> not_private(int fd, const std::string& path, const char* variable) {
  struct stat info {};
  if (fstat(fd, &info) != 0) {
    return Failure{.what = "cannot look at " + path + ": " + std::strerror(errno)};
  }
  if (!S_ISREG(info.st_mode)) return std::nullopt;
  const std::string why = std::string(variable) + " names it, and it holds a passphrase";
  if (info.st_uid != geteuid() && info.st_uid != 0) {
    return Failure{.what = path + " belongs to another user",
                   .why = why,
                   .next = "run `chown " + std::to_string(geteuid()) + " " + shell_word(path) +
                           "`, or name a file of your own"};
  }
  if ((info.st_mode & 077) == 0) return std::nullopt;
  return Failure{.what = path + fmt::format(" is open to others (mode {:04o})",
                                            static_cast<unsigned>(info.st_mode & 07777)),
                 .why = why,
                 .next = "run `chmod 600 " + shell_word(path) + "`"};
}

Outcome<std::optional<std::string>> from_file(const Terminal& terminal, const char* variable) {
  const auto path = terminal.environment(variable);
  if (!path) return std::optional<std::string>();
  const UniqueFd file(open(path->c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) {
    return Failure{.what = "cannot read " + *path + ": " + std::strerror(errno),
                   .why = std::string(variable) + " names it"};
  }
  if (auto refused = not_private(file.get(), *path, variable)) return std::move(*refused);
  EBB_ASSIGN(std::string passphrase, passphrase_from(file.get()));
  return std::optional<std::string>(std::move(passphrase));
}

// Up to the end of a line; nullopt when `wait` says before a letter that none is to be read.
template <class Wait>
std::optional<Outcome<std::string>> read_passphrase(int fd, const Wait& wait) {
  std::string text;
  text.reserve(limits::kPassphraseBytes + 2);
  while (text.size() <= limits::kPassphraseBytes + 1) {
    if (!wait()) {
      erase_text(text);
      return std::nullopt;
    }
    char letter = 0;
    const ssize_t got = read(fd, &letter, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      const int code = errno;
      erase_text(text);
      return Failure{.what = std::string("cannot read the passphrase: ") + std::strerror(code)};
    }
    if (got == 0 || letter == '\n') break;
    text.push_back(letter);
  }
  if (text.ends_with('\r')) text.pop_back();
  if (!text.empty() && text.size() <= limits::kPassphraseBytes) {
    return Outcome<std::string>(std::move(text));
  }
  const bool empty = text.empty();
  erase_text(text);
  return Failure{.what = empty ? "the passphrase is empty"
                               : "the passphrase is longer than 1,024 bytes"};
}

// Signals that would end or stop the process wait, and come when this goes.
class HeldSignals {
 public:
  HeldSignals() {
    sigset_t held;
    sigemptyset(&held);
    for (const int number : {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP})
      sigaddset(&held, number);
    if (pthread_sigmask(SIG_BLOCK, &held, &before_) != 0) return;
    blocked_ = true;
    came_ = UniqueFd(signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK));
  }
  ~HeldSignals() {
    if (blocked_) pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

  bool are_held() const { return came_.is_open(); }
  // Until there is something to read; false: a signal came first. It is left where it is.
  bool wait_for(int fd) const {
    std::array<pollfd, 2> either = {{{came_.get(), POLLIN, 0}, {fd, POLLIN, 0}}};
    while (poll(either.data(), either.size(), -1) < 0) {
      if (errno != EINTR) return true;  // reading says what is wrong
    }
    return either[0].revents == 0;
  }

 private:
  sigset_t before_{};
  bool blocked_ = false;
  UniqueFd came_;
};

// A terminal that does not show what is typed, while this lives.
class UnseenTyping {
 public:
  explicit UnseenTyping(int tty) : tty_(tty) {
    if (tcgetattr(tty, &before_) != 0) return;
    termios unseen = before_;
    unseen.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    unseen.c_lflag |= ECHONL;
    on_ = tcsetattr(tty, TCSAFLUSH, &unseen) == 0;
  }
  ~UnseenTyping() {
    if (on_) tcsetattr(tty_, TCSAFLUSH, &before_);
  }
  UnseenTyping(const UnseenTyping&) = delete;
  UnseenTyping& operator=(const UnseenTyping&) = delete;

  bool is_on() const { return on_; }

 private:
  int tty_;
  termios before_{};
  bool on_ = false;
};

std::optional<std::string> ask(const Terminal& terminal, const std::string& prompt) {
  if (!terminal.ask_secret) return std::nullopt;
  return terminal.ask_secret(prompt);
}

// `variable` names its file.
Outcome<std::string> wanted_passphrase(const Terminal& terminal, const char* variable) {
  EBB_ASSIGN(auto given, from_file(terminal, variable));
  if (given) return std::move(*given);
  auto first = ask(terminal, "new passphrase: ");
  if (!first) {
    return Failure{
        .what = "there is nobody to ask for a passphrase",
        .next = "run this at a terminal, or name a file that has it with " + std::string(variable)};
  }
  if (first->empty()) return Failure{.what = "the passphrase is empty"};
  auto second = ask(terminal, "the same again: ");
  const bool same = second && *first == *second;
  if (second) erase_text(*second);
  if (same) return std::move(*first);
  erase_text(*first);
  return Failure{.what = "the two passphrases differ; nothing was done"};
}

}  // namespace

Outcome<std::string> passphrase_from(int fd) {
  return *read_passphrase(fd, [] { return true; });
}

Outcome<std::string> new_passphrase(const Terminal& terminal) {
  const bool has_own = terminal.environment(kNewPassphraseVariable).has_value();
  return wanted_passphrase(terminal, has_own ? kNewPassphraseVariable : kPassphraseVariable);
}

Outcome<std::string> changed_passphrase(const Terminal& terminal) {
  return wanted_passphrase(terminal, kNewPassphraseVariable);
}

Outcome<std::string> known_passphrase(const Terminal& terminal, const std::string& of_what) {
  EBB_ASSIGN(auto given, from_file(terminal, kPassphraseVariable));
  if (given) return std::move(*given);
  auto asked = ask(terminal, "passphrase of " + of_what + ": ");
  return asked ? std::move(*asked) : std::string();
}

std::optional<std::string> ask_at_terminal(const std::string& prompt) {
  const UniqueFd tty(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!tty.is_open()) return std::nullopt;
  for (;;) {
    const HeldSignals signals;
    UnseenTyping unseen(tty.get());
    if (!signals.are_held() || !unseen.is_on()) return std::nullopt;
    static_cast<void>(write_all(tty.get(), prompt));
    auto line = read_passphrase(tty.get(), [&] { return signals.wait_for(tty.get()); });
    if (line) return line->ok() ? std::move(*line).value() : std::string();
    // A signal, which comes through at the end of this; who goes on behind it is asked again.
    static_cast<void>(write_all(tty.get(), "\n"));
  }
}

}  // namespace ebb::cli
