#include "sim/tool/fleet_file.h"

#include <algorithm>
#include <vector>

#include "cli/suggest.h"
#include "core/ids.h"
#include "core/limits.h"
#include "sim/tool/toml_reader.h"
#include "sim/tool/units.h"

namespace ebb::sim_tool {
namespace {

using sim::Access;
using sim::Fleet;
using sim::FleetGroup;
using sim::FleetPartition;

constexpr Duration kShortestInterval = milliseconds(1);

void read_duration(TomlReader& reader, std::string_view key, Duration& out) {
  reader.parsed<Duration>(key, out, parse_duration, kDurationRule);
}

// `key` names groups; their numbers.
void read_groups(TomlReader& reader, std::string_view key, const std::vector<std::string>& groups,
                 std::vector<std::size_t>& out) {
  std::vector<std::string> named;
  reader.texts(key, named);
  for (const std::string& name : named) {
    const auto found = std::find(groups.begin(), groups.end(), name);
    if (found != groups.end()) {
      out.push_back(static_cast<std::size_t>(found - groups.begin()));
      continue;
    }
    const auto meant = cli::nearest_word(name, groups);
    return reader.wrong(
        key, "there is no group " + name + (meant ? "; did you mean " + *meant + "?" : ""));
  }
}

void read_link(TomlReader& group, Access& link) {
  auto reader = group.table("link");
  if (!reader) return;
  read_duration(*reader, "latency", link.latency);
  read_duration(*reader, "jitter", link.jitter);
  std::uint64_t both = 0;
  reader->parsed<std::uint64_t>("rate", both, parse_rate, kRateRule);
  if (both > 0) link.up = link.down = both;
  reader->parsed<std::uint64_t>("up", link.up, parse_rate, kRateRule);
  reader->parsed<std::uint64_t>("down", link.down, parse_rate, kRateRule);
  reader->parsed<std::uint64_t>("loss", link.loss_permille, parse_permille, kPercentRule);
  if (link.loss_permille > 900) reader->wrong("loss", "more than 90 % is no link");
  group.take(reader->finish());
}

void read_awake(TomlReader& group, FleetGroup& out) {
  std::vector<std::string> windows;
  group.texts("awake", windows);
  for (const std::string& window : windows) {
    const auto hours = parse_hours(window);
    if (!hours) {
      return group.wrong("awake",
                         std::string(kHoursRule).append(", not \"").append(window).append("\""));
    }
    out.awake.push_back({hours->from, hours->to});
  }
  read_duration(group, "awake_for", out.awake_for);
  read_duration(group, "awake_every", out.awake_every);
  const bool cycles = out.awake_for > Duration{} || out.awake_every > Duration{};
  if (!cycles) return;
  if (!out.awake.empty()) return group.wrong("awake", "excludes awake_for and awake_every");
  if (out.awake_every <= Duration{}) return group.wrong("awake_every", "is missing");
  if (out.awake_for < seconds(1)) return group.wrong("awake_for", "must be at least 1s");
  if (out.awake_for >= out.awake_every) {
    group.wrong("awake_for", "must be less than awake_every");
  }
}

void read_events(TomlReader& group, FleetGroup& out) {
  group.parsed<Duration>("events", out.event_interval, parse_frequency, kFrequencyRule);
  const char* const key = group.has("event_every") ? "event_every" : "events";
  read_duration(group, "event_every", out.event_interval);
  if (group.has(key) && out.event_interval < kShortestInterval) {
    group.wrong(key, "at most 1000 events a second of a device");
  }
  if (group.has("events") && group.has("event_every")) {
    group.wrong("event_every", "says the same as events: leave one of them out");
  }
  group.integer("event_bytes", out.event_bytes, 16,
                static_cast<std::int64_t>(limits::kPayloadBytes) - 64);
  group.text("topic", out.topic);
  if (!is_valid_topic(out.topic) || out.topic == kControlTopic) {
    group.wrong("topic", "must be 1 to 64 of a-z 0-9 _ . - and not begin with _");
  }
}

void read_group(TomlReader& reader, const std::vector<std::string>& groups, FleetGroup& out) {
  reader.required("count");
  reader.integer("count", out.count, 1, static_cast<std::int64_t>(sim::kFleetDevices));
  read_link(reader, out.link);
  reader.boolean("behind_nat", out.behind_nat);
  reader.boolean("metered", out.metered);
  reader.parsed<std::uint64_t>("daily", out.daily_bytes, parse_bytes, kBytesRule);
  mesh::QuietHours quiet;
  reader.parsed<mesh::QuietHours>("quiet", quiet, parse_hours, kHoursRule);
  if (reader.has("quiet")) out.quiet = quiet;
  read_awake(reader, out);
  read_events(reader, out);
  read_groups(reader, "peers", groups, out.peers);
  reader.integer("peers_each", out.peers_each, 1, 64);
  std::vector<std::size_t> reaches;
  read_groups(reader, "reaches", groups, reaches);
  if (reader.has("reaches")) out.reaches = reaches;
}

void read_partition(TomlReader& reader, const std::vector<std::string>& groups,
                    FleetPartition& out) {
  reader.required("groups");
  read_groups(reader, "groups", groups, out.groups);
  Duration from{};
  reader.required("from");
  read_duration(reader, "from", from);
  out.from = Instant{} + from;
  reader.required("lasts");
  read_duration(reader, "lasts", out.lasts);
  read_duration(reader, "every", out.every);
  if (reader.has("every") && out.every <= out.lasts) {
    reader.wrong("every", "must be more than lasts");
  }
  reader.boolean("apart", out.apart);
}

void check_whole(TomlReader& root, const Fleet& fleet) {
  if (fleet.groups.empty()) return root.wrong("group", "is missing: a fleet has [group.NAME]");
  if (fleet.devices() > sim::kFleetDevices) {
    root.wrong("group", std::to_string(fleet.devices()) + " devices in all, of at most " +
                            std::to_string(sim::kFleetDevices));
  }
  const bool makes_any =
      std::any_of(fleet.groups.begin(), fleet.groups.end(),
                  [](const FleetGroup& group) { return group.event_interval > Duration{}; });
  if (!makes_any) root.wrong("group", "no group makes events: one needs events = \"60/h\"");
  const bool has_peers = std::any_of(fleet.groups.begin(), fleet.groups.end(),
                                     [](const FleetGroup& group) { return !group.peers.empty(); });
  if (!has_peers && fleet.devices() > 1) {
    return root.wrong("group", "nobody knows anybody: one group needs peers = [\"...\"]");
  }
  for (const std::string& name : never_met(fleet)) {
    root.wrong("group", name + " is never reached: see `peers` and `reaches` of it and of others");
  }
}

}  // namespace

Result<Fleet> read_fleet(const std::string& text, const std::string& name) {
  EBB_ASSIGN(const toml::table table, parse_toml(text, name));
  TomlReader root(table, name);
  Fleet fleet;
  root.text("name", fleet.name);
  root.integer("seed", fleet.seed);
  read_duration(root, "duration", fleet.duration);
  if (fleet.duration < seconds(1)) root.wrong("duration", "must be at least 1s");
  fleet.settle = std::max(fleet.duration / 10, seconds(600));
  read_duration(root, "settle", fleet.settle);
  std::vector<std::string> groups;
  std::vector<TomlReader> readers = root.named_tables("group", groups);
  for (std::size_t i = 0; i < readers.size(); ++i) {
    FleetGroup group;
    group.name = groups[i];
    read_group(readers[i], groups, group);
    root.take(readers[i].finish());
    fleet.groups.push_back(std::move(group));
  }
  for (TomlReader& reader : root.tables("partition")) {
    FleetPartition partition;
    read_partition(reader, groups, partition);
    root.take(reader.finish());
    fleet.partitions.push_back(std::move(partition));
  }
  if (root.ok()) check_whole(root, fleet);
  EBB_RETURN_IF_ERROR(root.finish());
  return fleet;
}

}  // namespace ebb::sim_tool
