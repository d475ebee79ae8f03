// Workload: what the clients of a run append: events of several sizes, counters and sets on several
// topics, with and without ids of their own, and now and then the same request again.
//
// Threads: not thread-safe; owned by one run.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "core/rng.h"
#include "sim/options.h"
#include "store/types.h"

namespace ebb::sim {

class Workload {
 public:
  explicit Workload(Rng rng) : rng_(rng) {}
  // The next request of a client of `host`.
  store::AppendBatch next(HostIndex host);
  // A request for one small event without an id, as a sensor makes it.
  store::AppendBatch small();
  // Its store may not know the ids that it was given.
  void forget(HostIndex host) { last_with_ids_.erase(host); }

 private:
  store::AppendItem item(bool with_id);
  store::AppendEvent event(bool with_id);
  Uuid uuid();

  Rng rng_;
  std::uint64_t serial_ = 0;
  std::map<HostIndex, store::AppendBatch> last_with_ids_;
};

}  // namespace ebb::sim
