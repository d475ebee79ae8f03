#include "core/ids.h"

#include <algorithm>
#include <charconv>

#include "core/limits.h"

namespace ebb {

bool is_valid_topic(std::string_view topic) {
  if (topic == kControlTopic) return true;
  if (topic.empty() || topic.size() > limits::kTopicBytes || topic.front() == '_') return false;
  return std::all_of(topic.begin(), topic.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
  });
}

std::string device_text(const DeviceId& device) {
  const std::string plain = to_base32(device.view());
  std::string text;
  for (std::size_t i = 0; i < plain.size(); i += 8) {
    if (i > 0) text.push_back('-');
    text.append(plain, i, 8);
  }
  return text;
}

std::string device_short(const DeviceId& device) { return to_base32(device.view()).substr(0, 8); }

std::optional<DeviceId> parse_device(std::string_view text) {
  const auto bytes = from_base32(text);
  return bytes ? DeviceId::from(*bytes) : std::nullopt;
}

std::string log_text(const LogId& log) { return to_base32(log.view()); }

std::optional<LogId> parse_log(std::string_view text) {
  const auto bytes = from_base32(text);
  return bytes ? LogId::from(*bytes) : std::nullopt;
}

std::string dot_text(const Dot& dot) { return log_text(dot.log) + ":" + std::to_string(dot.seq); }

std::optional<Dot> parse_dot(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto log = parse_log(text.substr(0, colon));
  Dot dot;
  const char* const begin = text.data() + colon + 1;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(begin, end, dot.seq);
  if (!log || parsed.ec != std::errc{} || parsed.ptr != end || dot.seq == 0) return std::nullopt;
  dot.log = *log;
  return dot;
}

std::string uuid_text(const Uuid& id) {
  const std::string hex = to_hex(id.view());
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" +
         hex.substr(16, 4) + "-" + hex.substr(20);
}

std::optional<Uuid> parse_uuid(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  std::string hex;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i] != '-') return std::nullopt;
    } else {
      hex.push_back(text[i]);
    }
  }
  const auto bytes = from_hex(hex);
  return bytes ? Uuid::from(*bytes) : std::nullopt;
}

}  // namespace ebb
