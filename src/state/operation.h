// Operations on objects, read from the payloads of events. Inside the state room only.
//
// Model:   a payload that is not of the shape in the specification, to the byte, is no operation:
//          nullopt. Whether it is one depends on the payload alone, so all nodes agree on it.
// Threads: pure functions; any thread. Texts point into the payload.
// Spec:    docs/store_format.md section 5
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/ids.h"

namespace ebb::state {

struct CounterAdd {
  std::string_view name;
  std::int64_t amount = 0;
};

struct SetChange {
  std::string_view name;
  std::string_view element;
  std::vector<Dot> kills;
};

// `payload` is canonical msgpack, as in any event that was decoded.
std::optional<CounterAdd> read_counter_add(ByteView payload);
std::optional<SetChange> read_set_change(ByteView payload);

}  // namespace ebb::state
