// CommandRun: runs `ebb` commands inside the test, beside a FakeApi, and keeps what they printed.
//
// Threads: call on the thread of the test.
#pragma once

#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "cli/app.h"
#include "cli/arguments.h"
#include "cli/terminal.h"
#include "tests/cli/fake_api.h"
#include "tests/temp_dir.h"

namespace ebb::tests {

class CommandRun {
 public:
  CommandRun() {
    variables["HOME"] = temp.path().string();
    local.issuer_is_sealed = [](const std::string&) { return Result<bool>(false); };
    local.admit = [](const std::string&) { return Result<std::string>("invite"); };
    local.is_label = [](std::string_view text) { return text.find('\t') == text.npos; };
    local.device = [this](const std::string&) -> Result<std::string> {
      if (has_device) return std::string("abcdefgh-ijklmnop");
      return Error{ErrorCode::kNotFound, "device", "no device here: run `ebb init` first"};
    };
  }

  // Runs one command on the data directory; its exit code.
  int run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "--dir=" + temp.path().string());
    return run_bare(arguments);
  }
  int run_bare(const std::vector<std::string>& arguments) {
    std::ostringstream out_stream, err_stream;
    cli::Terminal terminal{.out = out_stream,
                           .err = err_stream,
                           .out_is_terminal = on_terminal,
                           .err_is_terminal = on_terminal,
                           .columns = 100,
                           .input_fd = input_fd};
    terminal.environment = [this](const char* name) -> std::optional<std::string> {
      const auto found = variables.find(name);
      if (found == variables.end()) return std::nullopt;
      return found->second;
    };
    terminal.variables = names;
    if (!program.empty()) terminal.program = program;
    const int code = cli::run_arguments(arguments, local, terminal);
    out = out_stream.str();
    err = err_stream.str();
    return code;
  }

  // Starts the API of the data directory.
  FakeApi& serve() { return api.emplace((temp / "ebb.sock").string()); }
  bool err_has(const std::string& text) const { return err.find(text) != std::string::npos; }
  bool out_has(const std::string& text) const { return out.find(text) != std::string::npos; }

  TempDir temp;
  std::map<std::string, std::string> variables;
  std::vector<std::string> names;  // of variables, as Terminal::variables has them
  cli::LocalCommands local;
  bool has_device = true;
  bool on_terminal = false;
  int input_fd = -1;
  std::string program;
  std::optional<FakeApi> api;
  std::string out, err;  // of the last run
};

}  // namespace ebb::tests
