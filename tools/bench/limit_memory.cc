// What it costs to touch memory that nobody has touched lately, by pointers of which each shows
// where the next one is: what a simulation of many nodes does all the time.
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <numeric>
#include <vector>

#include "core/rng.h"
#include "tools/bench/measure.h"

namespace ebb::bench {
namespace {

constexpr std::size_t kLine = 64;
constexpr std::uint64_t kSteps = 5000000;

// One cycle through all lines, in an order of chance.
void chain_lines(std::uint8_t* memory, std::size_t lines) {
  std::vector<std::uint32_t> order(lines);
  std::iota(order.begin(), order.end(), 0U);
  Rng rng(1);
  for (std::size_t i = lines - 1; i > 0; --i)
    std::swap(order[i], order[rng.below(i + 1)]);
  for (std::size_t i = 0; i < lines; ++i) {
    auto* line = reinterpret_cast<std::uint32_t*>(memory + kLine * order[i]);
    *line = order[(i + 1) % lines];
  }
}

double nanoseconds_a_line(const std::uint8_t* memory) {
  std::uint32_t at = 0;
  const Stopwatch watch;
  for (std::uint64_t step = 0; step < kSteps; ++step)
    at = *reinterpret_cast<const std::uint32_t*>(memory + kLine * at);
  const double seconds = watch.seconds();
  // Or the compiler could leave the walk out.
  require(at < UINT32_MAX, "walk");
  return seconds * 1e9 / static_cast<double>(kSteps);
}

}  // namespace

int limit_memory(std::uint64_t mebibytes) {
  const std::size_t bytes = static_cast<std::size_t>(mebibytes) << 20;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  require(memory != MAP_FAILED, "mmap");
  require(madvise(memory, bytes, MADV_HUGEPAGE) == 0, "madvise");
  auto* lines = static_cast<std::uint8_t*>(memory);
  chain_lines(lines, bytes / kLine);
  double best = nanoseconds_a_line(lines);
  for (int again = 0; again < 2; ++again)
    best = std::min(best, nanoseconds_a_line(lines));
  std::printf("{\"mebibytes\": %llu, \"line_ns\": %.1f}\n",
              static_cast<unsigned long long>(mebibytes), best);
  return munmap(memory, bytes);
}

}  // namespace ebb::bench
