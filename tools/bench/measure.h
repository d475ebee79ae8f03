// Measurements of what the machine and the libraries allow, each printing one JSON object.
//
// Errors:  a failed call prints its name and ends the program: a limit that was not measured is
//          not a limit.
// Threads: call on the main thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace ebb::bench {

int limit_rows(const std::string& dir, std::uint64_t events);
int limit_pipe(const std::string& dir, std::uint64_t events, bool chain);
int limit_fsync(const std::string& dir);
int limit_roundtrip();
int limit_memory(std::uint64_t mebibytes);

// Ends the program with `what` unless `ok`.
void require(bool ok, const char* what);

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// Sorts and reads off; `values` is not empty.
double percentile(std::vector<double>& values, double fraction);

}  // namespace ebb::bench
