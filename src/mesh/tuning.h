// Tuning: the sizes by which an engine goes where the protocol leaves it the choice. The daemon
// has no others than the defaults; the simulator makes them small, so that what is rare happens
// all the time.
//
// Model:   none is ever more than the bound of core/limits.h that is its default: peers hold a node
//          to those.
// Units:   bytes unless the name says otherwise.
// Threads: values; any thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/limits.h"

namespace ebb::mesh {

struct Tuning {
  std::size_t heads_per_message = limits::kHeadsPerMessage;  // sent; at least 1
  // Of a peer's credit, what is used. At least a read and its segment, or nothing is ever read.
  std::size_t credit_bytes = limits::kInboundBytesPerPeer;
  std::size_t delta_bytes = limits::kDeltaBytes;  // 1: a segment each
  std::size_t push_bytes = limits::kPushBytes;
  std::size_t chunk_bytes = limits::kChunkBytes;  // sent; at least 1
  std::size_t catch_ups = limits::kCatchUps;      // WANTs in hand; at least 1
  // Segments not committed yet, of all links, with what has come of their frames. At least two of
  // the largest kind, or one of them is never taken.
  std::size_t inbound_bytes = limits::kInboundBytesTotal;
  std::size_t decoded_bytes = limits::kDecodedBytesTotal;
  // Sharing a long log among links: events of its first question, as sent bytes of a part, and how
  // long it must take yet to be worth it. At least 1, 1 and 0.
  std::uint64_t trial_events = 1000;
  std::size_t part_bytes = limits::kPartBytes;
  std::uint64_t worth_sharing_ms = 1000;
  // 2: what an engine of a later version might send, a field more in each message and messages of
  // an unknown type; peers of version 1 have to get along with it.
  std::uint64_t wire_version = 1;

  bool operator==(const Tuning&) const = default;
};

}  // namespace ebb::mesh
