#include "core/limits.h"
#include "http/event_page.h"
#include "http/event_query.h"
#include "http/follow.h"
#include "http/handlers.h"

namespace ebb::http {
namespace {

// What ends a query has no name of its own for people.
Error told(Error error) {
  if (error.context == "time")
    error.detail = "more than " + std::to_string(limits::kQueryMs) + " ms";
  return error;
}

void answer_page(Request& request, EventPage page, bool newest) {
  if (!page.status) return request.refuse(told(page.status.error()));
  std::string cursor;
  if (page.more && !newest) {
    if (page.positions.size() > limits::kHttpCursorLogs) {
      return request.refuse({ErrorCode::kTooLarge, "cursor",
                             "more than " + std::to_string(limits::kHttpCursorLogs) +
                                 " logs: choose a device, a topic or a log"});
    }
    cursor = cursor_text(page.positions);
  }
  Answer answer{.content_type = "application/x-ndjson", .body = std::move(page.text)};
  if (!cursor.empty()) answer.headers.emplace_back("Ebb-Cursor", std::move(cursor));
  if (page.more && newest) answer.headers.emplace_back("Ebb-Cut", "bytes");
  request.answer(std::move(answer));
}

}  // namespace

void get_events(const RequestPtr& request) {
  auto query = parse_event_query(request);
  if (!query) return;
  if (query->follow) return follow_events(request, std::move(*query));
  const auto page = std::make_shared<EventPage>();
  const bool newest = query->newest;
  const PageBounds bounds{.events = query->limit, .bytes = limits::kHttpAnswerBytes};
  request->node().query(
      false,
      [page, bounds, newest, filter = std::move(query->filter)](const store::Reader& reader) {
        *page = newest ? read_newest(reader, filter, bounds)
                       : read_page(reader, filter, PageForm::kLines, bounds);
      },
      [page, newest, weak = request->weak_from_this()](const Status& status) {
        const RequestPtr waiting = weak.lock();
        if (!waiting) return;
        if (!status) return waiting->refuse(status.error());
        answer_page(*waiting, std::move(*page), newest);
      });
}

}  // namespace ebb::http
