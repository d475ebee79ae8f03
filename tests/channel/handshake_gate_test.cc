#include "channel/handshake_gate.h"

#include <doctest/doctest.h>

#include <string>

#include "core/limits.h"

using namespace ebb;
using namespace ebb::channel;

namespace {

Instant at_ms(std::int64_t ms) { return {ms * 1000}; }

}  // namespace

TEST_CASE("a source address begins 5 handshakes at once and 20 a second") {
  HandshakeGate gate;
  int entered = 0;
  for (int i = 0; i < 100; ++i) {
    if (gate.enter(at_ms(0), "192.0.2.1").ticket) ++entered;
  }
  CHECK(entered == 5);
  CHECK(gate.enter(at_ms(0), "192.0.2.2").ticket.has_value());
  entered = 0;
  for (std::int64_t ms = 1; ms <= 10000; ++ms) {
    const auto entry = gate.enter(at_ms(ms), "192.0.2.1");
    if (entry.ticket) {
      ++entered;
      gate.leave(*entry.ticket);
    }
  }
  CHECK(entered == 200);
}

TEST_CASE("a handshake is over after 10 s, and who has left is not told") {
  HandshakeGate gate;
  const auto first = gate.enter(at_ms(0), "a").ticket;
  const auto second = gate.enter(at_ms(1000), "a").ticket;
  const auto third = gate.enter(at_ms(2000), "a").ticket;
  REQUIRE(first);
  REQUIRE(second);
  REQUIRE(third);
  CHECK(gate.next_deadline() == at_ms(10000));
  CHECK(gate.expire(at_ms(9999)).empty());
  gate.leave(*second);
  CHECK(gate.expire(at_ms(11999)) == std::vector{*first});
  gate.leave(*first);
  CHECK(gate.next_deadline() == at_ms(12000));
  CHECK(gate.expire(at_ms(12000)) == std::vector{*third});
  CHECK(gate.half_open() == 0);
  CHECK_FALSE(gate.next_deadline().has_value());
}

TEST_CASE("of 128 half open the oldest without a mac makes room, then the oldest") {
  HandshakeGate gate;
  std::vector<HandshakeGate::Ticket> tickets;
  for (std::size_t i = 0; i < limits::kHalfOpen; ++i) {
    const auto entry = gate.enter(at_ms(0), std::to_string(i));
    REQUIRE(entry.ticket);
    CHECK_FALSE(entry.ousted.has_value());
    tickets.push_back(*entry.ticket);
  }
  gate.prove(tickets[0]);
  gate.prove(tickets[1]);
  CHECK(gate.enter(at_ms(1), "x").ousted == tickets[2]);
  for (std::size_t i = 3; i < tickets.size(); ++i)
    gate.prove(tickets[i]);
  const auto entry = gate.enter(at_ms(1), "y");  // that of x has no mac yet
  CHECK(entry.ousted == tickets.back() + 1);
  gate.prove(*entry.ticket);
  CHECK(gate.enter(at_ms(1), "z").ousted == tickets[0]);
  CHECK(gate.half_open() == limits::kHalfOpen);
}

TEST_CASE("a flood from any number of sources leaves the places at 128 and the memory bounded") {
  HandshakeGate gate;
  // A source that has used up its share stays known while others come and go.
  for (int i = 0; i < 5; ++i)
    REQUIRE(gate.enter(at_ms(0), "busy").ticket);
  for (std::size_t i = 0; i < 10 * limits::kHandshakeSources; ++i) {
    gate.enter(at_ms(0), std::to_string(i));
    CHECK(gate.half_open() <= limits::kHalfOpen);
    CHECK(gate.sources() <= limits::kHandshakeSources);
  }
  CHECK_FALSE(gate.enter(at_ms(0), "busy").ticket.has_value());
}
