// Invariants of state over random histories, against a naive model.
#include <doctest/doctest.h>

#include "state/entry_key.h"
#include "state/objects.h"
#include "tests/state/random_history.h"

using namespace ebb;
using namespace ebb::tests;
using state::EntryKind;

namespace {

constexpr std::uint64_t kCases = 1500;

bool is_kind(const Bytes& key, EntryKind kind) { return key[0] == static_cast<std::uint8_t>(kind); }

// What the model says must be stored.
Entries all_entries(const Model& model) {
  Entries entries = model.objects;
  entries.insert(model.counts.begin(), model.counts.end());
  return entries;
}

void check_dots_against(const VersionVector& applied, const Entries& entries) {
  for (const auto& [key, value] : entries) {
    if (is_kind(key, EntryKind::kLiveDot)) {
      const auto live = state::parse_dot_key(EntryKind::kLiveDot, key);
      REQUIRE(live.ok());
      REQUIRE(applied.covers(live->dot));
    } else if (is_kind(key, EntryKind::kPend)) {
      const auto pend = state::parse_dot_key(EntryKind::kPend, key);
      REQUIRE(pend.ok());
      REQUIRE_FALSE(applied.covers(pend->dot));
    }
  }
}

}  // namespace

TEST_CASE("state: the same prefixes give the same digest in any order, that of the model") {
  for (std::uint64_t seed = 0; seed < kCases; ++seed) {
    CAPTURE(seed);
    Rng rng(seed);
    const History history = hostile_history(rng);
    const auto lengths = random_lengths(rng, history);
    const Model model = model_of(prefix(history, lengths));
    for (int order = 0; order < 3; ++order) {
      const auto fold = new_fold();
      deliver(rng, *fold, history, std::vector<std::size_t>(history.size()), lengths);
      REQUIRE(fold->applied() == model.applied);
      REQUIRE(fold->digest() == model_digest(model));
      REQUIRE(fold->view_digest() == model_view_digest(model));
    }
  }
}

TEST_CASE("state: at every step digest, entries and both rules on dots hold") {
  for (std::uint64_t seed = 0; seed < kCases / 4; ++seed) {
    CAPTURE(seed);
    Rng rng(1000000 + seed);
    const History history = hostile_history(rng);
    const auto fold = new_fold();
    Entries stored;
    deliver(rng, *fold, history, std::vector<std::size_t>(history.size()), full_lengths(history),
            [&](const std::vector<std::size_t>& lengths) {
              // Digest and flush at different paces, so that neither leans on the other.
              const Model model = model_of(prefix(history, lengths));
              REQUIRE(fold->check_loaded().ok());
              if (rng.chance(1, 2)) REQUIRE(fold->digest() == model_digest(model));
              if (rng.chance(1, 2)) return;
              keep(stored, fold->take_dirty());
              REQUIRE(stored == all_entries(model));
              check_dots_against(fold->applied(), stored);
            });
  }
}

TEST_CASE("state: with honest authors and full scope nothing stays in pend") {
  for (std::uint64_t seed = 0; seed < kCases / 4; ++seed) {
    CAPTURE(seed);
    Rng rng(2000000 + seed);
    HonestHistory honest = honest_history(rng);
    const Model model = model_of(prefix(honest.logs, full_lengths(honest.logs)));
    for (const auto& [key, value] : model.objects)
      REQUIRE_FALSE(is_kind(key, EntryKind::kPend));
    for (const auto& replica : honest.replicas) {
      std::vector<std::size_t> held;
      for (std::size_t i = 0; i < honest.logs.size(); ++i) {
        held.push_back(replica->applied().at(log_of(static_cast<std::uint8_t>(i))).seq);
      }
      deliver(rng, *replica, honest.logs, held, full_lengths(honest.logs));
      REQUIRE(replica->digest() == model_digest(model));
      Entries stored;
      keep(stored, replica->take_dirty());
      REQUIRE(stored == all_entries(model));
    }
  }
}

TEST_CASE("state: the random histories are worth the name") {
  // Guards the tests above: each kind of entry and each kind of trouble must really occur.
  std::map<std::uint8_t, std::size_t> kinds;
  std::size_t foreign_topics = 0;
  for (std::uint64_t seed = 0; seed < kCases; ++seed) {
    Rng rng(seed);
    const History history = hostile_history(rng);
    const Model model = model_of(prefix(history, random_lengths(rng, history)));
    for (const auto& [key, value] : model.objects)
      ++kinds[key[0]];
    foreign_topics += !history[0].empty() && history[0][0].topic == "other" ? 1U : 0U;
  }
  CHECK(kinds[0x10] > kCases / 4);
  CHECK(kinds[0x20] > kCases / 4);
  CHECK(kinds[0x21] > kCases / 4);
  CHECK(foreign_topics > kCases / 8);
}
