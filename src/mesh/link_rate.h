// LinkRate: how many bytes a second a link takes, from what its driver reports, and how large a
// chunk may be so that it takes 50 ms.
//
// Model:     the driver's queue is known after each report; while it was never empty in between,
//            what it lost is what the link took. A queue that is found empty shows only that the
//            link is no slower; one that empties at once makes the estimate grow, up to where the
//            largest chunk is reached, until a queue that stays shows better.
// Units:     bytes a second.
// Threads:   not thread-safe; owned by its link.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/limits.h"
#include "core/time.h"

namespace ebb::mesh {

class LinkRate {
 public:
  static constexpr Duration kChunkTime = milliseconds(50);
  static constexpr std::size_t kChunkBytesMin = limits::kDatagramBytes;

  // Bytes were handed to the driver.
  void sent(Instant now, std::size_t bytes);
  // The driver's report: so much of it waits still.
  void reported(Instant now, std::size_t waiting_bytes);

  std::uint64_t bytes_per_second() const { return rate_; }
  std::size_t chunk_bytes() const;
  // In the driver as far as is known: all that was sent since the last report counts.
  std::size_t waiting_bytes() const { return waiting_; }

 private:
  void take_sample(Instant now);

  std::uint64_t rate_ = 320 << 10;  // a chunk of 16 KiB, until the link has shown better
  bool measured_ = false;
  std::size_t waiting_ = 0;
  std::uint64_t drained_ = 0;  // since `since_`
  Instant since_;              // the queue was not empty since then
};

}  // namespace ebb::mesh
