#include "cli/passphrase.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/limits.h"
#include "core/secret.h"
#include "core/unique_fd.h"

namespace ebb::cli {
namespace {

Outcome<std::optional<std::string>> from_file(const Terminal& terminal) {
  const auto path = terminal.environment(kPassphraseVariable);
  if (!path) return std::optional<std::string>();
  const UniqueFd file(open(path->c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) {
    return Failure{.what = "cannot read " + *path + ": " + std::strerror(errno),
                   .why = std::string(kPassphraseVariable) + " names it"};
  }
  EBB_ASSIGN(std::string passphrase, passphrase_from(file.get()));
  return std::optional<std::string>(std::move(passphrase));
}

std::optional<std::string> ask(const Terminal& terminal, const std::string& prompt) {
  if (!terminal.ask_secret) return std::nullopt;
  return terminal.ask_secret(prompt);
}

}  // namespace

Outcome<std::string> passphrase_from(int fd) {
  std::string text;
  text.reserve(limits::kPassphraseBytes + 2);
  while (text.size() <= limits::kPassphraseBytes + 1) {
    char letter = 0;
    const ssize_t got = read(fd, &letter, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      return Failure{.what = std::string("cannot read the passphrase: ") + std::strerror(errno)};
    if (got == 0 || letter == '\n') break;
    text.push_back(letter);
  }
  if (text.ends_with('\r')) text.pop_back();
  if (!text.empty() && text.size() <= limits::kPassphraseBytes) return text;
  const bool empty = text.empty();
  erase_text(text);
  return Failure{.what = empty ? "the passphrase is empty"
                               : "the passphrase is longer than 1,024 bytes"};
}

Outcome<std::string> new_passphrase(const Terminal& terminal) {
  EBB_ASSIGN(auto given, from_file(terminal));
  if (given) return std::move(*given);
  auto first = ask(terminal, "new passphrase: ");
  if (!first) {
    return Failure{.what = "there is nobody to ask for a passphrase",
                   .next = "run this at a terminal, or name a file that has it with " +
                           std::string(kPassphraseVariable)};
  }
  if (first->empty()) return Failure{.what = "the passphrase is empty"};
  auto second = ask(terminal, "the same again: ");
  const bool same = second && *first == *second;
  if (second) erase_text(*second);
  if (same) return std::move(*first);
  erase_text(*first);
  return Failure{.what = "the two passphrases differ; nothing was done"};
}

Outcome<std::string> known_passphrase(const Terminal& terminal, const std::string& of_what) {
  EBB_ASSIGN(auto given, from_file(terminal));
  if (given) return std::move(*given);
  auto asked = ask(terminal, "passphrase of " + of_what + ": ");
  return asked ? std::move(*asked) : std::string();
}

std::optional<std::string> ask_at_terminal(const std::string& prompt) {
  const UniqueFd tty(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  termios before{};
  if (!tty.is_open() || tcgetattr(tty.get(), &before) != 0) return std::nullopt;
  termios unseen = before;
  unseen.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  unseen.c_lflag |= ECHONL;
  static_cast<void>(write_all(tty.get(), prompt));
  tcsetattr(tty.get(), TCSAFLUSH, &unseen);
  Outcome<std::string> line = passphrase_from(tty.get());
  tcsetattr(tty.get(), TCSAFLUSH, &before);
  return line.ok() ? std::move(line).value() : std::string();
}

}  // namespace ebb::cli
