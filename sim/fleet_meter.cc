#include "sim/fleet_meter.h"

#include <algorithm>
#include <bit>

namespace ebb::sim {
namespace {

constexpr std::uint64_t kWhole = 1000;

std::uint64_t part(std::uint64_t held, std::uint64_t all) {
  return all == 0 ? kWhole : held * kWhole / all;
}

// Times below 8 us have a step each, above them each doubling has eight.
std::size_t step_of(Duration time) {
  const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(time.us, 0));
  if (us < 8) return us;
  const auto doublings = static_cast<std::size_t>(std::bit_width(us)) - 4;  // 0 for 8 to 15
  return 8 + doublings * 8 + (us >> doublings) - 8;
}

Duration upper_bound_of(std::size_t step) {
  if (step < 8) return microseconds(static_cast<std::int64_t>(step));
  const std::size_t doublings = (step - 8) / 8;
  const std::uint64_t next = ((step - 8) % 8 + 9) << doublings;
  return microseconds(static_cast<std::int64_t>(next - 1));
}

}  // namespace

void TimeHistogram::add(Duration time) {
  ++steps_[std::min(step_of(time), kSteps - 1)];
  ++count_;
  longest_ = std::max(longest_, time);
}

Duration TimeHistogram::permille(std::uint64_t wanted) const {
  if (count_ == 0) return {};
  const std::uint64_t needed = std::max<std::uint64_t>((count_ * wanted + 999) / 1000, 1);
  std::uint64_t seen = 0;
  for (std::size_t step = 0; step < kSteps; ++step) {
    seen += steps_[step];
    if (seen >= needed) return std::min(upper_bound_of(step), longest_);
  }
  return longest_;
}

std::vector<std::pair<Duration, std::uint64_t>> TimeHistogram::curve() const {
  std::vector<std::pair<Duration, std::uint64_t>> points;
  std::uint64_t seen = 0;
  for (std::size_t step = 0; step < kSteps; ++step) {
    if (steps_[step] == 0) continue;
    seen += steps_[step];
    points.emplace_back(upper_bound_of(step), seen);
  }
  return points;
}

FleetMeter::FleetMeter(std::vector<std::size_t> group_of_devices, std::size_t groups)
    : group_of_(std::move(group_of_devices)),
      group_sizes_(groups, 0),
      held_(group_of_.size(), 0),
      made_(group_of_.size(), 0),
      out_(group_of_.size(), 0),
      in_(group_of_.size(), 0),
      group_held_(groups, 0),
      group_latency_(groups),
      between_(groups * groups, 0) {
  for (const std::size_t group : group_of_)
    ++group_sizes_[group];
  for (std::size_t i = 0; i < kReachPercents.size(); ++i) {
    needed_[i] = static_cast<std::uint32_t>((group_of_.size() * kReachPercents[i] + 99) / 100);
  }
}

std::vector<LogSpan> spans_of(const store::CommitResult& result) {
  std::vector<LogSpan> spans;
  for (const store::HeadAdvance& advance : result.advances) {
    if (advance.head.key.topic == kControlTopic) continue;
    spans.push_back(
        {advance.head.log, advance.before.seq + 1, advance.head.held.seq, advance.own_append});
  }
  return spans;
}

void FleetMeter::committed(Instant now, HostIndex device, const std::vector<LogSpan>& spans) {
  for (const LogSpan& span : spans) {
    std::vector<Event>& events = events_of_[span.log];
    for (Seq seq = span.from; seq <= span.to; ++seq) {
      if (span.own && seq == events.size() + 1) {
        events.push_back({now, 0, 0});
        ++events_;
        ++made_[device];
      }
      if (seq <= events.size()) spread(now, device, events[seq - 1]);
    }
  }
}

void FleetMeter::spread(Instant now, HostIndex device, Event& event) {
  ++event.devices;
  ++held_[device];
  ++group_held_[group_of_[device]];
  const Duration age = now - event.born;
  if (event.devices > 1) {
    ++deliveries_;
    latency_.add(age);
    group_latency_[group_of_[device]].add(age);
  }
  while (event.reached < kReachPercents.size() && event.devices >= needed_[event.reached])
    reach_[event.reached++].add(age);
}

void FleetMeter::sent(HostIndex from, HostIndex to, std::size_t bytes) {
  out_[from] += bytes;
  in_[to] += bytes;
  const auto [first, second] = std::minmax(group_of_[from], group_of_[to]);
  between_[first * group_sizes_.size() + second] += bytes;
}

std::uint64_t FleetMeter::bytes_between(std::size_t first, std::size_t second) const {
  return between_[first * group_sizes_.size() + second];
}

std::uint64_t FleetMeter::complete(std::size_t group) const {
  return part(group_held_[group], events_ * group_sizes_[group]);
}

std::uint64_t FleetMeter::complete() const {
  std::uint64_t held = 0;
  for (const std::uint64_t of_group : group_held_)
    held += of_group;
  return part(held, events_ * group_of_.size());
}

std::uint64_t FleetMeter::complete_worst() const {
  const auto least = std::min_element(held_.begin(), held_.end());
  return least == held_.end() ? kWhole : part(*least, events_);
}

}  // namespace ebb::sim
