// Small bodies: one JSON object of plain fields.
//
// Errors:  kMalformed (not JSON, a nested value), kOutOfRange, kDuplicateKey, kInvalidArgument (a
//          field that is not among `known`); error_field names it.
// Threads: pure functions; any thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "core/result.h"

namespace ebb::http {

using JsonScalar =
    std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string>;
using JsonFields = std::map<std::string, JsonScalar, std::less<>>;

// `json` is followed by kJsonPadding readable bytes. An integer is int64 when it fits, else uint64.
Result<JsonFields> parse_fields(std::string_view json,
                                std::initializer_list<std::string_view> known,
                                std::string& error_field);

// The text of a field; kInvalidArgument when it is absent or something else, kTooLarge.
Result<std::string> text_field(const JsonFields& fields, std::string_view name,
                               std::size_t bytes_max);

}  // namespace ebb::http
