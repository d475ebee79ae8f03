#include "store/clock_fixes.h"

#include <algorithm>
#include <tuple>

#include "core/limits.h"
#include "store/event_scan.h"

namespace ebb::store {

bool ClockFixes::Ranges::Range::later_than(const Range& other) const {
  return std::tie(incarnation, said, by) > std::tie(other.incarnation, other.said, other.by);
}

std::int64_t ClockFixes::Ranges::offset_ms(Seq seq) const {
  const Range* latest = nullptr;
  for (const Range& range : ranges_) {
    if (seq < range.from || seq > range.to) continue;
    if (latest == nullptr || range.later_than(*latest)) latest = &range;
  }
  return latest == nullptr ? 0 : latest->offset_ms;
}

Status ClockFixes::load(const Connection& connection, const LogTable& logs,
                        const std::function<bool()>& expired) {
  EventScan scan;
  EBB_RETURN_IF_ERROR(scan.open(connection));
  scan.set_expired(expired);
  EBB_RETURN_IF_ERROR(read_openings(scan, logs));
  ScanFilter filter;
  filter.type = std::string(codec::kClockFixType);
  scan.set_filter(filter);
  for (const LogRow& row : logs.rows()) {
    if (row.head.key.topic == kControlTopic) EBB_RETURN_IF_ERROR(read_fixes(scan, logs, row));
  }
  for (auto& [device, author] : authors_) {
    keep_latest(author, author.size());  // puts them in order
    for (const Said& said : author) {
      std::vector<Ranges::Range>& kept = logs_[said.log].ranges_;
      if (kept.size() < limits::kClockFixesPerLog) kept.push_back(said.range);
    }
  }
  authors_.clear();
  return {};
}

// Each incarnation begins with its opening.
Status ClockFixes::read_openings(EventScan& scan, const LogTable& logs) {
  ScanFilter filter;
  filter.type = std::string(codec::kOpeningType);
  scan.set_filter(filter);
  for (const LogRow& row : logs.rows()) {
    const LogKey& key = row.head.key;
    if (key.topic != kControlTopic || row.head.held.seq == 0) continue;
    scan.start(row, 1, 1);
    EBB_ASSIGN(const bool found, scan.next());
    if (!found) continue;
    const auto opening = codec::decode_opening(scan.event().payload);
    if (opening.ok() && opening->before) openings_[key.device][key.incarnation] = *opening->before;
  }
  return {};
}

// A device that says that its incarnations go in a circle harms its own times only.
std::size_t ClockFixes::rank_of(const LogKey& key) const {
  const auto device = openings_.find(key.device);
  if (device == openings_.end()) return 0;
  const Openings& openings = device->second;
  std::size_t rank = 0;
  auto at = openings.find(key.incarnation);
  while (at != openings.end() && rank <= openings.size()) {
    ++rank;
    at = openings.find(at->second);
  }
  return rank;
}

Status ClockFixes::read_fixes(EventScan& scan, const LogTable& logs, const LogRow& row) {
  const DeviceId& device = row.head.key.device;
  const std::size_t rank = rank_of(row.head.key);
  scan.start(row, 1, row.head.held.seq);
  for (;;) {
    EBB_ASSIGN(const bool more, scan.next());
    if (!more) return {};
    const auto fix = codec::decode_clock_fix(scan.event().payload);
    if (!fix.ok()) continue;  // an event like any other
    const Dot by{row.head.log, scan.seq()};
    for (const codec::ClockFix::Range& range : fix->ranges) {
      const LogRow* target = logs.find(range.log);
      if (target == nullptr || target->head.key.device != device) continue;
      authors_[device].push_back(
          {range.log, {range.from, range.to, fix->offset_ms, rank, scan.event().hlc, by}});
      ++count_;
    }
    if (const auto author = authors_.find(device); author != authors_.end()) {
      if (author->second.size() > 2 * limits::kClockFixesPerDevice) {
        keep_latest(author->second, limits::kClockFixesPerDevice);
      }
    }
    keep_bounds();
  }
}

// The latest first.
void ClockFixes::keep_latest(Author& author, std::size_t most) {
  std::sort(author.begin(), author.end(),
            [](const Said& a, const Said& b) { return a.range.later_than(b.range); });
  most = std::min(most, limits::kClockFixesPerDevice);
  if (author.size() <= most) return;
  count_ -= author.size() - most;
  author.resize(most);
}

void ClockFixes::keep_bounds() {
  while (count_ > limits::kClockFixes) {
    const auto most = std::max_element(
        authors_.begin(), authors_.end(),
        [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
    keep_latest(most->second, most->second.size() / 2);
  }
}

const ClockFixes::Ranges* ClockFixes::of(const LogId& log) const {
  const auto found = logs_.find(log);
  return found == logs_.end() ? nullptr : &found->second;
}

}  // namespace ebb::store
