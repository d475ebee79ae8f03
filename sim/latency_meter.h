// LatencyMeter: how long events take from the commit of their author to the commits of others. A
// measure, not a checker: what is too long is the reader's to say.
//
// Model:   one sample for each event and each other host that is watched, when that host first
//          stores it.
// Threads: not thread-safe; owned by one run.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "core/ids.h"
#include "core/time.h"
#include "sim/observer.h"

namespace ebb::sim {

class LatencyMeter {
 public:
  // Neither its events nor when it gets others' are measured.
  void leave_out(HostIndex host) { left_out_.insert(host); }
  // What is written earlier is not measured.
  void begin(Instant at) { begins_ = at; }
  void committed(Instant now, HostIndex host, const store::CommitResult& result);

  std::size_t samples() const { return samples_.size(); }
  // So many of a hundred samples are no longer than this; zero without samples.
  Duration percentile(std::uint64_t percent) const;

 private:
  std::set<HostIndex> left_out_;
  Instant begins_;
  std::map<Dot, Instant> born_;
  std::vector<Duration> samples_;
};

}  // namespace ebb::sim
