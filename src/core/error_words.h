// error_words: an error as a sentence has it, without its code, which is for programs.
//
// Threads: a pure function; any thread.
#pragma once

#include <string>

#include "core/result.h"

namespace ebb {

// "create directory: /proc/x: No such file"; the code alone where there is nothing else.
inline std::string error_words(const Error& error) {
  std::string text(error.context);
  if (!error.detail.empty()) text.append(text.empty() ? "" : ": ").append(error.detail);
  return text.empty() ? std::string(error_code_name(error.code)) : text;
}

}  // namespace ebb
