// JSON text kept as text, so that no number is reprinted on its way through the command line.
//
// Model:   functions that take `valid` text rely on it being valid JSON (is_json); what they return
//          are slices of it, without surrounding white space.
// Threads: pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ebb::cli {

// True when `text` is one JSON value.
bool is_json(std::string_view text);
// True when `text` is written as a number, also one that is too large to be kept.
bool is_json_number(std::string_view text);
// True when no integer in `valid` is beyond -2^63 to 2^64-1, which is what events keep.
bool integers_fit(std::string_view valid);
// The text as a JSON string; nullopt when it is not UTF-8.
std::optional<std::string> quote_json(std::string_view text);

// Elements of an array; empty when `valid` is no array.
std::vector<std::string_view> raw_elements(std::string_view valid);
// The value at a key of an object; nullopt when `valid` is no object or lacks it. The key is
// compared with the JSON text, so it must be written without escapes there.
std::optional<std::string_view> raw_member(std::string_view valid, std::string_view key);
// What a JSON string says; any other value as its JSON text.
std::string plain_text(std::string_view valid);

}  // namespace ebb::cli
