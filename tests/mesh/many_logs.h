// Many logs: stores filled with as many logs as a test likes, and authors that extend a few of
// them.
//
// Threads: not thread-safe; one test.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "tests/mesh/fake_store.h"
#include "tests/mesh/rig.h"

namespace ebb::tests {

// A head that no store made: the same for the same number.
mesh::StoredHead made_up_head(std::uint64_t number);

// Devices that are no node of the rig; their logs reach stores by commit.
class Authors {
 public:
  explicit Authors(std::size_t devices, std::uint8_t first_seed = 100);

  // Author `number` appends to the log of `incarnation`; the segment that it made.
  trust::VerifiedSegment append(std::size_t number, Incarnation incarnation,
                                const AppendShape& shape = {"t", 1});
  std::size_t size() const { return stores_.size(); }

 private:
  std::vector<std::unique_ptr<FakeStore>> stores_;
};

void store_segment(FakeStore& store, const trust::VerifiedSegment& segment);

// Two nodes, the first of which dials the second; stopped, with the same made-up heads.
struct SyncPair : Rig {
  explicit SyncPair(std::uint64_t heads);
  // Both run for a while, then stop; what is said is counted.
  void meet(Duration duration = seconds(2));
  // Of the last meeting, both directions, lengths of frames included.
  struct Cost {
    std::uint64_t requests = 0;
    std::uint64_t sync_bytes = 0;   // SYNC_REQ and SYNC_RESP
    std::uint64_t hello_bytes = 0;  // of one, the larger
    std::uint64_t wants = 0;
  };
  Cost cost;
  // Both hold the same heads.
  bool equal();
  const mesh::Reconciliation& last_row(std::size_t i) { return node(i).rows.back(); }
};

// What is measured beside few and many logs: events of a few topics of node 0, and the link of a
// pair that breaks and comes back.
inline constexpr int kEventsBeside = 400;
void append_events(Rig& rig, int events);
void renew_link(Rig& rig, int times);

}  // namespace ebb::tests
