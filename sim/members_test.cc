// What issuers keep apart from their disks, who may hold what, and who is found by beacons alone.
#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "core/check.h"
#include "sim/cluster.h"
#include "sim/scenarios.h"
#include "tests/temp_dir.h"
#include "trust/hash.h"

using namespace ebb;
using namespace ebb::sim;

namespace {

constexpr WallTime kMade{1767225600000};

// Records of one issuer, the first of which were there before the run.
struct Signed {
  // `last`: whom the last of them certifies.
  explicit Signed(std::uint8_t last = 4) {
    REQUIRE(trust::crypto_ready().ok());
    for (const std::uint8_t number : {std::uint8_t{1}, std::uint8_t{2}, std::uint8_t{3}, last}) {
      DeviceId device;
      device.data.fill(number);
      paper.certify(device, {}, trust::roles::kReader, "", {kMade, {kMade.ms + limits::kDayMs}});
    }
    all = paper.records();
    given.assign(all.begin(), all.end() - 2);
  }
  Rng rng{1};
  PaperMesh paper{rng, false, kMade, 1};
  std::vector<Bytes> all, given;
  std::vector<Bytes> last() const { return {all.back()}; }
  std::vector<Bytes> last_two() const { return {all.end() - 2, all.end()}; }
};

store::CommitResult stored(const DeviceId& author, std::string topic) {
  store::HeadAdvance moved;
  moved.head.key = {author, 1, std::move(topic)};
  store::CommitResult result;
  result.advances.push_back(std::move(moved));
  return result;
}

Outcome run(const Options& options) {
  REQUIRE(trust::crypto_ready().ok());
  const ebb::tests::TempDir dir;
  Outcome outcome = run_seed(options, dir.path().string());
  CHECK_MESSAGE(outcome.good(), report(outcome));
  return outcome;
}

}  // namespace

TEST_CASE("an issuer's mark goes up with what is stored, and a store behind it is seen") {
  const Signed records;
  IssuerMark mark(records.paper.mesh(), records.paper.issuer(0).device(), records.given);
  const Position given = mark.end();
  CHECK(given.seq == 2);
  CHECK_FALSE(mark.is_behind({}, records.given));
  mesh::Commit commit;
  commit.token.value = 7;
  commit.authority.records = records.last_two();
  mark.note(commit);
  CHECK(mark.end() == given);
  mesh::Committed answer;
  answer.token.value = 7;
  SUBCASE("a commit that fails") {
    answer.failed = Error{ErrorCode::kIo, "no"};
    mark.answered(answer);
    CHECK(mark.end() == given);
  }
  SUBCASE("one that does not") {
    mark.answered(answer);
    CHECK(mark.end().seq == 4);
    CHECK(mark.is_behind({}, records.given));
    CHECK(mark.is_behind(records.last(), records.given));  // with a gap
    CHECK_FALSE(mark.is_behind(records.last_two(), records.given));
  }
  SUBCASE("one whose answer nobody heard") {
    mark.raise(records.last_two());
    CHECK(mark.end().seq == 4);
  }
}

TEST_CASE("who holds what it may not, or what its author may not write, is noticed") {
  Findings findings;
  MemberChecker members(findings);
  DeviceId narrow;
  narrow.data.fill(1);
  DeviceId other;
  other.data.fill(2);
  const auto writes = [](std::string_view topic) { return topic.starts_with("sens"); };
  const auto holds = [](std::string_view topic) { return topic == kControlTopic; };
  members.limit({3, narrow, writes, holds});
  members.committed(0, stored(narrow, "sensors"));
  members.committed(3, stored(narrow, "events"));
  members.committed(3, stored(other, std::string(kControlTopic)));
  CHECK(findings.empty());
  SUBCASE("another topic of it") { members.committed(0, stored(narrow, "events")); }
  SUBCASE("a log of another") { members.committed(3, stored(other, "events")); }
  CHECK(findings.by_checker().at("members") == 1);
}

TEST_CASE("two records of one number are noticed once one of them was told") {
  const Signed one;
  const Signed other(5);
  REQUIRE(one.paper.mesh() == other.paper.mesh());
  Findings findings;
  MemberChecker members(findings);
  const MeshId& mesh = one.paper.mesh();
  members.set_issuer(one.paper.issuer(0).device(), 1);
  for (const Bytes& record : one.given)
    members.known(mesh, record);
  members.kept(1, mesh, one.last_two());
  SUBCASE("not where its issuer alone had the one and lost it") {
    members.kept(1, mesh, other.last());
    members.kept(2, mesh, other.last());
    CHECK(findings.empty());
  }
  SUBCASE("at another host") {
    members.kept(2, mesh, one.last());
    members.kept(1, mesh, other.last());
    CHECK(findings.by_checker().at("members") == 1);
  }
  SUBCASE("nor is one told that its issuer has not stored") {
    members.kept(2, mesh, other.last());
    CHECK(findings.by_checker().at("members") == 1);
  }
}

TEST_CASE("a host that only beacons lead to is found, and one that may not read gets its part") {
  Options options = *expand_scenario("calm", 5, 6, seconds(300));
  options.lan = 3;
  options.late = options.expired = options.outsider = std::nullopt;
  options.lone = 4;
  options.blind = 2;
  options.narrow = 3;
  options.partial = 0;
  const Outcome outcome = run(options);
  CHECK(outcome.events > 0);
  if (!kBugsArePlanted) return;
  for (const Bug bug : {Bug::kDeafToBeacons, Bug::kIgnorePrefix, Bug::kTellTheBlind}) {
    options.bug = bug;
    const ebb::tests::TempDir dir;
    CHECK_FALSE(run_seed(options, dir.path().string()).good());
  }
}
