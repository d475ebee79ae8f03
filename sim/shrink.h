// Shrink: makes a failing schedule smaller while it goes on failing: whole fault classes first,
// then planned faults in runs of time, then duration, nodes, clients and what is left of each
// fault, over and over until nothing more can go.
//
// Model:   `fails` decides alone and is asked about one candidate at a time; every candidate is
//          smaller than the best so far in one way and larger in none. The same answers give the
//          same result. The result has been seen to fail, or is the schedule that was given.
// Threads: not thread-safe; runs on the caller's thread.
// Limits:  `tries_max` questions; the best schedule so far is then the result.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "sim/fault_plan.h"

namespace ebb::sim {

struct ShrinkOptions {
  std::uint64_t tries_max = 500;
  // After each try: how many there have been, and the best schedule so far.
  std::function<void(std::uint64_t tries, const Schedule& best)> progress;
};

struct Shrunk {
  Schedule schedule;
  std::uint64_t tries = 0;
  bool finished = false;  // nothing smaller that was tried fails; else `tries_max` ended it
};

Shrunk shrink(const Schedule& failing, const std::function<bool(const Schedule&)>& fails,
              const ShrinkOptions& options = {});

// ---- the ways to make a schedule smaller

// Neither planned nor by chance.
Schedule without_class(const Schedule& schedule, Fault fault);
// What began later does not happen.
Schedule ended_at(const Schedule& schedule, Duration chaos);
// The first `nodes`; faults that name others do not happen.
Schedule of_nodes(const Schedule& schedule, std::size_t nodes);

}  // namespace ebb::sim
