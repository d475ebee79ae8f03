#include "node/config.h"

#include <toml++/toml.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "core/limits.h"
#include "node/address.h"
#include "node/config_keys.h"
#include "node/files.h"
#include "node/link_config.h"

namespace ebb::node {
namespace {

std::string place(const std::string& path, const toml::node& node) {
  return path + " line " + std::to_string(node.source().begin.line);
}

Error wrong_kind(const ConfigKey& key, const std::string& where) {
  const std::string_view kind = key.kind == ConfigKind::kInteger ? "a whole number"
                                : key.kind == ConfigKind::kList  ? "a list of texts"
                                                                 : "a text";
  return {ErrorCode::kInvalidArgument, "config",
          where + ": " + std::string(key.name) + ": must be " + std::string(kind) +
              (key.choices.empty() ? "" : ", " + std::string(key.choices))};
}

std::optional<std::string> text_of(const toml::node& node, ConfigKind kind) {
  if (kind == ConfigKind::kText && node.is_string()) return node.as_string()->get();
  if (kind == ConfigKind::kInteger && node.is_integer()) {
    return std::to_string(node.as_integer()->get());
  }
  if (kind != ConfigKind::kList || !node.is_array()) return std::nullopt;
  std::string list;
  for (const toml::node& item : *node.as_array()) {
    if (!item.is_string()) return std::nullopt;
    list.append(list.empty() ? "" : ",").append(item.as_string()->get());
  }
  return list;
}

Status set_value(Config& config, const ConfigKey& key, const std::string& text,
                 const std::string& where) {
  const Status status = key.set(config, text);
  if (status.ok()) return {};
  return Error{status.error().code, "config", where + ": " + status.error().detail};
}

// The texts of a value of [link.NAME] or [topic.NAME]; nullopt for what has none.
std::optional<std::vector<std::string>> items_of(const toml::node& node) {
  if (node.is_string()) return std::vector<std::string>{node.as_string()->get()};
  if (node.is_integer()) return std::vector{std::to_string(node.as_integer()->get())};
  if (!node.is_array()) return std::nullopt;
  std::vector<std::string> items;
  for (const toml::node& item : *node.as_array()) {
    if (!item.is_string()) return std::nullopt;
    items.push_back(item.as_string()->get());
  }
  return items;
}

// [link.NAME] and [topic.NAME], whose names are the user's own.
Status apply_named_tables(Config& config, const toml::table& tables, const std::string& prefix,
                          const std::string& path) {
  for (auto entry = tables.cbegin(); entry != tables.cend(); ++entry) {
    const std::string name = prefix + std::string(entry->first.str());
    const toml::node& node = entry->second;
    if (!node.is_table()) return unknown_config_key(name, place(path, node));
    const toml::table& table = *node.as_table();
    for (auto value = table.cbegin(); value != table.cend(); ++value) {
      std::string key = name;
      key.append(".").append(value->first.str());
      const std::string where = place(path, value->second);
      const auto items = items_of(value->second);
      if (!items) {
        std::string detail = where;
        detail.append(": ").append(key).append(": must be a text or a list of texts");
        return Error{ErrorCode::kInvalidArgument, "config", detail};
      }
      const Status status = set_link_value(config, key, *items);
      if (status.ok()) continue;
      if (status.error().code == ErrorCode::kNotFound) return unknown_config_key(key, where);
      return Error{status.error().code, "config", where + ": " + status.error().detail};
    }
  }
  return {};
}

// Walks one table; keys inside tables are named "table.key".
Status apply_table(Config& config, const toml::table& table, const std::string& prefix,
                   const std::string& path) {
  for (auto entry = table.cbegin(); entry != table.cend(); ++entry) {
    const std::string name = prefix + std::string(entry->first.str());
    const toml::node& node = entry->second;
    const std::string where = place(path, node);
    const bool is_named = prefix.empty() && (name == "link" || name == "topic");
    if (node.is_table() && is_named) {
      EBB_RETURN_IF_ERROR(apply_named_tables(config, *node.as_table(), name + ".", path));
      continue;
    }
    const bool is_section = name == "node" || name == "log" || name == "store" || name == "scope";
    if (node.is_table() && prefix.empty() && (is_section || !node.as_table()->empty())) {
      EBB_RETURN_IF_ERROR(apply_table(config, *node.as_table(), name + ".", path));
      continue;
    }
    const ConfigKey* key = find_config_key(name);
    if (key == nullptr) return unknown_config_key(name, where);
    const std::optional<std::string> text = text_of(node, key->kind);
    if (!text) return wrong_kind(*key, where);
    EBB_RETURN_IF_ERROR(set_value(config, *key, *text, where));
    config.origin[name] = "file";
  }
  return {};
}

Status apply_text(Config& config, const std::string& text, const std::string& path) {
  try {
    const toml::table table = toml::parse(text, path);
    return apply_table(config, table, "", path);
  } catch (const toml::parse_error& error) {
    return Error{ErrorCode::kMalformed, "config",
                 path + " line " + std::to_string(error.source().begin.line) + ": " +
                     std::string(error.description())};
  }
}

Status apply_overrides(Config& config, const ConfigOverrides& overrides) {
  for (const auto& [name, value] : overrides.values) {
    const ConfigKey* key = find_config_key(name);
    if (key == nullptr) return unknown_config_key(name, value.origin);
    EBB_RETURN_IF_ERROR(set_value(config, *key, value.text, value.origin));
    config.origin[name] = value.origin;
  }
  return {};
}

std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    // Control characters are not allowed in names; a host's name could still have one.
    out.push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c);
  }
  return out + "\"";
}

