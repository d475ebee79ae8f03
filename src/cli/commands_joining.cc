// Making devices of a mesh: invites, the policy, the root's key.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <set>

#include "cli/commands.h"
#include "cli/files.h"
#include "cli/member_words.h"
#include "cli/passphrase.h"
#include "cli/print.h"
#include "cli/progress.h"
#include "cli/qr_code.h"
#include "cli/raw_json.h"
#include "cli/terms_body.h"
#include "codec/utf8.h"
#include "core/limits.h"
#include "core/secret.h"

namespace ebb::cli {
namespace {

// As the node has them: what is beyond is no mistake of its.
constexpr std::int64_t kTtlMaxMs = std::int64_t{30} * 86400000;
constexpr std::uint64_t kUsesMax = 10000;
constexpr std::size_t kShortId = 8;      // of an invite's 16 digits, and of a device's id
constexpr std::size_t kDevicesTold = 2;  // of an invite, so that a line fits a terminal

// "90s", "30m", "1h", "7d": milliseconds; nullopt for anything else.
std::optional<std::int64_t> span_of(const std::string& text) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc() || read.ptr + 1 != end || number < 1 || number > 1000000) {
    return std::nullopt;
  }
  switch (*read.ptr) {
    case 's':
      return number * 1000;
    case 'm':
      return number * 60000;
    case 'h':
      return number * 3600000;
    case 'd':
      return number * 86400000;
    default:
      return std::nullopt;
  }
}

std::string upper(std::string text) {
  for (char& c : text)
    c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

Outcome<bool> show_qr(const Context& context, const InviteOptions& options,
                      const std::string& line) {
  const Terminal& terminal = context.terminal();
  if (options.no_qr || (!options.qr && !terminal.out_is_terminal)) return false;
  const SecretText letters(upper(line));
  const auto drawing = draw_qr(
      letters.text, options.qr ? context.colours() || terminal.out_is_terminal : context.colours());
  if (!drawing) return Failure{.what = "the invite is too long for a QR code"};
  if (terminal.out_is_terminal && drawing->columns > terminal.columns) {
    context.note(fmt::format("a QR code of it needs a terminal of {} columns; this one has {}",
                             drawing->columns, terminal.columns));
    return false;
  }
  context.print(drawing->text);
  return true;
}

std::string short_id(const nlohmann::json& row) { return text_at(row, "id").substr(0, kShortId); }

// "abcdefgh, ijklmnop +3": the devices that have joined.
std::string devices_text(const nlohmann::json& devices) {
  std::string text;
  for (std::size_t i = 0; i < devices.size() && i < kDevicesTold; ++i) {
    if (!devices[i].is_string()) continue;
    text.append(text.empty() ? "" : ", ").append(devices[i].get<std::string>().substr(0, kShortId));
  }
  if (devices.size() > kDevicesTold) text += fmt::format(" +{}", devices.size() - kDevicesTold);
  return text.empty() ? "-" : text;
}

}  // namespace

Exit run_invite(const Context& context, const InviteOptions& options) {
  const auto ttl = span_of(options.ttl);
  if (!ttl) {
    return usage_failure("--ttl is no time: " + options.ttl, "write it as 30m, 1h or 7d");
  }
  if (*ttl > kTtlMaxMs) return usage_failure("--ttl goes up to 30d, and not to " + options.ttl);
  if (options.uses > kUsesMax) return usage_failure(fmt::format("--uses goes up to {}", kUsesMax));
  if (const auto failure = why_no_terms(options.terms)) return *failure;
  nlohmann::json body = {{"ttl_ms", *ttl}, {"uses", options.uses}};
  put_terms(options.terms, body);
  EBB_ASSIGN(const Document answer,
             context.post_for_secret(RequestTarget("/v1/invites"), body.dump(), "invite",
                                     {{"ttl_ms", "--ttl"}, {"uses", "--uses"}}));
  if (context.globals().json) {
    context.print_json(answer.text);
    return ExitCode::kOk;
  }
  if (answer.secret.text.empty()) {
    return Failure{.what = "the node's answer has no invite in it",
                   .why = "this `ebb` and the running node may be of different versions"};
  }
  context.print(answer.secret);
  context.print("\n");
  EBB_RETURN_IF_ERROR(show_qr(context, options, answer.secret.text));
  context.note(fmt::format("good for {} until {}; on the other machine: `ebb join LINE && ebb up`",
                           count_text(options.uses, "device"),
                           minute_text(number_at(answer.value, "expires_ms"))));
  context.note("end it with " + context.command("invite rm " + short_id(answer.value)));
  return ExitCode::kOk;
}

Exit run_invite_list(const Context& context) {
  EBB_ASSIGN(const Document answer, context.get(RequestTarget("/v1/invites")));
  if (context.globals().json) {
    context.print_json(answer.text);
    return ExitCode::kOk;
  }
  const nlohmann::json& invites = list_at(answer.value, "invites");
  if (invites.empty()) {
    context.print("no invite was made\n");
    return ExitCode::kOk;
  }
  Table table({{"id"}, {"state"}, {"expires"}, {"used"}, {"certified"}, {"by"}});
  for (const nlohmann::json& row : invites) {
    const std::uint64_t uses = count_at(row, "uses");
    const std::uint64_t used = uses - std::min(uses, count_at(row, "uses_left"));
    const std::string terms = terms_words(row);
    table.add({short_id(row), text_at(row, "state"), minute_text(number_at(row, "expires_ms")),
               fmt::format("{} of {}", used, uses), terms.empty() ? "as usual" : terms,
               devices_text(list_at(row, "devices"))});
  }
  context.print(table.text(context.colours(), context.columns()));
  return ExitCode::kOk;
}

