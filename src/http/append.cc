#include "http/append.h"

#include <cstdint>
#include <utility>

#include "core/limits.h"
#include "http/appended.h"
#include "http/handlers.h"
#include "http/json_events.h"
#include "http/ndjson_append.h"

namespace ebb::http {
namespace {

// "application/json; charset=utf-8" without what follows the type.
std::string media_type(std::string_view content_type) {
  std::string type(content_type.substr(0, content_type.find(';')));
  const std::size_t end = type.find_last_not_of(" \t");
  type.resize(end == std::string::npos ? 0 : end + 1);
  for (char& c : type)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return type;
}

// Events that came together belong to one topic, or one batch could not hold them.
Result<store::AppendBatch> batch_of(std::vector<ParsedEvent> events, const std::string& topic) {
  store::AppendBatch batch{.topic = topic, .items = {}};
  if (!events.empty()) batch.topic = events.front().topic.value_or(topic);
  batch.items.reserve(events.size());
  for (ParsedEvent& parsed : events) {
    if (parsed.topic.value_or(topic) != batch.topic) {
      return Error{ErrorCode::kInvalidArgument,
                   "the events of an array are of one topic; a stream of NDJSON may mix them"};
    }
    batch.items.emplace_back(std::move(parsed.event));
  }
  return batch;
}

}  // namespace

void begin_append(const RequestPtr& request) {
  if (!request->only_parameters({"topic"})) return;
  auto topic = request->topic();
  if (!topic) return;
  const std::string type = media_type(request->content_type());
  if (type == "application/x-ndjson" || type == "application/ndjson") {
    request->set_sink(make_ndjson_append(request, std::move(*topic)));
  } else if (!type.empty() && type != "application/json") {
    request->refuse({ErrorCode::kUnsupported, "application/json or application/x-ndjson", type},
                    "Content-Type");
  }
}

void append_events(const RequestPtr& request) {
  const auto topic = request->topic();
  if (!topic) return;
  EventParser parser;
  std::vector<ParsedEvent> events;
  const std::string_view body = request->body();
  const std::size_t first = body.find_first_not_of(" \t\r\n");
  const bool is_array = first != std::string_view::npos && body[first] == '[';
  const Status parsed = is_array ? parser.parse_array(body, events)
                                 : parser.parse_object(body, events.emplace_back());
  if (!parsed) return request->refuse(parsed.error(), parser.field());
  Result<store::AppendBatch> batch = batch_of(std::move(events), *topic);
  if (!batch) return request->refuse(batch.error(), "topic");
  append_and_answer(request, std::move(batch).value());
}

void append_and_answer(const RequestPtr& request, store::AppendBatch batch) {
  const auto answer_with = [](Request& to, const std::vector<store::DotRange>& ranges) {
    Appended appended(SIZE_MAX);
    appended.add(ranges);
    std::string body;
    JsonWriter out(body);
    out.begin_object();
    appended.write(out);
    out.end_object();
    to.answer(json_answer(std::move(body)));
  };
  if (batch.items.empty()) return answer_with(*request, {});
  request->node().append(std::move(batch),
                         [weak = request->weak_from_this(), answer_with](auto result) {
                           const RequestPtr waiting = weak.lock();
                           if (!waiting) return;
                           if (!result) return waiting->refuse(result.error());
                           answer_with(*waiting, *result);
                         });
}

}  // namespace ebb::http
