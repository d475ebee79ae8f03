#include "sim/tool/fleet_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>

#include "core/bytes.h"
#include "ebb/version.h"
#include "sim/tool/fleet_figures.h"
#include "sim/tool/fleet_text.h"
#include "sim/tool/svg_plot.h"
#include "sim/tool/units.h"

namespace ebb::sim_tool {
namespace {

using sim::FleetReport;

constexpr std::string_view kStyle = R"(
:root{color-scheme:light dark;--ground:#fff;--text:#1a1a1a;--soft:#595959;--grid:#ddd;
--bar:#0060a8;--s0:#0060a8;--s1:#b3432b;--s2:#2a7a3b;--s3:#7a4fa3;--s4:#946200;--s5:#00767a;
--s6:#a3326e;--s7:#4d5a66}
@media(prefers-color-scheme:dark){:root{--ground:#14171a;--text:#e8e8e8;--soft:#a8b0b8;
--grid:#363c42;
--bar:#5fb0ee;--s0:#5fb0ee;--s1:#f0907a;--s2:#7fd08f;--s3:#c3a0ea;--s4:#e0b45a;--s5:#5fcdd0;
--s6:#ee8fc0;--s7:#b0bcc8}}
body{background:var(--ground);color:var(--text);font:16px/1.5 system-ui,sans-serif;max-width:60rem;
margin:0 auto;padding:1.5rem}
h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2.2rem}
.soft,.legend{color:var(--soft)}svg{width:100%;height:auto}
.grid{stroke:var(--grid)}.tick{fill:var(--soft);font-size:12px}.bar{fill:var(--bar)}
.line{fill:none;stroke-width:2}
.key{display:inline-block;width:1.2em;height:.25em;margin:0 .4em .25em 1em}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.92rem}
th,td{padding:.25rem .7rem;border-bottom:1px solid var(--grid);text-align:right;white-space:nowrap}
th:first-child,td:first-child{text-align:left}
.s0{stroke:var(--s0)}.s1{stroke:var(--s1)}.s2{stroke:var(--s2)}.s3{stroke:var(--s3)}
.s4{stroke:var(--s4)}.s5{stroke:var(--s5)}.s6{stroke:var(--s6)}.s7{stroke:var(--s7)}
.k0{background:var(--s0)}.k1{background:var(--s1)}.k2{background:var(--s2)}.k3{background:var(--s3)}
.k4{background:var(--s4)}.k5{background:var(--s5)}.k6{background:var(--s6)}.k7{background:var(--s7)}
)";

double seconds_of(Duration duration) { return static_cast<double>(duration.us) / 1e6; }

std::string row(std::string_view cell, const std::vector<std::string>& cells) {
  std::string text = "<tr>";
  for (const std::string& one : cells)
    text += fmt::format("<{}>{}</{}>", cell, escape_html(one), cell);
  return text + "</tr>\n";
}

std::string table(const std::vector<std::string>& headings,
                  const std::vector<std::vector<std::string>>& rows) {
  std::string text =
      "<div class=\"wide\"><table><thead>" + row("th", headings) + "</thead><tbody>\n";
  for (const auto& cells : rows)
    text += row("td", cells);
  return text + "</tbody></table></div>\n";
}

const std::vector<Tick> kPercentTicks = {
    {0, "0 %"}, {25, "25 %"}, {50, "50 %"}, {75, "75 %"}, {100, "100 %"}};

// Times that people count in, from a millisecond to a month.
std::vector<Tick> time_ticks(double low, double high) {
  constexpr std::array<double, 14> kTimes = {0.001, 0.01, 0.1,   1,     10,     60,     300,
                                             1800,  3600, 21600, 86400, 259200, 604800, 2592000};
  std::vector<Tick> ticks;
  for (const double time : kTimes) {
    if (time < low || time > high) continue;
    ticks.push_back({time, duration_words(microseconds(static_cast<std::int64_t>(time * 1e6)))});
  }
  return ticks;
}

std::string delivery_plot(const FleetReport& report) {
  LinePlot plot;
  plot.title = "Share of deliveries that took no longer";
  plot.x_label = "time from an event's birth until a device had it";
  plot.logarithmic = true;
  plot.x_min = 0.001;
  plot.y_max = 100;
  plot.y_ticks = kPercentTicks;
  const auto add = [&](const std::string& name, const sim::TimeHistogram& times) {
    if (times.count() == 0) return;
    Series series{name, {}, true};
    for (const auto& [bound, count] : times.curve()) {
      const double at = std::max(seconds_of(bound), plot.x_min);
      plot.x_max = std::max(plot.x_max, at * 1.2);
      series.points.emplace_back(
          at, 100 * static_cast<double>(count) / static_cast<double>(times.count()));
    }
    plot.series.push_back(std::move(series));
  };
  add("all", report.meter.latency());
  for (std::size_t group = 0; group < report.fleet.groups.size(); ++group) {
    if (report.fleet.groups.size() == 1 || plot.series.size() == kSeriesMax) break;
    add("to " + report.fleet.groups[group].name, report.meter.latency_of(group));
  }
  plot.x_ticks = time_ticks(plot.x_min, plot.x_max);
  return line_plot(plot);
}

std::string completeness_plot(const FleetReport& report) {
  LinePlot plot;
  plot.title = "Completeness over time";
  plot.x_label = "time of the run; events end where the time to settle begins, at " +
                 duration_words(report.fleet.duration);
  plot.x_max = seconds_of(report.ran_for);
  plot.y_max = 100;
  plot.y_ticks = kPercentTicks;
  for (int i = 0; i <= 6; ++i) {
    const double at = plot.x_max * i / 6;
    plot.x_ticks.push_back({at, duration_words(microseconds(static_cast<std::int64_t>(at * 1e6)))});
  }
  Series all{"all devices", {}, false};
  Series worst{"the device with least", {}, false};
  std::vector<Series> groups(report.fleet.groups.size());
  for (const sim::CompletenessSample& sample : report.samples) {
    const double at = seconds_of(sample.at - Instant{});
    all.points.emplace_back(at, static_cast<double>(sample.all) / 10);
    worst.points.emplace_back(at, static_cast<double>(sample.worst) / 10);
    for (std::size_t group = 0; group < groups.size(); ++group)
      groups[group].points.emplace_back(at, static_cast<double>(sample.groups[group]) / 10);
  }
  plot.series = {std::move(all), std::move(worst)};
  for (std::size_t group = 0; group < groups.size() && groups.size() > 1; ++group) {
    if (plot.series.size() == kSeriesMax) break;
    groups[group].name = report.fleet.groups[group].name;
    plot.series.push_back(std::move(groups[group]));
  }
  return line_plot(plot);
}

std::string reach_section(const FleetFigures& figures) {
  std::vector<std::vector<std::string>> rows;
  for (const ReachFigures& reach : figures.reach) {
    const auto time = [&](Duration one) {
      return reach.events == 0 ? std::string("-") : duration_words(one);
    };
    rows.push_back({std::to_string(reach.percent) + " % of devices",
                    std::to_string(reach.events) + " of " + std::to_string(figures.events),
                    time(reach.p50), time(reach.p90), time(reach.p99), time(reach.longest)});
  }
  return table({"an event has reached", "events", "median", "p90", "p99", "slowest"}, rows);
}

std::string link_section(const FleetFigures& figures) {
  std::vector<Bar> bars;
  std::vector<std::vector<std::string>> rows;
  for (const LinkFigures& link : figures.links) {
    const std::string per_link = link.open > 0 ? bytes_words(link.bytes_per_link_day) : "-";
    bars.push_back({link.first + " - " + link.second, link.bytes_per_link_day, per_link});
    rows.push_back({link.first + " - " + link.second, fmt::format("{:.1f}", link.open),
                    bytes_words(link.bytes_per_day), per_link});
  }
  return bar_plot("Bytes of one link and day, by the groups of its ends", bars) +
         table({"between", "links open", "bytes a day", "of one link and day"}, rows);
}

std::string group_section(const FleetFigures& figures) {
  std::vector<Bar> bars;
  std::vector<std::vector<std::string>> rows;
  for (const GroupFigures& group : figures.groups) {
    const double both = group.out_per_day + group.in_per_day;
    bars.push_back({group.name, both, bytes_words(both)});
    rows.push_back({group.name, std::to_string(group.devices), std::to_string(group.events),
                    fmt::format("{:.1f} %", static_cast<double>(group.complete) / 10),
                    duration_words(group.p50), duration_words(group.p99),
                    bytes_words(group.out_per_day), bytes_words(group.in_per_day),
                    bytes_words(group.most_per_day), fmt::format("{:.1f} %", group.awake_percent),
                    bytes_words(group.bytes_per_awake_hour)});
  }
  return bar_plot("Bytes of one device and day, in and out", bars) +
         table({"group", "devices", "events", "complete", "median", "p99", "out/day", "in/day",
                "busiest/day", "awake", "bytes/awake hour"},
               rows);
}

std::string kind_section(const FleetFigures& figures) {
  std::vector<std::vector<std::string>> rows;
  for (const KindFigures& kind : figures.kinds) {
    rows.push_back({kind.name, std::to_string(kind.messages),
                    bytes_words(static_cast<double>(kind.bytes)),
                    fmt::format("{:.1f} %", kind.percent)});
  }
  return table({"message", "count", "bytes", "share"}, rows);
}

}  // namespace

std::string fleet_page(const FleetReport& report) {
  const FleetFigures figures = figures_of(report);
  const std::string name = report.fleet.name.empty() ? "A fleet" : report.fleet.name;
  std::string page =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
      escape_html(name) + "</title><style>" + std::string(kStyle) + "</style></head>\n<body>\n";
  page += "<h1>" + escape_html(name) + "</h1>\n<p><strong>" +
          escape_html(verdict_sentence(report)) + ".</strong></p>\n";
  page += fmt::format(
      "<p class=\"soft\">{} devices, {} events, {} deliveries, {:.2f} copies of each; {} in all. "
      "Bytes are those of the protocol, without headers of TCP and IP.</p>\n",
      figures.devices, figures.events, figures.deliveries, figures.copies,
      bytes_words(figures.bytes));
  for (const std::string& trouble : report.troubles)
    page += "<p><strong>Defect:</strong> " + escape_html(trouble) + "</p>\n";
  page += "<h2>How fast events spread</h2>\n" + delivery_plot(report) + reach_section(figures);
  page += "<h2>Completeness over time</h2>\n" + completeness_plot(report);
  page += "<h2>Links</h2>\n" + link_section(figures);
  page += "<h2>Devices</h2>\n" + group_section(figures);
  page += "<h2>Messages</h2>\n" + kind_section(figures);
  page += fmt::format("<p class=\"soft\">Simulated by ebb-sim {}, seed {}, trace {}.</p>\n",
                      kProgramVersion, report.fleet.seed, to_hex(report.trace.view()));
  return page + "</body></html>\n";
}

}  // namespace ebb::sim_tool
