#include "mesh/serve_queue.h"

#include <doctest/doctest.h>

#include <vector>

namespace ebb::tests {
namespace {

using mesh::ServeQueue;
using mesh::ServeRange;

ServeRange range_of(std::uint8_t log, std::uint64_t job) {
  ServeRange range;
  range.log.data[0] = log;
  range.job = job;
  return range;
}

std::vector<std::uint64_t> jobs_of(const ServeQueue& queue) {
  std::vector<std::uint64_t> jobs;
  for (const ServeRange& range : queue)
    jobs.push_back(range.job);
  return jobs;
}

TEST_CASE("ranges are served in turn, and one is found by its log wherever it stands") {
  ServeQueue queue;
  CHECK(queue.empty());
  for (std::uint8_t log = 1; log <= 4; ++log)
    queue.push_back(range_of(log, log));
  queue.push_back(queue.take(queue.begin()));
  CHECK(jobs_of(queue) == std::vector<std::uint64_t>{2, 3, 4, 1});
  const auto taken = queue.take_log(range_of(3, 0).log);
  REQUIRE(taken);
  CHECK(taken->job == 3);
  CHECK(!queue.take_log(range_of(3, 0).log));
  queue.push_back(range_of(3, 7));
  CHECK(jobs_of(queue) == std::vector<std::uint64_t>{2, 4, 1, 7});
}

}  // namespace
}  // namespace ebb::tests
