// Path: one direction between two places: what is handed over now arrives when, or not at all. The
// one model of a link that the simulated network and the router of the rig tests share.
//
// Model:     what comes leaves when the rate has carried what came before it, then travels for the
//            latency and a jitter of its own; it may overtake. What finds the queue full never
//            leaves; what is lost has used the rate like everything else.
// Units:     rate in bytes per second, loss in permille of the packets.
// Threads:   not thread-safe; owned by one run.
// Determinism: two draws a packet, jitter first, whatever the options are.
// Limits:    queue_bytes wait at most, the packet that is being sent included.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/rng.h"
#include "core/time.h"

namespace ebb::sim {

struct PathOptions {
  Duration latency{};
  Duration jitter{};       // uniform in [0, jitter], drawn for each packet
  std::uint64_t rate = 0;  // 0: no limit
  std::uint64_t loss_permille = 0;
  std::uint64_t queue_bytes = 0;  // 0: no limit
};

enum class Fate : std::uint8_t { kCarried, kLost, kNoRoom };

struct Passage {
  Instant due;  // when it arrives, or would have
  Fate fate = Fate::kCarried;
};

// Latency and jitter alone: of what is too small to queue.
Duration travel_time(const PathOptions& options, Rng& rng);

class Path {
 public:
  Passage carry(const PathOptions& options, Instant now, std::size_t bytes, Rng& rng);

 private:
  Instant busy_until_;  // the rate is used up to here
};

}  // namespace ebb::sim
