#include "cli/context.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ostream>
#include <set>

#include "cli/print.h"
#include "core/error_words.h"
#include "core/limits.h"

namespace ebb::cli {
namespace {

std::string next_step_of_code(std::string_view code, std::string_view what, const Place& place) {
  if (code == "busy") return "its queues are full: try again in a moment";
  const bool budget = what.find("store.disk_budget_bytes") != std::string_view::npos;
  if (code == "disk_full" && !budget) return "free some space on the node's disk";
  if (what.rfind("too many topics", 0) == 0) {
    return fmt::format("a device may have {} topics: name one of those that are there",
                       limits::kTopicsPerDevice);
  }
  if (code == "corrupt") return place.command("verify") + " says what is damaged";
  return {};
}

// The text with nothing between the quotes of this member, whose letters go into `out`; as it is
// where they are none.
SecretText without_letters(std::string_view json, std::string_view member, SecretText& out) {
  const std::string before = '"' + std::string(member) + "\":\"";
  const std::size_t found = json.find(before);
  const std::size_t first = found == json.npos ? json.size() : found + before.size();
  const std::size_t end =
      std::min(json.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-", first), json.size());
  SecretText rest;
  rest.text.reserve(json.size());
  if (end == json.size() || json[end] != '"') {
    rest.text.append(json);
    return rest;
  }
  out = SecretText(std::string(json.substr(first, end - first)));
  rest.text.append(json.substr(0, first)).append(json.substr(end));
  return rest;
}

constexpr int kStatusBadRequest = 400;
constexpr int kStatusDiskFull = 507;

// "ts has to be a time" is "--ts has to be a time" for who wrote --ts.
Failure failure_of_name(std::string_view what, std::string_view field, const std::string& name) {
  if (what.starts_with(field)) what.remove_prefix(field.size());
  what.remove_prefix(std::min(what.find_first_not_of(": "), what.size()));
  const bool is_rule = what.starts_with("has to ") || what.starts_with("is ");
  return usage_failure(name + (is_rule ? " " : ": ") + std::string(what));
}

}  // namespace

std::string text_at(const nlohmann::json& object, std::string_view key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (found == object.end() || !found->is_string()) return {};
  return found->get_ref<const std::string&>();
}

std::uint64_t count_at(const nlohmann::json& object, std::string_view key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (found == object.end() || !found->is_number_unsigned()) return 0;
  return found->get<std::uint64_t>();
}

std::int64_t number_at(const nlohmann::json& object, std::string_view key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (found == object.end() || !found->is_number_integer()) return 0;
  return found->get<std::int64_t>();
}

bool flag_at(const nlohmann::json& object, std::string_view key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

const nlohmann::json& list_at(const nlohmann::json& object, std::string_view key) {
  static const nlohmann::json kEmpty = nlohmann::json::array();
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_array() ? *found : kEmpty;
}

const nlohmann::json& object_at(const nlohmann::json& object, std::string_view key) {
  static const nlohmann::json kEmpty = nlohmann::json::object();
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_object() ? *found : kEmpty;
}

Duration Context::timeout() const {
  if (!globals_.timeout_seconds) return kRequestTimeout;
  return milliseconds(std::llround(*globals_.timeout_seconds * 1000));
}

void Context::print(std::string_view text) const { terminal_.out << text; }

void Context::print_json(std::string_view text) const {
  terminal_.out << text;
  if (text.empty() || text.back() != '\n') terminal_.out << '\n';
}

void Context::note(std::string_view text) const {
  if (!globals_.quiet) terminal_.err << escape_text(text) << std::endl;
}

Outcome<HttpAnswer> Context::send(HttpRequest request) const {
  const auto start = std::chrono::steady_clock::now();
  Result<HttpAnswer> answer = HttpClient(socket_path()).send(request);
  if (globals_.verbose) {
    const auto took = std::chrono::steady_clock::now() - start;
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
    const std::string result =
        answer.ok() ? fmt::format("{}, {}", answer->status, bytes_text(answer->body.text.size()))
                    : answer.error().message();
    terminal_.err << escape_text(fmt::format("{} {}: {}, {}", request.method, request.target,
                                             result, duration_text(us)))
                  << std::endl;
  }
  if (!answer.ok()) return failure_of_transport(answer.error());
  return std::move(answer).value();
}

Failure Context::failure_of_transport(const Error& error) const {
  switch (error.code) {
    case ErrorCode::kNotFound: {
      const Result<std::string> device = local_.device(dir());
      if (!device.ok() && device.error().context != "device") {
        return {.exit = ExitCode::kNoDaemon,
                .what = "no node is running for " + dir() +
                        ", and none can be started: " + failure_of(device.error(), place_).what};
      }
      if (!device.ok()) {
        return {
            .exit = ExitCode::kNoDaemon,
            .what = "no node is running for " + dir() + ": there is no device in it yet",
            .next = "make one with " + command("init") + ", then start it with " + command("up")};
      }
      return {.exit = ExitCode::kNoDaemon,
              .what = "no node is running for " + dir() + ": start it with " + command("up"),
              .why = "nobody answers on " + socket_path() + " (" + error.detail + ")"};
    }
    case ErrorCode::kBusy:
      return {.exit = ExitCode::kTimeout,
              .what = fmt::format("the node gave no answer in {}", duration_text(timeout().us)),
              .why = "it is busy or its process is stopped; what was asked may still happen",
              .next = "look into " + log_path() + ", or wait longer with --timeout"};
    case ErrorCode::kPermission:
      return {.what = "may not open " + socket_path() + ": " + error.detail,
              .why = "only the user who runs the node may ask it",
              .next = "become that user, or name your own directory with --dir"};
    case ErrorCode::kInvalidArgument:
      return {.what = "cannot read the input: " + error.detail};
    default:
      return {.what = "the connection to the node broke: " + error_words(error),
              .why = "it may have stopped in the middle of the answer",
              .next = command("status") + " tells whether it runs; its log is " + log_path()};
  }
}

Failure Context::failure_of_answer(const HttpAnswer& answer, const FieldNames& names) const {
  const auto body = nlohmann::json::parse(answer.body.text, nullptr, false);
  const nlohmann::json& error = object_at(body, "error");
  const std::string code = text_at(error, "code");
  std::string what = text_at(error, "message");
  if (what.empty()) what = fmt::format("the node answered with HTTP status {}", answer.status);
  const std::string field = text_at(error, "field");
  for (const auto& [known, name] : names) {
    if (answer.status == kStatusBadRequest && field == known) {
      return failure_of_name(what, field, name);
    }
  }
  if (!field.empty() && what.find(field) == std::string::npos) what += " (field " + field + ")";
  std::string next = next_step_of_code(code, what, place_);
  return {.what = std::move(what), .next = std::move(next)};
}

Outcome<Document> Context::document_of(HttpRequest request, const FieldNames& names,
                                       std::string_view secret_member) const {
  request.timeout = timeout();
  EBB_ASSIGN(HttpAnswer answer, send(std::move(request)));
  if (answer.status != 200) {
    Failure failure = failure_of_answer(answer, names);
    if (answer.status == kStatusDiskFull) failure.why = "nothing of this was stored";
    return failure;
  }
  Document document;
  document.text = std::move(answer.body);
  if (secret_member.empty()) {
    document.value = nlohmann::json::parse(document.text.text, nullptr, false);
  } else {
    SecretText rest = without_letters(document.text, secret_member, document.secret);
    document.value = nlohmann::json::parse(rest.text, nullptr, false);
  }
  if (document.value.is_discarded()) {
    return Failure{.what = "the node's answer is not JSON",
                   .why = "this `ebb` and the running node may be of different versions",
                   .next = "restart it with " + command("down") + " and " + command("up")};
  }
  return document;
}

Outcome<Document> Context::get(const RequestTarget& target, const FieldNames& names) const {
  return document_of(HttpRequest{.target = target.text()}, names);
}

Outcome<Document> Context::post(const RequestTarget& target, std::string json,
                                const FieldNames& names) const {
  return document_of(HttpRequest{.method = "POST",
                                 .target = target.text(),
                                 .content_type = "application/json",
                                 .body = std::move(json)},
                     names);
}

Outcome<Document> Context::post_for_secret(const RequestTarget& target, std::string json,
                                           std::string_view member, const FieldNames& names) const {
  return document_of(HttpRequest{.method = "POST",
                                 .target = target.text(),
                                 .content_type = "application/json",
                                 .body = std::move(json)},
                     names, member);
}

Outcome<Document> Context::remove(const RequestTarget& target) const {
  return document_of(HttpRequest{.method = "DELETE", .target = target.text()});
}

Outcome<std::string> Context::device_with_prefix(std::string_view prefix) const {
  const auto letters_of = [](std::string_view text) {
    std::string letters;
    for (const char c : text) {
      if (c != '-') letters += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return letters;
  };
  EBB_ASSIGN(const Document heads, get(RequestTarget("/v1/heads")));
  EBB_ASSIGN(const Document peers, get(RequestTarget("/v1/peers")));
  const std::string wanted = letters_of(prefix);
  std::set<std::string> found;
  const auto collect = [&](const nlohmann::json& rows) {
    for (const nlohmann::json& row : rows) {
      const std::string device = text_at(row, "device");
      if (!device.empty() && letters_of(device).rfind(wanted, 0) == 0) found.insert(device);
    }
  };
  collect(list_at(heads.value, "heads"));
  collect(list_at(peers.value, "peers"));
  if (found.empty()) {
    return Failure{
        .what = "no known device begins with " + std::string(prefix),
        .next = command("heads") + " and " + command("peers") + " list those that are known"};
  }
  if (found.size() > 1) {
    std::string all;
    for (const std::string& device : found)
      all.append(all.empty() ? "" : ", ").append(device);
    return Failure{.what = fmt::format("{} devices begin with {}", found.size(), prefix),
                   .next = "write more of one of " + all};
  }
  return *found.begin();
}

}  // namespace ebb::cli
