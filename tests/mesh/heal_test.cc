#include <doctest/doctest.h>

#include "tests/mesh/rig.h"

namespace ebb::tests {
namespace {

constexpr std::size_t kNodes = 100;

bool same_half(std::size_t a, std::size_t b) { return (a < kNodes / 2) == (b < kNodes / 2); }

// Each node knows the next three, so that the mesh holds together in both halves and as a whole.
void build(Rig& rig) {
  for (std::size_t i = 0; i < kNodes; ++i) {
    std::vector<std::size_t> peers;
    for (std::size_t step = 1; step <= 3; ++step)
      peers.push_back((i + step) % kNodes);
    rig.add_node(static_cast<std::uint8_t>(1 + i), peers);
  }
  for (std::size_t i = 0; i < kNodes; ++i)
    rig.start(i);
}

bool agree(Rig& rig, std::size_t from, std::size_t to) {
  for (std::size_t i = from; i < to; ++i) {
    if (rig.engine(i).root() != rig.engine(from).root()) return false;
  }
  return true;
}

// Bytes of the segments that a store holds.
std::uint64_t segment_bytes(FakeStore& store) {
  std::uint64_t bytes = 0;
  for (const mesh::StoredHead& head : store.heads()) {
    for (const trust::VerifiedSegment& segment : store.segments(head.log))
      bytes += segment.encoded->size();
  }
  return bytes;
}

TEST_CASE("100 nodes heal at once: no more than three times the bytes that were missing") {
  Rig rig;
  rig.latency = milliseconds(10);
  rig.apart = [](std::size_t a, std::size_t b) { return !same_half(a, b); };
  build(rig);
  rig.run_for(seconds(30));
  for (int round = 0; round < 10; ++round) {
    for (std::size_t i = 0; i < kNodes; ++i)
      rig.append(i, {"own", 1, 600});
    rig.run_for(seconds(1));
  }
  rig.run_for(seconds(60));
  REQUIRE(agree(rig, 0, kNodes / 2));
  REQUIRE(agree(rig, kNodes / 2, kNodes));
  REQUIRE(rig.engine(0).root() != rig.engine(kNodes - 1).root());
  const std::uint64_t missing =
      (segment_bytes(rig.store(0)) + segment_bytes(rig.store(kNodes - 1))) * (kNodes / 2);

  const std::uint64_t before = rig.all_wire_bytes();
  rig.apart = nullptr;
  int waited = 0;
  while (!agree(rig, 0, kNodes) && waited < 600) {
    rig.run_for(seconds(1));
    ++waited;
  }
  REQUIRE(agree(rig, 0, kNodes));
  const std::uint64_t sent = rig.all_wire_bytes() - before;
  MESSAGE("healed in " << waited << " s with " << sent << " bytes for " << missing
                       << " missing: " << sent * 100 / missing << " %");
  CHECK(sent <= 3 * missing);
}

}  // namespace
}  // namespace ebb::tests
