#include "channel/handshake_gate.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>

#include "core/limits.h"

using namespace ebb;
using namespace ebb::channel;

namespace {

using Ticket = HandshakeGate::Ticket;

Instant at_ms(std::int64_t ms) { return {ms * 1000}; }

constexpr std::size_t kProven = limits::kHalfOpen * 3 / 4;

std::string name_of(const char* kind, std::size_t number) { return kind + std::to_string(number); }

Ticket enter(HandshakeGate& gate, std::int64_t ms, const std::string& source) {
  const auto entry = gate.enter(at_ms(ms), source);
  REQUIRE(entry.ticket);
  CHECK_FALSE(entry.ousted.has_value());
  return *entry.ticket;
}

// Sources that dial 20 times a second each and have no right mac, or one that they have recorded.
struct Flood {
  std::size_t sources = 0;
  bool proves = false;
};

// An honest one dials each `every_ms`, from addresses of its own, shows its mac after `mac_ms` and
// is done after `done_ms`.
struct Honest {
  std::int64_t every_ms = 0;
  std::int64_t mac_ms = 0;
  std::int64_t done_ms = 0;
};

struct Told {
  int dialled = 0;
  int refused = 0;
  int ousted = 0;
  int unanswered = 0;
  int done = 0;
};

// Ten seconds of both.
Told run(const Flood& flood, const Honest& honest) {
  HandshakeGate gate;
  Told told;
  std::map<Ticket, std::int64_t> honest_since;
  const auto oust = [&](std::optional<Ticket> ticket) {
    if (ticket && honest_since.erase(*ticket) > 0) ++told.ousted;
  };
  for (std::int64_t ms = 0; ms < 10000; ++ms) {
    gate.expire(at_ms(ms));
    if (ms >= 1000 && ms < 9000 && ms % honest.every_ms == 0) {
      ++told.dialled;
      const auto entry = gate.enter(at_ms(ms), name_of("honest ", static_cast<std::size_t>(ms)));
      oust(entry.ousted);
      if (entry.ticket) {
        honest_since.emplace(*entry.ticket, ms);
      } else {
        ++told.refused;
      }
    }
    for (std::size_t i = 0; i < flood.sources; ++i) {
      if ((ms + static_cast<std::int64_t>(i)) % 50 != 0) continue;
      const auto entry = gate.enter(at_ms(ms), name_of("stranger ", i));
      oust(entry.ousted);
      if (flood.proves && entry.ticket) oust(gate.prove(at_ms(ms), *entry.ticket).ousted);
    }
    for (auto at = honest_since.begin(); at != honest_since.end();) {
      const auto [ticket, since] = *at++;
      if (ms - since == honest.mac_ms) {
        const auto proof = gate.prove(at_ms(ms), ticket);
        oust(proof.ousted);
        if (!proof.may_answer) ++told.unanswered;
      }
      if (ms - since < honest.done_ms) continue;
      gate.leave(ticket);
      honest_since.erase(ticket);
      ++told.done;
    }
    CHECK(gate.half_open() <= limits::kHalfOpen);
  }
  return told;
}

void check_all_done(const Told& told) {
  CHECK(told.dialled > 0);
  CHECK(told.refused == 0);
  CHECK(told.ousted == 0);
  CHECK(told.unanswered == 0);
  CHECK(told.done == told.dialled);
}

}  // namespace

