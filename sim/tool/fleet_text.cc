#include "sim/tool/fleet_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/print.h"
#include "core/bytes.h"
#include "sim/tool/fleet_figures.h"
#include "sim/tool/units.h"

namespace ebb::sim_tool {
namespace {

using cli::Table;
using nlohmann::ordered_json;

constexpr Table::Align kRight = Table::Align::kRight;

std::string percent_of_permille(std::uint64_t permille) {
  return fmt::format("{}.{} %", permille / 10, permille % 10);
}

std::string time_or_dash(const ReachFigures& reach, Duration time) {
  return reach.events == 0 ? "-" : duration_words(time);
}

Table reach_table(const FleetFigures& figures) {
  Table table({{"DEVICES", kRight},
               {"EVENTS", kRight},
               {"MEDIAN", kRight},
               {"P90", kRight},
               {"P99", kRight},
               {"SLOWEST", kRight}});
  for (const ReachFigures& reach : figures.reach) {
    table.add({std::to_string(reach.percent) + " %",
               std::to_string(reach.events) + " of " + std::to_string(figures.events),
               time_or_dash(reach, reach.p50), time_or_dash(reach, reach.p90),
               time_or_dash(reach, reach.p99), time_or_dash(reach, reach.longest)});
  }
  return table;
}

Table group_table(const FleetFigures& figures) {
  Table table({{"GROUP"},
               {"DEVICES", kRight},
               {"EVENTS", kRight},
               {"COMPLETE", kRight},
               {"MEDIAN", kRight},
               {"P99", kRight},
               {"OUT/DAY", kRight},
               {"IN/DAY", kRight},
               {"BUSIEST/DAY", kRight},
               {"AWAKE", kRight},
               {"PER AWAKE HOUR", kRight}});
  for (const GroupFigures& group : figures.groups) {
    table.add({group.name, std::to_string(group.devices), std::to_string(group.events),
               percent_of_permille(group.complete), duration_words(group.p50),
               duration_words(group.p99), bytes_words(group.out_per_day),
               bytes_words(group.in_per_day), bytes_words(group.most_per_day),
               fmt::format("{:.1f} %", group.awake_percent),
               bytes_words(group.bytes_per_awake_hour)});
  }
  return table;
}

Table link_table(const FleetFigures& figures) {
  Table table({{"BETWEEN"},
               {"AND"},
               {"LINKS OPEN", kRight},
               {"BYTES/DAY", kRight},
               {"PER LINK AND DAY", kRight}});
  for (const LinkFigures& link : figures.links) {
    table.add({link.first, link.second, fmt::format("{:.1f}", link.open),
               bytes_words(link.bytes_per_day),
               link.open > 0 ? bytes_words(link.bytes_per_link_day) : "-"});
  }
  return table;
}

Table kind_table(const FleetFigures& figures) {
  Table table({{"MESSAGE"}, {"COUNT", kRight}, {"BYTES", kRight}, {"SHARE", kRight}});
  for (const KindFigures& kind : figures.kinds) {
    table.add({kind.name, std::to_string(kind.messages),
               bytes_words(static_cast<double>(kind.bytes)),
               fmt::format("{:.1f} %", kind.percent)});
  }
  return table;
}

double seconds_of(Duration duration) { return static_cast<double>(duration.us) / 1e6; }

ordered_json groups_json(const FleetFigures& figures) {
  ordered_json list = ordered_json::array();
  for (const GroupFigures& group : figures.groups) {
    list.push_back({{"group", group.name},
                    {"devices", group.devices},
                    {"events", group.events},
                    {"complete_permille", group.complete},
                    {"delivery_p50_s", seconds_of(group.p50)},
                    {"delivery_p99_s", seconds_of(group.p99)},
                    {"bytes_out_per_device_day", group.out_per_day},
                    {"bytes_in_per_device_day", group.in_per_day},
                    {"bytes_busiest_device_day", group.most_per_day},
                    {"awake_percent", group.awake_percent},
                    {"bytes_per_awake_hour", group.bytes_per_awake_hour}});
  }
  return list;
}

ordered_json samples_json(const sim::FleetReport& report) {
  ordered_json list = ordered_json::array();
  for (const sim::CompletenessSample& sample : report.samples) {
    list.push_back({{"at_s", seconds_of(sample.at - Instant{})},
                    {"all_permille", sample.all},
                    {"worst_device_permille", sample.worst},
                    {"groups_permille", sample.groups}});
  }
  return list;
}

}  // namespace

std::string bytes_words(double bytes) {
  return cli::bytes_text(static_cast<std::uint64_t>(std::llround(std::max(bytes, 0.0))));
}

std::string verdict_sentence(const sim::FleetReport& report) {
  const std::uint64_t devices = report.fleet.devices();
  const std::uint64_t events = report.meter.events();
  const std::uint64_t everywhere = report.meter.reach(sim::kReachPercents.size() - 1).count();
  std::string text =
      fmt::format("{} of {} events reached all {} devices", everywhere, events, devices);
  if (report.complete) return text + fmt::format(" within {}", duration_words(report.ran_for));
  return text + fmt::format(" in {}; the devices hold {} of what they should",
                            duration_words(report.ran_for),
                            percent_of_permille(report.meter.complete()));
}

std::string fleet_tables(const sim::FleetReport& report, bool colours) {
  const FleetFigures figures = figures_of(report);
  const auto heading = [&](const std::string& text) {
    return '\n' + cli::paint(cli::Colour::kBold, text, colours) + '\n';
  };
  std::string text = cli::escape_text(report.fleet.name.empty() ? "A fleet" : report.fleet.name) +
                     ": " + verdict_sentence(report) + ".\n";
  text += heading("Time until so many of all devices have an event") +
          reach_table(figures).text(colours);
  text += heading("Groups: events, delivery to them, bytes of one device") +
          group_table(figures).text(colours);
  text += heading("Links") + link_table(figures).text(colours);
  text += heading("Messages") + kind_table(figures).text(colours);
  text += fmt::format(
      "\n{} deliveries, {:.2f} copies of each; {} in all, {} packets lost\n"
      "seed {}, {} steps, trace {}\n",
      figures.deliveries, figures.copies, bytes_words(figures.bytes), report.lost_packets,
      report.fleet.seed, report.steps, to_hex(report.trace.view()));
  for (const std::string& trouble : report.troubles)
    text += "defect: " + cli::escape_text(trouble) + '\n';
  return text;
}

std::string fleet_json(const sim::FleetReport& report) {
  const FleetFigures figures = figures_of(report);
  ordered_json reach = ordered_json::array();
  for (const ReachFigures& one : figures.reach) {
    reach.push_back({{"percent_of_devices", one.percent},
                     {"events", one.events},
                     {"p50_s", seconds_of(one.p50)},
                     {"p90_s", seconds_of(one.p90)},
                     {"p99_s", seconds_of(one.p99)},
                     {"slowest_s", seconds_of(one.longest)}});
  }
  ordered_json links = ordered_json::array();
  for (const LinkFigures& link : figures.links) {
    links.push_back({{"between", link.first},
                     {"and", link.second},
                     {"links_open", link.open},
                     {"bytes_per_day", link.bytes_per_day},
                     {"bytes_per_link_day", link.bytes_per_link_day}});
  }
  ordered_json kinds = ordered_json::array();
  for (const KindFigures& kind : figures.kinds) {
    kinds.push_back({{"message", kind.name}, {"count", kind.messages}, {"bytes", kind.bytes}});
  }
  const ordered_json whole = {{"name", report.fleet.name},
                              {"seed", report.fleet.seed},
                              {"verdict", verdict_sentence(report)},
                              {"complete", report.complete},
                              {"devices", figures.devices},
                              {"events", figures.events},
                              {"deliveries", figures.deliveries},
                              {"ran_for_s", seconds_of(report.ran_for)},
                              {"copies_per_event", figures.copies},
                              {"bytes", figures.bytes},
                              {"packets_lost", report.lost_packets},
                              {"reach", reach},
                              {"groups", groups_json(figures)},
                              {"links", links},
                              {"messages", kinds},
                              {"completeness", samples_json(report)},
                              {"steps", report.steps},
                              {"trace", to_hex(report.trace.view())},
                              {"defects", report.troubles}};
  return whole.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

}  // namespace ebb::sim_tool
