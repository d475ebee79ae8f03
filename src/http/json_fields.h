// Small bodies: one JSON object of plain fields, and of lists of texts.
//
// Errors:  kMalformed (not JSON, a nested value), kTooLarge (a list), kOutOfRange, kDuplicateKey,
// kInvalidArgument (a
//          field that is not among `known`); error_field names it.
// Threads: pure functions; any thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/result.h"

namespace ebb::http {

using JsonField = std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double,
                               std::string, std::vector<std::string>>;
using JsonFields = std::map<std::string, JsonField, std::less<>>;

// `json` is followed by kJsonPadding readable bytes. An integer is int64 when it fits, else uint64.
Result<JsonFields> parse_fields(std::string_view json,
                                std::initializer_list<std::string_view> known,
                                std::string& error_field);

// The text of a field; kInvalidArgument when it is absent or something else, kTooLarge.
Result<std::string> text_field(const JsonFields& fields, std::string_view name,
                               std::size_t bytes_max);

// A list of texts; nullopt when it is absent or null.
Result<std::optional<std::vector<std::string>>> texts_field(const JsonFields& fields,
                                                            std::string_view name);

}  // namespace ebb::http
