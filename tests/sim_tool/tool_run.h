// ToolRun: runs `ebb-sim` commands inside the test and keeps what they printed.
//
// Threads: call on the thread of the test.
#pragma once

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "cli/terminal.h"
#include "sim/tool/arguments.h"
#include "tests/temp_dir.h"
#include "trust/hash.h"

namespace ebb::tests {

class ToolRun {
 public:
  ToolRun() { REQUIRE(trust::crypto_ready().ok()); }

  int run(const std::vector<std::string>& arguments) {
    std::ostringstream out_stream, err_stream;
    cli::Terminal terminal{.out = out_stream,
                           .err = err_stream,
                           .out_is_terminal = on_terminal,
                           .err_is_terminal = on_terminal,
                           .columns = 100};
    const int code = sim_tool::run_arguments(arguments, terminal);
    out = out_stream.str();
    err = err_stream.str();
    return code;
  }
  bool out_has(const std::string& text) const { return out.find(text) != std::string::npos; }
  bool err_has(const std::string& text) const { return err.find(text) != std::string::npos; }
  // The rest of the line that begins with `label`.
  std::string line_of(const std::string& label) const {
    const auto at = out.find(label);
    if (at == std::string::npos) return {};
    return out.substr(at + label.size(), out.find('\n', at) - at - label.size());
  }
  std::string file(const std::string& name) const { return (temp / name).string(); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(file(name), std::ios::binary) << text;
    return file(name);
  }
  std::string read(const std::string& name) const {
    std::ifstream in(file(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }

  TempDir temp;
  bool on_terminal = false;
  std::string out, err;  // of the last run
};

}  // namespace ebb::tests
