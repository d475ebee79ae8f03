// The newest events: their places first, from the ends of the logs, then the events.
#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "store/reader.h"
#include "store/reader_parts.h"

namespace ebb::store {
namespace {

// How far back a log is read at most before it is looked at whether that was enough.
constexpr Seq kWindowMax = Seq{1} << 20;

struct Place {
  Hlc hlc;
  Dot dot;
  std::size_t bytes = 0;
  auto operator<=>(const Place& other) const {
    return std::tie(hlc, dot) <=> std::tie(other.hlc, other.dot);
  }
  bool operator==(const Place& other) const { return dot == other.dot; }
};

// The newest so many places of all that it was shown.
class Places {
 public:
  explicit Places(std::size_t max) : max_(max) {}
  bool full() const { return places_.size() == max_; }
  // An event that is no newer than the oldest place has none, once all are taken.
  bool has_room_for(Hlc hlc) const { return !full() || hlc > places_.begin()->hlc; }
  void add(const Place& place) {
    places_.insert(place);
    if (places_.size() > max_) places_.erase(places_.begin());
  }
  // Leaves the oldest out until the rest, but for one, fits; true when there was one.
  bool cut(std::size_t bytes_max) {
    std::size_t bytes = 0;
    auto it = places_.end();
    while (it != places_.begin() && bytes < bytes_max)
      bytes += (--it)->bytes;
    const bool some = it != places_.begin();
    places_.erase(places_.begin(), it);
    return some;
  }
  // By log, the seqs in order.
  std::map<LogId, std::set<Seq>> by_log() const {
    std::map<LogId, std::set<Seq>> logs;
    for (const Place& place : places_)
      logs[place.dot.log].insert(place.dot.seq);
    return logs;
  }

 private:
  std::size_t max_;
  std::set<Place> places_;
};

// Logs that end with the newest event first.
std::vector<const LogRow*> newest_first(const LogTable& logs, const EventFilter& filter) {
  std::vector<const LogRow*> rows;
  for (const LogRow& row : logs.rows()) {
    if (filter.takes(row.head)) rows.push_back(&row);
  }
  std::sort(rows.begin(), rows.end(), [](const LogRow* a, const LogRow* b) {
    return std::tie(a->head.hlc, a->head.log) > std::tie(b->head.hlc, b->head.log);
  });
  return rows;
}

// From the end of the log on, in windows that grow, until nothing before can be among the newest:
// within a log the hlc only rises.
Status add_log(EventScan& scan, const LogRow& log, Seq first, std::size_t wanted, Places& places) {
  std::size_t found = 0;
  Seq window = std::min<Seq>(wanted, kWindowMax);
  Seq to = log.head.held.seq;
  while (to >= first && found < wanted) {
    const Seq from = to - first + 1 > window ? to - window + 1 : first;
    std::optional<Hlc> oldest;
    scan.start(log, from, to);
    for (;;) {
      EBB_ASSIGN(const bool more, scan.next());
      if (!more) break;
      const codec::EventView& event = scan.event();
      if (!oldest) oldest = event.hlc;
      ++found;
      if (!places.has_room_for(event.hlc)) continue;
      const std::size_t bytes =
          event.payload.size() + event.type.size() + (event.source ? event.source->size() : 0);
      places.add({event.hlc, {log.head.log, scan.seq()}, bytes});
    }
    if (oldest && !places.has_room_for(*oldest)) break;
    to = from - 1;
    window = std::min(window * 4, kWindowMax);
  }
  return {};
}

}  // namespace

Result<bool> Reader::newest_events(const EventFilter& filter, const NewestBounds& bounds,
                                   const std::function<void(const EventRow&)>& visit) const {
  EBB_CHECK(bounds.events > 0);
  EBB_ASSIGN(const LogTable* const logs, impl_->logs());
  std::optional<ScanFilter> wanted = scan_filter(filter);
  if (!wanted) return false;
  EventScan& scan = impl_->scan;
  scan.set_filter(std::move(*wanted));
  scan.set_expired(impl_->expired);
  Places places(bounds.events);
  const std::vector<const LogRow*> rows = newest_first(*logs, filter);
  for (const LogRow* row : rows) {
    if (!places.has_room_for(row->head.hlc)) break;
    EBB_RETURN_IF_ERROR(
        add_log(scan, *row, first_wanted(filter, row->head.log), bounds.events, places));
  }
  const bool cut = places.cut(bounds.bytes);
  const std::map<LogId, std::set<Seq>> chosen = places.by_log();
  EventRow row;
  for (const LogRow* log : rows) {
    const auto it = chosen.find(log->head.log);
    if (it == chosen.end()) continue;
    row.key = log->head.key;
    scan.start(*log, *it->second.begin(), *it->second.rbegin());
    for (;;) {
      EBB_ASSIGN(const bool more, scan.next());
      if (!more) break;
      if (it->second.count(scan.seq()) == 0) continue;
      take_event(scan, log->head.log, row);
      visit(row);
    }
  }
  scan.stop();
  return cut;
}

}  // namespace ebb::store
