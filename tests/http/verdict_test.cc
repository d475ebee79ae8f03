#include "http/verdict.h"

#include <doctest/doctest.h>

#include "core/limits.h"
#include "http/membership.h"

namespace {

using ebb::milliseconds;
using ebb::http::verdict_of;
using ebb::node::NodeStatus;

TEST_CASE("a write that waits for the disk makes the verdict bad once it has waited for long") {
  NodeStatus status;
  status.write_waits = milliseconds(ebb::limits::kDiskAnswerMs - 1);
  CHECK(verdict_of(status).level == "ok");
  CHECK(ebb::http::disk_trouble(status).empty());
  status.write_waits = milliseconds(ebb::limits::kDiskAnswerMs);
  CHECK(verdict_of(status).level == "bad");
  CHECK(verdict_of(status).text ==
        "the disk does not answer: a write has been waiting for 5 seconds");
  // What hangs now says more than what failed before.
  status.store_error = ebb::Error{ebb::ErrorCode::kIo, "disk", ""};
  CHECK(verdict_of(status).text.starts_with("the disk does not answer"));
  status.write_waits = {};
  CHECK(verdict_of(status).text.starts_with("nothing can be stored"));
}

TEST_CASE("verdicts speak of links, as everything else does") {
  NodeStatus status;
  status.links = 2;
  CHECK(verdict_of(status).text == "comparing on 2 links");
  status.links_incomplete = 1;
  CHECK(verdict_of(status).text == "behind: not everything known on 1 link could be had yet");
  status.links_incomplete = 0;
  status.links_in_sync = 1;
  CHECK(verdict_of(status).text == "in sync with 1 link, 0 events held");
}

TEST_CASE("a node that has met nobody says how to change that, where it has links at all") {
  NodeStatus status;
  status.listen = "0.0.0.0:7401";
  CHECK(verdict_of(status).text ==
        "alone: no peers configured, and nobody was found yet: add one with `ebb peers add "
        "HOST:PORT`, 0 events held");
  // A name of any bytes leaves the answer UTF-8.
  status.dir = "/srv/caf\xe9";
  CHECK(verdict_of(status).text.find("--dir '/srv/caf\xef\xbf\xbd'") != std::string::npos);
  status.store_damage = ebb::Error{ebb::ErrorCode::kCorrupt, "store", ""};
  CHECK(verdict_of(status).text.find("--dir '/srv/caf\xef\xbf\xbd'") != std::string::npos);
  status.store_damage.reset();
  status.dir.clear();
  status.peers = 1;
  CHECK(verdict_of(status).text == "alone, 0 events held");
  status.peers = 0;
  status.listen = "off";
  CHECK(verdict_of(status).text == "alone, 0 events held");
}

TEST_CASE("a hint of a verdict names the node's directory, as it does not know who reads it") {
  NodeStatus status;
  status.dir = "/a till";
  CHECK(verdict_of(status).text.find("`ebb peers add HOST:PORT --dir '/a till'`") !=
        std::string::npos);
  status.store_damage = ebb::Error{ebb::ErrorCode::kCorrupt, "store", ""};
  CHECK(verdict_of(status).text.find("run `ebb verify --dir '/a till'`") != std::string::npos);
}

TEST_CASE("what is wrong with a device as one of the mesh is its verdict, though it is alone") {
  using ebb::trust::Standing;
  NodeStatus status;
  ebb::mesh::MembershipStatus member;
  const auto told = [&](std::string_view level, const std::string& part) {
    const auto verdict = verdict_of(status, member);
    CAPTURE(verdict.text);
    CHECK(verdict.level == level);
    CHECK(verdict.text.find(part) != std::string::npos);
  };
  member.standing = Standing::kRevoked;
  told("ok", "alone");  // an open mesh
  member.on = true;
  told("bad", "was revoked");
  // A clock that is doubted hides nothing of that.
  status.clock.suspect = true;
  told("bad", "was revoked");
  status.clock.suspect = false;
  member.standing = Standing::kRetired;
  told("bad", "was retired");
  member.standing = Standing::kExpired;
  told("warn", "gives its events, and gets none until it is renewed");
  member.last_refusal = "the clock of the issuer is wrong";
  told("warn", "the clock of the issuer is wrong");
  member.standing = Standing::kUnknown;
  told("warn", "has no certificate");
  member.standing = Standing::kIssuerExpired;
  told("warn", "issuer that has certified");
  member.standing = Standing::kNotYetValid;
  told("warn", "set it");
  member.standing = Standing::kCertified;
  told("ok", "alone");  // what was refused once is over
  member.waits_for_member = true;
  told("warn", "signs nothing");
  member.waits_for_member = false;
  member.clock_overruled = true;
  told("warn", "judged by theirs");
  member.clock_overruled = false;
  member.suspended = true;
  told("bad", "suspended");
}

TEST_CASE("a renewal that is due is no fault until half of the time for it is over") {
  constexpr std::int64_t kDay = ebb::limits::kDayMs;
  ebb::mesh::MembershipStatus member;
  member.on = true;
  member.standing = ebb::trust::Standing::kCertified;
  member.certificate.emplace();
  member.certificate->validity = {{0}, {60 * kDay}};
  member.renewal_due = true;
  member.judged_at = {50 * kDay};
  CHECK(verdict_of(NodeStatus(), member).level == "ok");
  member.judged_at = {50 * kDay + 1};
  CHECK(verdict_of(NodeStatus(), member).level == "warn");
  CHECK(verdict_of(NodeStatus(), member).text.find("ends soon") != std::string::npos);
}

TEST_CASE("a node with a partial scope is warned of while no link is to a relay") {
  NodeStatus status;
  status.scope.kind = ebb::ScopeKind::kLeaf;
  status.links = 1;
  status.links_in_sync = 1;
  CHECK(verdict_of(status).level == "warn");
  CHECK(verdict_of(status).text.starts_with("no link to a relay"));
  status.relays = 1;
  CHECK(verdict_of(status).level == "ok");
}

TEST_CASE("a node is warned while nobody on its links may bring what others wrote") {
  NodeStatus status;
  status.links = 1;
  status.links_in_sync = 1;
  status.without_relay = true;
  CHECK(verdict_of(status).level == "warn");
  CHECK(verdict_of(status).text.starts_with("no neighbour may relay"));
}

}  // namespace
