// What this machine allows, measured without ebb: plain SQLite rows, a bare catch-up pipe, single
// syncs, loopback round trips and memory. One JSON object on stdout.
//
//   bench_limits rows DIR EVENTS       batches of 1,000 rows, one transaction each, FULL
//   bench_limits pipe DIR EVENTS MODE  a process reads segments, another verifies and stores them;
//                                      MODE: batch (one hash a segment) or chain (ebb's hashing)
//   bench_limits fsync DIR             a small append and fdatasync, again and again
//   bench_limits roundtrip             64 bytes to a thread over loopback TCP and back
//   bench_limits memory MEBIBYTES      a line of so much memory, each found in the one before
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "tools/bench/measure.h"

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  const std::string dir = argc > 2 ? argv[2] : "";
  const auto events = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 0;
  if (mode == "rows" && events > 0) return ebb::bench::limit_rows(dir, events);
  if (mode == "pipe" && events > 0 && argc > 4) {
    return ebb::bench::limit_pipe(dir, events, std::string_view(argv[4]) == "chain");
  }
  if (mode == "fsync" && !dir.empty()) return ebb::bench::limit_fsync(dir);
  if (mode == "roundtrip") return ebb::bench::limit_roundtrip();
  const auto mebibytes = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 0;
  if (mode == "memory" && mebibytes > 0) return ebb::bench::limit_memory(mebibytes);
  std::fprintf(stderr,
               "usage: bench_limits rows|pipe|fsync|roundtrip|memory ... (see the source)\n");
  return 2;
}
