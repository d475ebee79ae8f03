#include "sim/tool/toml_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/suggest.h"

namespace ebb::sim_tool {

Result<toml::table> parse_toml(const std::string& text, const std::string& file) {
  try {
    return toml::table(toml::parse(text, file));
  } catch (const toml::parse_error& error) {
    return Error{ErrorCode::kMalformed, "toml",
                 file + " line " + std::to_string(error.source().begin.line) + ": " +
                     std::string(error.description())};
  }
}

void TomlReader::say(const toml::node& node, const std::string& key, const std::string& rule) {
  if (!error_.ok()) return;
  error_ =
      Error{ErrorCode::kInvalidArgument, "toml",
            file_ + " line " + std::to_string(node.source().begin.line) + ": " + key + ": " + rule};
}

void TomlReader::wrong(std::string_view key, const std::string& rule) {
  const toml::node* const node = table_.get(key);
  say(node == nullptr ? table_ : *node, name_ + std::string(key), rule);
}

const toml::node* TomlReader::find(std::string_view key) {
  known_.emplace_back(key);
  return error_.ok() ? table_.get(key) : nullptr;
}

void TomlReader::text(std::string_view key, std::string& out) {
  const toml::node* const node = find(key);
  if (node == nullptr) return;
  if (!node->is_string())
    return wrong(key, "must be a text, as in " + std::string(key) + " = \"...\"");
  out = node->as_string()->get();
}

void TomlReader::boolean(std::string_view key, bool& out) {
  const toml::node* const node = find(key);
  if (node == nullptr) return;
  if (!node->is_boolean()) return wrong(key, "must be true or false");
  out = node->as_boolean()->get();
}

std::optional<std::int64_t> TomlReader::whole(std::string_view key, std::int64_t least,
                                              std::int64_t most) {
  const toml::node* const node = find(key);
  if (node == nullptr) return std::nullopt;
  const bool fits =
      node->is_integer() && node->as_integer()->get() >= least && node->as_integer()->get() <= most;
  if (fits) return node->as_integer()->get();
  std::string rule = "must be a whole number of at least " + std::to_string(least);
  if (most != std::numeric_limits<std::int64_t>::max()) {
    rule = "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most);
  }
  wrong(key, rule);
  return std::nullopt;
}

void TomlReader::texts(std::string_view key, std::vector<std::string>& out) {
  const toml::node* const node = find(key);
  if (node == nullptr) return;
  std::vector<std::string> read;
  bool fits = node->is_array();
  if (fits) {
    for (const toml::node& item : *node->as_array()) {
      fits = fits && item.is_string();
      if (fits) read.push_back(item.as_string()->get());
    }
  }
  if (!fits)
    return wrong(key, "must be a list of texts, as in " + std::string(key) + " = [\"...\"]");
  out = std::move(read);
}

void TomlReader::integers(std::string_view key, std::vector<std::int64_t>& out, std::int64_t least,
                          std::int64_t most) {
  const toml::node* const node = find(key);
  if (node == nullptr) return;
  std::vector<std::int64_t> read;
  bool fits = node->is_array();
  if (fits) {
    for (const toml::node& item : *node->as_array()) {
      fits = fits && item.is_integer() && item.as_integer()->get() >= least &&
             item.as_integer()->get() <= most;
      if (fits) read.push_back(item.as_integer()->get());
    }
  }
  if (!fits) {
    return wrong(key, "must be a list of whole numbers from " + std::to_string(least) + " to " +
                          std::to_string(most));
  }
  out = std::move(read);
}

void TomlReader::required(std::string_view key) {
  if (!table_.contains(key)) wrong(key, "is missing");
}

std::optional<TomlReader> TomlReader::table(std::string_view key) {
  const toml::node* const node = find(key);
  if (node == nullptr) return std::nullopt;
  if (!node->is_table()) {
    wrong(key, "must be a table, as in [" + name_ + std::string(key) + "]");
    return std::nullopt;
  }
  return TomlReader(*node->as_table(), file_, name_ + std::string(key) + ".");
}

std::vector<TomlReader> TomlReader::tables(std::string_view key) {
  std::vector<TomlReader> readers;
  const toml::node* const node = find(key);
  if (node == nullptr) return readers;
  const toml::array* const array = node->as_array();
  bool fits = array != nullptr;
  for (std::size_t i = 0; fits && i < array->size(); ++i) {
    const toml::node& item = *array->get(i);
    fits = item.is_table();
    if (!fits) break;
    readers.emplace_back(*item.as_table(), file_,
                         name_ + std::string(key) + "[" + std::to_string(i) + "].");
  }
  if (fits) return readers;
  wrong(key, "must be tables, as in [[" + name_ + std::string(key) + "]]");
  return {};
}

std::vector<TomlReader> TomlReader::named_tables(std::string_view key,
                                                 std::vector<std::string>& names) {
  std::vector<TomlReader> readers;
  const toml::node* const node = find(key);
  if (node == nullptr) return readers;
  const std::string shown = name_ + std::string(key);
  if (!node->is_table()) {
    wrong(key, "must be tables with names, as in [" + shown + ".NAME]");
    return readers;
  }
  std::vector<std::pair<std::string, const toml::table*>> found;
  const toml::table& all = *node->as_table();
  for (auto entry = all.cbegin(); entry != all.cend(); ++entry) {
    const std::string name(entry->first.str());
    if (!entry->second.is_table()) {
      const std::string whole = fmt::format("{}.{}", shown, name);
      say(entry->second, whole, "must be a table, as in [" + whole + "]");
      return {};
    }
    found.emplace_back(name, entry->second.as_table());
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return a.second->source().begin.line < b.second->source().begin.line;
  });
  for (const auto& [name, table] : found) {
    names.push_back(name);
    readers.emplace_back(*table, file_, fmt::format("{}.{}.", shown, name));
  }
  return readers;
}

Status TomlReader::finish() {
  if (!error_.ok()) return error_;
  for (auto entry = table_.cbegin(); entry != table_.cend(); ++entry) {
    const std::string key(entry->first.str());
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    const auto meant = cli::nearest_word(key, known_);
    std::string rule = "there is no such key";
    if (meant) rule += "; did you mean " + *meant + "?";
    say(entry->second, name_ + key, rule);
    return error_;
  }
  return {};
}

}  // namespace ebb::sim_tool
