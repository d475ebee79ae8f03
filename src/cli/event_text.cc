#include "cli/event_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "cli/print.h"
#include "cli/raw_json.h"

namespace ebb::cli {
namespace {

constexpr std::size_t kDeviceLetters = 8;

bool is_integer(std::string_view text) {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

Failure not_utf8(std::string_view what) {
  return usage_failure(std::string(what) + " is not UTF-8 text");
}

// `,"key":<text as JSON>`, nothing when there is no text.
Outcome<std::string> text_member(std::string_view key, const std::optional<std::string>& text) {
  if (!text) return std::string();
  const auto quoted = quote_json(*text);
  if (!quoted) return not_utf8(key);
  return fmt::format(",\"{}\":{}", key, *quoted);
}

Outcome<std::string> payload_of_pairs(const std::vector<std::string>& pairs) {
  std::string object = "{";
  std::vector<std::string_view> keys;
  for (const std::string& pair : pairs) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      return usage_failure("not a field of the payload: " + pair,
                           "write key=value, or give the whole payload with --payload JSON");
    }
    const auto key = std::string_view(pair).substr(0, equals);
    const auto value = std::string_view(pair).substr(equals + 1);
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) {
      return usage_failure("the payload names " + std::string(key) + " twice");
    }
    keys.push_back(key);
    const bool json = is_json(value);
    if (json ? !integers_fit(value) : is_json_number(value)) {
      return usage_failure(pair + ": a number that cannot be kept",
                           "as a text it goes with quotes: '" + std::string(key) + "=\"" +
                               std::string(value) + "\"'");
    }
    const auto quoted_key = quote_json(key);
    const auto text = json ? std::optional(std::string(value)) : quote_json(value);
    if (!quoted_key || !text) return not_utf8(pair);
    if (object.size() > 1) object += ',';
    object.append(*quoted_key).append(":").append(*text);
  }
  return object + "}";
}

Outcome<std::string> payload_of(const AppendOptions& options) {
  if (!options.payload) return payload_of_pairs(options.pairs);
  if (!options.pairs.empty()) {
    return usage_failure("both --payload and fields: " + options.pairs.front(),
                         "give the payload one way");
  }
  if (!is_json(*options.payload)) {
    return usage_failure("--payload is not JSON: " + *options.payload,
                         "text needs quotes of its own: --payload '\"text\"'");
  }
  if (!integers_fit(*options.payload)) {
    return usage_failure("--payload has a number that cannot be kept",
                         "integers go from -2^63 to 2^64-1; as a text it goes with quotes");
  }
  return *options.payload;
}

std::string plain_member(std::string_view event, std::string_view key) {
  const auto raw = raw_member(event, key);
  return raw && *raw != "null" ? plain_text(*raw) : std::string();
}

std::string time_of(std::string_view event) {
  const std::string text = plain_member(event, "ts");
  std::int64_t ms = 0;
  const auto end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, ms);
  return read.ec == std::errc() && read.ptr == end ? time_text(ms) : text;
}

}  // namespace

Outcome<std::string> event_object(const AppendOptions& options) {
  const auto type = quote_json(options.type);
  if (!type) return not_utf8("the type");
  std::string object = "{\"type\":" + *type;
  if (options.payload || !options.pairs.empty()) {
    EBB_ASSIGN(const std::string payload, payload_of(options));
    object += ",\"payload\":" + payload;
  }
  if (options.ts && is_integer(*options.ts)) {
    object += ",\"ts\":" + *options.ts;
  } else {
    EBB_ASSIGN(const std::string ts, text_member("ts", options.ts));
    object += ts;
  }
  EBB_ASSIGN(const std::string source, text_member("source", options.source));
  EBB_ASSIGN(const std::string id, text_member("id", options.id));
  std::optional<std::string> chosen_topic;
  if (!options.topic.empty()) chosen_topic = options.topic;
  EBB_ASSIGN(const std::string topic, text_member("topic", chosen_topic));
  return object + source + id + topic + "}";
}

std::string event_line(std::string_view event, std::size_t columns, bool colours) {
  const std::string time = time_of(event);
  const std::string device = plain_member(event, "device").substr(0, kDeviceLetters);
  const std::string type = escape_text(plain_member(event, "type"));
  const std::string source = escape_text(plain_member(event, "source"));
  const std::string payload(raw_member(event, "payload").value_or("null"));
  const std::string head = fmt::format("{}  {:<8}  ", escape_text(time), escape_text(device));
  std::string rest = fmt::format("{:<14}  ", type);
  if (!source.empty()) rest += fmt::format("{:<12}  ", source);
  rest += escape_text(payload);
  if (columns > 0) rest = fit_text(rest, columns > head.size() ? columns - head.size() : 1);
  return paint(Colour::kDim, head, colours) + rest + '\n';
}

bool LineCutter::feed(std::string_view part, const std::function<bool(std::string_view)>& take) {
  std::size_t end = part.find('\n');
  while (end != std::string_view::npos) {
    std::string_view line = part.substr(0, end);
    if (!rest_.empty()) line = rest_.append(line);
    const bool goes_on = take(line);
    rest_.clear();
    if (!goes_on) return false;
    part.remove_prefix(end + 1);
    end = part.find('\n');
  }
  rest_.append(part);
  return true;
}

bool EventStream::feed(std::string_view part, const std::function<bool(const Message&)>& take) {
  return lines_.feed(part, [&](std::string_view line) { return take_line(line, take); });
}

bool EventStream::take_line(std::string_view line,
                            const std::function<bool(const Message&)>& take) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  if (line.empty()) {
    const bool has_something =
        !message_.data.empty() || !message_.event.empty() || !message_.id.empty();
    const bool goes_on = !has_something || take(message_);
    message_ = {};
    return goes_on;
  }
  const std::size_t colon = line.find(':');
  if (colon == 0 || colon == std::string_view::npos) return true;  // a comment keeps it alive
  const std::string_view name = line.substr(0, colon);
  std::string_view value = line.substr(colon + 1);
  if (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  if (name == "event") message_.event = value;
  if (name == "id") message_.id = value;
  if (name == "data") {
    if (!message_.data.empty()) message_.data += '\n';
    message_.data += value;
  }
  return true;
}

}  // namespace ebb::cli
