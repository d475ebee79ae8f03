// Pages of events as text: what GET /v1/events answers and what followers are sent.
//
// Model:   a page holds whole events, log by log in order of seq, up to a number and a size; its
//          positions say how far it came.
// Errors:  those of Reader::events; kCorrupt for a payload that cannot be read.
// Threads: pure functions over a Reader; any thread.
// Spec:    docs/api.md
#pragma once

#include <cstdint>
#include <string>

#include "core/result.h"
#include "http/cursor.h"
#include "store/reader.h"

namespace ebb::http {

enum class PageForm {
  kLines,        // one JSON object a line
  kServerEvents  // text/event-stream
};

struct PageBounds {
  std::size_t events = 0;
  std::size_t bytes = 0;  // the event that passes it is the last
};

struct EventPage {
  Status status;
  std::string text;
  std::uint64_t events = 0;
  Positions positions;  // filter.after, and how far each log was read
  bool more = false;    // a bound or its time ended it
};

// One event as the object that docs/api.md describes.
Status append_event_json(std::string& out, const store::EventRow& row);

EventPage read_page(const store::Reader& reader, const store::EventFilter& filter, PageForm form,
                    const PageBounds& bounds);

// The newest events by (hlc, log, seq), the oldest first, as lines. `more`: the bytes ended it.
EventPage read_newest(const store::Reader& reader, const store::EventFilter& filter,
                      const PageBounds& bounds);

}  // namespace ebb::http
