// A version vector: log -> highest contiguous effective position. Positions carry chains, so a
// vector names one history and not only lengths.
//
// Model:   ordered by log id, so iteration is deterministic; a log at seq 0 is not kept.
// Threads: value; any thread.
#pragma once

#include <map>

#include "core/ids.h"

namespace ebb {

class VersionVector {
 public:
  // {0, zero} when the log is not in the vector.
  Position at(const LogId& log) const;
  bool covers(const Dot& dot) const { return dot.seq > 0 && dot.seq <= at(dot.log).seq; }
  // Replaces the position of the log; seq 0 removes it.
  void set(const LogId& log, const Position& position);
  const std::map<LogId, Position>& positions() const { return positions_; }
  bool operator==(const VersionVector&) const = default;

 private:
  std::map<LogId, Position> positions_;
};

}  // namespace ebb
