// A store that starts with another scope than the last time.
#include <doctest/doctest.h>

#include "tests/store/store_fixture.h"

namespace ebb::tests {
namespace {

ScopeHash scope(std::uint8_t number) {
  ScopeHash hash;
  hash.data[0] = number;
  return hash;
}

struct Opened {
  StoreEpoch epoch = 0;
  std::size_t cursors = 0;
};

// Opens the store, looks, and leaves a cursor behind.
Opened open_with(const TempDir& dir, const trust::Identity& identity, const ScopeHash& hash,
                 Rng& rng) {
  store::StoreOptions options;
  options.dir = dir.path().string();
  options.mesh = test_mesh();
  options.random = [&rng] { return rng.next(); };
  options.now = {{}, {1000}};
  options.scope = hash;
  auto store = store::Store::open(options, identity);
  REQUIRE(store.ok());
  const Opened opened{(*store)->epoch(), (*store)->cursors().size()};
  store::CommitBatch batch;
  batch.now = options.now;
  batch.cursors.push_back({make_identity(9)->device(), 7, 30});
  REQUIRE((*store)->commit(batch).ok());
  REQUIRE((*store)->cursors().size() == 1);
  return opened;
}

TEST_CASE("another scope gives the store another epoch and takes its cursors") {
  const TempDir dir;
  const auto identity = make_identity(1);
  Rng rng(3);
  const Opened first = open_with(dir, *identity, {}, rng);
  const Opened same = open_with(dir, *identity, {}, rng);
  CHECK(same.epoch == first.epoch);
  CHECK(same.cursors == 1);
  const Opened leaf = open_with(dir, *identity, scope(1), rng);
  CHECK(leaf.epoch != first.epoch);
  CHECK(leaf.cursors == 0);
  const Opened again = open_with(dir, *identity, scope(1), rng);
  CHECK(again.epoch == leaf.epoch);
  CHECK(again.cursors == 1);
  const Opened full = open_with(dir, *identity, {}, rng);
  CHECK(full.epoch != leaf.epoch);
  CHECK(full.epoch != first.epoch);
  CHECK(full.cursors == 0);
}

}  // namespace
}  // namespace ebb::tests