// Start and end of the line of [node] that sets `listen`, or of the comment that shows how.
struct Lines {
  std::size_t section_end = std::string::npos;  // behind the line "[node]"
  std::size_t begin = std::string::npos;        // of the key's line
  std::size_t end = 0;
  bool comment = false;  // it is not in force
};

Lines find_lines(const std::string& text, std::string_view key) {
  Lines lines;
  bool in_node = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = std::string_view(text).substr(at, end - at);
    const std::size_t first = line.find_first_not_of(" \t#");
    const bool comment = line.find('#') < first;
    line.remove_prefix(std::min(first, line.size()));
    if (!comment && line.starts_with('[')) in_node = line.starts_with("[node]");
    if (!comment && in_node && line.starts_with("[node]")) {
      lines.section_end = std::min(end + 1, text.size());
    }
    const std::size_t name_end = line.find_first_of(" \t=");
    const bool sets = name_end != std::string_view::npos && line.substr(0, name_end) == key &&
                      line.find_first_not_of(" \t", name_end) == line.find('=');
    // A line that is in force goes before a comment.
    if (in_node && sets && (!comment || lines.begin == std::string::npos)) {
      lines.begin = at;
      lines.end = end;
      lines.comment = comment;
    }
    at = end + 1;
  }
  return lines;
}

// With `line` in the place of the one that sets the key, or says its default.
std::string with_line(std::string text, std::string_view key, const std::string& line) {
  const Lines lines = find_lines(text, key);
  if (lines.begin != std::string::npos) {
    return text.replace(lines.begin, lines.end - lines.begin, line);
  }
  if (lines.section_end != std::string::npos) {
    const bool ended = lines.section_end > 0 && text[lines.section_end - 1] == '\n';
    return text.insert(lines.section_end, (ended ? "" : "\n") + line + "\n");
  }
  if (!text.empty() && !text.ends_with('\n')) text.push_back('\n');
  return text + "[node]\n" + line + "\n";
}

// One more in a list that ends with its line; of another form it stays as it is.
std::string with_peer(std::string text, const std::string& peer) {
  const std::string added = toml_string(peer);
  const Lines lines = find_lines(text, "peers");
  if (lines.begin == std::string::npos || lines.comment) {
    return with_line(std::move(text), "peers", "peers = [" + added + "]");
  }
  const std::size_t end = text.find_last_not_of(" \t\r", lines.end - 1);
  if (text[end] != ']') return text;
  const std::size_t before = text.find_last_not_of(" \t", end - 1);
  return text.insert(end, (text[before] == '[' ? "" : ", ") + added);
}

Status check_scope(const Scope& scope) {
  if (is_valid_scope(scope)) return {};
  const bool lists = !scope.topics.empty() || !scope.devices.empty();
  return Error{ErrorCode::kInvalidArgument, "config",
               lists ? "scope.topics and scope.devices: only with scope.kind = \"partial\""
                     : "scope.kind: \"partial\" needs scope.topics or scope.devices"};
}

}  // namespace

Result<Config> load_config(const std::string& path, const ConfigOverrides& overrides) {
  std::string text;
  if (file_exists(path)) {
    EBB_ASSIGN(text, read_file(path, limits::kConfigBytes));
  }
  return parse_config(text, path, overrides);
}

Result<Config> parse_config(const std::string& text, const std::string& path,
                            const ConfigOverrides& overrides) {
  Config config;
  for (const ConfigKey& key : config_keys())
    config.origin[std::string(key.name)] = "default";
  EBB_RETURN_IF_ERROR(apply_text(config, text, path));
  EBB_RETURN_IF_ERROR(apply_overrides(config, overrides));
  EBB_RETURN_IF_ERROR(check_scope(config.scope));
  return config;
}

