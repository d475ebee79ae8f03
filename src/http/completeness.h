// Completeness as the API tells it: what is held of what is known to exist.
//
// Model:   a link counts when both ends have greeted. "alone" without links; "in_sync" when one has
//          compared everything and nothing known is missing; "behind" otherwise, also while the
//          first comparison is going on, and where a peer has something that could not be had.
//          All of it is about the logs of the node's scope, which is named.
// Threads: pure functions; any thread.
// Spec:    docs/api.md
#pragma once

#include <string_view>

#include "http/json_writer.h"
#include "node/node.h"

namespace ebb::http {

std::string_view completeness_state(const node::NodeStatus& status);
void write_completeness(JsonWriter& out, const node::NodeStatus& status);

}  // namespace ebb::http
