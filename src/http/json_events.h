// JSON event objects to what the store appends; strict, so that what was sent can be read back
// equal or is refused by name.
//
// Model:   fields type, payload, ts, source or device, schema, id, topic; null is as absent, except
//          that a payload of null is a payload. Integers from -2^63 to 2^64-1 stay integers (-0 is
//          the integer 0), numbers with a fraction or an exponent stay doubles. Every other field
//          and every repeated key is refused.
// Errors:  kMalformed (not JSON, a value of the wrong type), kOutOfRange (a number that cannot be
//          kept), kTooDeep, kDuplicateKey, kTooLarge, kInvalidArgument. After an error field()
//          names the place, as in "payload.items[3].price". The parser may be used again.
// Limits:  kPayloadBytes, kDepth, kElementsPerContainer, kTypeBytes, kSourceBytes.
// Threads: not thread-safe; one thread at a time per parser.
// Spec:    docs/api.md
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "store/types.h"

namespace ebb::http {

// How many readable bytes must stand behind a text given to the parser; their value is no matter.
inline constexpr std::size_t kJsonPadding = 64;

struct ParsedEvent {
  std::optional<std::string> topic;  // absent: that of the request
  store::AppendEvent event;
};

class EventParser {
 public:
  EventParser();
  ~EventParser();
  EventParser(const EventParser&) = delete;
  EventParser& operator=(const EventParser&) = delete;

  // One object, nothing but white space around it. `out` is of no meaning after an error.
  Status parse_object(std::string_view json, ParsedEvent& out);
  // An array of objects, appended to `out`.
  Status parse_array(std::string_view json, std::vector<ParsedEvent>& out);
  // Where the last error was; empty: in the text as a whole.
  const std::string& field() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Topics that programs may append to: valid, and not the mesh's own.
Status check_client_topic(std::string_view topic);

}  // namespace ebb::http
