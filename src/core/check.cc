#include "core/check.h"

#include <cstdio>
#include <cstdlib>

namespace ebb {

void check_failed(const char* expression, const char* file, int line) noexcept {
  std::fprintf(stderr, "ebb: broken invariant: %s (%s:%d)\n", expression, file, line);
  std::fflush(stderr);
  std::abort();
}

}  // namespace ebb
