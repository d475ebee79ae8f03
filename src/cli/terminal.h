// Terminal: what a command reads from and writes to, so that tests can stand in for a person.
//
// Ownership: the streams must outlive the object.
// Threads:   call on the main thread.
#pragma once

#include <cstddef>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace ebb::cli {

struct Terminal {
  std::ostream& out;  // data
  std::ostream& err;  // messages and progress
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  std::size_t columns = 80;  // of the terminal behind `out`
  int input_fd = 0;          // what `-` reads
  // A variable of the environment; nullopt when unset or empty.
  std::function<std::optional<std::string>(const char* name)> environment = {};
  // Names of variables that begin with EBB_.
  std::vector<std::string> variables = {};
  // What a person types unseen; nullopt: there is nobody.
  std::function<std::optional<std::string>(const std::string& prompt)> ask_secret = {};
  // What `ebb up` starts in the background.
  std::string program = "/proc/self/exe";
};

// The terminal, environment and program of this process.
Terminal process_terminal();

}  // namespace ebb::cli
