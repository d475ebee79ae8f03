#include "cli/terminal.h"

#include "cli/passphrase.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string_view>

namespace ebb::cli {
namespace {

constexpr std::size_t kColumnsWhenUnknown = 80;
constexpr std::size_t kColumnsMin = 20;  // narrower ones would leave no room for a table

std::size_t terminal_columns() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < kColumnsMin) {
    return kColumnsWhenUnknown;
  }
  return size.ws_col;
}

std::optional<std::string> process_environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

std::vector<std::string> process_variables() {
  std::vector<std::string> names;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    if (text.rfind("EBB_", 0) == 0) names.emplace_back(text.substr(0, text.find('=')));
  }
  return names;
}

}  // namespace

Terminal process_terminal() {
  // Nothing here prints through stdio, so the streams may buffer by themselves.
  std::ios::sync_with_stdio(false);
  return Terminal{
      .out = std::cout,
      .err = std::cerr,
      .out_is_terminal = isatty(STDOUT_FILENO) == 1,
      .err_is_terminal = isatty(STDERR_FILENO) == 1,
      .columns = terminal_columns(),
      .input_fd = STDIN_FILENO,
      .environment = process_environment,
      .variables = process_variables(),
      .ask_secret = ask_at_terminal,
  };
}

}  // namespace ebb::cli
