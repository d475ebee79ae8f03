// TomlReader: one table of a TOML file, read key by key: values are judged where they are read,
// and keys that nobody asked for are refused, with the nearest one that somebody did.
//
// Model:   the first thing that is wrong is kept, with file, line and key, and ends all that
//          follows: read everything, then ask finish(). What is not there leaves `out` as it is.
// Ownership: the table must outlive the reader.
// Threads: not thread-safe.
// Errors:  finish(): kInvalidArgument; parse_toml(): kMalformed. State changed: some of the `out`s.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace ebb::sim_tool {

// `file` is for messages.
Result<toml::table> parse_toml(const std::string& text, const std::string& file);

class TomlReader {
 public:
  // `name` of the table, with a dot behind it; empty for the root.
  TomlReader(const toml::table& table, std::string file, std::string name = {})
      : table_(table), file_(std::move(file)), name_(std::move(name)) {}

  bool has(std::string_view key) const { return table_.contains(key); }
  void text(std::string_view key, std::string& out);
  void boolean(std::string_view key, bool& out);
  template <class Number>
  void integer(std::string_view key, Number& out, std::int64_t least = 0,
               std::int64_t most = std::numeric_limits<std::int64_t>::max()) {
    if (const auto read = whole(key, least, most)) out = static_cast<Number>(*read);
  }
  void texts(std::string_view key, std::vector<std::string>& out);
  void integers(std::string_view key, std::vector<std::int64_t>& out, std::int64_t least,
                std::int64_t most);
  // A text that `parse` takes; else `rule` says what it should be.
  template <class Value>
  void parsed(std::string_view key, Value& out,
              const std::function<std::optional<Value>(std::string_view)>& parse,
              std::string_view rule) {
    std::string given;
    const std::size_t before = known_.size();
    text(key, given);
    if (!error_.ok() || !table_.contains(known_[before])) return;
    if (auto value = parse(given)) {
      out = std::move(*value);
    } else {
      wrong(key, std::string(rule) + ", not \"" + given + "\"");
    }
  }
  void required(std::string_view key);

  // A table of its own; an array of tables; tables under names of the user's, in order of the file.
  std::optional<TomlReader> table(std::string_view key);
  std::vector<TomlReader> tables(std::string_view key);
  std::vector<TomlReader> named_tables(std::string_view key, std::vector<std::string>& names);

  // The value of `key`, or the table where there is none, breaks a rule.
  void wrong(std::string_view key, const std::string& rule);
  // What a reader of a table within found.
  void take(const Status& status) {
    if (error_.ok() && !status.ok()) error_ = status;
  }
  bool ok() const { return error_.ok(); }
  // Refuses keys that were not asked for.
  Status finish();

 private:
  const toml::node* find(std::string_view key);
  std::optional<std::int64_t> whole(std::string_view key, std::int64_t least, std::int64_t most);
  void say(const toml::node& node, const std::string& key, const std::string& rule);

  const toml::table& table_;
  std::string file_;
  std::string name_;
  std::vector<std::string> known_;
  Status error_;
};

}  // namespace ebb::sim_tool
