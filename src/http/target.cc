#include "http/target.h"

#include <optional>

#include "codec/utf8.h"
#include "core/limits.h"

namespace ebb::http {
namespace {

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
  return std::nullopt;
}

Result<std::string> decode(std::string_view raw, bool plus_is_space) {
  std::string text;
  text.reserve(raw.size());
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] == '+' && plus_is_space) {
      text.push_back(' ');
    } else if (raw[i] == '%') {
      const auto high = i + 2 < raw.size() ? hex_digit(raw[i + 1]) : std::nullopt;
      const auto low = i + 2 < raw.size() ? hex_digit(raw[i + 2]) : std::nullopt;
      if (!high || !low) return Error{ErrorCode::kInvalidArgument, "address: a broken % escape"};
      text.push_back(static_cast<char>(*high << 4 | *low));
      i += 2;
    } else {
      text.push_back(raw[i]);
    }
  }
  if (text.find('\0') != std::string::npos || !codec::is_utf8(text)) {
    return Error{ErrorCode::kInvalidArgument, "address: is no text"};
  }
  return text;
}

}  // namespace

Result<RequestTarget> parse_target(std::string_view raw) {
  if (raw.size() > limits::kHttpTargetBytes) return Error{ErrorCode::kTooLarge, "address"};
  const std::size_t mark = raw.find('?');
  RequestTarget target;
  EBB_ASSIGN(target.path, decode(raw.substr(0, mark), false));
  std::string_view rest = mark == std::string_view::npos ? "" : raw.substr(mark + 1);
  while (!rest.empty()) {
    const std::size_t end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    EBB_ASSIGN(std::string name, decode(pair.substr(0, equals), true));
    std::string value;
    if (equals != std::string_view::npos) {
      EBB_ASSIGN(value, decode(pair.substr(equals + 1), true));
    }
    if (!target.query.try_emplace(name, std::move(value)).second) {
      return Error{ErrorCode::kInvalidArgument, "address: given twice", name};
    }
  }
  return target;
}

}  // namespace ebb::http