TEST_CASE("a source begins 5 handshakes at once and 20 a second as of right, and holds 8") {
  HandshakeGate gate;
  std::vector<Ticket> tickets;
  for (std::size_t i = 0; i < limits::kHalfOpenPerSource; ++i)
    enter(gate, 0, "older and another");
  for (int i = 0; i < 100; ++i) {
    const auto entry = gate.enter(at_ms(0), "192.0.2.1");
    CHECK_FALSE(entry.ousted.has_value());
    if (entry.ticket) tickets.push_back(*entry.ticket);
  }
  CHECK(tickets.size() == limits::kHalfOpenPerSource);
  // Once it may begin again, its own that came beyond the rate make room, then the older of it.
  CHECK(gate.enter(at_ms(50), "192.0.2.1").ousted == tickets[5]);
  CHECK_FALSE(gate.enter(at_ms(50), "192.0.2.1").ticket.has_value());
  CHECK(gate.enter(at_ms(100), "192.0.2.1").ousted == tickets[6]);
  CHECK(gate.enter(at_ms(150), "192.0.2.1").ousted == tickets[7]);
  CHECK_FALSE(gate.enter(at_ms(999), "192.0.2.1").ticket.has_value());
  CHECK(gate.enter(at_ms(1000), "192.0.2.1").ousted == tickets[0]);
}

TEST_CASE("where all places are taken, a source enters 5 times at once and 20 times a second") {
  HandshakeGate gate;
  std::map<Ticket, std::string> owners;
  const auto fill = [&](const std::string& source) {
    owners.emplace(enter(gate, 0, source), source);
  };
  for (std::size_t i = 0; i < limits::kHalfOpen; ++i)
    fill(name_of("", i / limits::kHalfOpenPerSource));
  int entered = 0;
  for (std::int64_t ms = 0; ms <= 10000; ++ms) {
    for (int i = 0; i < 10; ++i) {
      const auto entry = gate.enter(at_ms(ms), "another");
      if (!entry.ticket) continue;
      ++entered;
      gate.leave(*entry.ticket);
      REQUIRE(entry.ousted);
      fill(owners.at(*entry.ousted));
    }
  }
  CHECK(entered == 205);
}

TEST_CASE("a handshake is over after 10 s, and who has left is not told") {
  HandshakeGate gate;
  const Ticket first = enter(gate, 0, "a");
  const Ticket second = enter(gate, 1000, "a");
  const Ticket third = enter(gate, 2000, "a");
  CHECK(gate.next_deadline() == at_ms(10000));
  CHECK(gate.expire(at_ms(9999)).empty());
  gate.leave(second);
  CHECK(gate.expire(at_ms(11999)) == std::vector{first});
  gate.leave(first);
  CHECK_FALSE(gate.prove(at_ms(11999), first).may_answer);
  CHECK(gate.next_deadline() == at_ms(12000));
  CHECK(gate.expire(at_ms(12000)) == std::vector{third});
  CHECK(gate.half_open() == 0);
  CHECK_FALSE(gate.next_deadline().has_value());
}

TEST_CASE("of 128 half open one of the source that holds most makes room, and no young equal") {
  HandshakeGate gate;
  std::vector<Ticket> tickets;
  for (int i = 0; i < 2; ++i)
    enter(gate, 0, "holds two");
  for (std::size_t i = 0; i < limits::kHalfOpen - 5; ++i)
    tickets.push_back(enter(gate, 0, name_of("", i)));
  std::vector<Ticket> of_one;
  for (int i = 0; i < 3; ++i)
    of_one.push_back(enter(gate, 1, "holds three"));
  CHECK(gate.enter(at_ms(2), "x").ousted == of_one[0]);
  CHECK(gate.enter(at_ms(2), "y").ousted == 1U);  // of two that hold two, the oldest
  CHECK(gate.enter(at_ms(2), "y 2").ousted == of_one[1]);
  CHECK_FALSE(gate.enter(at_ms(999), "z").ticket.has_value());
  CHECK(gate.prove(at_ms(999), 2U).may_answer);
  CHECK(gate.enter(at_ms(1000), "z").ousted == tickets[0]);
  CHECK(gate.half_open() == limits::kHalfOpen);
}

