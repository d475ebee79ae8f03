#include <chrono>

#include "core/limits.h"
#include "http/ask.h"
#include "http/completeness.h"
#include "http/handlers.h"
#include "http/json_fields.h"

namespace ebb::http {
namespace {

using Clock = std::chrono::steady_clock;

void write_cell(JsonWriter& out, const store::SqlValue& cell) {
  if (const auto* integer = std::get_if<std::int64_t>(&cell)) {
    out.value(*integer);
  } else if (const auto* real = std::get_if<double>(&cell)) {
    out.value(*real);
  } else if (const auto* text = std::get_if<std::string>(&cell)) {
    out.value(as_utf8(*text));
  } else if (const auto* blob = std::get_if<Bytes>(&cell)) {
    out.value(to_hex(*blob));
  } else {
    out.null();
  }
}

// Text may be longer than what it tells, by its escapes, and has the same bound.
Result<std::string> rows_text(const store::SqlResult& result) {
  std::string body;
  JsonWriter out(body);
  out.begin_object().key("columns").begin_array();
  for (const std::string& column : result.columns)
    out.value(as_utf8(column));
  out.end_array().key("rows").begin_array();
  for (const auto& row : result.rows) {
    out.begin_array();
    for (const store::SqlValue& cell : row)
      write_cell(out, cell);
    out.end_array();
    if (body.size() > limits::kSqlResultBytes) {
      return Error{ErrorCode::kTooLarge, "bytes",
                   "more than " + std::to_string(limits::kSqlResultBytes) + " of JSON"};
    }
  }
  out.end_array();
  return body;
}

// Rows tell of what is held; the node says at the end what else there is.
std::string with_completeness(std::string body, const node::NodeStatus& status) {
  std::string completeness;
  JsonWriter out(completeness);
  write_completeness(out, status);
  body += ",\"completeness\":";
  body += completeness;
  return body += '}';
}

Result<std::string> run(const store::Reader& reader, const std::string& statement) {
  const auto deadline = Clock::now() + std::chrono::milliseconds(limits::kSqlMs);
  const store::SqlLimits bounds{.rows = limits::kSqlRows,
                                .bytes = limits::kSqlResultBytes,
                                .expired = [deadline] { return Clock::now() >= deadline; }};
  const Result<store::SqlResult> result = reader.sql(statement, bounds);
  if (result) return rows_text(*result);
  Error error = result.error();
  if (error.context == "time") error.detail = "more than " + std::to_string(limits::kSqlMs) + " ms";
  return error;
}

// One query that runs, until it is over, whether or not its client is still there.
class Running {
 public:
  explicit Running(std::shared_ptr<std::size_t> count) : count_(std::move(count)) { ++*count_; }
  ~Running() { --*count_; }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  std::shared_ptr<std::size_t> count_;
};

}  // namespace

void run_sql(const RequestPtr& request) {
  if (!request->only_parameters({})) return;
  std::string field;
  const auto fields = parse_fields(request->body(), {"sql"}, field);
  if (!fields) return request->refuse(fields.error(), field);
  const auto statement = text_field(*fields, "sql", limits::kSqlTextBytes);
  if (!statement) return request->refuse(statement.error(), "sql");
  const auto& running = request->context().sql_running;
  if (*running >= limits::kSqlAtOnce) {
    Answer busy = error_answer({ErrorCode::kBusy, "SQL",
                                "no more than " + std::to_string(limits::kSqlAtOnce) + " at once"});
    busy.status = 429;
    return request->answer(std::move(busy));
  }
  const auto result = std::make_shared<Result<std::string>>(Error{});
  request->node().query(
      false,
      [result, statement = *statement](const store::Reader& reader) {
        *result = run(reader, statement);
      },
      [result, weak = request->weak_from_this(),
       mine = std::make_shared<Running>(running)](const Status& status) {
        const RequestPtr waiting = weak.lock();
        if (!waiting) return;
        if (!status) return waiting->refuse(status.error());
        if (!result->ok()) return waiting->refuse(result->error(), "sql");
        waiting->answer(
            json_answer(with_completeness(std::move(*result).value(), waiting->node().status())));
      });
}

}  // namespace ebb::http
