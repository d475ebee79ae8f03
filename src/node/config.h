// Config: what a person may set, where each value came from, and what is wrong with it.
//
// Model:     flags over environment over file over default. Every field has meaning, unit, default
//            and range in the commented file that init writes (config_template()).
// Errors:    load: kMalformed (TOML error with line), kInvalidArgument (unknown key with a
//            suggestion, value out of range; detail says key and rule), kIo.
// Threads:   values; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/limits.h"
#include "core/result.h"
#include "core/scope.h"
#include "core/time.h"
#include "mesh/types.h"

namespace ebb::node {

// `listen` of a node that takes no part in the mesh for now: it neither listens nor dials, and
// local programs go on as ever.
inline constexpr std::string_view kListenOff = "off";

struct Config {
  std::string name;                     // [node] name: label for people
  std::string listen = "0.0.0.0:7401";  // [node] listen: TCP and UDP; "off": no links
  bool listen_configured = false;       // false: the default port or else the next free one
  std::vector<std::string> peers;       // [node] peers: host:port
  // [node] advertise: host:port, the best first, told instead of the addresses that were found
  std::vector<std::string> advertise;
  bool beacon = true;                         // [node] beacon: tell the local network
  std::string link_class;                     // [node] class: "" or "metered", told to peers
  std::vector<mesh::LinkClass> link_classes;  // [link.NAME] addresses, daily, quiet
  // [topic.NAME] priority: normal, live, late
  std::map<std::string, mesh::TopicPriority, std::less<>> topics;
  Scope scope;        // [scope] kind, topics, devices: the logs that this node takes part in
  bool relay = true;  // [scope] relay: with a full scope, for those who have less
  std::string log_level = "info";      // [log] level: trace debug info warn error
  std::string log_format = "auto";     // [log] format: auto logfmt json
  std::int64_t disk_budget_bytes = 0;  // [store] disk_budget_bytes: 0 = unlimited
  // No key; tests make it short (mesh/engine.h).
  Duration presence_stands = milliseconds(limits::kPresenceStandsMs);
  WallTime built;  // of the program, which says so: no right clock is before
  // key ("node.listen") -> "default", "file", "environment EBB_LISTEN", "flag --listen".
  std::map<std::string, std::string> origin;

  bool offline() const { return listen == kListenOff; }
};

struct ConfigOverrides {
  // key -> value text with the origin to be shown; lists are comma separated.
  struct Value {
    std::string text;
    std::string origin;
  };
  std::map<std::string, Value> values;
};

// Of a text; `path` is for errors.
Result<Config> parse_config(const std::string& text, const std::string& path,
                            const ConfigOverrides& overrides);
// `path` may be absent (defaults). Overrides are applied and validated with the rest.
Result<Config> load_config(const std::string& path, const ConfigOverrides& overrides);
// The commented file that init and join write; parses to the defaults, but for name and `peers`.
std::string config_template(const std::string& name, const std::vector<std::string>& peers = {});
// Every key with its value and origin, as `ebb config show --origin` prints it.
struct ConfigLine {
  std::string key, value, origin;
};
std::vector<ConfigLine> describe_config(const Config& config);
// Writes `listen` into the file (a port that was found free becomes the configured one).
Status save_listen(const std::string& path, const std::string& listen);
// Adds `peer` to those of the file, unless it is there. kInvalidArgument where the file cannot be
// edited; the detail says what to add, and it is as it was.
Status save_peer(const std::string& path, const std::string& peer);

}  // namespace ebb::node
