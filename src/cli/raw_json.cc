#include "cli/raw_json.h"

#include <nlohmann/json.hpp>

namespace ebb::cli {
namespace {

constexpr std::string_view kWhite = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kWhite);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kWhite) - first + 1);
}

// Where the value that begins at `start` ends: at a ',' or a closing bracket of its container.
std::size_t value_end(std::string_view text, std::size_t start, std::string_view stop) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = start; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (depth == 0 && stop.find(c) != std::string_view::npos) {
      return i;
    } else if (c == '[' || c == '{') {
      ++depth;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return text.size();
}

// Hears of each value; goes on until it meets an integer that was read as a real number, which the
// parser does with those that are too large.
class IntegerCheck final : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t& text) override {
    return text.find_first_of(".eE") != string_t::npos;
  }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return true; }
  bool key(string_t&) override { return true; }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }
};

}  // namespace

bool is_json(std::string_view text) { return nlohmann::json::accept(text); }

bool integers_fit(std::string_view valid) {
  IntegerCheck check;
  return nlohmann::json::sax_parse(valid, &check);
}

bool is_json_number(std::string_view text) {
  std::size_t at = 0;
  const auto skip = [&](std::string_view any) {
    const bool found = at < text.size() && any.find(text[at]) != std::string_view::npos;
    if (found) ++at;
    return found;
  };
  const auto digits = [&] {
    const std::size_t first = at;
    while (skip("0123456789")) {
    }
    return at > first;
  };
  skip("-");
  if (!skip("0") && !digits()) return false;
  if (skip(".") && !digits()) return false;
  if (skip("eE")) {
    skip("+-");
    if (!digits()) return false;
  }
  return at == text.size();
}

std::optional<std::string> quote_json(std::string_view text) {
  try {
    return nlohmann::json(text).dump();
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

std::vector<std::string_view> raw_elements(std::string_view valid) {
  valid = trimmed(valid);
  std::vector<std::string_view> elements;
  if (valid.empty() || valid.front() != '[') return elements;
  std::size_t start = 1;
  while (start < valid.size()) {
    const std::size_t end = value_end(valid, start, ",]");
    const std::string_view element = trimmed(valid.substr(start, end - start));
    if (element.empty()) break;  // an empty array
    elements.push_back(element);
    if (end >= valid.size() || valid[end] == ']') break;
    start = end + 1;
  }
  return elements;
}

std::optional<std::string_view> raw_member(std::string_view valid, std::string_view key) {
  valid = trimmed(valid);
  if (valid.empty() || valid.front() != '{') return std::nullopt;
  std::size_t start = 1;
  while (start < valid.size()) {
    const std::size_t colon = value_end(valid, start, ":}");
    if (colon >= valid.size() || valid[colon] == '}') return std::nullopt;
    const std::size_t end = value_end(valid, colon + 1, ",}");
    std::string_view name = trimmed(valid.substr(start, colon - start));
    name = name.substr(1, name.size() - 2);
    if (name == key) return trimmed(valid.substr(colon + 1, end - colon - 1));
    start = end + 1;
  }
  return std::nullopt;
}

std::string plain_text(std::string_view valid) {
  if (valid.empty() || valid.front() != '"') return std::string(valid);
  const auto value = nlohmann::json::parse(valid, nullptr, false);
  if (!value.is_string()) return std::string(valid);
  return value.get_ref<const std::string&>();
}

}  // namespace ebb::cli
