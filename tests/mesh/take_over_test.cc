// Whose questions an idle link takes over, and by which rates that is judged.
#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "tests/mesh/many_logs.h"
#include "tests/mesh/raw_links.h"

namespace ebb::tests {
namespace {

// Logs of one segment of 17 kB, which every peer of the reader has; peers bring those that they are
// asked for one by one, each in its own time.
class Catchup {
 public:
  explicit Catchup(std::size_t logs) {
    Authors authors(logs);
    for (std::size_t i = 0; i < logs; ++i) {
      segments.push_back(authors.append(i, 1, {"t", 40, 400}));
      mesh::StoredHead head;
      head.key = segments.back().key;
      head.log = segments.back().log;
      head.held = {segments.back().last_seq(), segments.back().chain};
      heads.push_back(head);
    }
    std::sort(heads.begin(), heads.end(),
              [](const auto& a, const auto& b) { return a.log < b.log; });
  }
  // Brings a log in each interval.
  std::size_t join(std::uint8_t seed, Duration interval) {
    peers.push_back({interval, {}, {}});
    return links.join(seed, heads);
  }
  void run_for(Duration time) {
    const Instant end = links.now + time;
    while (links.now < end) {
      for (std::size_t i = 0; i < peers.size(); ++i)
        serve(i);
      links.run_for(milliseconds(10));
    }
  }
  // Of logs; stops are no questions.
  std::size_t asked_of(std::size_t i) const { return peers.at(i).asked; }
  std::size_t held() const { return store.heads().size(); }

  struct Peer {
    Duration interval;
    std::deque<std::pair<codec::WantRange, ReconciliationId>> waiting;
    std::optional<Instant> due;
    std::size_t asked = 0;
    std::size_t wants = 0;  // whose last DELTA is owed
    bool dead = false;
  };
  void leave(std::size_t i) {
    peers.at(i).dead = true;
    links.leave(i);
  }

  FakeStore store{1};
  std::vector<trust::VerifiedSegment> segments;
  std::vector<mesh::StoredHead> heads;
  RawLinks links{store};
  std::vector<Peer> peers;

 private:
  void hear(std::size_t i) {
    Peer& peer = peers[i];
    while (const auto want = links.take_want(i)) {
      ++peer.wants;
      for (const codec::WantRange& range : want->ranges) {
        std::erase_if(peer.waiting, [&](const auto& one) { return one.first.log == range.log; });
        if (range.to != 0 && range.to < range.from) continue;  // a stop
        peer.waiting.emplace_back(range, want->reconciliation);
        ++peer.asked;
      }
      answered_with = want->reconciliation;
    }
  }
  void serve(std::size_t i) {
    Peer& peer = peers[i];
    if (peer.dead) return;
    hear(i);
    if (!peer.waiting.empty() && !peer.due) peer.due = links.now + peer.interval;
    if (peer.due && *peer.due <= links.now && !peer.waiting.empty()) {
      const auto [range, id] = peer.waiting.front();
      peer.waiting.pop_front();
      for (const trust::VerifiedSegment& segment : segments) {
        if (segment.log == range.log) links.send(i, delta_of({segment}, id));
      }
      peer.due = links.now + peer.interval;
      hear(i);
    }
    if (!peer.waiting.empty()) return;
    peer.due.reset();
    for (; peer.wants > 0; --peer.wants) {
      codec::Delta last;
      last.reconciliation = answered_with;
      last.last = true;
      links.send(i, last);
    }
  }

  ReconciliationId answered_with;
};

constexpr std::size_t kLogs = 16;  // eight of each of two links at first

TEST_CASE("an idle link takes over from one of less than half its rate, and of no other") {
  Catchup rig(kLogs);
  Duration fast = milliseconds(120);
  bool takes = false;
  SUBCASE("of three fifths") {}
  SUBCASE("of a third") {
    fast = milliseconds(70);
    takes = true;
  }
  rig.join(2, milliseconds(200));
  rig.join(3, fast);
  rig.run_for(seconds(5));
  CHECK(rig.held() == kLogs);
  CHECK(rig.asked_of(0) == kLogs / 2);
  CHECK((rig.asked_of(1) > kLogs / 2) == takes);
  CHECK(!rig.links.faulted());
}

TEST_CASE("a link that had nothing to do is no slower for it when it is asked again") {
  Catchup rig(3 * kLogs / 2);
  rig.join(2, milliseconds(400));
  rig.join(3, milliseconds(240));
  rig.join(4, milliseconds(240));
  rig.run_for(seconds(3));
  REQUIRE(rig.asked_of(1) == kLogs / 2);
  REQUIRE(rig.asked_of(2) == kLogs / 2);
  REQUIRE(rig.held() < 3 * kLogs / 2);
  // Of two that have waited for the slow one, the one that is asked takes its time.
  rig.peers.at(1).interval = milliseconds(700);
  rig.leave(0);
  rig.run_for(seconds(2));
  CHECK(rig.held() == 3 * kLogs / 2);
  CHECK(rig.asked_of(1) > kLogs / 2);
  CHECK(rig.asked_of(2) == kLogs / 2);
}

TEST_CASE("what a link pushes makes it no faster in answering") {
  Catchup rig(kLogs);
  FakeStore author(50);
  rig.join(2, milliseconds(200));
  rig.join(3, milliseconds(70));
  // Ten times as much as it answers with.
  for (int i = 0; i < 150; ++i) {
    rig.links.send(0, delta_of({author.append({"pushed", 40, 400}).own_segments.at(0)}));
    rig.run_for(milliseconds(20));
  }
  CHECK(rig.held() == kLogs + 1);
  CHECK(rig.asked_of(1) > kLogs / 2);
  CHECK(!rig.links.faulted());
}

}  // namespace
}  // namespace ebb::tests
