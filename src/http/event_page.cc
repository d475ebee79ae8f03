#include "http/event_page.h"

#include <algorithm>
#include <map>
#include <utility>

#include "codec/value.h"
#include "core/limits.h"
#include "http/answer.h"
#include "http/json_writer.h"

namespace ebb::http {
namespace {

// A follower's events carry the cursor behind them while it is short; otherwise only the last event
// of a page does, and a client that comes back after a break sees some events again.
constexpr std::size_t kLogsNamedEachTime = 16;

void append_id_line(std::string& out, const Positions& positions) {
  out.append("id: ").append(cursor_text(positions)).push_back('\n');
}

}  // namespace

Status append_event_json(std::string& out, const store::EventRow& row) {
  EBB_ASSIGN(const std::string payload, codec::to_json(row.event.payload));
  JsonWriter json(out);
  json.begin_object();
  json.field("device", device_text(row.key.device));
  json.field("incarnation", incarnation_text(row.key.incarnation)).field("topic", row.key.topic);
  json.field("log", log_text(row.dot.log)).field("seq", row.dot.seq);
  json.field("dot", dot_text(row.dot)).field("hlc", row.event.hlc.value);
  json.field("ts", row.event.effective_ts_ms()).field("type", row.event.type);
  json.field("source", row.event.source).field("schema", row.event.schema);
  json.key("payload").raw(payload).field("id", uuid_text(row.id)).end_object();
  return {};
}

EventPage read_page(const store::Reader& reader, const store::EventFilter& filter, PageForm form,
                    const PageBounds& bounds) {
  EventPage page;
  page.positions = filter.after;
  Status broken;
  const auto visit = [&](const store::EventRow& row) {
    if (page.events == bounds.events || page.text.size() >= bounds.bytes) {
      page.more = true;
      return false;
    }
    if (form == PageForm::kServerEvents) page.text.append("data: ");
    broken = append_event_json(page.text, row);
    if (!broken) return false;
    page.text.push_back('\n');
    page.positions[row.dot.log] = row.dot.seq;
    ++page.events;
    if (form == PageForm::kServerEvents) {
      if (page.positions.size() <= kLogsNamedEachTime) append_id_line(page.text, page.positions);
      page.text.push_back('\n');
    }
    return true;
  };
  const auto end = reader.events(filter, bounds.events + 1, visit);
  if (!end) page.status = end.error();
  if (!broken) page.status = broken;
  if (end && end->expired) {
    page.more = true;
    for (const auto& [log, seq] : end->scanned)
      page.positions[log] = std::max(page.positions[log], seq);
  }
  const bool names_itself_late = form == PageForm::kServerEvents && page.events > 0 &&
                                 page.positions.size() > kLogsNamedEachTime &&
                                 page.positions.size() <= limits::kHttpCursorLogs;
  if (names_itself_late) {
    page.text.pop_back();  // back into the last event
    append_id_line(page.text, page.positions);
    page.text.push_back('\n');
  }
  return page;
}

EventPage read_newest(const store::Reader& reader, const store::EventFilter& filter,
                      const PageBounds& bounds) {
  EventPage page;
  Status broken;
  std::map<std::pair<Hlc, Dot>, std::string> lines;
  std::size_t bytes = 0;
  const auto cut =
      reader.newest_events(filter, {bounds.events, bounds.bytes}, [&](const store::EventRow& row) {
        std::string& line = lines[{row.event.hlc, row.dot}];
        if (broken) broken = append_event_json(line, row);
        bytes += line.size() + 1;
      });
  if (!cut) {
    page.status = cut.error();
    return page;
  }
  page.status = broken;
  page.more = *cut;
  // As text they may be larger than they were.
  while (bytes > bounds.bytes && lines.size() > 1) {
    bytes -= lines.begin()->second.size() + 1;
    lines.erase(lines.begin());
    page.more = true;
  }
  page.events = lines.size();
  for (const auto& [place, line] : lines)
    page.text.append(line).push_back('\n');
  return page;
}

}  // namespace ebb::http
