// A million datagrams of strangers and of repeaters, at a node with the real channel.
#include <doctest/doctest.h>

#include <algorithm>
#include <ctime>
#include <string>

#include "core/rng.h"
#include "tests/codec/allocation_peak.h"
#include "tests/mesh/secure_rig.h"

namespace ebb::tests {
namespace {

constexpr std::uint64_t kFlood = 1000000;

// Two nodes that have keys and no link, and a datagram that was overheard.
struct Overheard : SecurePair {
  Overheard() {
    start_both();
    run_for(seconds(5));
    REQUIRE(streams_between(0, 1) == 1);
    dials = false;
    cut(0, 1);
    on_datagram = [this](std::size_t from, const std::string&, const Bytes& bytes) {
      if (from == 1) heard = bytes;
      return true;
    };
    append(0, {"a", 3});
    run_for(seconds(20));
    REQUIRE(!heard.empty());
    datagrams = false;
  }
  Bytes heard;
};

}  // namespace

TEST_CASE("of 1,000,000 spoofed and repeated datagrams a node answers and takes none") {
  Overheard rig;
  const mesh::Counters& counters = rig.engine(0).counters();
  const std::uint64_t opened = counters.datagrams_opened;
  const std::uint64_t in = counters.datagrams_in;
  const std::size_t sessions = rig.engine(0).datagram_sessions();
  const std::size_t partners = rig.engine(0).gossip_partners();
  Rng rng(1);
  Bytes spoofed(1200);
  for (std::uint8_t& byte : spoofed)
    byte = static_cast<std::uint8_t>(rng.next());
  std::copy(rig.heard.begin(), rig.heard.begin() + 16, spoofed.begin());
  mesh::Effects effects;
  const AllocationPeak memory;
  const std::clock_t begin = std::clock();
  for (std::uint64_t i = 0; i < kFlood; ++i) {
    Bytes bytes = i % 4 == 3 ? rig.heard : spoofed;
    // Under the right index and another counter; under no index; of no form; what was overheard.
    if (i % 4 == 0) bytes[13] = static_cast<std::uint8_t>(i >> 2);
    if (i % 4 == 1) bytes[4] ^= static_cast<std::uint8_t>(1 + i % 7);
    if (i % 4 == 2) bytes[1] = 0;
    rig.engine(0).handle(rig.now(), rig.wall(),
                         mesh::Datagram{"10.0.0." + std::to_string(i % 250) + ":9", bytes},
                         effects);
  }
  const double cpu = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  MESSAGE("core-seconds for 100,000: " << cpu / (kFlood / 100000) << ", " << memory.bytes()
                                       << " B of memory at the most");
  CHECK(memory.bytes() <= 16384);
  CHECK(effects.empty());
  CHECK(counters.datagrams_in == in + kFlood);
  CHECK(counters.datagrams_opened == opened);
  CHECK(counters.datagrams_dropped.at("unknown_index") == kFlood / 4);
  CHECK(counters.datagrams_dropped.at("malformed") == kFlood / 4);
  CHECK(counters.datagrams_dropped.at("replayed") >= kFlood / 4);
  CHECK(counters.datagrams_dropped.at("bad_tag") + counters.datagrams_dropped.at("replayed") ==
        kFlood / 2);
  CHECK(rig.engine(0).datagram_sessions() == sessions);
  CHECK(rig.engine(0).gossip_partners() == partners);
  // The keys are as good as before.
  rig.datagrams = true;
  rig.append(1, {"b", 1});
  rig.run_for(seconds(20));
  CHECK(rig.store(0).events() == 4);
}

}  // namespace ebb::tests
