// A log that is fetched in parts from holders of two branches of it.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/mesh/holders.h"

namespace ebb::tests {
namespace {

constexpr std::size_t kSegments = 600;  // of 40 events and 17 kB

std::size_t forks_told(const std::vector<mesh::Notice>& notices) {
  return static_cast<std::size_t>(std::count_if(
      notices.begin(), notices.end(),
      [](const mesh::Notice& notice) { return notice.kind == mesh::NoticeKind::kForkSuspected; }));
}

TEST_CASE("two branches of a log that is shared leave one of them whole, and blame no holder") {
  std::size_t common = 0;
  std::size_t shorter = 0;
  SUBCASE("from early on") { common = 40; }
  SUBCASE("in the middle of what waits") { common = kSegments / 3; }
  SUBCASE("at the end of one branch") {
    common = kSegments - 10;
    shorter = 5;
  }
  Holders rig({kHolderRate, kHolderRate});
  FakeStore twin(9);
  for (std::size_t i = 0; i < kSegments; ++i) {
    const bool same = i < common;
    const auto theirs = twin.append({rig.topic, 40, same ? 400U : 401U}).own_segments.at(0);
    rig.write({rig.topic, 40, 400}, same);
    if (same) REQUIRE(rig.store(1).heads().at(0).held.chain == theirs.chain);
    if (!same && i + shorter < kSegments) store_segment(rig.store(1), theirs);
  }
  rig.start_all();
  const auto is_whole = [&] {
    const auto heads = rig.store(kReader).heads();
    if (heads.empty()) return false;
    const Position held = heads.at(0).held;
    return held == rig.store(0).heads().at(0).held || held == rig.store(1).heads().at(0).held;
  };
  Duration took;
  for (; took < seconds(60) && !is_whole(); took = took + milliseconds(100)) {
    rig.run_for(milliseconds(100));
    rig.look();
  }
  MESSAGE(took.ms() << " ms, " << rig.redundant() << " events of " << kSegments * 40 << " twice");
  CHECK(is_whole());
  CHECK(took <= seconds(12));  // 10.2 s are those of one holder alone
  CHECK(rig.redundant() * 100 <= kSegments * 40 * 5);
  CHECK(rig.shared_max == 1);
  CHECK(forks_told(rig.node(kReader).notices) >= 1);
  rig.run_for(seconds(5));
  CHECK(rig.engine(kReader).sharing().logs == 0);
  CHECK(rig.engine(kReader).sharing().staged_bytes == 0);
  CHECK(rig.engine(kReader).queued_bytes() == 0);

  // Both are as good as before for any other log.
  for (std::size_t i = 0; i < rig.size(); ++i)
    CHECK(rig.node(i).faults.empty());
  CHECK(rig.engine(kReader).links().size() == 2);
  FakeStore other(20);
  for (const std::size_t holder : {0U, 1U}) {
    const std::string topic = "of" + std::to_string(holder);
    const auto segment = other.append({topic, 3}).own_segments.at(0);
    mesh::Commit commit;
    commit.segments = {segment};
    rig.input(holder, rig.store(holder).commit(commit));
    rig.run_for(seconds(2));
    CHECK(rig.store(kReader).segments(segment.log).size() == 1);
  }
}

}  // namespace
}  // namespace ebb::tests
