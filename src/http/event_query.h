// The query of GET /v1/events, read once and strictly.
//
// Threads: call on the loop thread.
// Spec:    docs/api.md
#pragma once

#include <optional>

#include "http/cursor.h"
#include "http/request.h"
#include "store/reader.h"

namespace ebb::http {

struct EventQuery {
  store::EventFilter filter;
  bool has_after = false;
  bool follow = false;
  std::size_t limit = 0;
  bool newest = false;  // the newest `limit`, not the first
};

// nullopt when something in it is wrong; the request is then answered.
std::optional<EventQuery> parse_event_query(const RequestPtr& request);

// The parameters `from` and `to`; false when one is wrong and the request is answered.
bool parse_time_range(const RequestPtr& request, std::optional<std::int64_t>& from,
                      std::optional<std::int64_t>& to);

}  // namespace ebb::http
