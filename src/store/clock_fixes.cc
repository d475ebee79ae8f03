#include "store/clock_fixes.h"

#include <algorithm>
#include <tuple>

#include "core/limits.h"
#include "store/event_scan.h"

namespace ebb::store {

std::int64_t ClockFixes::Ranges::offset_ms(Seq seq) const {
  const Range* latest = nullptr;
  for (const Range& range : ranges_) {
    if (seq < range.from || seq > range.to) continue;
    const bool later =
        latest == nullptr || std::tie(range.said, range.by) > std::tie(latest->said, latest->by);
    if (later) latest = &range;
  }
  return latest == nullptr ? 0 : latest->offset_ms;
}

void ClockFixes::Ranges::keep_latest(std::size_t most) {
  if (ranges_.size() <= most) return;
  std::sort(ranges_.begin(), ranges_.end(), [](const Range& a, const Range& b) {
    return std::tie(a.said, a.by) > std::tie(b.said, b.by);
  });
  ranges_.resize(most);
}

Status ClockFixes::load(const Connection& connection, const LogTable& logs,
                        const std::function<bool()>& expired) {
  EventScan scan;
  EBB_RETURN_IF_ERROR(scan.open(connection));
  scan.set_expired(expired);
  ScanFilter filter;
  filter.type = std::string(codec::kClockFixType);
  scan.set_filter(filter);
  for (const LogRow& row : logs.rows()) {
    if (row.head.key.topic != kControlTopic) continue;
    scan.start(row, 1, row.head.held.seq);
    for (;;) {
      EBB_ASSIGN(const bool more, scan.next());
      if (!more) break;
      const auto fix = codec::decode_clock_fix(scan.event().payload);
      if (!fix.ok()) continue;  // an event like any other
      take(logs, row.head.key.device, {row.head.log, scan.seq()}, scan.event().hlc, *fix);
      if (count_ > limits::kClockFixes) return Error{ErrorCode::kTooLarge, "clock fixes"};
    }
  }
  for (auto& [log, ranges] : logs_)
    ranges.keep_latest(limits::kClockFixesPerLog);
  return {};
}

void ClockFixes::take(const LogTable& logs, const DeviceId& author, const Dot& by, Hlc said,
                      const codec::ClockFix& fix) {
  for (const codec::ClockFix::Range& range : fix.ranges) {
    const LogRow* target = logs.find(range.log);
    if (target == nullptr || target->head.key.device != author) continue;
    logs_[range.log].ranges_.push_back({range.from, range.to, fix.offset_ms, said, by});
    ++count_;
  }
}

const ClockFixes::Ranges* ClockFixes::of(const LogId& log) const {
  const auto found = logs_.find(log);
  return found == logs_.end() ? nullptr : &found->second;
}

}  // namespace ebb::store
