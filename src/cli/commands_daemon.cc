#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <fstream>

#include "cli/background.h"
#include "cli/commands.h"
#include "cli/passphrase.h"
#include "cli/print.h"
#include "core/secret.h"

namespace ebb::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kListenOff = "off";

// The process that the running node says it is; nullopt when it says nothing.
std::optional<pid_t> running_process(const std::string& dir) {
  std::ifstream file(path_in(dir, kPidFile));
  pid_t pid = 0;
  if (!(file >> pid) || pid <= 1) return std::nullopt;
  return pid;
}

void print_running(const Context& context, const Document& status) {
  const std::string device = text_at(status.value, "device");
  const std::string listen = text_at(status.value, "listen");
  if (context.globals().json) {
    context.print_json(
        nlohmann::json({{"device", device}, {"listen", listen}, {"socket", context.socket_path()}})
            .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    return;
  }
  context.print(fmt::format("device  {}\nlisten  {}\nsocket  {}\n", escape_text(device),
                            escape_text(listen), escape_text(context.socket_path())));
  const bool reachable = listen != kListenOff;
  if (reachable && flag_at(object_at(status.value, "membership"), "issues")) {
    context.print(fmt::format("invite  {} lets another machine in\n",
                              escape_text(context.command("invite"))));
  } else if (reachable && count_at(status.value, "peers") == 0) {
    context.note("no peers configured, and nobody was found yet: add one with " +
                 context.command("peers add HOST:PORT"));
  }
}

// True once nobody answers on the socket; false when that takes longer than until `deadline`.
bool wait_until_silent(const Context& context, Clock::time_point deadline) {
  const HttpClient client(context.socket_path());
  const HttpRequest request{.target = "/livez", .timeout = seconds(1)};
  while (Clock::now() < deadline) {
    const Result<HttpAnswer> answer = client.send(request);
    if (!answer.ok() && answer.error().code == ErrorCode::kNotFound) return true;
    pause_for(milliseconds(20));
  }
  return false;
}

// What is not as it seems to be, and does not keep a node from starting.
void note_surroundings(const Context& context) {
  for (const std::string& note : unknown_variables(context.terminal().variables))
    context.note(note);
  const auto lacks = [&context](const char* name) {
    return access(path_in(context.dir(), name).c_str(), F_OK) != 0;
  };
  if (lacks("keys/link.key") && !lacks("keys/identity.key")) {
    context.note(
        "keys/link.key is missing, so a new link key is made: this device is certified for it at "
        "its next contact with an issuer");
  }
  struct stat info {};
  if (stat(context.dir().c_str(), &info) != 0 || (info.st_mode & 077) == 0) return;
  context.note(fmt::format("{} is open to others (mode {:04o}); `chmod 700 {}` closes it",
                           context.dir(), info.st_mode & 07777U, shell_word(context.dir())));
}

// Of the issuer's key, where it is under one; empty: it is not, or nobody can be asked.
Outcome<std::string> issuer_passphrase(const Context& context) {
  const Result<bool> sealed = context.local().issuer_is_sealed(context.dir());
  if (!sealed.ok() || !*sealed) return std::string();  // the start says what is wrong
  EBB_ASSIGN(std::string passphrase, known_passphrase(context.terminal(), "the issuer's key"));
  if (passphrase.empty()) {
    context.note(
        "no passphrase (a file that has it is named by EBB_PASSPHRASE_FILE): this node runs "
        "without its issuer's key, so it invites and certifies nobody");
  }
  return passphrase;
}

}  // namespace

Exit run_daemon(const Context& context, const RunOptions& options) {
  if (context.globals().json) {
    return usage_failure("`ebb run` prints no JSON", "its log does with --log-format json");
  }
  // The parent of a background node has said it already, where people see it.
  if (options.ready_fd < 0) note_surroundings(context);
  const Overrides overrides = overrides_of(options.daemon, context.terminal());
  std::string passphrase;
  if (options.passphrase_from_input) {
    EBB_ASSIGN(passphrase, passphrase_from(context.terminal().input_fd));
  } else {
    EBB_ASSIGN(passphrase, issuer_passphrase(context));
  }
  return static_cast<ExitCode>(
      context.local().run(context.dir(), overrides, options.ready_fd, std::move(passphrase)));
}

Exit run_up(const Context& context, const RunOptions& options) {
  const RequestTarget status("/v1/status");
  Outcome<Document> running = context.get(status);
  if (running.ok() && any_given(options.daemon)) {
    return Failure{
        .what = "a node is running for " + context.dir() + " already; its flags were not changed",
        .next = context.command("down") + " first, or " + context.command("peers add HOST:PORT") +
                " for one more peer"};
  }
  if (running.ok()) {
    context.note("a node is running for " + context.dir() + " already");
    print_running(context, *running);
    return ExitCode::kOk;
  }
  // Anything but silence means that something is there that must not be started twice.
  if (running.error().exit != ExitCode::kNoDaemon) return running.error();
  const Result<std::string> device = context.local().device(context.dir());
  if (!device.ok()) return failure_of(device.error(), context.place());

  BackgroundOptions background{.program = context.terminal().program,
                               .command = {"--dir=" + context.dir(), "run"},
                               .arguments = arguments_of(options.daemon),
                               .input = {},
                               .log_path = context.log_path(),
                               .timeout = context.timeout()};
  EBB_ASSIGN(background.input, issuer_passphrase(context));
  if (!background.input.empty()) background.command.emplace_back("--passphrase-from-input");
  note_surroundings(context);
  const Outcome<pid_t> started = start_in_background(background);
  erase_text(background.input);
  if (!started.ok()) return started.error();
  const pid_t pid = started.value();
  EBB_ASSIGN(const Document answer, context.get(status));
  print_running(context, answer);
  context.note(
      fmt::format("the node runs as process {}; end it with {}", pid, context.command("down")));
  return ExitCode::kOk;
}

Exit run_down(const Context& context) {
  const auto deadline = Clock::now() + std::chrono::microseconds(context.timeout().us);
  // Opened before the node is asked to stop: afterwards the number may be another's.
  UniqueFd end;
  if (const auto pid = running_process(context.dir())) end = process_end(*pid);
  EBB_ASSIGN(const Document answer, context.post(RequestTarget("/v1/shutdown"), "{}"));
  bool ended = wait_until_silent(context, deadline);
  if (ended && end.is_open()) {
    const auto rest =
        std::chrono::duration_cast<std::chrono::microseconds>(deadline - Clock::now());
    ended = wait_readable(end.get(), microseconds(rest.count()));
  }
  if (!ended) {
    return Failure{
        .exit = ExitCode::kTimeout,
        .what = fmt::format("the node has not ended after {}", duration_text(context.timeout().us)),
        .why = "it finishes its last commit first",
        .next = "look into " + context.log_path() + ", or wait with --timeout"};
  }
  if (context.globals().json) context.print_json(answer.text);
  context.note("the node of " + context.dir() + " has stopped");
  return ExitCode::kOk;
}

}  // namespace ebb::cli