Exit run_invite_end(const Context& context, const std::string& id) {
  EBB_ASSIGN(const Document list, context.get(RequestTarget("/v1/invites")));
  std::set<std::string> found;
  for (const nlohmann::json& row : list_at(list.value, "invites")) {
    if (text_at(row, "id").starts_with(id)) found.insert(text_at(row, "id"));
  }
  if (found.size() != 1) {
    return Failure{.what = fmt::format("{} begin with {}", count_text(found.size(), "invite"), id),
                   .next = context.command("invite ls") + " lists them"};
  }
  EBB_ASSIGN(const Document answer, context.remove(RequestTarget("/v1/invites/" + *found.begin())));
  if (context.globals().json) context.print_json(answer.text);
  context.note("the invite is over; who has joined with it stays");
  return ExitCode::kOk;
}

Exit run_join(const Context& context, const JoinOptions& options) {
  SecretText line;
  for (const std::string& word : options.words)
    append_secret(line.text, word);
  if (line.text == "-") {
    EBB_ASSIGN(line.text, read_input(context.terminal().input_fd, limits::kInviteCharacters * 2));
  }
  std::string name = options.name;
  if (name.empty()) name = context.terminal().environment("EBB_NAME").value_or("");
  const auto tell = [&context](const std::string& text) { context.note(text); };
  const auto joined = context.local().join(context.dir(), name, line.text, tell);
  if (!joined.ok()) return failure_of(joined.error(), context.place());
  if (context.globals().json) {
    context.print_json(nlohmann::json({{"device", joined->device},
                                       {"inviter", joined->inviter},
                                       {"address", joined->address}})
                           .dump());
  } else {
    context.print(joined->device + '\n');
  }
  context.note(fmt::format("reached {} at {} in {}, trusted; start this node with {}",
                           joined->inviter.substr(0, 8), joined->address,
                           duration_text(joined->round_trip.us), context.command("up")));
  return ExitCode::kOk;
}

Exit run_mesh_admit(const Context& context, const std::string& admit) {
  const auto quoted = quote_json(admit);
  if (!quoted) return usage_failure("that is not UTF-8 text");
  EBB_ASSIGN(const Document answer,
             context.post(RequestTarget("/v1/policy"), "{\"admit\":" + *quoted + "}"));
  if (context.globals().json) context.print_json(answer.text);
  context.note(
      admit == "secret"
          ? std::string("from now on whoever has the mesh's file is let in at first contact")
          : "from now on a device needs an invite, or a file of its own (" +
                context.command("cert issue NAMES FOLDER") + ")");
  return ExitCode::kOk;
}

namespace {

struct RootPassphrases {
  SecretText current, wanted;
};

Outcome<ExitCode> ask_for(const Context& context, RootPassphrases& out) {
  // Whatever else is wrong with the key, moving it says so.
  const Result<bool> sealed = context.local().root_is_sealed(context.dir());
  if (!sealed.ok() || !*sealed) {
    EBB_ASSIGN(out.wanted.text, new_passphrase(context.terminal()));
    return ExitCode::kOk;
  }
  EBB_ASSIGN(out.current.text, known_passphrase(context.terminal(), "the root's key as it is"));
  if (out.current.text.empty()) {
    return Failure{.what = "the root's key is under a passphrase already, and that was not given",
                   .next = std::string("run this at a terminal, or name files with ") +
                           kPassphraseVariable + " (as it is) and " + kNewPassphraseVariable +
                           "; without --passphrase the key keeps the one that it has"};
  }
  EBB_ASSIGN(out.wanted.text, changed_passphrase(context.terminal()));
  return ExitCode::kOk;
}

}  // namespace

Exit run_export_root(const Context& context, const ExportRootOptions& options) {
  RootPassphrases passphrases;
  if (options.passphrase) {
    const Outcome<ExitCode> asked = ask_for(context, passphrases);
    if (!asked.ok()) return asked.error();
  }
  const Status moved = context.local().export_root(context.dir(), options.file, passphrases.wanted,
                                                   passphrases.current);
  if (!moved.ok()) return failure_of(moved.error(), context.place());
  if (context.globals().json) {
    context.print_json("{\"file\":" + quote_json(options.file).value_or("null") + "}");
  }
  context.note("the root's key is in " + options.file +
               " and no more in this directory: keep it where it is safe, with a copy; without it "
               "an issuer can be neither added nor ended");
  struct stat info {};
  if (stat(options.file.c_str(), &info) == 0 && (info.st_mode & 077) != 0) {
    context.note(
        "others on this machine can read it while that disk is mounted: it keeps no modes");
  }
  return ExitCode::kOk;
}

}  // namespace ebb::cli
