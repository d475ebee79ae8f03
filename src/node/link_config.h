// The tables [link.NAME] and [topic.NAME] of the configuration: what links may cost, and what goes
// first.
//
// Model:     NAME is the user's own. Sizes are a number with B, kB, MB, GB, KiB, MiB or GiB, or a
//            whole number of bytes; hours are HH:MM-HH:MM of the place's own clock.
// Errors:    kInvalidArgument; detail says file, line, key and rule.
// Limits:    limits::kLinkClasses, kTopicSettings.
// Threads:   pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "mesh/types.h"
#include "node/config.h"

namespace ebb::node {

std::optional<std::uint64_t> parse_size(std::string_view text);
std::string size_text(std::uint64_t bytes);
std::optional<mesh::QuietHours> parse_hours(std::string_view text);
std::string hours_text(const mesh::QuietHours& hours);

// One value of such a table: `key` is "link.NAME.daily". `items` are the texts of a list, or the
// one text of any other value. kNotFound: there is no such key.
Status set_link_value(Config& config, std::string_view key, const std::vector<std::string>& items);
void describe_link_values(const Config& config, std::vector<ConfigLine>& lines);

}  // namespace ebb::node
