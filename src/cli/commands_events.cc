#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ostream>

#include "cli/commands.h"
#include "cli/event_text.h"
#include "cli/print.h"
#include "cli/progress.h"
#include "core/unique_fd.h"

namespace ebb::cli {
namespace {

constexpr std::uint64_t kEventsPerPage = 10000;

// What `append --ndjson` reads.
struct Input {
  UniqueFd owned;
  int fd = -1;
  std::uint64_t bytes = 0;  // 0: not known
};

Outcome<Input> open_input(const Context& context, const std::string& name) {
  Input input;
  if (name == "-") {
    input.fd = context.terminal().input_fd;
  } else {
    input.owned = UniqueFd(open(name.c_str(), O_RDONLY | O_CLOEXEC));
    input.fd = input.owned.get();
  }
  struct stat info {};
  if (input.fd < 0 || fstat(input.fd, &info) != 0) {
    return Failure{.what = "cannot read " + name + ": " + std::strerror(errno)};
  }
  if (S_ISDIR(info.st_mode)) return Failure{.what = "cannot read " + name + ": a directory"};
  if (S_ISREG(info.st_mode)) input.bytes = static_cast<std::uint64_t>(info.st_size);
  return input;
}

std::string totals_text(const nlohmann::json& answer) {
  std::string text = "appended " + count_text(count_at(answer, "appended"), "event");
  const std::uint64_t duplicates = count_at(answer, "duplicates");
  if (duplicates > 0) text += ", " + count_text(duplicates, "duplicate");
  return text;
}

// Nobody mends a line that is not to blame.
std::string next_step_of_stream(std::string_view code, std::uint64_t line, std::string next) {
  constexpr std::array<std::string_view, 6> kNotTheLine = {
      "disk_full", "io", "busy", "corrupt", "permission", "unsupported"};
  const bool bad_line =
      std::find(kNotTheLine.begin(), kNotTheLine.end(), code) == kNotTheLine.end();
  if (bad_line) return next.empty() ? "mend the line and append from it on" : next;
  if (!next.empty()) next += "; then ";
  return next + (line > 0 ? fmt::format("append from line {} on", line) : "append the rest") +
         " when that is mended";
}

// A stream that ended early: the line and why, and how far it is stored.
Failure failure_of_stream(const Context& context, const HttpAnswer& answer) {
  Failure failure = context.failure_of_answer(answer);
  const auto body = nlohmann::json::parse(answer.body.text, nullptr, false);
  const nlohmann::json& error = object_at(body, "error");
  const std::uint64_t line = count_at(error, "line");
  if (line > 0) {
    // The message may have the number in front already.
    const std::string prefix = fmt::format("line {}", line);
    if (failure.what.find(prefix) != 0) failure.what = prefix + ": " + failure.what;
  }
  if (body.is_object() && body.contains("appended")) {
    const std::uint64_t stored = count_at(body, "appended") + count_at(body, "duplicates");
    if (stored > 0) {
      failure.why = fmt::format("stored before it: {} ({} appended, {} there already)",
                                count_text(stored, "event"), count_at(body, "appended"),
                                count_at(body, "duplicates"));
    }
    failure.next = next_step_of_stream(text_at(error, "code"), line, std::move(failure.next));
  }
  return failure;
}

// Nobody said how far it is stored.
Failure failure_of_broken_stream(Failure failure, std::uint64_t bytes_sent) {
  if (bytes_sent == 0) return failure;
  failure.why += failure.why.empty() ? "" : "; ";
  failure.why += "lines already sent may be stored; with `id` in each they can be sent again";
  return failure;
}

Exit append_stream(const Context& context, const AppendOptions& options) {
  EBB_ASSIGN(const Input input, open_input(context, options.ndjson));
  Progress progress(context.terminal().err, context.shows_progress(), "appending", bytes_text);
  HttpRequest request{.method = "POST",
                      .target = RequestTarget("/v1/events").with("topic", options.topic).text(),
                      .content_type = "application/x-ndjson",
                      .input_fd = input.fd,
                      .timeout = context.timeout(),
                      .timeout_from_last_byte = !context.globals().timeout_seconds};
  std::uint64_t bytes_sent = 0;
  request.sent = [&](std::uint64_t sent) {
    bytes_sent = sent;
    progress.update(sent, input.bytes);
  };
  Outcome<HttpAnswer> answer = context.send(std::move(request));
  progress.clear();
  if (!answer.ok()) return failure_of_broken_stream(answer.error(), bytes_sent);
  if (context.globals().json) context.print_json(answer->body);
  if (answer->status != 200) return failure_of_stream(context, *answer);
  const auto body = nlohmann::json::parse(answer->body.text, nullptr, false);
  if (!context.globals().json) context.print(totals_text(body) + '\n');
  return ExitCode::kOk;
}

// Prints events: for people on a terminal, as the API wrote them elsewhere.
class EventPrinter {
 public:
  explicit EventPrinter(const Context& context)
      : context_(context),
        as_json_(context.globals().json || !context.terminal().out_is_terminal) {}

