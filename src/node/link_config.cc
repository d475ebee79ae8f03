#include "node/link_config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "core/ids.h"
#include "core/limits.h"

namespace ebb::node {
namespace {

constexpr std::array<std::pair<std::string_view, std::uint64_t>, 7> kUnits{{
    {"B", 1},
    {"kB", 1000},
    {"MB", 1000000},
    {"GB", 1000000000},
    {"KiB", std::uint64_t{1} << 10},
    {"MiB", std::uint64_t{1} << 20},
    {"GiB", std::uint64_t{1} << 30},
}};
constexpr std::uint64_t kSizeMax = std::uint64_t{1} << 50;

constexpr std::array<std::pair<std::string_view, mesh::TopicPriority>, 3> kPriorities{{
    {"normal", mesh::TopicPriority::kNormal},
    {"live", mesh::TopicPriority::kLive},
    {"late", mesh::TopicPriority::kLate},
}};

Error bad_value(std::string_view key, std::string_view rule) {
  return {ErrorCode::kInvalidArgument, "config", std::string(key) + ": " + std::string(rule)};
}

// "link.metered.daily": the table, the user's name, the key in it.
struct KeyParts {
  std::string_view table, name, field;
};

KeyParts split_key(std::string_view key) {
  const std::size_t first = key.find('.');
  const std::size_t last = key.rfind('.');
  if (first == std::string_view::npos || first == last) return {};
  return {key.substr(0, first), key.substr(first + 1, last - first - 1), key.substr(last + 1)};
}

// nullptr when there are too many.
mesh::LinkClass* class_named(Config& config, std::string_view name) {
  auto& classes = config.link_classes;
  const auto found =
      std::find_if(classes.begin(), classes.end(),
                   [name](const mesh::LinkClass& each) { return each.name == name; });
  if (found != classes.end()) return &*found;
  if (classes.size() == limits::kLinkClasses) return nullptr;
  classes.push_back({std::string(name), {}, 0, std::nullopt});
  return &classes.back();
}

Status set_link(Config& config, std::string_view key, const KeyParts& parts,
                const std::vector<std::string>& items) {
  mesh::LinkClass* settings = class_named(config, parts.name);
  if (settings == nullptr) {
    return bad_value(key, "at most " + std::to_string(limits::kLinkClasses) + " classes of links");
  }
  if (parts.field == "addresses") {
    const auto fits = [](const std::string& item) {
      return !item.empty() && item.size() <= limits::kAddressPatternBytes;
    };
    if (items.size() > limits::kAddressPatterns || !std::all_of(items.begin(), items.end(), fits)) {
      return bad_value(key, "a list of hosts or host:port, with * for any characters");
    }
    settings->addresses = items;
    return {};
  }
  const std::string text = items.size() == 1 ? items[0] : "";
  if (parts.field == "daily") {
    const std::optional<std::uint64_t> bytes = parse_size(text);
    if (!bytes) return bad_value(key, "a size as in \"50 MiB\"");
    settings->daily_bytes = *bytes;
    return {};
  }
  if (parts.field != "quiet") return Error{ErrorCode::kNotFound, "config", std::string(key)};
  const std::optional<mesh::QuietHours> hours = parse_hours(text);
  if (!hours) return bad_value(key, "hours as in \"07:00-22:00\"");
  settings->quiet = hours;
  return {};
}

Status set_topic(Config& config, std::string_view key, const KeyParts& parts,
                 const std::vector<std::string>& items) {
  if (parts.field != "priority") return Error{ErrorCode::kNotFound, "config", std::string(key)};
  if (!is_valid_topic(parts.name)) return bad_value(key, "no name of a topic");
  const auto found = std::find_if(kPriorities.begin(), kPriorities.end(), [&](const auto& each) {
    return items.size() == 1 && items[0] == each.first;
  });
  if (found == kPriorities.end()) return bad_value(key, "normal, live or late");
  if (config.topics.size() == limits::kTopicSettings && !config.topics.contains(parts.name)) {
    return bad_value(key, "at most " + std::to_string(limits::kTopicSettings) + " topics");
  }
  config.topics.insert_or_assign(std::string(parts.name), found->second);
  return {};
}

std::optional<std::int32_t> parse_minute(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  for (const std::size_t at : {0U, 1U, 3U, 4U}) {
    if (text[at] < '0' || text[at] > '9') return std::nullopt;
  }
  const std::int32_t hour = (text[0] - '0') * 10 + (text[1] - '0');
  const std::int32_t minute = (text[3] - '0') * 10 + (text[4] - '0');
  if (minute > 59 || hour * 60 + minute > 24 * 60) return std::nullopt;
  return hour * 60 + minute;
}

std::string minute_text(std::int32_t minute) {
  const auto two = [](std::int32_t n) {
    return std::string(1, static_cast<char>('0' + n / 10)) + static_cast<char>('0' + n % 10);
  };
  return two(minute / 60) + ":" + two(minute % 60);
}

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{}) return std::nullopt;
  std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  if (unit.starts_with(' ')) unit.remove_prefix(1);
  if (rest == end) unit = "B";
  for (const auto& [name, factor] : kUnits) {
    if (unit == name && number <= kSizeMax / factor) return number * factor;
  }
  return std::nullopt;
}

std::string size_text(std::uint64_t bytes) {
  for (auto unit = kUnits.rbegin(); unit != kUnits.rend(); ++unit) {
    const bool binary = unit->first.ends_with("iB") || unit->second == 1;
    if (binary && bytes >= unit->second && bytes % unit->second == 0) {
      return std::to_string(bytes / unit->second) + " " + std::string(unit->first);
    }
  }
  return "0 B";
}

std::optional<mesh::QuietHours> parse_hours(std::string_view text) {
  if (text.size() != 11 || text[5] != '-') return std::nullopt;
  const std::optional<std::int32_t> from = parse_minute(text.substr(0, 5));
  const std::optional<std::int32_t> to = parse_minute(text.substr(6));
  if (!from || !to || *from == *to) return std::nullopt;
  return mesh::QuietHours{*from, *to};
}

std::string hours_text(const mesh::QuietHours& hours) {
  return minute_text(hours.from) + "-" + minute_text(hours.to);
}

Status set_link_value(Config& config, std::string_view key, const std::vector<std::string>& items) {
  const KeyParts parts = split_key(key);
  const bool named = !parts.name.empty() && parts.name.size() <= limits::kTopicBytes;
  if (named && parts.table == "link") return set_link(config, key, parts, items);
  if (named && parts.table == "topic") return set_topic(config, key, parts, items);
  return Error{ErrorCode::kNotFound, "config", std::string(key)};
}

void describe_link_values(const Config& config, std::vector<ConfigLine>& lines) {
  for (const mesh::LinkClass& settings : config.link_classes) {
    const std::string prefix = "link." + settings.name + ".";
    std::string addresses;
    for (const std::string& pattern : settings.addresses)
      addresses.append(addresses.empty() ? "" : ",").append(pattern);
    lines.push_back({prefix + "addresses", addresses, "file"});
    if (settings.daily_bytes > 0) {
      lines.push_back({prefix + "daily", size_text(settings.daily_bytes), "file"});
    }
    if (settings.quiet) lines.push_back({prefix + "quiet", hours_text(*settings.quiet), "file"});
  }
  for (const auto& [topic, priority] : config.topics) {
    for (const auto& [name, value] : kPriorities) {
      if (value != priority) continue;
      lines.push_back({"topic." + topic + ".priority", std::string(name), "file"});
    }
  }
}

}  // namespace ebb::node
