// What all rooms say alike of a device's data directory: the names of files in it, and how errors
// of work on it are told.
//
// Threads: pure functions; any thread.
// Spec:    docs/store_format.md section 1
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "core/result.h"

namespace ebb {

inline constexpr std::string_view kConfigFile = "ebb.toml";
inline constexpr std::string_view kSocketFile = "ebb.sock";
inline constexpr std::string_view kPidFile = "ebb.pid";
inline constexpr std::string_view kLogFile = "ebb.log";

inline std::string path_in(std::string_view dir, std::string_view name) {
  std::string path(dir);
  if (!path.ends_with('/')) path.push_back('/');
  return path.append(name);
}

// `text` as one word of a shell's command line, in quotes where it needs them.
inline std::string shell_word(std::string_view text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./@%+=:,-";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos) {
    return std::string(text);
  }
  std::string word = "'";
  for (const char c : text)
    word.append(c == '\'' ? "'\\''" : std::string_view(&c, 1));
  return word + "'";
}

// "`ebb up --dir X`" for "up": a command as a hint writes it. All hints about a directory of this
// machine are made here, and name it, so that they work in any shell; without it (`dir` is empty)
// is what is for another machine, or what finds the directory by itself.
inline std::string ebb_command(std::string_view words, std::string_view dir) {
  std::string text = "`ebb ";
  text.append(words);
  if (!dir.empty()) text.append(" --dir ").append(shell_word(dir));
  return text + '`';
}

// Errors whose detail is a sentence that names the file and says what to do.
inline bool speaks_for_itself(const Error& error) {
  constexpr std::array<std::string_view, 9> kContexts = {"key file", "key file mode", "device",
                                                         "genesis",  "authority",     "config",
                                                         "store",    "init",          "join"};
  const bool known =
      std::find(kContexts.begin(), kContexts.end(), error.context) != kContexts.end();
  return known && !error.detail.empty();
}

// The context of errors about a limit of descriptors, whatever wanted one.
inline constexpr std::string_view kTooManyFiles = "too many open files";

// The command line is to blame, and not what lies in the directory.
inline bool blames_flag(const Error& error) {
  return error.context == "config" && error.detail.starts_with("flag ");
}

}  // namespace ebb
