#include "sim/tool/fleet_figures.h"

#include <algorithm>

namespace ebb::sim_tool {
namespace {

constexpr double kMicrosecondsPerDay = 86400e6;

double days_of(Duration duration) { return static_cast<double>(duration.us) / kMicrosecondsPerDay; }

double ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }

ReachFigures reach_of(const sim::FleetReport& report, std::size_t index) {
  const sim::TimeHistogram& times = report.meter.reach(index);
  return {sim::kReachPercents[index], times.count(),       times.permille(500),
          times.permille(900),        times.permille(990), times.permille(1000)};
}

GroupFigures group_of(const sim::FleetReport& report, std::size_t group) {
  const auto group_of_device = report.fleet.group_of_devices();
  GroupFigures figures;
  figures.name = report.fleet.groups[group].name;
  figures.devices = report.fleet.groups[group].count;
  figures.complete = report.meter.complete(group);
  figures.p50 = report.meter.latency_of(group).permille(500);
  figures.p99 = report.meter.latency_of(group).permille(990);
  const double days = days_of(report.ran_for);
  double out = 0;
  double in = 0;
  double awake_days = 0;
  for (sim::HostIndex device = 0; device < group_of_device.size(); ++device) {
    if (group_of_device[device] != group) continue;
    figures.events += report.meter.made(device);
    const auto device_out = static_cast<double>(report.meter.bytes_out(device));
    const auto device_in = static_cast<double>(report.meter.bytes_in(device));
    figures.most_per_day = std::max(figures.most_per_day, ratio(device_out + device_in, days));
    out += device_out;
    in += device_in;
    awake_days += days_of(report.awake[device]);
  }
  const double device_days = days * static_cast<double>(figures.devices);
  figures.out_per_day = ratio(out, device_days);
  figures.in_per_day = ratio(in, device_days);
  figures.awake_percent = std::min(ratio(awake_days, device_days) * 100, 100.0);
  figures.bytes_per_awake_hour = ratio(out + in, awake_days * 24);
  return figures;
}

}  // namespace

FleetFigures figures_of(const sim::FleetReport& report) {
  FleetFigures figures;
  figures.devices = report.fleet.devices();
  figures.events = report.meter.events();
  figures.deliveries = report.meter.deliveries();
  figures.days = days_of(report.ran_for);
  figures.copies = ratio(static_cast<double>(report.received + report.repeated),
                         static_cast<double>(report.received));
  for (std::size_t i = 0; i < sim::kReachPercents.size(); ++i)
    figures.reach.push_back(reach_of(report, i));
  for (std::size_t group = 0; group < report.fleet.groups.size(); ++group)
    figures.groups.push_back(group_of(report, group));
  for (const sim::LinkUse& link : report.links) {
    LinkFigures one;
    one.first = report.fleet.groups[link.first].name;
    one.second = report.fleet.groups[link.second].name;
    one.open = static_cast<double>(link.open_permille) / 1000;
    one.bytes_per_day = ratio(static_cast<double>(link.bytes), figures.days);
    one.bytes_per_link_day = ratio(one.bytes_per_day, one.open);
    figures.bytes += static_cast<double>(link.bytes);
    figures.links.push_back(std::move(one));
  }
  double of_kinds = 0;
  for (const sim::KindUse& kind : report.kinds)
    of_kinds += static_cast<double>(kind.bytes);
  for (const sim::KindUse& kind : report.kinds) {
    if (kind.messages == 0) continue;
    figures.kinds.push_back({kind.name, kind.messages, kind.bytes,
                             ratio(static_cast<double>(kind.bytes), of_kinds) * 100});
  }
  return figures;
}

}  // namespace ebb::sim_tool
