// Fork: logs of one device that have two histories, because a restored store was written to before
// anybody could tell it.
//
// Threads: values; any thread.
#pragma once

#include <map>

#include "core/ids.h"
#include "sim/options.h"

namespace ebb::sim {

struct Fork {
  HostIndex host = 0;         // which holds the branch; all others hold what was before
  std::map<LogId, Seq> logs;  // each with the last event that both have
  bool splits(const Dot& dot) const {
    const auto found = logs.find(dot.log);
    return found != logs.end() && dot.seq > found->second;
  }
};

}  // namespace ebb::sim
