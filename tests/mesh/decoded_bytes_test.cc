// Received segments cost memory by what they decode to, not by what they weigh on the wire.
#include <doctest/doctest.h>

#include "core/limits.h"
#include "tests/mesh/raw_peer.h"
#include "trust/segment_verify.h"

namespace ebb::tests {
namespace {

constexpr std::size_t kSegments = 300;

// Four events of 60 kB that are all alike, as a few hundred bytes.
trust::VerifiedSegment packed_segment(FakeStore& author) {
  const trust::VerifiedSegment raw = author.append({"big", 4, 60000}).own_segments[0];
  auto packed = trust::merge_segments(raw.key, {raw.encoded}, codec::SegmentCodec::kZstd);
  REQUIRE(packed.ok());
  REQUIRE(packed->encoded->size() * 100 < packed->raw->size());
  return std::move(packed).value();
}

TEST_CASE("segments that decode to far more than they weigh are taken within a bound") {
  FakeStore store(1);
  FakeStore author(9);
  RawPeer peer(store, 2);
  peer.greet();
  peer.answers_commits = false;
  std::size_t decoded = 0;
  for (std::size_t i = 0; i < kSegments; ++i) {
    const trust::VerifiedSegment segment = packed_segment(author);
    peer.send(delta_of({segment}));
    decoded = segment.raw->size();
  }
  CHECK_FALSE(peer.closed());
  // One commit a segment that was taken, none of them answered.
  CHECK(peer.commits() * decoded <= limits::kDecodedBytesTotal);
  CHECK(peer.commits() * decoded > limits::kDecodedBytesTotal / 2);
  CHECK(peer.commits() < kSegments);
  CHECK(peer.engine().events_known() == 4 * kSegments);
}

}  // namespace
}  // namespace ebb::tests
