// Random logs, and random ways for them to arrive.
//
// Threads: not thread-safe; values of one test.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/rng.h"
#include "state/fold.h"
#include "tests/state/model.h"

namespace ebb::tests {

// Logs by number from 0; each a whole log from seq 1.
using History = std::vector<std::vector<Happened>>;

// Operations of hostile authors beside honest ones: kills of foreign objects, elements and topics,
// of future dots, of dots of unknown logs, of themselves; payloads of no shape; times at the ends.
History hostile_history(Rng& rng);

// A history whose every author kills only what its own replica showed, which heard of the others in
// any order between logs. `replicas` are the authors' folds, by log.
struct HonestHistory {
  History logs;
  std::vector<std::unique_ptr<state::Fold>> replicas;
};
HonestHistory honest_history(Rng& rng);

// The first `lengths[i]` events of log i, all logs.
std::vector<Happened> prefix(const History& history, const std::vector<std::size_t>& lengths);
std::vector<std::size_t> random_lengths(Rng& rng, const History& history);
std::vector<std::size_t> full_lengths(const History& history);

// Brings `fold` from `from` to `to` events of each log, in a random order between logs, with
// duplicates and gaps thrown in (whose answers are checked). `after_each` sees how far each log is.
using AfterEach = std::function<void(const std::vector<std::size_t>& lengths)>;
void deliver(Rng& rng, state::Fold& fold, const History& history, std::vector<std::size_t> from,
             const std::vector<std::size_t>& to, const AfterEach& after_each = {});

}  // namespace ebb::tests
