// Progress: one line on a terminal that says how far a long piece of work is. Silent elsewhere.
//
// Ownership: the stream must outlive the object; the line is cleared with the object.
// Threads:   call on the main thread.
// Limits:    redraws at most every 100 ms.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>

namespace ebb::cli {

class Progress {
 public:
  // How a number of the work is shown: bytes_text for bytes, std::to_string for things.
  using Unit = std::function<std::string(std::uint64_t)>;

  Progress(std::ostream& err, bool enabled, std::string label, Unit unit);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `all` = 0: how much there is to do is not known.
  void update(std::uint64_t done, std::uint64_t all);
  // Removes the line, so that something else can be printed.
  void clear();

 private:
  std::ostream& err_;
  bool enabled_;
  std::string label_;
  Unit unit_;
  std::chrono::steady_clock::time_point next_draw_{};
  bool drawn_ = false;
};

}  // namespace ebb::cli
