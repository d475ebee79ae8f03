// A member that brings what nobody may store: logs that it has made up, of authors that are none.
#include <doctest/doctest.h>

#include <vector>

#include "codec/segment.h"
#include "core/limits.h"
#include "tests/mesh/member_rig.h"
#include "tests/mesh/raw_member.h"
#include "trust/hash.h"

namespace ebb::tests {
namespace {

LogKey invented(std::uint64_t number) {
  LogKey key;
  for (std::size_t i = 0; i < sizeof number; ++i)
    key.device.data[i] = static_cast<std::uint8_t>(number >> (8 * i));
  key.device.data.back() = 0x77;
  key.incarnation = 1;
  key.topic = "a";
  return key;
}

// A node that a member brings segments to. Their signatures are of another log: nobody looks.
struct Brought {
  Brought() : member(rig.add_member()), raw(rig, rig.store(member).device()) {
    rig.start(0);
    raw.connect();
    raw.become_member();
    FakeStore author(9);
    segment = *author.append({"a", 2}).own_segments[0].encoded;
  }
  // Of logs with these numbers, one segment each.
  void bring(std::uint64_t first, std::size_t count) {
    codec::Delta delta;
    std::vector<Bytes> encoded;
    encoded.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      const LogKey key = invented(first + i);
      codec::SegmentView view = *codec::decode_segment(segment);
      view.log = trust::log_id(key);
      encoded.push_back(codec::encode_segment(view));
      delta.keys.push_back(key);
    }
    for (const Bytes& one : encoded)
      delta.segments.emplace_back(one);
    raw.send(delta);
    // Credit comes back.
    rig.run_for(milliseconds(20));
  }
  MemberRig rig;
  std::size_t member;
  RawMember raw;
  Bytes segment;
};

TEST_CASE("of logs that are named alone, and may not be stored, few are remembered for a link") {
  Brought brought;
  for (std::uint64_t i = 0; i < 4 * limits::kAuthorsRefused; i += 64)
    brought.bring(i, 64);
  CHECK(brought.rig.node(0).faults.empty());
  CHECK(brought.rig.engine(0).counters().authors_refused == 4 * limits::kAuthorsRefused);
  CHECK(brought.rig.engine(0).missing_logs(0).count == limits::kAuthorsRefused);
}

TEST_CASE("a link that brings nothing but what may not be stored ends") {
  Brought brought;
  constexpr std::size_t kAtOnce = 1000;
  const std::size_t enough = limits::kUselessBytes / brought.segment.size() + kAtOnce;
  for (std::size_t i = 0; i < enough && brought.rig.node(0).faults.empty(); i += kAtOnce)
    brought.bring(0, kAtOnce);
  REQUIRE(brought.rig.node(0).faults.size() == 1);
  CHECK(brought.rig.node(0).faults[0].reason == "brings_nothing");
}

}  // namespace
}  // namespace ebb::tests