TEST_CASE("one that began beyond its source's rate makes room first, and for none of its like") {
  HandshakeGate gate;
  std::vector<Ticket> of_six;
  for (int i = 0; i < 6; ++i)
    of_six.push_back(enter(gate, 0, "six"));
  for (int i = 0; i < 7; ++i)
    enter(gate, i < 5 ? 0 : 100, "seven");
  for (int i = 0; i < 5; ++i)
    gate.leave(enter(gate, 100, "busy"));
  for (std::size_t i = 0; gate.half_open() < limits::kHalfOpen; ++i)
    enter(gate, 100, name_of("", i));
  CHECK_FALSE(gate.enter(at_ms(100), "busy").ticket.has_value());
  CHECK(gate.enter(at_ms(100), "x").ousted == of_six[5]);
}

TEST_CASE("a stranger in the network of honest ones does not use up what they may begin") {
  HandshakeGate gate;
  for (int i = 0; i < 5; ++i)
    gate.leave(enter(gate, 0, "lan"));
  // The places are free; a right mac gives back what beginning has used.
  for (int i = 0; i < 20; ++i) {
    const Ticket honest = enter(gate, 0, "lan");
    CHECK(gate.prove(at_ms(0), honest).may_answer);
    gate.leave(honest);
  }
  std::vector<Ticket> proven;
  for (int i = 0; i < 5; ++i)
    proven.push_back(enter(gate, 0, "other lan"));
  for (const Ticket ticket : proven)
    CHECK(gate.prove(at_ms(0), ticket).may_answer);
  for (std::size_t i = 0; gate.half_open() < limits::kHalfOpen; ++i)
    enter(gate, 0, name_of("", i / 8));
  CHECK(gate.enter(at_ms(0), "other lan").ousted.has_value());
}

TEST_CASE("one address that repeats a recorded message keeps nobody out") {
  check_all_done(run({1, true}, {10, 250, 400}));
}

TEST_CASE("16 addresses that repeat a recorded message keep nobody out") {
  check_all_done(run({16, true}, {100, 250, 400}));
}

TEST_CASE("30 addresses without a right mac keep nobody out whose mac comes after 250 ms") {
  check_all_done(run({30, false}, {41, 250, 400}));
}

TEST_CASE("of 300 addresses none ousts who has come in, though the mac takes 950 ms") {
  const Told told = run({300, false}, {10, 950, 1100});
  CHECK(told.ousted == 0);
  CHECK(told.unanswered == 0);
  CHECK(told.done == told.dialled - told.refused);
  CHECK(told.done > 0);
}

TEST_CASE("who has shown a right mac makes room for nobody who has not") {
  HandshakeGate gate;
  std::vector<Ticket> proven;
  for (std::size_t i = 0; i < kProven; ++i) {
    proven.push_back(enter(gate, 0, name_of("honest ", i)));
    CHECK(gate.prove(at_ms(static_cast<std::int64_t>(i) * 2), proven.back()).may_answer);
  }
  for (std::int64_t ms = 200; ms < 9000; ++ms) {
    const auto entry = gate.enter(at_ms(ms), name_of("stranger ", static_cast<std::size_t>(ms)));
    if (entry.ousted) CHECK(std::find(proven.begin(), proven.end(), *entry.ousted) == proven.end());
    // Nor for an equal that has.
    if (entry.ticket) CHECK_FALSE(gate.prove(at_ms(ms), *entry.ticket).may_answer);
  }
  CHECK(gate.expire(at_ms(10000)) == proven);
}

TEST_CASE(
    "of 96 with a right mac one of the source that has most makes room for who has two fewer") {
  HandshakeGate gate;
  std::vector<Ticket> proven;
  for (std::size_t i = 0; i < kProven; ++i) {
    proven.push_back(enter(gate, 0, i < 2 ? "two" : name_of("", i)));
    CHECK(gate.prove(at_ms(static_cast<std::int64_t>(i) * 2), proven.back()).may_answer);
  }
  const auto first = gate.prove(at_ms(500), enter(gate, 500, "x"));
  CHECK(first.may_answer);
  CHECK(first.ousted == proven[0]);
  const Ticket second = enter(gate, 500, "y");
  CHECK_FALSE(gate.prove(at_ms(500), second).may_answer);
  gate.leave(proven[1]);
  CHECK(gate.prove(at_ms(500), second).may_answer);
}

