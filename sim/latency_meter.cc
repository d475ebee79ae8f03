#include "sim/latency_meter.h"

#include <algorithm>

namespace ebb::sim {

void LatencyMeter::committed(Instant now, HostIndex host, const store::CommitResult& result) {
  if (left_out_.contains(host)) return;
  for (const store::HeadAdvance& advance : result.advances) {
    for (Seq seq = advance.before.seq + 1; seq <= advance.head.held.seq; ++seq) {
      const Dot dot{advance.head.log, seq};
      if (advance.own_append) {
        if (now >= begins_) born_.emplace(dot, now);
      } else if (const auto born = born_.find(dot); born != born_.end()) {
        samples_.push_back(now - born->second);
      }
    }
  }
}

Duration LatencyMeter::percentile(std::uint64_t percent) const {
  if (samples_.empty()) return {};
  std::vector<Duration> sorted = samples_;
  const std::size_t at = (sorted.size() - 1) * percent / 100;
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(at), sorted.end());
  return sorted[at];
}

}  // namespace ebb::sim
