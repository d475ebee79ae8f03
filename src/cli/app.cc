#include "cli/app.h"

#include "cli/arguments.h"
#include "cli/terminal.h"

namespace ebb::cli {

int run_cli(int argc, char** argv, const LocalCommands& local) {
  Terminal terminal = process_terminal();
  const int first = argc > 0 ? 1 : 0;
  return run_arguments(std::vector<std::string>(argv + first, argv + argc), local, terminal);
}

}  // namespace ebb::cli
