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
  EBB_ASSIGN(const ControlLogs speakers, find_speakers(scan, logs));
  EBB_RETURN_IF_ERROR(rank_incarnations(scan, logs, speakers));
  ScanFilter filter;
  filter.type = std::string(codec::kClockFixType);
  scan.set_filter(filter);
  for (const auto& [device, rows] : speakers) {
    for (const LogRow* row : rows)
      EBB_RETURN_IF_ERROR(read_fixes(scan, logs, *row));
  }
  for (auto& [device, author] : authors_) {
    keep_latest(author, author.size());  // puts them in order
    for (const Said& said : author) {
      std::vector<Ranges::Range>& kept = logs_[said.log].ranges_;
      if (kept.size() < bounds_.of_log) kept.push_back(said.range);
    }
  }
  authors_.clear();
  return {};
}

// Control logs in which there is a fix at all: as a rule none, and then no body is read.
Result<ClockFixes::ControlLogs> ClockFixes::find_speakers(EventScan& scan, const LogTable& logs) {
  ControlLogs speakers;
  ScanFilter filter;
  filter.type = std::string(codec::kClockFixType);
  scan.set_filter(filter);
  for (const LogRow& row : logs.rows()) {
    if (row.head.key.topic != kControlTopic) continue;
    scan.start(row, 1, row.head.held.seq);
    EBB_ASSIGN(const bool found, scan.next());
    scan.stop();
    if (found) speakers[row.head.key.device].push_back(&row);
  }
  return speakers;
}

// Each incarnation begins with its opening. Of a device that has spoken in one alone it does not
// matter after which.
Status ClockFixes::rank_incarnations(EventScan& scan, const LogTable& logs,
                                     const ControlLogs& speakers) {
  ScanFilter filter;
  filter.type = std::string(codec::kOpeningType);
  scan.set_filter(filter);
  std::map<DeviceId, Openings> openings;
  for (const LogRow& row : logs.rows()) {
    const LogKey& key = row.head.key;
    if (key.topic != kControlTopic || row.head.held.seq == 0) continue;
    const auto spoken = speakers.find(key.device);
    if (spoken == speakers.end() || spoken->second.size() < 2) continue;
    scan.start(row, 1, 1);
    EBB_ASSIGN(const bool found, scan.next());
    if (!found) continue;
    const auto opening = codec::decode_opening(scan.event().payload);
    if (opening.ok() && opening->before) openings[key.device][key.incarnation] = *opening->before;
  }
  for (const auto& [device, of_device] : openings)
    rank(of_device, ranks_[device]);
  return {};
}

// How many came before each. A device that says that its incarnations go in a circle harms its own
// times only.
void ClockFixes::rank(const Openings& openings, Ranks& ranks) {
  for (const auto& opening : openings) {
    std::vector<Incarnation> path;
    auto at = openings.find(opening.first);
    while (at != openings.end() && !ranks.contains(at->first) && path.size() < openings.size()) {
      path.push_back(at->first);
      at = openings.find(at->second);
    }
    std::size_t before = 0;
    if (at != openings.end()) {
      const auto known = ranks.find(at->first);
      before = known == ranks.end() ? 0 : known->second;
    }
    for (auto it = path.rbegin(); it != path.rend(); ++it)
      ranks.try_emplace(*it, ++before);
  }
}

std::size_t ClockFixes::rank_of(const LogKey& key) const {
  const auto device = ranks_.find(key.device);
  if (device == ranks_.end()) return 0;
  const auto rank = device->second.find(key.incarnation);
  return rank == device->second.end() ? 0 : rank->second;
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
      if (author->second.size() > 2 * bounds_.of_device) {
        keep_latest(author->second, bounds_.of_device);
      }
    }
    keep_bounds();
  }
}

// The latest first.
void ClockFixes::keep_latest(Author& author, std::size_t most) {
  // Ranges of one record are equally late.
  std::sort(author.begin(), author.end(), [](const Said& a, const Said& b) {
    if (a.range.later_than(b.range)) return true;
    return !b.range.later_than(a.range) && a.log < b.log;
  });
  most = std::min(most, bounds_.of_device);
  if (author.size() <= most) return;
  count_ -= author.size() - most;
  author.resize(most);
}

void ClockFixes::keep_bounds() {
  while (count_ > bounds_.all) {
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
