// A log that is fetched in parts from peers of which one does not do what it should.
#include <doctest/doctest.h>

#include <map>
#include <vector>

#include "tests/mesh/raw_links.h"

namespace ebb::tests {
namespace {

constexpr std::size_t kSegments = 60;  // of 40 events and 17 kB

struct Peers {
  Peers() {
    for (std::size_t i = 0; i < kSegments; ++i)
      wanted.push_back(author.append({"wanted", 40, 400}).own_segments.at(0));
    for (std::size_t i = 0; i < 800; ++i)
      other.push_back(second.append({"other", 40, 800}).own_segments.at(0));
  }
  // The segments of the wanted log in the range.
  std::vector<trust::VerifiedSegment> within(const codec::WantRange& range) const {
    std::vector<trust::VerifiedSegment> found;
    for (const trust::VerifiedSegment& segment : wanted) {
      const bool ends_before = range.to != 0 && segment.first_seq > range.to;
      if (segment.last_seq() >= range.from && !ends_before) found.push_back(segment);
    }
    return found;
  }
  // Answers one WANT of those that wait as it should. False: there is none.
  bool serve(std::size_t link) {
    const auto want = links.take_want(link);
    if (!want) return false;
    for (const codec::WantRange& range : want->ranges) {
      if (range.log != wanted.front().log) continue;
      for (const trust::VerifiedSegment& segment : within(range))
        links.send(link, delta_of({segment}, want->reconciliation));
    }
    codec::Delta last;
    last.reconciliation = want->reconciliation;
    last.last = true;
    links.send(link, last);
    return true;
  }
  std::uint64_t events() const { return store.segments(wanted.front().log).size() * 40; }

  FakeStore store{1};
  FakeStore author{9};
  FakeStore second{10};
  std::vector<trust::VerifiedSegment> wanted, other;
  RawLinks links{store};
};

TEST_CASE("who sends of another log only is not waited for with the part that comes next") {
  Peers peers;
  RawLinks& links = peers.links;
  const std::size_t liar = links.join(2, {peers.author.heads().at(0), peers.second.heads().at(0)});
  links.run_for(milliseconds(100));
  const auto first = links.take_want(liar);
  REQUIRE(first);
  for (std::size_t i = 0; i < 3; ++i) {
    links.send(liar, delta_of({peers.wanted.at(i)}, first->reconciliation));
    links.run_for(milliseconds(50));
  }
  const std::size_t honest = links.join(3, {peers.author.heads().at(0)});
  // It is the faster one.
  for (std::size_t i = 0; i < peers.other.size() && peers.events() < kSegments * 40; ++i) {
    links.send(liar, delta_of({peers.other.at(i)}, first->reconciliation));
    links.run_for(milliseconds(12));
    if (i % 40 == 0) static_cast<void>(peers.serve(honest));
  }
  CHECK(peers.events() == kSegments * 40);
  CHECK(!links.faulted());
}

TEST_CASE("a newcomer takes over what a silent link owes, though nothing is known of it yet") {
  Peers peers;
  RawLinks& links = peers.links;
  const std::size_t silent = links.join(2, {peers.author.heads().at(0)});
  links.run_for(milliseconds(100));
  REQUIRE(links.take_want(silent));
  const std::size_t honest = links.join(3, {peers.author.heads().at(0)});
  for (int i = 0; i < 40 && peers.events() < kSegments * 40; ++i) {
    links.run_for(milliseconds(50));
    static_cast<void>(peers.serve(honest));
  }
  CHECK(peers.events() == kSegments * 40);
}

}  // namespace
}  // namespace ebb::tests
