// Scope: which logs a node takes part in.
//
// Model:   a full scope has all logs. A partial one has those whose topic and whose device it
//          names; an empty list names all. Whatever the scope, the control topic of every device
//          and all logs of the node's own device are in it; a leaf has nothing else.
// Threads: values; any thread.
// Limits:  limits::kScopeTopics, kScopeDevices.
// Spec:    docs/wire_format.md section 11
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "core/bytes.h"
#include "core/ids.h"

namespace ebb {

// DO NOT CHANGE: sent.
enum class ScopeKind : std::uint8_t { kFull = 0, kPartial = 1, kLeaf = 2 };

struct Scope {
  ScopeKind kind = ScopeKind::kFull;
  // Of a partial scope only; at least one of them names something.
  std::set<std::string> topics;
  std::set<DeviceId> devices;

  bool is_full() const { return kind == ScopeKind::kFull; }
  bool operator==(const Scope&) const = default;
};

using ScopeHash = FixedBytes<8, struct ScopeHashTag>;

// Whether a node of the device `owner` with this scope takes part in the log.
bool covers(const Scope& scope, const DeviceId& owner, const LogKey& log);
// Within bounds, valid topics and none of them the control topic, lists only where they count.
bool is_valid_scope(const Scope& scope);
// "full", "partial", "leaf".
const char* scope_name(ScopeKind kind);

}  // namespace ebb
