#include "trust/chain.h"

#include <doctest/doctest.h>

#include <set>

#include "tests/codec/samples.h"
#include "trust/hash.h"

using namespace ebb;
using namespace ebb::tests;
using namespace ebb::trust;

TEST_CASE("the hash is BLAKE2b-256, and of parts that of them joined") {
  REQUIRE(crypto_ready().ok());
  CHECK(to_hex(hash(as_bytes("")).view()) ==
        "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
  CHECK(to_hex(hash(as_bytes("abc")).view()) ==
        "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
  CHECK(hash({as_bytes("a"), as_bytes(""), as_bytes("bc")}) == hash(as_bytes("abc")));
}

TEST_CASE("each part of a log key changes the log's id and start") {
  const LogKey base{counting<DeviceId>(1), 7, "events"};
  std::vector<LogKey> keys{base, base, base, base};
  keys[1].device.data[31] ^= 1;
  keys[2].incarnation += 1;
  keys[3].topic = "event";
  std::set<LogId> ids;
  std::set<Hash> starts;
  for (const LogKey& key : keys) {
    ids.insert(log_id(key));
    starts.insert(chain_start(key));
  }
  CHECK(ids.size() == 4);
  CHECK(starts.size() == 4);
}

TEST_CASE("the chain depends on the order of its events") {
  const Hash start = chain_start({counting<DeviceId>(1), 7, "events"});
  const Hash a = event_hash(as_bytes("a"));
  const Hash b = event_hash(as_bytes("b"));
  CHECK(chain_next(chain_next(start, a), b) != chain_next(chain_next(start, b), a));
  CHECK(chain_next(start, a) == hash({start.view(), a.view()}));
}

TEST_CASE("a derived event id is a UUIDv8 of its dot") {
  std::set<Uuid> ids;
  for (Seq seq = 1; seq <= 100; ++seq) {
    const Uuid id = derived_event_id({counting<LogId>(0x20), seq});
    CHECK((id.data[6] & 0xf0) == 0x80);
    CHECK((id.data[8] & 0xc0) == 0x80);
    ids.insert(id);
  }
  CHECK(ids.size() == 100);
}

TEST_CASE("random bytes are not those of the call before") {
  CHECK(random_u64() != random_u64());
  std::array<std::uint8_t, 32> one{};
  std::array<std::uint8_t, 32> two{};
  random_bytes(one.data(), one.size());
  random_bytes(two.data(), two.size());
  CHECK(one != two);
}
