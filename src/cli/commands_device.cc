#include <fmt/format.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/files.h"
#include "cli/passphrase.h"
#include "cli/print.h"
#include "cli/progress.h"
#include "cli/raw_json.h"
#include "core/limits.h"
#include "core/secret.h"
#include "ebb/version.h"

namespace ebb::cli {
namespace {

void print_verified(const Context& context, const VerifyAnswer& answer, bool ok) {
  if (context.globals().json) {
    nlohmann::json value = {{"ok", ok},
                            {"logs", answer.logs},
                            {"segments", answer.segments},
                            {"events", answer.events},
                            {"records", answer.records},
                            {"problems", answer.problems}};
    if (answer.state_digest) value["state_digest"] = *answer.state_digest;
    if (answer.stored_digest) value["stored_digest"] = *answer.stored_digest;
    context.print_json(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    return;
  }
  for (const std::string& problem : answer.problems)
    context.print("problem: " + escape_text(problem) + '\n');
  if (answer.state_digest) context.print("state digest   " + *answer.state_digest + '\n');
  if (answer.stored_digest) context.print("stored digest  " + *answer.stored_digest + '\n');
  const std::string read =
      fmt::format("{}, {}", events_text(answer.events, answer.logs, answer.records),
                  count_text(answer.segments, "segment"));
  const Colour colour = ok ? Colour::kGreen : Colour::kRed;
  context.print(paint(colour, ok ? "ok" : "damaged", context.colours()) + ": " + read + '\n');
}

// What lets devices in: the running node knows, or else the directory as far as it was written.
std::string admit_of(const Context& context) {
  Outcome<Document> status = context.get(RequestTarget("/v1/status"));
  if (status.ok()) return text_at(object_at(status->value, "membership"), "admit");
  const Result<std::string> known = context.local().admit(context.dir());
  return known.ok() ? *known : "";
}

Outcome<InitAnswer> make_device(const Context& context, const InitOptions& options,
                                InitWanted& wanted) {
  if (!options.mesh_file.empty()) {
    EBB_ASSIGN(wanted.mesh_text, read_file(options.mesh_file, limits::kMeshFileBytes,
                                           "name the file that `ebb mesh export` wrote"));
  }
  const Result<InitAnswer> made = context.local().init(context.dir(), wanted);
  if (!made.ok()) return failure_of(made.error(), context.place());
  return *made;
}

}  // namespace

Exit run_init(const Context& context, const InitOptions& options) {
  std::string name = options.name;
  if (name.empty()) name = context.terminal().environment("EBB_NAME").value_or("");
  InitWanted wanted{.name = name, .admit = options.admit};
  if (options.passphrase) {
    EBB_ASSIGN(wanted.passphrase, new_passphrase(context.terminal()));
  }
  auto made = make_device(context, options, wanted);
  erase_text(wanted.passphrase);
  if (wanted.mesh_text) erase_text(*wanted.mesh_text);
  if (!made.ok()) return made.error();
  const bool begins = made->begins.ms != 0;
  if (context.globals().json) {
    nlohmann::json answer = {{"device", made->device}};
    if (begins) answer["begins_ms"] = made->begins.ms;
    context.print_json(answer.dump());
  } else {
    context.print(made->device + '\n');
  }
  // Nobody can be certified before: a clock that is ahead is better seen now.
  if (begins) context.note("a mesh begins at " + time_text(made->begins.ms) + ", by this clock");
  context.note("made a device in " + context.dir() + "; start its node with " +
               context.command("up"));
  return ExitCode::kOk;
}

Exit run_verify(const Context& context, bool with_state) {
  const auto count = [](std::uint64_t n) { return std::to_string(n); };
  Progress progress(context.terminal().err, context.shows_progress(), "verifying", count);
  const auto show = [&](std::uint64_t done, std::uint64_t all) { progress.update(done, all); };
  const auto answer = context.local().verify(context.dir(), with_state, show);
  progress.clear();
  if (!answer.ok()) return failure_of(answer.error(), context.place());
  const bool equal = !with_state || !answer->stored_digest || !answer->state_digest ||
                     *answer->stored_digest == *answer->state_digest;
  const bool ok = answer->problems.empty() && equal;
  print_verified(context, *answer, ok);
  if (ok) return ExitCode::kOk;
  return Failure{
      .what = equal ? count_text(answer->problems.size(), "problem") + " in " + context.dir()
                    : "the stored state is not what the events give",
      .why = "a disk that lies, a file changed by something else, or an error in this program",
      .next = "keep a copy of the directory; other nodes still hold what they received"};
}

Exit run_config_show(const Context& context, const ConfigOptions& options) {
  const auto lines =
      context.local().config(context.dir(), overrides_of(options.daemon, context.terminal()));
  if (!lines.ok()) return failure_of(lines.error(), context.place());
  if (context.globals().json) {
    nlohmann::json rows = nlohmann::json::array();
    for (const ConfigLine& line : *lines)
      rows.push_back({{"key", line.key}, {"value", line.value}, {"origin", line.origin}});
    context.print_json(rows.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    return ExitCode::kOk;
  }
  std::vector<Table::Column> columns = {{"key"}, {"value"}};
  if (options.with_origin) columns.push_back({"origin"});
  Table table(columns);
  for (const ConfigLine& line : *lines) {
    std::vector<std::string> cells = {line.key, line.value};
    if (options.with_origin) cells.push_back(line.origin);
    table.add(cells);
  }
  context.print(table.text(context.colours()));
  return ExitCode::kOk;
}

Exit run_config_check(const Context& context, const ConfigOptions& options) {
  const Result<std::string> device = context.local().device(context.dir());
  if (!device.ok()) return failure_of(device.error(), context.place());
  const Overrides overrides = overrides_of(options.daemon, context.terminal());
  const auto lines = context.local().config(context.dir(), overrides);
  if (!lines.ok()) return failure_of(lines.error(), context.place());
  for (const std::string& note : unknown_variables(context.terminal().variables))
    context.note(note);
  const std::string file = path_in(context.dir(), kConfigFile);
  const bool has_file = access(file.c_str(), F_OK) == 0;
  if (context.globals().json) {
    context.print_json(
        nlohmann::json({{"ok", true}, {"settings", lines->size()}, {"has_file", has_file}}).dump());
  } else if (has_file) {
    context.print(
        fmt::format("ok: {} in {}\n", count_text(lines->size(), "setting"), escape_text(file)));
  } else {
    context.print(fmt::format("ok: no file {}: defaults\n", escape_text(file)));
  }
  return ExitCode::kOk;
}

Exit run_mesh_export(const Context& context, const ExportOptions& options) {
  Result<std::string> text = context.local().export_mesh(context.dir());
  if (!text.ok()) return failure_of(text.error(), context.place());
  const Outcome<ExitCode> written = write_secret(options.file, *text, options.force);
  erase_text(*text);
  if (!written.ok()) return written.error();
  if (context.globals().json) {
    const auto file = quote_json(options.file);
    context.print_json("{\"file\":" + file.value_or("null") + "}");
  }
  const std::string use =
      "use it with `ebb init --mesh FILE && ebb up --peer HOST:PORT` (it names no addresses)";
  if (admit_of(context) == "secret") {
    context.note("wrote " + options.file + ", a secret: whoever has it is let in (the policy is " +
                 "`secret`); " + use);
    return ExitCode::kOk;
  }
  const bool is_issuer = access(path_in(context.dir(), "keys/issuer.key").c_str(), F_OK) == 0;
  const auto at_issuer = [&](std::string_view words) {
    return is_issuer ? context.command(words) : ebb_command(words, {});
  };
  context.note("wrote " + options.file +
               ", a secret that alone lets nobody in: " + at_issuer("mesh admit secret") +
               " on an issuer lets in whoever has it; or let in one by one, with " +
               at_issuer("invite") + " or " + at_issuer("cert issue NAMES FOLDER"));
  context.note(use);
  return ExitCode::kOk;
}

std::string version_text() { return "ebb " + std::string(kProgramVersion); }

Exit run_version(const Context& context) {
  if (context.globals().json) {
    context.print_json(nlohmann::json({{"version", kProgramVersion}}).dump());
  } else {
    context.print(version_text() + "\n");
  }
  return ExitCode::kOk;
}

}  // namespace ebb::cli
