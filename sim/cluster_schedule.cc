// What a run does at which time.
#include "sim/cluster.h"

namespace ebb::sim {

void Cluster::schedule_starts() {
  for (HostIndex host = 0; host < hosts_.size(); ++host) {
    if (started_late_[host]) continue;
    const Duration within = milliseconds(static_cast<std::int64_t>(schedule_rng_.below(3000)));
    queue_.after(within, [this, host] { start(host); });
  }
}

void Cluster::schedule_appends() {
  const auto span = static_cast<std::uint64_t>(options_.chaos.us);
  for (std::size_t i = 0; i < options_.append_batches; ++i) {
    const Instant at{static_cast<std::int64_t>(schedule_rng_.below(span))};
    const auto host = static_cast<HostIndex>(schedule_rng_.below(options_.nodes));
    queue_.at(at, [this, host] {
      if (hosts_[host]->running() && !is_quiet(host)) hosts_[host]->append(workload_.next(host));
    });
  }
  if (options_.steady_interval == Duration{}) return;
  for (HostIndex host = 0; host < hosts_.size(); ++host) {
    const auto phase = schedule_rng_.below(static_cast<std::uint64_t>(options_.steady_interval.us));
    queue_.after(microseconds(static_cast<std::int64_t>(phase)),
                 [this, host] { append_steadily(host); });
  }
}

void Cluster::append_steadily(HostIndex host) {
  if (!chaos_) return;
  const std::uint64_t events = host == options_.left_out ? options_.left_out_writes : 1;
  for (std::uint64_t i = 0; i < events; ++i)
    hosts_[host]->append(workload_.small());
  queue_.after(options_.steady_interval, [this, host] { append_steadily(host); });
}

void Cluster::schedule_faults() {
  for (const PlannedFault& fault : plan_) {
    if (fault.kind == Fault::kLateStart) started_late_[fault.host] = true;
    queue_.at(fault.at, [this, fault] { inject(fault); });
  }
}

}  // namespace ebb::sim
