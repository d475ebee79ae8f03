// A device whose certificate is due, and that is linked with no issuer, goes to one.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/mesh/member_rig.h"

namespace ebb::tests {
namespace {

// An issuer and a device that has links enough without it, to others that reach nobody else.
struct Apart {
  explicit Apart(bool is_due) {
    std::vector<std::size_t> others;
    for (std::size_t i = 0; i < limits::kOverlayLinks; ++i)
      others.push_back(rig.add_member({0}));
    leaf = is_due ? rig.add_member(others, {kAllRoles, {""}, -300, 50}) : rig.add_member(others);
    rig.parted = [this](std::size_t from, std::size_t to) {
      const bool is_leaf = from == leaf || to == leaf;
      const bool is_issuer = from == 0 || to == 0;
      if (is_leaf && is_issuer) return !has_links;
      return !is_leaf && !is_issuer;
    };
    for (std::size_t i = 0; i < rig.size(); ++i)
      rig.start(i);
    rig.run_for(seconds(60));
    REQUIRE(rig.streams_between(0, leaf) == 0);
    REQUIRE(rig.engine(leaf).links().size() == limits::kOverlayLinks);
    has_links = true;
    begun = rig.engine(leaf).counters().dials;
  }
  bool knows_issuer() {
    const auto peers = rig.engine(leaf).peers();
    return std::any_of(peers.begin(), peers.end(), [this](const mesh::KnownPeer& peer) {
      return peer.device == rig.store(0).device();
    });
  }

  std::uint64_t dials() { return rig.engine(leaf).counters().dials - begun; }

  MemberRig rig;
  std::size_t leaf = 0;
  bool has_links = false;
  std::uint64_t begun = 0;
};

TEST_CASE("who is due and has links enough without an issuer is renewed within two hours") {
  Apart apart(true);
  CHECK(apart.knows_issuer());
  apart.rig.run_for(seconds(500));
  CHECK(apart.rig.engine(apart.leaf).membership().renewal_due);
  apart.rig.run_for(seconds(2 * 3600));
  CHECK_FALSE(apart.rig.engine(apart.leaf).membership().renewal_due);
  CHECK(apart.rig.engine(0).counters().certificates_issued == 1);
  CHECK(apart.dials() <= 2);
  for (std::size_t i = 0; i < apart.rig.size(); ++i)
    CHECK(apart.rig.node(i).faults.empty());
}

TEST_CASE("who is not due dials no issuer beyond the links that it wants") {
  Apart apart(false);
  CHECK(apart.knows_issuer());
  apart.rig.run_for(seconds(6 * 3600));
  CHECK(apart.rig.streams_between(0, apart.leaf) == 0);
  CHECK(apart.dials() == 0);
}

TEST_CASE("an issuer that is away is dialled about once an hour, and found when it is back") {
  Apart apart(true);
  apart.rig.stop(0);
  apart.rig.run_for(seconds(12 * 3600));
  CHECK(apart.dials() >= 6);
  CHECK(apart.dials() <= 24);
  apart.rig.start(0);
  apart.rig.run_for(seconds(4 * 3600));
  CHECK_FALSE(apart.rig.engine(apart.leaf).membership().renewal_due);
}

}  // namespace
}  // namespace ebb::tests
