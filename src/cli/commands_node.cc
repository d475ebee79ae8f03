#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <ostream>
#include <utility>

#include "cli/background.h"
#include "cli/commands.h"
#include "cli/member_words.h"
#include "cli/print.h"
#include "cli/raw_json.h"
#include "core/limits.h"

namespace ebb::cli {
namespace {

using Align = Table::Align;

// One picture of a command that can be watched.
struct Screen {
  std::string text;
  ExitCode exit = ExitCode::kOk;
};
using Draw = std::function<Screen(const Document&)>;

Screen screen_of(const Context& context, const Document& answer, const Draw& draw) {
  Screen screen = draw(answer);
  if (context.globals().json) screen.text = answer.text;
  if (screen.text.empty() || screen.text.back() != '\n') screen.text += '\n';
  return screen;
}

// Prints once, or again and again until the node is gone or the person has seen enough.
Exit show(const Context& context, const std::string& path, const WatchOptions& watch,
          const Draw& draw) {
  constexpr std::string_view kHomeAndClear = "\x1b[H\x1b[2J";
  const bool again = !watch.seconds.empty();
  const Duration between =
      milliseconds(std::llround(std::strtod(watch.seconds.c_str(), nullptr) * 1000));
  const bool redraws = again && context.terminal().out_is_terminal;
  while (true) {
    EBB_ASSIGN(const Document answer, context.get(RequestTarget(path)));
    const Screen screen = screen_of(context, answer, draw);
    if (redraws) context.print(kHomeAndClear);
    context.print(screen.text);
    if (!again || !context.terminal().out.flush()) return screen.exit;
    pause_for(between);
  }
}

std::string short_device(const std::string& device) { return device.substr(0, 8); }

// The text at a key, or a dash, so that no cell of a table is empty.
std::string cell_at(const nlohmann::json& row, std::string_view key) {
  std::string text = text_at(row, key);
  return text.empty() ? "-" : text;
}

std::string count_cell(const nlohmann::json& row, std::string_view key) {
  return std::to_string(count_at(row, key));
}

// ---- status

Colour colour_of(const std::string& level) {
  if (level == "ok") return Colour::kGreen;
  return level == "warn" ? Colour::kYellow : Colour::kRed;
}

std::string missing_table(const Context& context, const nlohmann::json& completeness) {
  const nlohmann::json& missing = list_at(completeness, "missing");
  if (missing.empty()) return {};
  Table table({{"missing from"}, {"topic"}, {"held", Align::kRight}, {"known", Align::kRight}});
  for (const nlohmann::json& row : missing) {
    table.add({short_device(cell_at(row, "device")), cell_at(row, "topic"), count_cell(row, "held"),
               count_cell(row, "known")});
  }
  std::string text = '\n' + table.text(context.colours(), context.columns());
  const std::uint64_t logs = count_at(completeness, "missing_logs");
  if (logs > missing.size()) {
    text += "and " + count_text(logs - missing.size(), "log") + " more\n";
  }
  return text;
}

// "leaf", or "partial: topics a, b; devices x, y".
std::string scope_words(const nlohmann::json& scope) {
  std::string words = text_at(scope, "kind");
  for (const char* list : {"topics", "devices"}) {
    std::string names;
    for (const nlohmann::json& name : list_at(scope, list))
      names.append(names.empty() ? " " : ", ")
          .append(name.is_string() ? name.get<std::string>() : "?");
    if (!names.empty())
      words.append(words.ends_with("partial") ? ": " : "; ").append(list).append(names);
  }
  return words;
}

// As one of the mesh; nothing where the answer does not speak of it.
void add_membership(const nlohmann::json& status,
                    const std::function<void(std::string_view, std::string_view)>& field) {
  const std::string member = member_words(status);
  if (!member.empty()) field("member", member);
  const nlohmann::json& membership = object_at(status, "membership");
  const std::string refusal = text_at(membership, "last_refusal");
  const bool wants = text_at(membership, "standing") != "certified";
  if (!refusal.empty() && (wants || flag_at(membership, "renewal_due"))) {
    field("", "last refusal: " + refusal);
  }
  if (!refusal.empty() && text_at(membership, "standing") == "unknown") {
    field("", "on an issuer `ebb mesh admit secret` lets it in, with the events that it has");
  }
  const std::string issuers = issuers_words(status);
  if (!issuers.empty()) field("issuers", issuers);
}

std::string status_text(const Context& context, const nlohmann::json& status) {
  const nlohmann::json& verdict = object_at(status, "verdict");
  const nlohmann::json& completeness = object_at(status, "completeness");
  const nlohmann::json& store = object_at(status, "store");
  const nlohmann::json& queues = object_at(status, "queues");
  const std::string level = text_at(verdict, "level");
  std::string text = paint(colour_of(level), escape_text(level), context.colours()) + "  " +
                     escape_text(text_at(verdict, "text")) + "\n\n";
  const auto field = [&](std::string_view name, std::string_view value) {
    text += fmt::format("{:<9} {}\n", name, escape_text(value));
  };
  const std::string name = text_at(status, "name");
  field("device", text_at(status, "device") + (name.empty() ? "" : "  (" + name + ")"));
  field("mesh", text_at(status, "mesh"));
  add_membership(status, field);
  field("listen", fmt::format("{}, up {}", text_at(status, "listen"),
                              age_text(number_at(status, "uptime_ms"))));
  field("events", events_text(count_at(status, "events"), count_at(status, "heads"),
                              count_at(status, "records")));
  field("complete", completeness_words(completeness));
  const nlohmann::json& scope = object_at(status, "scope");
  const std::string kind = text_at(scope, "kind");
  if (!kind.empty() && kind != "full") field("scope", scope_words(scope));
  field("links", fmt::format("{}, {} known", count_text(count_at(status, "links"), "link"),
                             count_text(count_at(status, "peers"), "peer")));
  field("store", fmt::format("{}, durability {}", bytes_text(count_at(store, "bytes")),
                             text_at(status, "durability")));
  field("queues", fmt::format("append {}, engine {}", bytes_text(count_at(queues, "append_bytes")),
                              bytes_text(count_at(queues, "engine_bytes"))));
  const nlohmann::json& clock = object_at(status, "clock");
  if (text_at(clock, "state") == "suspect") {
    field("clock", "suspect: " + text_at(clock, "why"));
    field("", text_at(clock, "next"));
  }
  if (count_at(status, "incarnations") > 1) {
    field("own logs", "of " + count_text(count_at(status, "incarnations"), "incarnation"));
  }
  field("digest", text_at(status, "digest"));
  field("version", text_at(status, "version"));
  return text + missing_table(context, completeness);
}

// ---- links, peers

std::string class_text(const nlohmann::json& row) {
  const std::string name = row.is_object() && row.contains("class") ? cell_at(row, "class") : "";
  return (name.empty() ? "-" : name) + (flag_at(row, "held_back") ? " (held back)" : "");
}

// What classes of links have spent today; nothing where there are none.
std::string budgets_text(const Context& context, const nlohmann::json& answer) {
  if (!answer.is_object() || !answer.contains("classes")) return "";
  const nlohmann::json& classes = list_at(answer, "classes");
  if (classes.empty()) return "";
  Table table({{"class"},
               {"links", Align::kRight},
               {"spent today", Align::kRight},
               {"of", Align::kRight},
               {"waits", Align::kRight}});
  for (const nlohmann::json& row : classes) {
    const std::uint64_t daily = count_at(row, "daily_bytes");
    table.add({cell_at(row, "class"), count_cell(row, "links"),
               bytes_text(count_at(row, "spent_today_bytes")), daily > 0 ? bytes_text(daily) : "-",
               bytes_text(count_at(row, "waiting_bytes"))});
  }
  std::string text = "\n";
  return text.append(table.text(context.colours(), context.columns()));
}

std::string links_text(const Context& context, const nlohmann::json& answer) {
  const nlohmann::json& links = list_at(answer, "links");
  if (links.empty()) return "no link is open\n";
  Table table({{"peer"},
               {"remote"},
               {"dialled"},
               {"state"},
               {"rtt", Align::kRight},
               {"eager", Align::kRight},
               {"lazy", Align::kRight},
               {"missing here", Align::kRight},
               {"missing there", Align::kRight},
               {"class"},
               {"waits", Align::kRight},
               {"in", Align::kRight},
               {"out", Align::kRight},
               {"age", Align::kRight}});
  for (const nlohmann::json& row : links) {
    const auto rtt = row.is_object() ? row.find("rtt_ms") : row.end();
    const bool has_rtt = rtt != row.end() && rtt->is_number();
    table.add({short_device(cell_at(row, "peer")), cell_at(row, "remote"),
               flag_at(row, "dialled") ? "by us" : "by them", cell_at(row, "state"),
               has_rtt ? fmt::format("{:g} ms", rtt->get<double>()) : "-",
               count_cell(row, "eager_logs"), count_cell(row, "lazy_logs"),
               count_cell(row, "missing_here"), count_cell(row, "missing_there"), class_text(row),
               bytes_text(count_at(row, "waiting_bytes")), bytes_text(count_at(row, "bytes_in")),
               bytes_text(count_at(row, "bytes_out")), age_text(number_at(row, "age_ms"))});
  }
  return table.text(context.colours()) + budgets_text(context, answer);  // as in trace_text
}

// What the device says of itself, beside the address that is shown already.
std::string announced_text(const nlohmann::json& row) {
  std::string text;
  for (const nlohmann::json& address : list_at(row, "announced")) {
    if (!address.is_string() || address == cell_at(row, "address")) continue;
    text += (text.empty() ? "" : ", ") + address.get<std::string>();
  }
  return text;
}

std::string peers_text(const Context& context, const nlohmann::json& answer) {
  const nlohmann::json& peers = list_at(answer, "peers");
  if (peers.empty()) {
    return "no peer is known; name one with " +
           escape_text(context.command("peers add HOST:PORT")) + "\n";
  }
  Table table(
      {{"device"}, {"address"}, {"state"}, {"heard", Align::kRight}, {"from"}, {"announces"}});
  for (const nlohmann::json& row : peers) {
    const bool heard = row.is_object() && row.contains("age_ms") && row["age_ms"].is_number();
    const std::string trouble = text_at(row, "trouble");
    const std::string state = cell_at(row, "state") + (trouble.empty() ? "" : ": " + trouble);
    table.add({short_device(cell_at(row, "device")), cell_at(row, "address"), state,
               heard ? age_text(number_at(row, "age_ms")) + " ago" : "never",
               flag_at(row, "added")        ? "added, until restart"
               : flag_at(row, "configured") ? "configuration"
                                            : "the mesh",
               announced_text(row)});
  }
  return table.text(context.colours(), context.columns());
}

// ---- trace

std::string trace_text(const Context& context, const nlohmann::json& rows) {
  if (rows.empty()) return "no reconciliation yet\n";
  Table table({{"started"},
               {"peer"},
               {"outcome"},
               {"kind"},
               {"rounds", Align::kRight},
               {"heads", Align::kRight},
               {"events in", Align::kRight},
               {"events out", Align::kRight},
               {"in", Align::kRight},
               {"out", Align::kRight},
               {"took", Align::kRight},
               {"held/known before"},
               {"after"},
               {"id"}});
  for (const nlohmann::json& row : rows) {
    const auto share = [&](std::string_view held, std::string_view known) {
      return count_cell(row, held) + "/" + count_cell(row, known);
    };
    table.add({time_text(number_at(row, "started_ms")), short_device(cell_at(row, "peer")),
               cell_at(row, "outcome"), cell_at(row, "kind"), count_cell(row, "rounds"),
               count_cell(row, "heads_compared"), count_cell(row, "events_in"),
               count_cell(row, "events_out"), bytes_text(count_at(row, "bytes_in")),
               bytes_text(count_at(row, "bytes_out")), duration_text(number_at(row, "duration_us")),
               share("held_before", "known_before"), share("held_after", "known_after"),
               cell_at(row, "id")});
  }
  return table.text(context.colours());  // wider than many terminals, and nothing of it cut
}

std::string state_words(const nlohmann::json& completeness) {
  const std::string state = text_at(completeness, "state");
  if (state == "in_sync") {
    return "in sync with " + count_text(count_at(completeness, "links_in_sync"), "link");
  }
  if (state == "behind") {
    const std::uint64_t logs = count_at(completeness, "missing_logs");
    return fmt::format("behind: {} of {} known events are here{}", count_at(completeness, "held"),
                       count_at(completeness, "known"),
                       logs > 0 ? ", " + count_text(logs, "log") + " incomplete" : "");
  }
  if (state == "alone") return "alone: no link, this is what the device holds";
  return "completeness unknown";
}

}  // namespace

std::string completeness_words(const nlohmann::json& completeness) {
  const std::string scope = text_at(completeness, "scope");
  const std::string words = state_words(completeness);
  if (scope == "leaf") return words + "; local: own logs only";
  return scope == "partial" ? words + "; local: of this node's scope only" : words;
}

Exit run_status(const Context& context, const WatchOptions& watch) {
  return show(context, "/v1/status", watch, [&](const Document& answer) {
    const bool bad = text_at(object_at(answer.value, "verdict"), "level") == "bad";
    return Screen{.text = status_text(context, answer.value),
                  .exit = bad ? ExitCode::kUnhealthy : ExitCode::kOk};
  });
}

Exit run_links(const Context& context, const WatchOptions& watch) {
  return show(context, "/v1/links", watch, [&](const Document& answer) {
    return Screen{.text = links_text(context, answer.value)};
  });
}

Exit run_peers(const Context& context, const WatchOptions& watch) {
  return show(context, "/v1/peers", watch, [&](const Document& answer) {
    return Screen{.text = peers_text(context, answer.value)};
  });
}

Exit run_peers_add(const Context& context, const std::string& address) {
  const auto quoted = quote_json(address);
  if (!quoted) return usage_failure("the address is not UTF-8 text");
  EBB_ASSIGN(const Document answer,
             context.post(RequestTarget("/v1/peers"), "{\"address\":" + *quoted + "}",
                          {{"address", address}}));
  if (context.globals().json) context.print_json(answer.text);
  context.note("dialling " + address +
               " until this node is started again; `peers` below [node] in ebb.toml keeps it");
  return ExitCode::kOk;
}

Exit run_heads(const Context& context) {
  EBB_ASSIGN(const Document answer, context.get(RequestTarget("/v1/heads")));
  if (context.globals().json) {
    context.print_json(answer.text);
    return ExitCode::kOk;
  }
  Table table({{"device"},
               {"topic"},
               {"seq", Align::kRight},
               {"arrival", Align::kRight},
               {"log"},
               {"chain"},
               {"notes"}});
  for (const nlohmann::json& row : list_at(answer.value, "heads")) {
    std::string notes = flag_at(row, "own") ? "own" : "";
    if (flag_at(row, "capped")) notes += notes.empty() ? "capped" : ", capped";
    table.add({short_device(cell_at(row, "device")), cell_at(row, "topic"), count_cell(row, "seq"),
               count_cell(row, "arrival"), cell_at(row, "log"), text_at(row, "chain").substr(0, 16),
               notes});
  }
  context.print(table.text(context.colours(), context.columns()));
  return ExitCode::kOk;
}

Exit run_trace(const Context& context, const TraceOptions& options) {
  std::string peer;
  if (!options.peer.empty()) {
    EBB_ASSIGN(peer, context.device_with_prefix(options.peer));
  }
  // The API does not choose by peer, so all are asked for and chosen here.
  const std::uint64_t asked = peer.empty() ? options.limit : limits::kReconciliationsKept;
  RequestTarget target("/v1/reconciliations");
  EBB_ASSIGN(const Document answer, context.get(target.with("limit", std::to_string(asked))));
  if (context.globals().json && peer.empty()) {
    context.print_json(answer.text);
    return ExitCode::kOk;
  }
  const nlohmann::json& all = list_at(answer.value, "reconciliations");
  const auto raw = raw_elements(raw_member(answer.text, "reconciliations").value_or("[]"));
  nlohmann::json rows = nlohmann::json::array();
  std::string raw_rows;
  for (std::size_t i = 0; i < all.size() && rows.size() < options.limit; ++i) {
    if (!peer.empty() && text_at(all[i], "peer") != peer) continue;
    rows.push_back(all[i]);
    raw_rows.append(raw_rows.empty() ? "" : ",").append(raw[i]);
  }
  if (context.globals().json) {
    context.print_json("{\"reconciliations\":[" + raw_rows + "]}");
  } else {
    context.print(trace_text(context, rows));
  }
  return ExitCode::kOk;
}

}  // namespace ebb::cli
