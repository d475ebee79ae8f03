// The table of configuration keys: how each is named, checked, set and shown.
//
// Model:   one row a key, in the order in which they are shown. A value travels as text; a list is
//          comma separated.
// Errors:  set: kInvalidArgument, detail "<key>: <rule>".
// Threads: constants and pure functions; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/result.h"
#include "node/config.h"

namespace ebb::node {

enum class ConfigKind { kText, kInteger, kList };

struct ConfigKey {
  std::string_view name;  // "node.listen"
  ConfigKind kind;
  Status (*set)(Config& config, const std::string& text);
  std::string (*show)(const Config& config);
  std::string_view choices = {};  // where only some texts are taken, as people read them
};

std::span<const ConfigKey> config_keys();
const ConfigKey* find_config_key(std::string_view name);
// kInvalidArgument: "unknown key node.peer: did you mean node.peers?".
Error unknown_config_key(std::string_view name, std::string_view where);

}  // namespace ebb::node
