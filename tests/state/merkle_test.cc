#include "state/merkle.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "core/rng.h"
#include "tests/state/model.h"

using namespace ebb;
using namespace ebb::tests;
using state::MerkleTree;

namespace {

Bytes random_bytes(Rng& rng, std::size_t size_max) {
  Bytes bytes(rng.below(size_max + 1));
  for (std::uint8_t& byte : bytes)
    byte = static_cast<std::uint8_t>(rng.next());
  return bytes;
}

Entries random_entries(Rng& rng, std::size_t count) {
  Entries entries;
  while (entries.size() < count)
    entries[random_bytes(rng, 20)] = random_bytes(rng, 12);
  return entries;
}

Hash root_of(const Entries& entries) {
  MerkleTree tree(hash_for_tests);
  for (const auto& [key, value] : entries)
    tree.set(key, value);
  return tree.root();
}

void shuffle(Rng& rng, std::vector<std::pair<Bytes, Bytes>>& items) {
  for (std::size_t i = items.size(); i > 1; --i)
    std::swap(items[i - 1], items[rng.below(i)]);
}

// Hashes that agree in all but their last nibble: the deepest tree there can be. Inputs of leaves
// and branches, which are longer than a key, hash as usual.
Hash hash_with_long_common_way(ByteView bytes) {
  if (bytes.size() > 1) return hash_for_tests(bytes);
  Hash hash;
  hash.data.back() = bytes.empty() ? 0 : bytes[0];
  return hash;
}

}  // namespace

TEST_CASE("merkle: the empty set has the zero root") {
  CHECK(MerkleTree(hash_for_tests).root().is_zero());
}

TEST_CASE("merkle: a single entry is its leaf hash, whatever was there before") {
  const Bytes key{1, 2, 3};
  const Bytes value{9};
  const Bytes input{0x00, 0, 0, 0, 3, 1, 2, 3, 9};
  MerkleTree tree(hash_for_tests);
  tree.set(key, value);
  CHECK(tree.root() == hash_for_tests(input));
  tree.set(Bytes{7}, value);
  CHECK(tree.root() != hash_for_tests(input));
  tree.erase(Bytes{7});
  CHECK(tree.root() == hash_for_tests(input));
}

TEST_CASE("merkle: the boundary between key and value counts") {
  CHECK(root_of({{{1, 2}, {3}}}) != root_of({{{1}, {2, 3}}}));
}

TEST_CASE("merkle: equals a naive computation for sets of many sizes") {
  Rng rng(11);
  for (const std::size_t count : std::vector<std::size_t>{1, 2, 3, 15, 16, 17, 100, 700}) {
    const Entries entries = random_entries(rng, count);
    CHECK(root_of(entries) == model_root(entries));
  }
}

TEST_CASE("merkle: any order of insertions gives the same root") {
  Rng rng(12);
  const Entries entries = random_entries(rng, 200);
  std::vector<std::pair<Bytes, Bytes>> items(entries.begin(), entries.end());
  for (int round = 0; round < 10; ++round) {
    shuffle(rng, items);
    MerkleTree tree(hash_for_tests);
    for (const auto& [key, value] : items)
      tree.set(key, value);
    CHECK(tree.root() == root_of(entries));
  }
}

TEST_CASE("merkle: the root changes with each value, each key and each missing entry") {
  Rng rng(13);
  const Entries entries = random_entries(rng, 60);
  const Hash root = root_of(entries);
  for (const auto& [key, value] : entries) {
    Entries changed = entries;
    changed[key].push_back(0);
    CHECK(root_of(changed) != root);
    changed = entries;
    changed.erase(key);
    CHECK(root_of(changed) != root);
    Bytes longer = key;
    longer.push_back(0);
    if (changed.emplace(longer, value).second) CHECK(root_of(changed) != root);
  }
}

TEST_CASE("merkle: random changes, with roots asked for now and then, equal a new tree") {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    CAPTURE(seed);
    Rng rng(seed);
    MerkleTree tree(hash_for_tests);
    Entries entries;
    for (int step = 0; step < 300; ++step) {
      const Bytes key{static_cast<std::uint8_t>(rng.below(40))};
      if (rng.chance(1, 2)) {
        entries[key] = random_bytes(rng, 4);
        tree.set(key, entries[key]);
      } else {
        entries.erase(key);
        tree.erase(key);
      }
      if (rng.chance(1, 20)) REQUIRE(tree.root() == model_root(entries));
    }
    REQUIRE(tree.root() == model_root(entries));
    for (const auto& [key, value] : entries)
      tree.erase(key);
    REQUIRE(tree.root().is_zero());
  }
}

TEST_CASE("merkle: erasing what is not there changes nothing") {
  Rng rng(14);
  const Entries entries = random_entries(rng, 50);
  MerkleTree tree(hash_for_tests);
  tree.erase(Bytes{1});
  CHECK(tree.root().is_zero());
  for (const auto& [key, value] : entries)
    tree.set(key, value);
  for (int i = 0; i < 50; ++i) {
    const Bytes key = random_bytes(rng, 30);
    if (!entries.contains(key)) tree.erase(key);
  }
  CHECK(tree.root() == model_root(entries));
}

TEST_CASE("merkle: keys that part at the last nibble only are kept apart, and merge again") {
  MerkleTree tree(hash_with_long_common_way);
  for (std::uint8_t i = 0; i < 16; ++i)
    tree.set(Bytes{i}, Bytes{i});
  const Hash full = tree.root();
  for (std::uint8_t i = 1; i < 16; ++i)
    tree.erase(Bytes{i});
  const Bytes leaf{0x00, 0, 0, 0, 1, 0, 0};
  CHECK(tree.root() == hash_for_tests(leaf));
  for (std::uint8_t i = 16; i > 0; --i)
    tree.set(Bytes{static_cast<std::uint8_t>(i - 1)}, Bytes{static_cast<std::uint8_t>(i - 1)});
  CHECK(tree.root() == full);
}