TEST_CASE("over all sources 500 handshakes a second are answered, 100 at once") {
  HandshakeGate gate;
  int answered = 0;
  std::size_t source = 0;
  for (std::int64_t ms = 0; ms <= 10000; ++ms) {
    for (int i = 0; i < (ms == 0 ? 120 : 2); ++i) {
      const Ticket ticket = enter(gate, ms, name_of("", source++));
      const auto proof = gate.prove(at_ms(ms), ticket);
      if (proof.may_answer) {
        ++answered;
        CHECK(gate.prove(at_ms(ms), ticket).may_answer);  // asked again, it costs nothing
      }
      gate.leave(ticket);
    }
  }
  CHECK(answered == 100 + 10 * 500);
}

TEST_CASE("one source alone is answered out of what the others do not need") {
  HandshakeGate gate;
  const auto answers = [&gate](std::int64_t ms, const std::string& source) {
    const Ticket ticket = enter(gate, ms, source);
    const bool answered = gate.prove(at_ms(ms), ticket).may_answer;
    gate.leave(ticket);
    return answered;
  };
  int greedy = 0;
  for (std::int64_t ms = 0; ms <= 10000; ++ms) {
    while (answers(ms, "greedy"))
      ++greedy;
    if (ms % 100 == 0) CHECK(answers(ms, name_of("", static_cast<std::size_t>(ms))));
  }
  CHECK(greedy <= 100 + 10 * 500);
  // As many as it may begin are its own in any case.
  for (std::size_t i = 0; i < 100; ++i)
    answers(10000, name_of("last ", i));
  CHECK_FALSE(answers(10000, "one more"));
}

TEST_CASE("a flood from any number of sources leaves the places at 128 and the memory bounded") {
  HandshakeGate gate;
  // A source that has used up its share stays known while others come and go.
  for (int i = 0; i < 5; ++i)
    gate.leave(enter(gate, 0, "busy"));
  for (std::size_t i = 0; i < 10 * limits::kHandshakeSources; ++i) {
    gate.enter(at_ms(0), name_of("", i));
    CHECK(gate.half_open() <= limits::kHalfOpen);
    CHECK(gate.sources() <= limits::kHandshakeSources);
  }
  for (const Ticket ticket : {6U, 7U})
    gate.leave(ticket);
  for (int i = 0; i < 2; ++i)
    enter(gate, 0, "two");
  CHECK_FALSE(gate.enter(at_ms(0), "busy").ticket.has_value());
  CHECK(gate.enter(at_ms(0), "fresh").ousted.has_value());
}

TEST_CASE("of few places a source has a quarter, and the proven three quarters") {
  constexpr std::size_t kPlaces = 12;
  HandshakeGate gate(kPlaces);
  for (std::size_t i = 0; i < kPlaces; ++i) {
    CHECK(gate.enter(at_ms(0), "one").ticket.has_value() == (i < kPlaces / 4));
    CHECK(gate.half_open() <= kPlaces / 4);
  }
  std::size_t answered = 0;
  for (std::size_t i = 0; i < kPlaces; ++i) {
    const auto entry = gate.enter(at_ms(2000), name_of("other", i));
    REQUIRE(entry.ticket);
    if (gate.prove(at_ms(2000), *entry.ticket).may_answer) ++answered;
    CHECK(gate.half_open() <= kPlaces);
  }
  CHECK(answered == kPlaces - kPlaces / 4);
}

TEST_CASE("who holds a place is not forgotten") {
  HandshakeGate gate;
  for (std::size_t i = 0; i < limits::kHalfOpenPerSource; ++i)
    enter(gate, 0, "0 holds");
  for (std::size_t i = 0; i < 2 * limits::kHandshakeSources; ++i)
    gate.leave(enter(gate, 400, name_of("1 goes ", i)));
  CHECK_FALSE(gate.enter(at_ms(400), "0 holds").ousted == std::nullopt);
  CHECK(gate.half_open() == limits::kHalfOpenPerSource);
}
