#include "tools/bench/measure.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace ebb::bench {

void require(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "bench: failed: %s\n", what);
  std::exit(1);
}

double percentile(std::vector<double>& values, double fraction) {
  std::sort(values.begin(), values.end());
  const auto last = static_cast<double>(values.size() - 1);
  return values[static_cast<std::size_t>(fraction * last + 0.5)];
}

}  // namespace ebb::bench
