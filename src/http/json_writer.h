// Writes JSON text, with the commas where they belong. Not a checker: the caller pairs begin and
// end and writes a key before each value of an object.
//
// Ownership: the string must outlive the writer; it is appended to.
// Threads:   not thread-safe; a value on the stack of one call.
#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "codec/value.h"

namespace ebb::http {

class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }

  JsonWriter& key(std::string_view name) {
    comma();
    codec::append_json_string(out_, name);
    out_.push_back(':');
    comma_ = false;
    return *this;
  }

  // `text` has to be UTF-8.
  JsonWriter& value(std::string_view text) {
    comma();
    codec::append_json_string(out_, text);
    return *this;
  }
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(bool flag) { return raw(flag ? "true" : "false"); }
  template <class Integer>
  requires std::is_integral_v<Integer> JsonWriter& value(Integer number) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    return raw({digits, static_cast<std::size_t>(end - digits)});
  }
  // Shortest text that reads back equal, recognisable as a double; null when not finite.
  JsonWriter& value(double number) {
    if (!std::isfinite(number)) return null();
    char digits[40];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    const std::string_view text(digits, static_cast<std::size_t>(end - digits));
    raw(text);
    if (text.find_first_of(".e") == std::string_view::npos) out_.append(".0");
    return *this;
  }
  template <class T>
  JsonWriter& value(const std::optional<T>& maybe) {
    return maybe ? value(*maybe) : null();
  }
  JsonWriter& null() { return raw("null"); }
  // One value that is JSON already.
  JsonWriter& raw(std::string_view json) {
    comma();
    out_.append(json);
    return *this;
  }

  template <class T>
  JsonWriter& field(std::string_view name, const T& what) {
    return key(name).value(what);
  }

 private:
  JsonWriter& open(char bracket) {
    comma();
    out_.push_back(bracket);
    comma_ = false;
    return *this;
  }
  JsonWriter& close(char bracket) {
    out_.push_back(bracket);
    comma_ = true;
    return *this;
  }
  void comma() {
    if (comma_) out_.push_back(',');
    comma_ = true;
  }

  std::string& out_;
  bool comma_ = false;
};

}  // namespace ebb::http
