// Verdict: a node's state in one sentence for a person. Being alone is how an offline-first node
// often lives, and no fault.
//
// Threads: pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

#include "node/node.h"

namespace ebb::http {

struct Verdict {
  std::string_view level;  // "ok", "warn" or "bad"
  std::string text;
};

Verdict verdict_of(const node::NodeStatus& status, const node::MembershipStatus& membership = {});
// Why nothing can be stored at the moment although nothing has failed; empty: that is not so.
std::string disk_trouble(const node::NodeStatus& status);

}  // namespace ebb::http
