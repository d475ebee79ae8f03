// How a line of words is taken: what was meant, and what is wrong with it.
#include "cli/command_line.h"

#include <algorithm>
#include <ostream>
#include <utility>

#include "cli/suggest.h"

namespace ebb::cli {
namespace {

Failure empty_failure(const std::string& name) {
  const bool is_address = name == "--peer" || name == "--listen";
  const bool is_flag = name.front() == '-';
  return usage_failure(name + (is_address ? " needs host:port"
                               : is_flag  ? " has no value"
                                          : " is empty"),
                       "a variable of the shell that is not set leaves it empty");
}

// `--peer=` would take the next word for its value.
std::optional<Failure> flag_without_value(const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    if (argument == "--") break;
    const bool is_flag = argument.size() > 3 && argument.rfind("--", 0) == 0;
    if (!is_flag || argument.find('=') != argument.size() - 1) continue;
    return empty_failure(argument.substr(0, argument.size() - 1));
  }
  return std::nullopt;
}

}  // namespace

CLI::App* CommandLine::deepest() {
  CLI::App* command = &app_;
  while (!command->get_subcommands().empty())
    command = command->get_subcommands().front();
  return command;
}

std::string CommandLine::path() {
  std::string words = "ebb";
  for (const CLI::App* app = &app_; !app->get_subcommands().empty();) {
    app = app->get_subcommands().front();
    words += " " + app->get_name();
  }
  return words;
}

// A word that no option or command took.
Failure CommandLine::judge_extra(const std::string& extra) {
  CLI::App* command = deepest();
  const std::string see = "`" + path() + " --help` lists what there is";
  const std::string word = extra.substr(0, extra.find('='));
  std::vector<std::string> known;
  const bool is_flag = word.size() > 1 && word.front() == '-';
  if (is_flag) {
    for (const CLI::App* app = command; app != nullptr; app = app->get_parent()) {
      for (const CLI::Option* option : app->get_options()) {
        for (const std::string& name : option->get_lnames())
          known.push_back("--" + name);
      }
    }
  } else {
    for (const CLI::App* sub : command->get_subcommands({}))
      known.push_back(sub->get_name());
  }
  const auto meant = nearest_word(word, known);
  const std::string next = meant ? "did you mean " + *meant + "? " + see : see;
  if (is_flag) return usage_failure("unknown flag " + word, next);
  if (known.empty()) return usage_failure("one word too many: " + extra, see);
  return usage_failure("unknown command " + extra, next);
}

Failure CommandLine::judge(const CLI::ParseError& error) {
  if (const auto empty = empty_value()) return *empty;
  const std::vector<std::string> extras = app_.remaining(true);
  for (const std::string& extra : extras) {
    if (extra != "--") return judge_extra(extra);
  }
  std::string what = error.what();
  std::replace(what.begin(), what.end(), '\n', ' ');
  return usage_failure(what, "`" + path() + " --help` tells how it is written");
}

// The first word that was given and is empty, of a flag or not: what takes it would act as if it
// were not there. What a set takes alone may be the empty text.
std::optional<Failure> CommandLine::empty_value() {
  for (const CLI::App* app = deepest(); app != nullptr; app = app->get_parent()) {
    for (const CLI::Option* option : app->get_options()) {
      const std::vector<std::string>& words = option->results();
      const bool any_empty = std::find(words.begin(), words.end(), "") != words.end();
      if (!any_empty || option->get_name() == "operand") continue;
      return empty_failure(option->nonpositional() ? option->get_name() : option->get_type_name());
    }
  }
  return std::nullopt;
}

int CommandLine::call(const CLI::App& command, const LocalCommands& local, Terminal& terminal) {
  const auto finish = [&]() -> Exit {
    EBB_ASSIGN(Place place, place_of(parsed_.globals, terminal));
    const Context context(terminal, local, parsed_.globals, std::move(place));
    Exit exit = actions_.at(&command)(context);
    // Data that did not arrive is no success (a full disk behind a redirection).
    if (exit.ok() && !terminal.out.flush()) return Failure{.what = "cannot write the output"};
    return exit;
  };
  const Exit exit = finish();
  if (exit.ok()) return static_cast<int>(exit.value());
  terminal.out.flush();
  print_failure(terminal.err, exit.error());
  return static_cast<int>(exit.error().exit);
}

int CommandLine::run(std::vector<std::string> arguments, const LocalCommands& local,
                     Terminal& terminal) {
  if (arguments.empty()) {
    terminal.err << app_.help() << std::flush;
    return static_cast<int>(ExitCode::kUsage);
  }
  if (const auto empty = flag_without_value(arguments)) {
    print_failure(terminal.err, *empty);
    return static_cast<int>(ExitCode::kUsage);
  }
  app_.set_version_flag("--version", version_text(), "Print the version");
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
  try {
    app_.parse(arguments);
  } catch (const CLI::Success& success) {  // --help and --version
    return app_.exit(success, terminal.out, terminal.err);
  } catch (const CLI::ParseError& error) {
    print_failure(terminal.err, judge(error));
    return static_cast<int>(ExitCode::kUsage);
  }
  if (const auto empty = empty_value()) {
    print_failure(terminal.err, *empty);
    return static_cast<int>(ExitCode::kUsage);
  }
  return call(*deepest(), local, terminal);
}

}  // namespace ebb::cli
