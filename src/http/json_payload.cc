#include "http/json_payload.h"

#include "core/limits.h"

namespace ebb::http {
namespace {

namespace ondemand = simdjson::ondemand;

// Longest path that an error names.
constexpr std::size_t kPathBytes = 256;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::size_t skip_digits(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at]))
    ++at;
  return at;
}

// The grammar of RFC 8259 section 6.
bool is_json_number(std::string_view text) {
  std::size_t at = !text.empty() && text[0] == '-' ? 1 : 0;
  const std::size_t whole = at;
  at = skip_digits(text, at);
  if (at == whole || (text[whole] == '0' && at > whole + 1)) return false;
  if (at < text.size() && text[at] == '.') {
    const std::size_t fraction = ++at;
    at = skip_digits(text, at);
    if (at == fraction) return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    const std::size_t exponent = at;
    at = skip_digits(text, at);
    if (at == exponent) return false;
  }
  return at == text.size();
}

// Whether the object or array that `json` begins with is closed and more than white space follows.
bool is_followed(std::string_view json) {
  std::size_t depth = 0;
  bool in_text = false;
  for (std::size_t at = 0; at < json.size(); ++at) {
    const char c = json[at];
    if (in_text) {
      if (c == '\\') ++at;
      if (c == '"') in_text = false;
    } else if (c == '"') {
      in_text = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && (depth == 0 || --depth == 0)) {
      return json.find_first_not_of(" \t\r\n", at + 1) != std::string_view::npos;
    }
  }
  return false;
}

class Walk {
 public:
  Walk(codec::ValueBuilder& builder, std::string& path) : builder_(builder), path_(path) {}

  Status value(ondemand::value value, std::size_t depth) {
    ondemand::json_type type{};
    if (const auto error = value.type().get(type)) return json_error(error);
    switch (type) {
      case ondemand::json_type::array:
        return array(value, depth);
      case ondemand::json_type::object:
        return object(value, depth);
      case ondemand::json_type::number:
        return number(value);
      case ondemand::json_type::string:
        return string(value);
      case ondemand::json_type::boolean: {
        bool flag = false;
        if (const auto error = value.get_bool().get(flag)) return json_error(error);
        builder_.boolean(flag);
        return {};
      }
      case ondemand::json_type::null: {
        bool is_null = false;
        if (const auto error = value.is_null().get(is_null)) return json_error(error);
        if (!is_null) return json_error(simdjson::N_ATOM_ERROR);
        builder_.nil();
        return {};
      }
    }
    return json_error(simdjson::TAPE_ERROR);
  }

 private:
  Status array(ondemand::value value, std::size_t depth) {
    if (depth >= limits::kDepth) return too_deep();
    ondemand::array array;
    if (const auto error = value.get_array().get(array)) return json_error(error);
    builder_.begin_array();
    std::size_t index = 0;
    for (auto element : array) {
      if (index >= limits::kElementsPerContainer) return too_many();
      if (element.error() != simdjson::SUCCESS) return json_error(element.error());
      if (Status status = this->value(element.value_unsafe(), depth + 1); !status) {
        path_.insert(0, index_text(index));
        return status;
      }
      ++index;
    }
    builder_.end_array();
    return {};
  }

  Status object(ondemand::value value, std::size_t depth) {
    if (depth >= limits::kDepth) return too_deep();
    ondemand::object object;
    if (const auto error = value.get_object().get(object)) return json_error(error);
    builder_.begin_map();
    std::size_t count = 0;
    for (auto entry : object) {
      if (++count > limits::kElementsPerContainer) return too_many();
      ondemand::field field;
      if (const auto error = std::move(entry).get(field)) return json_error(error);
      std::string_view key;
      if (const auto error = field.unescaped_key().get(key)) return json_error(error);
      builder_.key(key);
      if (Status status = this->value(field.value(), depth + 1); !status) {
        if (path_.size() < kPathBytes) path_.insert(0, "." + std::string(key.substr(0, 64)));
        return status;
      }
    }
    builder_.end_map();
    return {};
  }

  Status number(ondemand::value value) {
    ondemand::number number;
    if (value.get_number().get(number)) return number_error(value.raw_json_token());
    switch (number.get_number_type()) {
      case ondemand::number_type::floating_point_number:
        builder_.real(number.get_double());
        break;
      case ondemand::number_type::signed_integer:
        builder_.integer(number.get_int64());
        break;
      case ondemand::number_type::unsigned_integer:
        builder_.uint(number.get_uint64());
        break;
    }
    return {};
  }

  Status string(ondemand::value value) {
    std::string_view text;
    if (const auto error = value.get_string().get(text)) return json_error(error);
    builder_.str(text);
    return {};
  }

  static Error too_deep() {
    return Error{ErrorCode::kTooDeep, "nested deeper than",
                 std::to_string(limits::kDepth) + " levels"};
  }

  static Error too_many() {
    return Error{ErrorCode::kTooLarge, "event payload",
                 "more than " + std::to_string(limits::kElementsPerContainer) +
                     " elements in one array or object"};
  }

  codec::ValueBuilder& builder_;
  std::string& path_;
};

}  // namespace

std::string index_text(std::size_t index) {
  return std::string("[").append(std::to_string(index)).append("]");
}

Error json_error(simdjson::error_code code) {
  switch (code) {
    case simdjson::EMPTY:
      return {ErrorCode::kMalformed, "not JSON", "there is nothing"};
    case simdjson::UTF8_ERROR:
      return {ErrorCode::kMalformed, "not UTF-8"};
    case simdjson::INCORRECT_TYPE:
      return {ErrorCode::kMalformed, "a value of another type is wanted"};
    case simdjson::UNCLOSED_STRING:
      return {ErrorCode::kMalformed, "not JSON", "a text is not closed"};
    case simdjson::UNESCAPED_CHARS:
      return {ErrorCode::kMalformed, "not JSON", "a control character inside a text"};
    case simdjson::STRING_ERROR:
      return {ErrorCode::kMalformed, "not JSON", "a bad escape inside a text"};
    case simdjson::INCOMPLETE_ARRAY_OR_OBJECT:
      return {ErrorCode::kMalformed, "not JSON", "it ends early"};
    case simdjson::TRAILING_CONTENT:
      return {ErrorCode::kMalformed, "not JSON", "something follows the object or array"};
    case simdjson::CAPACITY:
      return {ErrorCode::kTooLarge, "JSON text"};
    case simdjson::MEMALLOC:
      return {ErrorCode::kInternal, "out of memory"};
    default:
      return {ErrorCode::kMalformed, "not JSON", "broken or missing value, comma or colon"};
  }
}

Error document_error(simdjson::error_code code, std::string_view json) {
  const bool followed = code == simdjson::INCOMPLETE_ARRAY_OR_OBJECT && is_followed(json);
  return json_error(followed ? simdjson::TRAILING_CONTENT : code);
}

Error number_error(std::string_view token) {
  const std::size_t end = token.find_last_not_of(" \t\r\n");
  token = token.substr(0, end == std::string_view::npos ? 0 : end + 1);
  if (!is_json_number(token)) return {ErrorCode::kMalformed, "not a JSON number"};
  return {ErrorCode::kOutOfRange,
          "a number that cannot be kept: integers go from -2^63 to 2^64-1, others are doubles",
          std::string(token.substr(0, 48))};
}

Status walk_payload(ondemand::value value, codec::ValueBuilder& builder, std::string& path) {
  return Walk(builder, path).value(value, 0);
}

}  // namespace ebb::http
