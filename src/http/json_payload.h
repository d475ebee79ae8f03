// The walk from a parsed JSON value into canonical msgpack; a part of json_events apart from it for
// its length.
//
// Model:   every value is visited, so everything the on-demand parser checks late is checked.
// Errors:  kMalformed, kOutOfRange, kTooDeep; `path` names the place. Those of the builder (size,
//          repeated keys) come out of its finish().
// Threads: not thread-safe.
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>

#include "codec/value.h"
#include "core/result.h"

namespace ebb::http {

// Feeds `value` to `builder`. After an error `path` holds the keys that lead to the place, as in
// ".items[3].price", and the builder is to be emptied with finish().
Status walk_payload(simdjson::ondemand::value value, codec::ValueBuilder& builder,
                    std::string& path);

// "[3]", as places in arrays are named.
std::string index_text(std::size_t index);

// An error of the parser as one of ours.
Error json_error(simdjson::error_code code);
// The same for the beginning of `json`, where the parser takes what follows a closed object or
// array for an end that is missing.
Error document_error(simdjson::error_code code, std::string_view json);
// What is wrong with a number that the parser refused: its form or its size.
Error number_error(std::string_view token);

}  // namespace ebb::http
