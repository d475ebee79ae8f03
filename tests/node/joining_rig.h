// A node that invites and who joins by it, for tests of both.
//
// Threads: the test's.
#pragma once

#include <cstdint>
#include <string>

#include "node/clocks.h"
#include "node/join_client.h"
#include "node/node.h"
#include "tests/node/node_thread.h"

namespace ebb::tests {

inline Result<node::MadeInvite> make_invite(NodeThread& node, std::uint64_t uses = 1) {
  return node.on_loop([uses](node::Node& n) { return n.make_invite(node::kInviteTtl, uses); });
}

inline node::JoinOptions join_options(const std::string& dir, const std::string& line) {
  node::JoinOptions options;
  options.dir = dir;
  options.line = line;
  options.name = "card";
  options.now = node::wall_now();
  return options;
}

inline node::Config config_at(const std::string& listen) {
  node::Config config = make_config();
  config.listen = listen;
  return config;
}

inline bool says(const Error& error, const std::string& words) {
  return error.detail.find(words) != std::string::npos;
}

}  // namespace ebb::tests
