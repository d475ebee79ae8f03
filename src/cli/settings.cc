#include "cli/settings.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "cli/passphrase.h"
#include "cli/suggest.h"

namespace ebb::cli {
namespace {

struct Variable {
  const char* name;
  std::string_view key;
};
constexpr std::array<Variable, 5> kVariables = {{
    {"EBB_LISTEN", "node.listen"},
    {"EBB_PEERS", "node.peers"},
    {"EBB_NAME", "node.name"},
    {"EBB_LOG_LEVEL", "log.level"},
    {"EBB_LOG_FORMAT", "log.format"},
}};

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts)
    text.append(text.empty() ? "" : ",").append(part);
  return text;
}

Outcome<std::string> whole_path(const std::filesystem::path& path) {
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::absolute(path, error);
  if (error) return usage_failure("no data directory: " + path.string() + ": " + error.message());
  std::string text = whole.lexically_normal().string();
  while (text.size() > 1 && text.back() == '/')
    text.pop_back();
  return text;
}

}  // namespace

bool any_given(const DaemonFlags& flags) {
  return flags.listen || !flags.peers.empty() || flags.log_level || flags.log_format;
}

std::vector<std::string> unknown_variables(const std::vector<std::string>& names) {
  std::vector<std::string> known = {"EBB_DIR", kPassphraseVariable, kNewPassphraseVariable};
  for (const Variable& variable : kVariables)
    known.push_back(variable.name);
  std::vector<std::string> notes;
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const auto meant = nearest_word(name, known);
    notes.push_back("the variable " + name + " is not known and not used" +
                    (meant ? "; did you mean " + *meant + "?" : ""));
  }
  return notes;
}

Overrides overrides_of(const DaemonFlags& flags, const Terminal& terminal) {
  Overrides overrides;
  for (const Variable& variable : kVariables) {
    if (auto value = terminal.environment(variable.name)) {
      overrides[std::string(variable.key)] = {*value, std::string("environment ") + variable.name};
    }
  }
  if (flags.listen) overrides["node.listen"] = {*flags.listen, "flag --listen"};
  if (!flags.peers.empty()) overrides["node.peers"] = {joined(flags.peers), "flag --peer"};
  if (flags.log_level) overrides["log.level"] = {*flags.log_level, "flag --log-level"};
  if (flags.log_format) overrides["log.format"] = {*flags.log_format, "flag --log-format"};
  return overrides;
}

std::vector<std::string> arguments_of(const DaemonFlags& flags) {
  std::vector<std::string> arguments;
  // One argument each, so that a value that begins with '-' stays a value.
  if (flags.listen) arguments.push_back("--listen=" + *flags.listen);
  for (const std::string& peer : flags.peers)
    arguments.push_back("--peer=" + peer);
  if (flags.log_level) arguments.push_back("--log-level=" + *flags.log_level);
  if (flags.log_format) arguments.push_back("--log-format=" + *flags.log_format);
  return arguments;
}

Outcome<Place> place_of(const Globals& globals, const Terminal& terminal) {
  const std::string of_shell = terminal.environment("EBB_DIR").value_or("");
  const auto home = terminal.environment("HOME");
  std::filesystem::path usual;
  if (home) usual = std::filesystem::path(*home) / ".local" / "share" / "ebb";
  std::filesystem::path path = globals.dir.empty() ? of_shell : globals.dir;
  if (path.empty()) path = usual;
  if (path.empty()) {
    return usage_failure("no data directory: HOME is not set", "name one with --dir");
  }
  EBB_ASSIGN(std::string dir, whole_path(path));
  const auto is_it = [&dir](const std::filesystem::path& other) {
    const auto there = whole_path(other);
    return there.ok() && there.value() == dir;
  };
  // A relative EBB_DIR means another directory wherever else the hint is pasted.
  const bool same =
      of_shell.empty() || (std::filesystem::path(of_shell).is_absolute() && is_it(of_shell));
  const bool found = home && is_it(usual) && same;
  std::string named = found ? std::string() : dir;
  return Place{std::move(dir), std::move(named)};
}

bool use_colours(const Globals& globals, const Terminal& terminal) {
  if (globals.color == "always") return true;
  if (globals.color == "never") return false;
  return terminal.out_is_terminal && !terminal.environment("NO_COLOR");
}

}  // namespace ebb::cli
