#include "store/sql_functions.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/ids.h"
#include "core/limits.h"
#include "store/sqlite.h"

namespace ebb::store {
namespace {

enum TrimEnds : int { kLeft = 1, kRight = 2, kBoth = 3 };
constexpr int kTrimLeft = kLeft;
constexpr int kTrimRight = kRight;
constexpr int kTrimBoth = kBoth;

bool is_null(sqlite3_value* value) { return sqlite3_value_type(value) == SQLITE_NULL; }
bool is_blob(sqlite3_value* value) { return sqlite3_value_type(value) == SQLITE_BLOB; }

ByteView value_bytes(sqlite3_value* value) {
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_value_blob(value));
  const int size = sqlite3_value_bytes(value);
  if (data == nullptr || size <= 0) return {};
  return {data, static_cast<std::size_t>(size)};
}

// As text, whatever the value is.
std::string_view value_text(sqlite3_value* value) {
  const unsigned char* data = sqlite3_value_text(value);
  const int size = sqlite3_value_bytes(value);
  if (data == nullptr || size <= 0) return {};
  return {reinterpret_cast<const char*>(data), static_cast<std::size_t>(size)};
}

void result_text(sqlite3_context* context, std::string_view text) {
  const char* data = text.empty() ? "" : text.data();
  sqlite3_result_text64(context, data, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

// NULL for anything that is not such an id.
void device_function(sqlite3_context* context, int, sqlite3_value** arguments) {
  const auto device = DeviceId::from(value_bytes(arguments[0]));
  if (device) result_text(context, device_text(*device));
}

void log_function(sqlite3_context* context, int, sqlite3_value** arguments) {
  const auto log = LogId::from(value_bytes(arguments[0]));
  if (log) result_text(context, log_text(*log));
}

void hex_function(sqlite3_context* context, int, sqlite3_value** arguments) {
  if (is_null(arguments[0])) return;
  result_text(context, to_hex(value_bytes(arguments[0])));
}

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

// Linear, unlike std::string_view::find.
std::size_t find_part(std::string_view text, std::string_view part, std::size_t from) {
  if (text.size() - from < part.size()) return std::string_view::npos;  // nothing to point at
  const void* found = ::memmem(text.data() + from, text.size() - from, part.data(), part.size());
  if (found == nullptr) return std::string_view::npos;
  return static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

void instr_function(sqlite3_context* context, int, sqlite3_value** arguments) {
  if (is_null(arguments[0]) || is_null(arguments[1])) return;
  const bool bytes = is_blob(arguments[0]) && is_blob(arguments[1]);
  const std::string_view text =
      bytes ? as_text(value_bytes(arguments[0])) : value_text(arguments[0]);
  const std::string_view part =
      bytes ? as_text(value_bytes(arguments[1])) : value_text(arguments[1]);
  const std::size_t at = part.empty() ? 0 : find_part(text, part, 0);
  if (at == std::string_view::npos) return sqlite3_result_int(context, 0);
  const std::string_view before = text.substr(0, at);
  const auto inside = std::count_if(before.begin(), before.end(), continues_character);
  const auto skipped = static_cast<sqlite3_int64>(at) - (bytes ? 0 : inside);
  sqlite3_result_int64(context, skipped + 1);
}

void replace_function(sqlite3_context* context, int, sqlite3_value** arguments) {
  if (is_null(arguments[0]) || is_null(arguments[1]) || is_null(arguments[2])) return;
  const std::string_view text = value_text(arguments[0]);
  const std::string_view part = value_text(arguments[1]);
  const std::string_view other = value_text(arguments[2]);
  std::string out;
  std::size_t from = 0;
  while (!part.empty() && from < text.size()) {
    const std::size_t at = find_part(text, part, from);
    if (at == std::string_view::npos) break;
    out.append(text.substr(from, at - from)).append(other);
    from = at + part.size();
    if (out.size() > limits::kSqlValueBytes) return sqlite3_result_error_toobig(context);
  }
  out.append(text.substr(from));
  if (out.size() > limits::kSqlValueBytes) return sqlite3_result_error_toobig(context);
  result_text(context, out);
}

std::vector<std::string_view> characters_of(std::string_view text) {
  std::vector<std::string_view> characters;
  while (!text.empty()) {
    std::size_t size = 1;
    while (size < text.size() && continues_character(text[size]))
      ++size;
    characters.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return characters;
}

void trim_function(sqlite3_context* context, int count, sqlite3_value** arguments) {
  if (is_null(arguments[0]) || (count == 2 && is_null(arguments[1]))) return;
  std::string_view text = value_text(arguments[0]);
  const std::string_view set = count == 2 ? value_text(arguments[1]) : std::string_view(" ");
  if (set.size() > limits::kSqlTrimBytes) {
    return sqlite3_result_error(context, "too many characters to take away", -1);
  }
  const std::vector<std::string_view> characters = characters_of(set);
  const int ends = *static_cast<const int*>(sqlite3_user_data(context));
  using Fits = bool (*)(std::string_view, std::string_view);
  const auto match = [&](Fits fits) {
    const auto it = std::find_if(characters.begin(), characters.end(),
                                 [&](std::string_view character) { return fits(text, character); });
    return it == characters.end() ? std::size_t{0} : it->size();
  };
  const Fits at_front = [](std::string_view in, std::string_view c) { return in.starts_with(c); };
  const Fits at_back = [](std::string_view in, std::string_view c) { return in.ends_with(c); };
  std::size_t size = 0;
  while ((ends & kLeft) != 0 && (size = match(at_front)) > 0)
    text.remove_prefix(size);
  while ((ends & kRight) != 0 && (size = match(at_back)) > 0)
    text.remove_suffix(size);
  result_text(context, text);
}

struct Function {
  const char* name;
  int arguments;
  void (*call)(sqlite3_context*, int, sqlite3_value**);
  const int* data = nullptr;
};

constexpr Function kFunctions[] = {
    {"ebb_device", 1, &device_function},
    {"ebb_log", 1, &log_function},
    {"ebb_hex", 1, &hex_function},
    {"instr", 2, &instr_function},
    {"replace", 3, &replace_function},
    {"trim", 1, &trim_function, &kTrimBoth},
    {"trim", 2, &trim_function, &kTrimBoth},
    {"ltrim", 1, &trim_function, &kTrimLeft},
    {"ltrim", 2, &trim_function, &kTrimLeft},
    {"rtrim", 1, &trim_function, &kTrimRight},
    {"rtrim", 2, &trim_function, &kTrimRight},
};

}  // namespace

Status add_functions(sqlite3* db) {
  for (const Function& function : kFunctions) {
    // SQLite hands the pointer back as it is; nothing writes through it.
    void* data = const_cast<int*>(function.data);
    const int rc = sqlite3_create_function_v2(db, function.name, function.arguments,
                                              SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS,
                                              data, function.call, nullptr, nullptr, nullptr);
    if (rc != SQLITE_OK) return sqlite_error(rc, db, "registering a function");
  }
  return {};
}

}  // namespace ebb::store
