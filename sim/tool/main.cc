// ebb-sim: the simulator as a program.
#include <iostream>
#include <string>
#include <vector>

#include "cli/terminal.h"
#include "sim/tool/arguments.h"
#include "trust/hash.h"

int main(int argc, char** argv) {
  const ebb::Status ready = ebb::trust::crypto_ready();
  if (!ready) {
    std::cerr << "ebb-sim: " << ready.error().message() << '\n';
    return 1;
  }
  ebb::cli::Terminal terminal = ebb::cli::process_terminal();
  const int first = argc > 0 ? 1 : 0;
  return ebb::sim_tool::run_arguments(std::vector<std::string>(argv + first, argv + argc),
                                      terminal);
}
