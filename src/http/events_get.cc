#include "core/limits.h"
#include "http/event_page.h"
#include "http/event_query.h"
#include "http/follow.h"
#include "http/handlers.h"

namespace ebb::http {
namespace {

void answer_page(Request& request, EventPage page) {
  if (!page.status) return request.refuse(page.status.error());
  std::string cursor;
  if (page.more) {
    if (page.positions.size() > limits::kHttpCursorLogs) {
      return request.refuse({ErrorCode::kTooLarge, "cursor",
                             "more than " + std::to_string(limits::kHttpCursorLogs) +
                                 " logs: choose a device, a topic or a log"});
    }
    cursor = cursor_text(page.positions);
  }
  Answer answer{.content_type = "application/x-ndjson", .body = std::move(page.text)};
  if (!cursor.empty()) answer.headers.emplace_back("Ebb-Cursor", std::move(cursor));
  request.answer(std::move(answer));
}

}  // namespace

void get_events(const RequestPtr& request) {
  auto query = parse_event_query(request);
  if (!query) return;
  if (query->follow) return follow_events(request, std::move(*query));
  const auto page = std::make_shared<EventPage>();
  const PageBounds bounds{.events = query->limit, .bytes = limits::kHttpAnswerBytes};
  request->node().query(
      false,
      [page, bounds, filter = std::move(query->filter)](const store::Reader& reader) {
        *page = read_page(reader, filter, PageForm::kLines, bounds);
      },
      [page, weak = request->weak_from_this()](const Status& status) {
        const RequestPtr waiting = weak.lock();
        if (!waiting) return;
        if (!status) return waiting->refuse(status.error());
        answer_page(*waiting, std::move(*page));
      });
}

}  // namespace ebb::http
