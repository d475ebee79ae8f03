#include "http/verdict.h"

#include <doctest/doctest.h>

#include "core/limits.h"

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
  status.peers = 1;
  CHECK(verdict_of(status).text == "alone, 0 events held");
  status.peers = 0;
  status.listen = "off";
  CHECK(verdict_of(status).text == "alone, 0 events held");
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

}  // namespace
