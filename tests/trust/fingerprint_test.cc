#include "trust/fingerprint.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "core/rng.h"
#include "trust/hash.h"

using namespace ebb;
using namespace ebb::trust;

namespace {

LogId log_number(std::uint64_t number) {
  LogId log;
  for (std::size_t i = 0; i < 8; ++i)
    log.data[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return log;
}

Position position_at(Seq seq) {
  Bytes bytes;
  append_be64(bytes, seq);
  return {seq, hash(bytes)};
}

}  // namespace

TEST_CASE("a fingerprint does not depend on the order in which heads came") {
  REQUIRE(crypto_ready().ok());
  FingerprintSum forwards;
  FingerprintSum backwards;
  for (std::uint64_t i = 0; i < 50; ++i)
    forwards.add(log_number(i), position_at(i + 1));
  for (std::uint64_t i = 50; i > 0; --i)
    backwards.add(log_number(i - 1), position_at(i));
  CHECK(forwards == backwards);
  CHECK(forwards.fingerprint() == backwards.fingerprint());
  CHECK(forwards.count() == 50);
}

TEST_CASE("the sum follows any history of moves and equals that of the set itself") {
  REQUIRE(crypto_ready().ok());
  Rng rng(5);
  FingerprintSum kept;
  std::map<LogId, Position> set;
  for (int i = 0; i < 3000; ++i) {
    const LogId log = log_number(rng.below(40));
    const Position before = set.contains(log) ? set[log] : Position{};
    const Position after = rng.chance(1, 5) ? Position{} : position_at(rng.between(1, 100));
    kept.move(log, before, after);
    set.erase(log);
    if (after.seq > 0) set[log] = after;
  }
  FingerprintSum fresh;
  for (const auto& [log, position] : set)
    fresh.add(log, position);
  CHECK(kept == fresh);
  CHECK(kept.count() == set.size());
}

TEST_CASE("adding and removing are inverse, down to the empty set") {
  REQUIRE(crypto_ready().ok());
  const FingerprintSum empty;
  FingerprintSum sum;
  for (std::uint64_t i = 0; i < 300; ++i)
    sum.add(log_number(i), position_at(i + 1));
  for (std::uint64_t i = 0; i < 300; ++i)
    sum.remove(log_number(i), position_at(i + 1));
  CHECK(sum == empty);
  CHECK(sum.fingerprint() == empty.fingerprint());
}

TEST_CASE("the same head twice is not the empty set, and seq 0 is in none") {
  REQUIRE(crypto_ready().ok());
  FingerprintSum sum;
  sum.add(log_number(1), position_at(1));
  const Fingerprint once = sum.fingerprint();
  sum.add(log_number(1), position_at(1));
  CHECK(sum.fingerprint() != FingerprintSum().fingerprint());
  CHECK(sum.fingerprint() != once);
  FingerprintSum none;
  none.add(log_number(1), {0, position_at(1).chain});
  none.remove(log_number(1), {});
  CHECK(none == FingerprintSum());
}

TEST_CASE("log, seq and chain of a head all count") {
  REQUIRE(crypto_ready().ok());
  std::vector<Fingerprint> all;
  for (const auto& [log, position] :
       std::vector<std::pair<LogId, Position>>{{log_number(1), {1, position_at(1).chain}},
                                               {log_number(2), {1, position_at(1).chain}},
                                               {log_number(1), {2, position_at(1).chain}},
                                               {log_number(1), {1, position_at(2).chain}}}) {
    FingerprintSum sum;
    sum.add(log, position);
    all.push_back(sum.fingerprint());
  }
  std::sort(all.begin(), all.end());
  CHECK(std::adjacent_find(all.begin(), all.end()) == all.end());
}
