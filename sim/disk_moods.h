// DiskMoods: how long a disk takes and when it fails, as the store's caller sees it. Not a disk: it
// holds nothing.
//
// Model:   single operations fail or are late by chance; windows make all of them fail, stand still
//          or find the disk full. A failed commit has stored nothing.
// Threads: not thread-safe; owned by a store thread.
#pragma once

#include <optional>

#include "core/result.h"
#include "core/rng.h"
#include "sim/event_queue.h"
#include "sim/faults.h"
#include "sim/options.h"

namespace ebb::sim {

class DiskMoods {
 public:
  DiskMoods(const EventQueue& queue, FaultCounts& counts, const DiskOptions& options, Rng rng)
      : queue_(queue), counts_(counts), options_(options), rng_(rng) {}

  // Of the next operation; counted when it is a fault.
  Duration commit_duration();
  Duration read_duration();
  std::optional<Error> commit_error();
  std::optional<Error> read_error();

  // For that long: every commit fails; nothing is written or read; the database cannot grow. Each
  // counts once, when it is first felt.
  void fail_commits(Duration duration) { fails_ = {queue_.now() + duration, false}; }
  void stall(Duration duration) { stalled_ = {queue_.now() + duration, false}; }
  void fill(Duration duration) { full_ = {queue_.now() + duration, false}; }
  bool is_full() const { return queue_.now() < full_.until; }
  void felt_full() { felt(full_, Fault::kDiskFull); }
  // Nothing fails or is late any more.
  void calm();

 private:
  struct Window {
    Instant until;
    bool felt = false;
  };

  Duration draw(Duration low, Duration high);
  // What the stall leaves to wait, and then the operation's own time.
  Duration behind_stall(Duration duration);
  void felt(Window& window, Fault fault);

  const EventQueue& queue_;
  FaultCounts& counts_;
  DiskOptions options_;
  Rng rng_;
  Window fails_;
  Window stalled_;
  Window full_;
};

}  // namespace ebb::sim