std::string config_template(const std::string& name, const std::vector<std::string>& peers) {
  std::string dialled;
  for (const std::string& peer : peers)
    dialled.append(dialled.empty() ? "" : ", ").append(toml_string(peer));
  std::string text =
      "# Configuration of an ebb node. A line that begins with # shows the default.\n"
      "# Flags go over the environment, that over this file, that over defaults;\n"
      "# `ebb config show --origin` says where each value came from. The variables are\n"
      "# EBB_LISTEN, EBB_PEERS (with commas between), EBB_NAME, EBB_LOG_LEVEL and\n"
      "# EBB_LOG_FORMAT; EBB_DIR names the directory.\n"
      "\n"
      "[node]\n"
      "# A label for people, at most 64 bytes. It need not be unique.\n"
      "name = ";
  text.append(toml_string(name)).append("\n");
  text.append(
      "# Where links and gossip come in: TCP and UDP on one port, of all addresses (IPv4) of\n"
      "# this machine unless one is named; [::] for IPv6. Strangers get no answer there.\n"
      "# While this is not set, the default port or else the next free one is taken and\n"
      "# written here. A port that is set and in use is an error. Port 0: any free one.\n"
      "# \"off\": no links at all; local programs go on as ever.\n"
      "# listen = \"0.0.0.0:7401\"\n"
      "# Nodes that are always dialled: host:port, any number.\n");
  text.append(peers.empty() ? "# peers = []\n" : "peers = [" + dialled + "]\n");
  text.append(
      "# \"auto\": this node is found by others of its mesh in the same local network, and\n"
      "# finds them, without a list (UDP port 7402). \"no\": it tells nothing and hears nothing.\n"
      "# beacon = \"auto\"\n"
      "# What others are told to dial (invites, presence), the best first, at most 4; for who is\n"
      "# behind a translator of addresses, or has many. While it is empty: what was found here.\n"
      "# advertise = []\n"
      "# \"metered\": this node pays for its bytes; peers are told and wait with patience.\n"
      "# class = \"\"\n"
      "\n"
      "# What links may cost, by class; NAME is yours, the first class that matches counts.\n"
      "# Of a day's bytes history has half, catch-up three quarters, live events all. In\n"
      "# quiet hours (of the local clock) only live events go.\n"
      "# [link.NAME]\n"
      "# addresses = [\"10.0.*\", \"*.lte.example:7401\"]\n"
      "# daily = \"50 MiB\"\n"
      "# quiet = \"07:00-22:00\"\n"
      "\n"
      "# normal; live: never taken for history; late: always, even when it is new.\n"
      "# [topic.NAME]\n"
      "# priority = \"normal\"\n"
      "\n"
      "# The logs that this node takes part in. full: all; leaf: its own, beside the records of\n"
      "# every device; partial: those of the topics and devices that are named here (an empty\n"
      "# list names all), its own, and the records. Numbers that it gives are local, then.\n"
      "# A full node is a relay for such nodes, unless it says no.\n"
      "[scope]\n"
      "# kind = \"full\"\n"
      "# topics = []\n"
      "# devices = []\n"
      "# relay = \"auto\"\n"
      "\n"
      "[log]\n"
      "# trace, debug, info, warn or error.\n"
      "# level = \"info\"\n"
      "# logfmt, json, or auto: logfmt on a terminal and json elsewhere.\n"
      "# format = \"auto\"\n"
      "\n"
      "[store]\n"
      "# Appends are refused when the store has grown to this many bytes; 0: no limit.\n"
      "# disk_budget_bytes = 0\n");
  return text;
}

std::vector<ConfigLine> describe_config(const Config& config) {
  std::vector<ConfigLine> lines;
  for (const ConfigKey& key : config_keys()) {
    const auto origin = config.origin.find(std::string(key.name));
    lines.push_back({std::string(key.name), key.show(config),
                     origin == config.origin.end() ? "default" : origin->second});
  }
  describe_link_values(config, lines);
  return lines;
}

Status save_listen(const std::string& path, const std::string& listen) {
  EBB_ASSIGN([[maybe_unused]] const HostPort address, parse_host_port(listen));
  std::string text;
  if (file_exists(path)) {
    EBB_ASSIGN(text, read_file(path, limits::kConfigBytes));
  }
  text = with_line(std::move(text), "listen", "listen = " + toml_string(listen));
  // The text was made by hand and may be of a form that the edit above does not know.
  Config changed;
  if (!apply_text(changed, text, path).ok() || changed.listen != listen) {
    return Error{ErrorCode::kInvalidArgument, "config",
                 path + ": set listen = " + toml_string(listen) + " in [node] yourself"};
  }
  return write_file_durable(path, text, 0600);
}

Status save_peer(const std::string& path, const std::string& peer) {
  const Error by_hand{ErrorCode::kInvalidArgument, "config",
                      path + ": add " + toml_string(peer) + " to peers in [node] yourself"};
  std::string text;
  if (file_exists(path)) {
    EBB_ASSIGN(text, read_file(path, limits::kConfigBytes));
  }
  Config before, after;
  if (!apply_text(before, text, path).ok()) return by_hand;
  std::vector<std::string> wanted = before.peers;
  if (std::find(wanted.begin(), wanted.end(), peer) != wanted.end()) return {};
  wanted.push_back(peer);
  text = with_peer(std::move(text), peer);
  if (!apply_text(after, text, path).ok() || after.peers != wanted) return by_hand;
  return write_file_durable(path, text, 0600);
}

}  // namespace ebb::node
