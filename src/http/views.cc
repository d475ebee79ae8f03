#include <map>

#include "codec/record.h"
#include "core/limits.h"
#include "http/ask.h"
#include "http/completeness.h"
#include "http/event_query.h"
#include "http/handlers.h"
#include "state/fold.h"

namespace ebb::http {
namespace {

struct Count {
  std::uint64_t value = 0;
  std::uint64_t late = 0;
};

Result<Count> count_type(const store::Reader& reader, const std::string& type,
                         std::optional<std::int64_t> from, std::optional<std::int64_t> to) {
  EBB_ASSIGN(const auto cells, reader.count_cells(type));
  Count count;
  for (const state::CountCell& cell : cells) {
    if (from && cell.window_start_ms < *from) continue;
    if (to && cell.window_start_ms >= *to) continue;
    count.value += cell.count;
    count.late += cell.late;
  }
  return count;
}

using Counts = std::map<std::string, std::uint64_t>;

Result<Counts> count_all(const store::Reader& reader) {
  EBB_ASSIGN(const auto cells, reader.count_cells(""));
  Counts counts;
  for (const state::CountCell& cell : cells) {
    // What devices write of themselves nobody asked to be counted.
    const bool record = cell.type == codec::kOpeningType || cell.type == codec::kClockFixType;
    if (!record) counts[cell.type] += cell.count;
  }
  return counts;
}

}  // namespace

void get_view(const RequestPtr& request) {
  if (!request->only_parameters({"from", "to"})) return;
  if (request->name().size() > limits::kTypeBytes) {
    return request->refuse({ErrorCode::kNotFound, "no such view"}, "name");
  }
  std::optional<std::int64_t> from;
  std::optional<std::int64_t> to;
  if (!parse_time_range(request, from, to)) return;
  ask_store<Count>(
      request, true,
      [type = request->name(), from, to](const store::Reader& reader) {
        return count_type(reader, type, from, to);
      },
      [](Request& waiting, const Count& count) {
        std::string body;
        JsonWriter out(body);
        out.begin_object().field("view", waiting.name());
        out.field("value", count.value).field("late", count.late).key("completeness");
        write_completeness(out, waiting.node().status());
        out.end_object();
        waiting.answer(json_answer(std::move(body)));
      });
}

void list_views(const RequestPtr& request) {
  if (!request->only_parameters({})) return;
  ask_store<Counts>(request, true, count_all, [](Request& waiting, const Counts& counts) {
    std::string body;
    JsonWriter out(body);
    out.begin_object().key("views").begin_array();
    for (const auto& [type, value] : counts)
      out.begin_object().field("view", type).field("value", value).end_object();
    out.end_array().key("completeness");
    write_completeness(out, waiting.node().status());
    out.end_object();
    waiting.answer(json_answer(std::move(body)));
  });
}

void get_digest(const RequestPtr& request) {
  if (!request->only_parameters({})) return;
  request->node().digest([weak = request->weak_from_this()](const Result<Hash>& digest) {
    const RequestPtr waiting = weak.lock();
    if (!waiting) return;
    if (!digest) return waiting->refuse(digest.error());
    const node::NodeStatus status = waiting->node().status();
    std::string body;
    JsonWriter out(body);
    out.begin_object().field("digest", to_hex(digest->view()));
    out.field("fold_version", state::kFoldVersion).field("logs", status.heads);
    out.field("events", status.events_held - status.records_held);
    out.field("records", status.records_held).field("root", to_hex(status.root.view()));
    out.end_object();
    waiting->answer(json_answer(std::move(body)));
  });
}

}  // namespace ebb::http
