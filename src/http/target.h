// The target of a request: its path and query, decoded once and strictly.
//
// Errors:  kInvalidArgument (a broken %-escape, a NUL, text that is not UTF-8, a repeated name),
//          kTooLarge.
// Limits:  kHttpTargetBytes.
// Threads: values; any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/result.h"

namespace ebb::http {

struct RequestTarget {
  std::string path;                          // decoded
  std::map<std::string, std::string> query;  // decoded, by name
};

Result<RequestTarget> parse_target(std::string_view raw);

}  // namespace ebb::http
