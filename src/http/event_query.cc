#include "http/event_query.h"

#include "core/limits.h"
#include "http/json_events.h"
#include "http/time_text.h"

namespace ebb::http {
namespace {

constexpr std::size_t kEventsByDefault = 1000;

Status parse_names(const Request& request, store::EventFilter& filter, std::string& field) {
  filter.topic = request.parameter(field = "topic");
  // The mesh's own topic may be read, but has to be asked for.
  filter.data_only = true;
  if (filter.topic && !is_valid_topic(*filter.topic)) {
    return Error{ErrorCode::kInvalidArgument, "has to be the name of a topic"};
  }
  filter.type = request.parameter(field = "type");
  if (const auto text = request.parameter(field = "device")) {
    filter.device = parse_device(*text);
    if (!filter.device) return Error{ErrorCode::kInvalidArgument, "has to be the id of a device"};
  }
  if (const auto text = request.parameter(field = "log")) {
    filter.log = parse_log(*text);
    if (!filter.log) return Error{ErrorCode::kInvalidArgument, "has to be the id of a log"};
  }
  return {};
}

// Leaves `number` as it is when there is none.
Status parse_number(const Request& request, const std::string& name, std::size_t& number) {
  const auto text = request.parameter(name);
  if (!text) return {};
  const auto parsed = parse_uint(*text);
  if (!parsed || *parsed == 0 || *parsed > limits::kHttpEventsPerAnswer) {
    return Error{ErrorCode::kInvalidArgument, "has to be a number from 1 to",
                 std::to_string(limits::kHttpEventsPerAnswer)};
  }
  number = *parsed;
  return {};
}

Status parse_reading(const Request& request, EventQuery& query, std::string& field) {
  if (const auto text = request.parameter(field = "after")) {
    EBB_ASSIGN(query.filter.after, parse_cursor(*text));
    query.has_after = true;
  }
  if (const auto text = request.parameter(field = "follow")) {
    if (*text != "sse") return Error{ErrorCode::kInvalidArgument, "has to be sse"};
    query.follow = true;
  }
  query.limit = kEventsByDefault;
  EBB_RETURN_IF_ERROR(parse_number(request, field = "limit", query.limit));
  std::size_t newest = 0;
  EBB_RETURN_IF_ERROR(parse_number(request, field = "newest", newest));
  if (newest == 0) return {};
  if (query.follow || request.parameter("limit")) {
    return Error{ErrorCode::kInvalidArgument, "goes neither with limit nor with follow"};
  }
  query.newest = true;
  query.limit = newest;
  return {};
}

Status parse_bound(const Request& request, const std::string& name,
                   std::optional<std::int64_t>& bound) {
  const auto text = request.parameter(name);
  if (!text) return {};
  bound = parse_time(*text);
  if (bound) return {};
  return Error{ErrorCode::kInvalidArgument, "has to be RFC 3339 or milliseconds"};
}

}  // namespace

bool parse_time_range(const RequestPtr& request, std::optional<std::int64_t>& from,
                      std::optional<std::int64_t>& to) {
  if (const Status status = parse_bound(*request, "from", from); !status) {
    request->refuse(status.error(), "from");
    return false;
  }
  if (const Status status = parse_bound(*request, "to", to); !status) {
    request->refuse(status.error(), "to");
    return false;
  }
  return true;
}

std::optional<EventQuery> parse_event_query(const RequestPtr& request) {
  if (!request->only_parameters(
          {"topic", "type", "device", "log", "after", "from", "to", "limit", "newest", "follow"})) {
    return std::nullopt;
  }
  EventQuery query;
  std::string field;
  Status status = parse_names(*request, query.filter, field);
  if (status) status = parse_reading(*request, query, field);
  if (!status) {
    request->refuse(status.error(), field);
    return std::nullopt;
  }
  if (!parse_time_range(request, query.filter.ts_from, query.filter.ts_to)) return std::nullopt;
  return query;
}

}  // namespace ebb::http
