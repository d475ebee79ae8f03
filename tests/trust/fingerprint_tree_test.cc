// Goal: the tree's sums are those of the set, over any range. Method: random histories, against a
// plain map whose sums are computed head by head.
#include "trust/fingerprint_tree.h"

#include <doctest/doctest.h>

#include <map>

#include "core/rng.h"
#include "trust/hash.h"

using namespace ebb;
using namespace ebb::trust;

namespace {

using Heads = std::map<LogId, Position>;

// Ids that share their first `crowded` digits, so that the tree gets deep where it wants to.
LogId random_log(Rng& rng, std::uint64_t ids, std::size_t crowded) {
  Bytes number;
  append_be64(number, rng.below(ids));
  const Hash name = hash(number);
  LogId log;
  for (std::size_t digit = crowded; digit < IdPrefix::kDepthMax; ++digit) {
    const std::uint8_t mask = digit % 2 == 0 ? 0xf0 : 0x0f;
    log.data[digit / 2] =
        static_cast<std::uint8_t>(log.data[digit / 2] | (name.data[digit / 2] & mask));
  }
  return log;
}

Position position_at(Seq seq) {
  Bytes bytes;
  append_be64(bytes, seq);
  return {seq, hash(bytes)};
}

FingerprintSum naive_sum(const Heads& heads, const LogId& first, const LogId& last) {
  FingerprintSum sum;
  for (const auto& [log, position] : heads) {
    if (first <= log && log <= last) sum.add(log, position);
  }
  return sum;
}

LogId highest() { return IdPrefix{}.last(); }

}  // namespace

TEST_CASE("any range of ids has the sum of the heads in it, after any history") {
  REQUIRE(crypto_ready().ok());
  for (const std::size_t crowded : {std::size_t{0}, std::size_t{3}, std::size_t{29}}) {
    Rng rng(7 + crowded);
    FingerprintTree tree;
    Heads heads;
    for (int step = 0; step < 6000; ++step) {
      const LogId log = random_log(rng, 700, crowded);
      const Position position = rng.chance(1, 3) ? Position{} : position_at(rng.between(1, 9));
      tree.set(log, position);
      heads.erase(log);
      if (position.seq > 0) heads[log] = position;
      if (step % 20 != 0) continue;
      REQUIRE(tree.whole() == naive_sum(heads, {}, highest()));
      const LogId a = random_log(rng, 700, crowded);
      const LogId b = random_log(rng, 700, 0);
      REQUIRE(tree.sum(a, b) == naive_sum(heads, a, b));
      REQUIRE(tree.sum(b, a) == naive_sum(heads, b, a));
      IdPrefix prefix;
      for (const std::size_t depth = rng.below(IdPrefix::kDepthMax + 1); prefix.depth < depth;)
        prefix = prefix.child(id_digit(a, prefix.depth));
      REQUIRE(tree.sum(prefix) == naive_sum(heads, prefix.first, prefix.last()));
    }
  }
}

TEST_CASE("a tree that was emptied is the empty tree") {
  REQUIRE(crypto_ready().ok());
  Rng rng(3);
  FingerprintTree tree;
  for (std::uint64_t i = 0; i < 500; ++i)
    tree.set(random_log(rng, 300, 0), position_at(1));
  Rng again(3);
  for (std::uint64_t i = 0; i < 500; ++i)
    tree.set(random_log(again, 300, 0), {});
  CHECK(tree.whole() == FingerprintSum());
  CHECK(tree.sum(LogId{}, highest()) == FingerprintSum());
}

TEST_CASE("the children of a prefix are its ids in order, without a gap") {
  IdPrefix prefix = IdPrefix{}.child(0xa).child(0x5).child(0xf);
  CHECK(prefix.depth == 3);
  CHECK(prefix.first.data[0] == 0xa5);
  CHECK(prefix.first.data[1] == 0xf0);
  CHECK(prefix.last().data[1] == 0xff);
  CHECK(prefix.child(0).first == prefix.first);
  CHECK(prefix.child(15).last() == prefix.last());
  CHECK(prefix.child(9).parent() == prefix);
  CHECK(prefix.child(9).child(0xc).parent().parent() == prefix);
  for (std::size_t digit = 1; digit < IdPrefix::kChildren; ++digit) {
    CHECK(prefix.child(digit - 1).last() < prefix.child(digit).first);
    CHECK(prefix.covers(prefix.child(digit).first));
    CHECK(!prefix.child(digit - 1).covers(prefix.child(digit).first));
  }
}
