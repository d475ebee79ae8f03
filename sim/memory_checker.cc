#include "sim/memory_checker.h"

#include <algorithm>
#include <string>

#include "core/limits.h"

namespace ebb::sim {
namespace {

// Tables of an engine: heads with what each link has said of them, links, addresses.
constexpr std::uint64_t kBytesPerLog = 8192;
constexpr std::uint64_t kBytesOfTables = std::uint64_t{1} << 20;

std::uint64_t of_tables(const MemoryUse& use) { return kBytesOfTables + use.logs * kBytesPerLog; }

}  // namespace

void MemoryChecker::hold(HostIndex host, const char* what, std::uint64_t bytes,
                         std::uint64_t most) {
  if (bytes <= most) return;
  findings_.add(
      "memory", host,
      std::string(what) + ": " + std::to_string(bytes) + " bytes, of " + std::to_string(most));
}

void MemoryChecker::check(HostIndex host, const MemoryUse& use) {
  engine_max_ = std::max(engine_max_, use.engine);
  const auto engine = static_cast<std::uint64_t>(std::max<std::int64_t>(use.engine, 0));
  hold(host, "engine and queues", engine, limits::kQueuedBytesTotal + of_tables(use));
  hold(host, "commit queue", use.commit_queue, limits::kInboundBytesTotal);
  hold(host, "send queue", use.send_queue, limits::kQueuedBytesTotal);
}

void MemoryChecker::check_at_rest(HostIndex host, const MemoryUse& use) {
  check(host, use);
  engine_max_at_rest_ = std::max(engine_max_at_rest_, use.engine);
  const auto engine = static_cast<std::uint64_t>(std::max<std::int64_t>(use.engine, 0));
  hold(host, "engine at rest", engine, of_tables(use));
}

}  // namespace ebb::sim
