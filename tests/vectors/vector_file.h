// Reads a file of golden vectors: lines `name = hex`, hex that continues on indented lines, and
// comments after '#'. A name may hold anything but " = ".
//
// Errors:  stops the program when a file is missing or not of that form.
// Threads: pure functions; any thread.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "core/bytes.h"

namespace ebb::tests {

class VectorFile {
 public:
  // `name` is that of a file in tests/vectors.
  explicit VectorFile(const std::string& name) : path_(EBB_SOURCE_ROOT "/tests/vectors/" + name) {
    std::ifstream file(path_);
    if (!file) fail("cannot be read");
    std::string line;
    while (std::getline(file, line))
      take(line);
  }

  const std::vector<std::pair<std::string, Bytes>>& entries() const { return entries_; }

  const Bytes& at(std::string_view name) const {
    for (const auto& [key, bytes] : entries_) {
      if (key == name) return bytes;
    }
    fail("lacks " + std::string(name));
  }

 private:
  [[noreturn]] void fail(const std::string& why) const {
    std::fprintf(stderr, "%s: %s\n", path_.c_str(), why.c_str());
    std::abort();
  }

  void take(const std::string& line) {
    if (line.empty() || line[0] == '#') return;
    if (line[0] == ' ') {
      if (entries_.empty()) fail("begins with a continued line");
      append(entries_.back().second, hex(line));
      return;
    }
    std::size_t equals = line.find(" = ");
    if (equals == std::string::npos && line.ends_with(" =")) equals = line.size() - 2;
    if (equals == std::string::npos) fail("no ' = ' in: " + line);
    entries_.emplace_back(line.substr(0, equals), hex(line.substr(equals + 2)));
  }

  Bytes hex(const std::string& text) const {
    std::string digits;
    for (char c : text.substr(0, text.find('#'))) {
      if (c != ' ') digits.push_back(c);
    }
    const auto bytes = from_hex(digits);
    if (!bytes) fail("not hex: " + text);
    return *bytes;
  }

  std::string path_;
  std::vector<std::pair<std::string, Bytes>> entries_;
};

}  // namespace ebb::tests
