// The certificates of a batch, and of one device that is known.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "cli/commands.h"
#include "cli/files.h"
#include "cli/print.h"
#include "cli/progress.h"
#include "cli/terms_body.h"
#include "codec/utf8.h"
#include "core/limits.h"
#include "core/secret.h"

namespace ebb::cli {
namespace {

constexpr std::size_t kNamesBytes = std::size_t{4} << 20;

// Names, one a line, and comments; what is no name of a file, or no label, is refused before
// anything is made.
Outcome<std::vector<std::string>> read_names(const Context& context, const std::string& path) {
  std::string text;
  if (path == "-") {
    EBB_ASSIGN(text, read_input(context.terminal().input_fd, kNamesBytes));
  } else {
    EBB_ASSIGN(text, read_file(path, kNamesBytes, "name a list of names, one a line"));
  }
  std::vector<std::string> names;
  std::set<std::string> seen;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string name = text.substr(at, end - at);
    at = end + 1;
    while (!name.empty() && (name.back() == '\r' || name.back() == ' '))
      name.pop_back();
    if (name.empty() || name.front() == '#') continue;
    const bool is_file = name.find('/') == name.npos && name.front() != '.';
    if (!is_file || name.size() > limits::kDeviceNameBytes) {
      return usage_failure("\"" + name + "\" cannot be a name: it names a file too",
                           "at most 64 bytes, no /, and no . in front");
    }
    if (!codec::is_utf8(name) || !context.local().is_label(name)) {
      return usage_failure("\"" + name + "\" cannot be a name: it is shown to people",
                           "UTF-8, without control characters and marks of direction");
    }
    if (!seen.insert(name).second) return usage_failure("the name " + name + " is there twice");
    names.push_back(std::move(name));
  }
  if (names.empty()) return usage_failure("there is no name in " + path);
  return names;
}

}  // namespace

Exit run_cert_issue(const Context& context, const CertIssueOptions& options) {
  if (const auto failure = why_no_terms(options.terms)) return *failure;
  EBB_ASSIGN(const std::vector<std::string> names, read_names(context, options.names));
  if (mkdir(options.folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return Failure{.what = "cannot make " + options.folder + ": " + std::strerror(errno)};
  }
  std::optional<Failure> refused;
  const Certify certify = [&](const std::string& device, const std::string& link_key,
                              const std::string& label) -> Result<Bytes> {
    nlohmann::json body = {{"device", device}, {"link_key", link_key}, {"label", label}};
    put_terms(options.terms, body);
    auto answer = context.post(RequestTarget("/v1/certificates"), body.dump());
    if (answer.ok()) {
      if (auto record = from_base32(text_at(answer->value, "record"))) return std::move(*record);
    } else {
      refused = answer.error();
    }
    return Error{ErrorCode::kInternal, "certificate", "the node gave none"};
  };
  Progress progress(context.terminal().err, context.shows_progress(), "issuing",
                    [](std::uint64_t n) { return std::to_string(n); });
  std::size_t made = 0, kept = 0;
  for (const std::string& name : names) {
    const std::string path = options.folder + "/" + name + ".ebb";
    // So that a batch that was broken off goes on where it was, and no file is a device twice.
    if (access(path.c_str(), F_OK) == 0) {
      ++kept;
      continue;
    }
    auto text = context.local().device_file(context.dir(), name, certify);
    if (!text.ok()) {
      progress.clear();
      return refused ? *refused : failure_of(text.error(), context.place());
    }
    const Outcome<ExitCode> written = write_secret(path, *text, false);
    erase_text(*text);
    if (!written.ok()) return written.error();
    progress.update(++made + kept, names.size());
  }
  progress.clear();
  if (context.globals().json) {
    context.print_json(fmt::format("{{\"made\":{},\"kept\":{}}}", made, kept));
  }
  context.note(
      fmt::format("{} in {}, {} there already: one for each device, whose first start is "
                  "`ebb init --mesh NAME.ebb && ebb up --peer HOST:PORT` (it names no addresses)",
                  count_text(made, "file"), options.folder, kept));
  return ExitCode::kOk;
}

Exit run_cert_change(const Context& context, const CertChangeOptions& options) {
  if (const auto failure = why_no_terms(options.terms)) return *failure;
  const TermsOptions& terms = options.terms;
  if (terms.roles.empty() && terms.prefixes.empty() && terms.days.empty()) {
    return usage_failure("nothing is to be changed", "name --roles, --prefix or --days");
  }
  EBB_ASSIGN(const std::string device, context.device_with_prefix(options.device));
  nlohmann::json body = {{"device", device}};
  put_terms(terms, body);
  EBB_ASSIGN(const Document answer, context.post(RequestTarget("/v1/certificates"), body.dump()));
  if (context.globals().json) context.print_json(answer.text);
  context.note(
      "certified anew: other nodes hear of it as of news. What the device may write "
      "already it may write for ever; only what it reads and relays becomes less");
  return ExitCode::kOk;
}

}  // namespace ebb::cli
