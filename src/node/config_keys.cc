#include "node/config_keys.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "codec/utf8.h"
#include "core/edit_distance.h"
#include "core/limits.h"
#include "node/address.h"

namespace ebb::node {
namespace {

Error bad_value(std::string_view key, std::string_view rule) {
  return {ErrorCode::kInvalidArgument, "config", std::string(key) + ": " + std::string(rule)};
}

Status set_one_of(std::string_view key, const std::string& text,
                  std::initializer_list<std::string_view> allowed, std::string& out) {
  if (std::find(allowed.begin(), allowed.end(), text) != allowed.end()) {
    out = text;
    return {};
  }
  std::string rule = "\"" + text + "\" is none of";
  for (const std::string_view choice : allowed)
    rule.append(" ").append(choice);
  return bad_value(key, rule);
}

Status set_name(Config& config, const std::string& text) {
  const bool printable = std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  if (text.size() > limits::kDeviceNameBytes || !printable || !codec::is_utf8(text)) {
    return bad_value("node.name", "at most 64 bytes of UTF-8 without control characters");
  }
  config.name = text;
  return {};
}

Status set_listen(Config& config, const std::string& text) {
  if (text == kListenOff) {
    config.listen = text;
    config.listen_configured = true;
    return {};
  }
  const Result<HostPort> address = parse_host_port(text);
  if (!address.ok()) return bad_value("node.listen", address.error().detail);
  config.listen = text;
  config.listen_configured = true;
  return {};
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

Status set_peers(Config& config, const std::string& text) {
  std::vector<std::string> peers = split(text);
  for (const std::string& peer : peers) {
    const Result<HostPort> address = parse_host_port(peer);
    if (!address.ok()) return bad_value("node.peers", address.error().detail);
    if (address->port == 0) return bad_value("node.peers", peer + " has no port to dial");
  }
  config.peers = std::move(peers);
  return {};
}

// What a record and an invite have room for.
Status set_advertise(Config& config, const std::string& text) {
  std::vector<std::string> addresses = split(text);
  for (const std::string& each : addresses) {
    const Result<HostPort> address = parse_peer_address(each);
    if (!address.ok()) return bad_value("node.advertise", address.error().detail);
    if (each.size() > limits::kPresenceAddressBytes) {
      return bad_value("node.advertise", "an address of more than 128 bytes");
    }
    if (is_link_scoped(each)) {
      return bad_value("node.advertise", "a link-local address, which leads nowhere elsewhere");
    }
  }
  if (addresses.size() > limits::kPresenceAddresses) {
    return bad_value("node.advertise", "at most 4 addresses");
  }
  config.advertise = std::move(addresses);
  return {};
}

Status set_disk_budget(Config& config, const std::string& text) {
  std::int64_t bytes = 0;
  const char* end = text.data() + text.size();
  const std::from_chars_result parsed = std::from_chars(text.data(), end, bytes);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != end || bytes < 0) {
    return bad_value("store.disk_budget_bytes", "a whole number of bytes, 0 for no limit");
  }
  config.disk_budget_bytes = bytes;
  return {};
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts)
    text.append(text.empty() ? "" : ",").append(part);
  return text;
}

Status set_scope_kind(Config& config, const std::string& text) {
  std::string kind;
  EBB_RETURN_IF_ERROR(set_one_of("scope.kind", text, {"full", "partial", "leaf"}, kind));
  config.scope.kind = kind == "leaf"      ? ScopeKind::kLeaf
                      : kind == "partial" ? ScopeKind::kPartial
                                          : ScopeKind::kFull;
  return {};
}

Status set_scope_topics(Config& config, const std::string& text) {
  std::set<std::string> topics;
  for (const std::string& topic : split(text)) {
    if (!is_valid_topic(topic) || topic == kControlTopic) {
      return bad_value("scope.topics", "\"" + topic + "\" is no topic");
    }
    topics.insert(topic);
  }
  if (topics.size() > limits::kScopeTopics) return bad_value("scope.topics", "at most 64 topics");
  config.scope.topics = std::move(topics);
  return {};
}

Status set_scope_devices(Config& config, const std::string& text) {
  std::set<DeviceId> devices;
  for (const std::string& name : split(text)) {
    const std::optional<DeviceId> device = parse_device(name);
    if (!device) return bad_value("scope.devices", "\"" + name + "\" is no device id");
    devices.insert(*device);
  }
  if (devices.size() > limits::kScopeDevices) {
    return bad_value("scope.devices", "at most 256 devices");
  }
  config.scope.devices = std::move(devices);
  return {};
}

Status set_scope_relay(Config& config, const std::string& text) {
  std::string relay;
  EBB_RETURN_IF_ERROR(set_one_of("scope.relay", text, {"auto", "no"}, relay));
  config.relay = relay == "auto";
  return {};
}

std::string show_scope_devices(const Config& config) {
  std::vector<std::string> names;
  for (const DeviceId& device : config.scope.devices)
    names.push_back(device_text(device));
  return joined(names);
}

Status set_beacon(Config& config, const std::string& text) {
  std::string beacon;
  EBB_RETURN_IF_ERROR(set_one_of("node.beacon", text, {"auto", "no"}, beacon));
  config.beacon = beacon == "auto";
  return {};
}

constexpr std::array<ConfigKey, 13> kKeys{{
    {"node.name", ConfigKind::kText, set_name, [](const Config& c) { return c.name; }},
    {"node.listen", ConfigKind::kText, set_listen, [](const Config& c) { return c.listen; }},
    {"node.peers", ConfigKind::kList, set_peers, [](const Config& c) { return joined(c.peers); }},
    {"node.beacon", ConfigKind::kText, set_beacon,
     [](const Config& c) { return std::string(c.beacon ? "auto" : "no"); }, "\"auto\" or \"no\""},
    {"node.advertise", ConfigKind::kList, set_advertise,
     [](const Config& c) { return joined(c.advertise); }},
    {"node.class", ConfigKind::kText,
     [](Config& c, const std::string& text) {
       if (text.empty()) {
         c.link_class.clear();
         return Status{};
       }
       return set_one_of("node.class", text, {"metered"}, c.link_class);
     },
     [](const Config& c) { return c.link_class; }, "\"metered\" or the empty text"},
    {"scope.kind", ConfigKind::kText, set_scope_kind,
     [](const Config& c) { return std::string(scope_name(c.scope.kind)); },
     "\"full\", \"leaf\" or \"partial\""},
    {"scope.topics", ConfigKind::kList, set_scope_topics,
     [](const Config& c) {
       return joined({c.scope.topics.begin(), c.scope.topics.end()});
     }},
    {"scope.devices", ConfigKind::kList, set_scope_devices, show_scope_devices},
    {"scope.relay", ConfigKind::kText, set_scope_relay,
     [](const Config& c) { return std::string(c.relay ? "auto" : "no"); }, "\"auto\" or \"no\""},
    {"log.level", ConfigKind::kText,
     [](Config& c, const std::string& text) {
       return set_one_of("log.level", text, {"trace", "debug", "info", "warn", "error"},
                         c.log_level);
     },
     [](const Config& c) { return c.log_level; },
     "\"trace\", \"debug\", \"info\", \"warn\" or \"error\""},
    {"log.format", ConfigKind::kText,
     [](Config& c, const std::string& text) {
       return set_one_of("log.format", text, {"auto", "logfmt", "json"}, c.log_format);
     },
     [](const Config& c) { return c.log_format; }, "\"auto\", \"logfmt\" or \"json\""},
    {"store.disk_budget_bytes", ConfigKind::kInteger, set_disk_budget,
     [](const Config& c) { return std::to_string(c.disk_budget_bytes); }},
}};

// The key that is called so inside a section: `peers` at the top of a file is meant as node.peers.
std::string_view in_its_section(std::string_view name) {
  const std::string_view last = name.substr(name.rfind('.') + 1);
  for (const ConfigKey& key : kKeys) {
    if (!last.empty() && key.name.substr(key.name.rfind('.') + 1) == last) return key.name;
  }
  return {};
}

}  // namespace

std::span<const ConfigKey> config_keys() { return kKeys; }

const ConfigKey* find_config_key(std::string_view name) {
  const auto* found = std::find_if(kKeys.begin(), kKeys.end(),
                                   [name](const ConfigKey& key) { return key.name == name; });
  return found == kKeys.end() ? nullptr : &*found;
}

Error unknown_config_key(std::string_view name, std::string_view where) {
  // A file may hold anything, also a key of a megabyte.
  name = name.substr(0, 2 * limits::kDeviceNameBytes);
  std::string_view nearest;
  std::size_t distance = name.size() / 3 + 1;
  for (const ConfigKey& key : kKeys) {
    const std::size_t d = edit_distance(name, key.name);
    if (d <= distance && (nearest.empty() || d < distance)) {
      nearest = key.name;
      distance = d;
    }
  }
  std::string text(where);
  if (!text.empty()) text.append(": ");
  text.append("unknown key ").append(name);
  if (nearest.empty()) nearest = in_its_section(name);
  if (!nearest.empty()) text.append(": did you mean ").append(nearest).append("?");
  return {ErrorCode::kInvalidArgument, "config", text};
}

}  // namespace ebb::node
