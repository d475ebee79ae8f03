#include <fmt/format.h>

#include <algorithm>

#include "cli/commands.h"
#include "cli/print.h"
#include "cli/raw_json.h"
#include "cli/suggest.h"

namespace ebb::cli {
namespace {

RequestTarget object_target(const std::string& kind, const ObjectOptions& options) {
  RequestTarget target("/v1/" + kind + "/" + percent_encoded(options.name));
  target.with("topic", options.topic);
  return target;
}

// An integer of any length, as JSON writes it; what fits is the node's to judge.
bool is_json_integer(std::string_view text) {
  return is_json(text) && text.find_first_not_of("-0123456789") == std::string_view::npos;
}

Exit change_object(const Context& context, const RequestTarget& target,
                   const ObjectOptions& options, const std::string& operand) {
  std::string body = fmt::format("{{\"{}\":{}", options.operation, operand);
  if (options.id) {
    const auto id = quote_json(*options.id);
    if (!id) return usage_failure("the id is not UTF-8 text");
    body += ",\"id\":" + *id;
  }
  EBB_ASSIGN(const Document answer, context.post(target, body + '}'));
  print_dots(context, answer);
  return ExitCode::kOk;
}

Exit id_without_change() {
  return usage_failure("--id is of a change, and there is none", "say what to do: add, remove");
}

// ---- SQL

struct Rows {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string_view>> cells;  // JSON texts, slices of the answer
};

Rows rows_of(const Document& answer) {
  Rows rows;
  for (const nlohmann::json& column : list_at(answer.value, "columns"))
    rows.columns.push_back(column.is_string() ? column.get<std::string>() : "");
  const std::string_view all = raw_member(answer.text, "rows").value_or("[]");
  for (const std::string_view row : raw_elements(all)) {
    rows.cells.push_back(raw_elements(row));
    rows.cells.back().resize(rows.columns.size(), "null");
  }
  return rows;
}

void print_table(const Context& context, const Rows& rows) {
  std::vector<Table::Column> columns;
  for (std::size_t c = 0; c < rows.columns.size(); ++c) {
    const bool numbers = std::all_of(rows.cells.begin(), rows.cells.end(), [c](const auto& row) {
      return row[c] == "null" || row[c].find_first_of("-0123456789") == 0;
    });
    columns.push_back({rows.columns[c], numbers ? Table::Align::kRight : Table::Align::kLeft});
  }
  Table table(std::move(columns));
  for (const auto& row : rows.cells) {
    std::vector<std::string> cells;
    cells.reserve(row.size());
    for (const std::string_view cell : row)
      cells.push_back(cell == "null" ? "NULL" : plain_text(cell));
    table.add(cells);
  }
  context.print(table.text(context.colours(), context.columns()));
}

Exit list_views(const Context& context, const QueryOptions& options) {
  if (!options.from.empty() || !options.to.empty()) {
    return usage_failure("--from and --to are of a view",
                         "name one: " + context.command("query VIEW --from ..."));
  }
  EBB_ASSIGN(const Document answer, context.get(RequestTarget("/v1/views")));
  if (context.globals().json) {
    context.print_json(answer.text);
    return ExitCode::kOk;
  }
  Table table({{"view"}, {"value", Table::Align::kRight}});
  for (const nlohmann::json& row : list_at(answer.value, "views"))
    table.add({text_at(row, "view"), std::to_string(count_at(row, "value"))});
  context.print(table.text(context.colours(), context.columns()));
  context.print(completeness_words(object_at(answer.value, "completeness")) + '\n');
  return ExitCode::kOk;
}

// Nothing of it may be a slip of the pen.
Exit note_unknown_view(const Context& context, const std::string& view) {
  EBB_ASSIGN(const Document answer, context.get(RequestTarget("/v1/views")));
  std::vector<std::string> known;
  for (const nlohmann::json& row : list_at(answer.value, "views"))
    known.push_back(text_at(row, "view"));
  if (std::find(known.begin(), known.end(), view) != known.end()) return ExitCode::kOk;
  const auto meant = nearest_word(view, known);
  context.note("no event of this type is known" +
               (meant ? "; did you mean " + *meant + "?" : std::string()));
  return ExitCode::kOk;
}

}  // namespace

Exit run_query(const Context& context, const QueryOptions& options) {
  if (options.view.empty()) return list_views(context, options);
  RequestTarget target("/v1/views/" + percent_encoded(options.view));
  target.with("from", options.from).with("to", options.to);
  EBB_ASSIGN(const Document answer, context.get(target, {{"from", "--from"}, {"to", "--to"}}));
  if (context.globals().json) {
    context.print_json(answer.text);
    return ExitCode::kOk;
  }
  const std::string value = plain_text(raw_member(answer.text, "value").value_or("null"));
  const std::uint64_t late = count_at(answer.value, "late");
  const std::string note = late > 0 ? fmt::format(", {} late", late) : "";
  context.print(fmt::format("{}   {}{}\n", escape_text(value),
                            completeness_words(object_at(answer.value, "completeness")), note));
  if (value == "0") return note_unknown_view(context, options.view);
  return ExitCode::kOk;
}

Exit run_counter(const Context& context, const ObjectOptions& options) {
  const RequestTarget target = object_target("counters", options);
  if (options.operation.empty() && options.id) return id_without_change();
  if (!options.operation.empty()) {
    if (!options.operand || !is_json_integer(*options.operand)) {
      return usage_failure("how much to add? " + options.operand.value_or(""),
                           "write an integer: " + context.command("counter NAME add 5"));
    }
    return change_object(context, target, options, *options.operand);
  }
  EBB_ASSIGN(const Document answer, context.get(target));
  if (context.globals().json) {
    context.print_json(answer.text);
  } else {
    const auto value = raw_member(answer.text, "value").value_or("null");
    context.print(escape_text(plain_text(value)) + '\n');
  }
  return ExitCode::kOk;
}

Exit run_set(const Context& context, const ObjectOptions& options) {
  const RequestTarget target = object_target("sets", options);
  if (options.operation.empty() && options.id) return id_without_change();
  if (!options.operation.empty()) {
    if (!options.operand) {
      return usage_failure(
          "what to " + options.operation + "?",
          "write one element: " + context.command("set NAME " + options.operation + " X"));
    }
    const auto element = quote_json(*options.operand);
    if (!element) return usage_failure("the element is not UTF-8 text");
    return change_object(context, target, options, *element);
  }
  EBB_ASSIGN(const Document answer, context.get(target));
  if (context.globals().json) {
    context.print_json(answer.text);
    return ExitCode::kOk;
  }
  const std::string_view elements = raw_member(answer.text, "elements").value_or("[]");
  for (const std::string_view element : raw_elements(elements))
    context.print(escape_text(plain_text(element)) + '\n');
  return ExitCode::kOk;
}

Exit run_digest(const Context& context) {
  EBB_ASSIGN(const Document answer, context.get(RequestTarget("/v1/digest")));
  if (context.globals().json) {
    context.print_json(answer.text);
  } else {
    context.print(escape_text(text_at(answer.value, "digest")) + '\n');
  }
  return ExitCode::kOk;
}

Exit run_sql(const Context& context, const std::string& statement) {
  const auto quoted = quote_json(statement);
  if (!quoted) return usage_failure("the statement is not UTF-8 text");
  EBB_ASSIGN(const Document answer,
             context.post(RequestTarget("/v1/sql"), "{\"sql\":" + *quoted + "}"));
  const Rows rows = rows_of(answer);
  if (context.globals().json) {
    context.print_json(answer.text);
  } else if (rows.columns.size() == 1 && rows.cells.size() == 1) {
    context.print(escape_text(plain_text(rows.cells[0][0])) + '\n');
  } else if (!rows.cells.empty()) {
    print_table(context, rows);
  } else if (context.terminal().out_is_terminal) {
    context.note("no rows");
  }
  const nlohmann::json& completeness = object_at(answer.value, "completeness");
  if (text_at(completeness, "state") == "behind") context.note(completeness_words(completeness));
  return ExitCode::kOk;
}

}  // namespace ebb::cli