  void print(std::string_view event) {
    if (as_json_) {
      context_.print_json(event);
    } else {
      context_.print(event_line(event, context_.columns(), context_.colours()));
    }
  }
  // False when nobody reads any more.
  bool flush() { return static_cast<bool>(context_.terminal().out.flush()); }

 private:
  const Context& context_;
  bool as_json_;
};

RequestTarget events_target(const TailOptions& options, const std::string& device) {
  RequestTarget target("/v1/events");
  target.with("type", options.type).with("topic", options.topic).with("device", device);
  return target;
}

// One answer of GET /v1/events, printed as it comes.
Outcome<HttpAnswer> print_page(const Context& context, const RequestTarget& target) {
  EventPrinter printer(context);
  LineCutter lines;
  const auto take = [&](std::string_view event) {
    printer.print(event);
    return static_cast<bool>(context.terminal().out);
  };
  HttpRequest request{.target = target.text(), .timeout = context.timeout()};
  request.timeout_from_last_byte = !context.globals().timeout_seconds;
  request.received = [&](std::string_view part) { return lines.feed(part, take); };
  EBB_ASSIGN(HttpAnswer answer, context.send(std::move(request)));
  if (answer.status != 200) return context.failure_of_answer(answer);
  return answer;
}

Exit print_newest(const Context& context, const TailOptions& options, const std::string& device) {
  if (options.limit > kEventsPerPage) {
    return usage_failure(fmt::format("--limit goes up to {} without -f", kEventsPerPage),
                         "leave it out to read everything");
  }
  RequestTarget target = events_target(options, device);
  target.with("newest", std::to_string(options.limit));
  EBB_ASSIGN(const HttpAnswer answer, print_page(context, target));
  if (!answer.cut.empty()) context.note("older ones left out: an answer ends at about 4 MiB");
  return ExitCode::kOk;
}

// Pages through all events.
Exit print_stored(const Context& context, const TailOptions& options, const std::string& device) {
  std::string cursor;
  do {
    RequestTarget target = events_target(options, device);
    target.with("limit", std::to_string(kEventsPerPage)).with("after", cursor);
    EBB_ASSIGN(const HttpAnswer answer, print_page(context, target));
    // The same cursor twice would never end.
    const bool moved = answer.cursor != cursor && !answer.stopped;
    cursor = moved ? answer.cursor : "";
  } while (!cursor.empty());
  return ExitCode::kOk;
}

// What following came to, apart from what it printed.
struct Followed {
  std::uint64_t events = 0;
  std::string cursor;
  bool began = false;                     // the node has answered
  bool dropped = false, stopped = false;  // it said so
  std::optional<std::string> error;       // what it said
};

// False for a message that is the stream's last.
bool goes_on_after(const EventStream::Message& message, Followed& followed) {
  followed.dropped = message.event == "dropped";
  followed.stopped = message.event == "stopped";
  if (message.event == "error") {
    followed.error = text_at(nlohmann::json::parse(message.data, nullptr, false), "message");
  }
  return !followed.dropped && !followed.stopped && !followed.error;
}

Outcome<HttpAnswer> follow_once(const Context& context, const TailOptions& options,
                                const std::string& device, Followed& followed) {
  EventPrinter printer(context);
  EventStream stream;
  const auto take = [&](const EventStream::Message& message) {
    if (!goes_on_after(message, followed)) return false;
    if (!message.id.empty()) followed.cursor = message.id;
    if (message.data.empty()) return true;
    printer.print(message.data);
    ++followed.events;
    return options.limit == 0 || followed.events < options.limit;
  };
  RequestTarget target = events_target(options, device);
  target.with("follow", "sse").with("after", followed.cursor);
  HttpRequest request{.target = target.text()};
  request.began = [&] { followed.began = true; };
  request.received = [&](std::string_view part) {
    const bool goes_on = stream.feed(part, take);
    return printer.flush() && goes_on;
  };
  return context.send(std::move(request));
}

Exit follow(const Context& context, const TailOptions& options, const std::string& device) {
  const Failure gone{.exit = ExitCode::kNoDaemon,
                     .what = "the node of " + context.dir() + " has stopped",
                     .next = "start it with " + context.command("up")};
  Followed followed;
  while (true) {
    followed.began = followed.dropped = false;
    Outcome<HttpAnswer> answer = follow_once(context, options, device, followed);
    // The stream has no end but the node's, so one that breaks off says that it has gone.
    if (!answer.ok() && followed.began) return gone;
    if (!answer.ok()) return answer.error();
    if (answer->status != 200) return context.failure_of_answer(*answer);
    if (followed.error) return Failure{.what = "the node cannot go on: " + *followed.error};
    if (followed.dropped && !followed.cursor.empty()) {
      context.note("fell behind; going on after the last event seen");
      continue;
    }
    if (followed.dropped) return Failure{.what = "fell behind and was dropped by the node"};
    const bool wanted = answer->stopped && !followed.stopped;  // the limit, or nobody reads
    if (wanted) return ExitCode::kOk;
    return gone;
  }
}

}  // namespace

void print_dots(const Context& context, const Document& answer) {
  if (context.globals().json) {
    context.print_json(answer.text);
    return;
  }
  for (const nlohmann::json& range : list_at(answer.value, "dots")) {
    const std::uint64_t first = count_at(range, "first");
    for (std::uint64_t i = 0; i < count_at(range, "count"); ++i)
      context.print(fmt::format("{}:{}\n", escape_text(text_at(range, "log")), first + i));
    if (flag_at(range, "duplicate")) context.note("this id was appended before");
  }
}

Exit run_append(const Context& context, const AppendOptions& options) {
  if (!options.ndjson.empty()) {
    const bool has_event =
        !options.type.empty() || options.payload || options.source || options.ts || options.id;
    if (!has_event) return append_stream(context, options);
    return usage_failure("--ndjson takes whole events from its input",
                         "of the other options only --topic goes with it");
  }
  if (options.type.empty()) {
    return usage_failure("what to append?", context.command("append TYPE k=v...") + " or " +
                                                context.command("append --ndjson -"));
  }
  EBB_ASSIGN(std::string event, event_object(options));
  EBB_ASSIGN(const Document answer, context.post(RequestTarget("/v1/events"), std::move(event),
                                                 {{"ts", "--ts"}, {"id", "--id"}}));
  print_dots(context, answer);
  return ExitCode::kOk;
}

Exit run_tail(const Context& context, const TailOptions& options) {
  std::string device;
  if (!options.device.empty()) {
    EBB_ASSIGN(device, context.device_with_prefix(options.device));
  }
  if (options.follow) return follow(context, options, device);
  return options.limit > 0 ? print_newest(context, options, device)
                           : print_stored(context, options, device);
}

}  // namespace ebb::cli
