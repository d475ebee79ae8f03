// Strange: a node that asks nobody by datagram, and somebody who has keys and speaks to it.
//
// Ownership: owns his store and him.
// Threads:   not thread-safe; one test.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <string_view>

#include "codec/datagram.h"
#include "tests/mesh/datagram_peer.h"
#include "tests/mesh/rig.h"

namespace ebb::tests {

struct Strange : Rig {
  Strange() : other(9) {
    add_node(1);
    node(0).config.gossip_interval_lonely = seconds(100000);
    start(0);
    peer = std::make_unique<DatagramPeer>(*this, "stranger:9", other.device());
    peer->connect();
  }
  std::uint64_t dropped(std::string_view reason) {
    const auto& all = engine(0).counters().datagrams_dropped;
    return all.contains(reason) ? all.at(reason) : 0;
  }
  std::uint64_t segments(std::string_view outcome) {
    const auto& all = engine(0).counters().datagram_segments;
    return all.contains(outcome) ? all.at(outcome) : 0;
  }
  // Begins an exchange and tells of a log of the stranger's, so that node 0 asks for it.
  void be_asked(const trust::VerifiedSegment& segment) {
    run_for(seconds(1));
    peer->send(peer->root());
    peer->send(codec::HeadsDatagram{{{segment.log, segment.last_seq(), {}}}});
    run_for(milliseconds(1));
    REQUIRE(peer->take<codec::WantDatagram>());
  }

  FakeStore other;
  std::unique_ptr<DatagramPeer> peer;
};

}  // namespace ebb::tests
