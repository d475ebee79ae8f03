// A fold that is stored and loaded continues as if it had never stopped.
#include <doctest/doctest.h>

#include "state/entry_key.h"
#include "state/objects.h"
#include "tests/state/random_history.h"

using namespace ebb;
using namespace ebb::tests;
using state::ApplyResult;
using state::EntryKind;

namespace {

const LogId kA = log_of(0xa);
const LogId kB = log_of(0xb);

struct Saved {
  Entries entries;
  VersionVector mark;
};

Saved save(state::Fold& fold, Entries stored = {}) {
  keep(stored, fold.take_dirty());
  return {std::move(stored), fold.applied()};
}

Status load(const Saved& saved, state::Fold& fold) {
  for (const auto& [key, value] : saved.entries)
    EBB_RETURN_IF_ERROR(fold.load_entry(key, value));
  for (const auto& [log, position] : saved.mark.positions()) {
    EBB_RETURN_IF_ERROR(fold.load_mark(log, position));
  }
  return fold.check_loaded();
}

bool is_corrupt(const Status& status) {
  return !status.ok() && status.error().code == ErrorCode::kCorrupt;
}

Saved saved_of(const std::vector<Happened>& events) {
  const auto fold = new_fold();
  for (const Happened& event : events)
    REQUIRE(apply_to(*fold, event) == ApplyResult::kApplied);
  return save(*fold);
}

// Each kind of entry once.
Saved rich() {
  return saved_of({plain({kA, 1}), counter_add({kA, 2}, "c", 5),
                   set_change({kA, 3}, true, "s", "e", {{kB, 9}})});
}

Status load_anew(const Saved& saved) { return load(saved, *new_fold()); }

}  // namespace

TEST_CASE("load: at random cuts, digest and all that follows are the same") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    Rng rng(seed);
    const History history = hostile_history(rng);
    const auto first_cut = random_lengths(rng, history);
    const auto fold = new_fold();
    Entries stored;
    deliver(rng, *fold, history, std::vector<std::size_t>(history.size()), first_cut,
            [&](const auto&) {
              if (rng.chance(1, 5)) keep(stored, fold->take_dirty());
            });
    const Saved saved = save(*fold, stored);

    const auto loaded = new_fold();
    REQUIRE(load(saved, *loaded).ok());
    REQUIRE_FALSE(loaded->dirty());
    REQUIRE(loaded->take_dirty().empty());
    REQUIRE(loaded->applied() == fold->applied());
    REQUIRE(loaded->digest() == fold->digest());
    REQUIRE(loaded->view_digest() == fold->view_digest());

    deliver(rng, *fold, history, first_cut, full_lengths(history));
    deliver(rng, *loaded, history, first_cut, full_lengths(history));
    REQUIRE(loaded->digest() == fold->digest());
    REQUIRE(loaded->view_digest() == fold->view_digest());
    REQUIRE(save(*loaded, saved.entries).entries == save(*fold, saved.entries).entries);
  }
}

TEST_CASE("load: a mark that comes before the entries does no harm") {
  const Saved saved = rich();
  const auto fold = new_fold();
  for (const auto& [log, position] : saved.mark.positions()) {
    REQUIRE(fold->load_mark(log, position).ok());
  }
  for (const auto& [key, value] : saved.entries)
    REQUIRE(fold->load_entry(key, value).ok());
  CHECK(fold->check_loaded().ok());
  CHECK(fold->set_live_dots("events", "s", "e") == std::vector<Dot>{{kA, 3}});
}

TEST_CASE("load: nothing stored is the fold of nothing") {
  CHECK(load_anew({}).ok());
  CHECK(new_fold()->digest() == model_digest({}));
}

TEST_CASE("load: bytes that are no entry are corrupt") {
  const auto fold = new_fold();
  CHECK(is_corrupt(fold->load_entry({}, {})));
  CHECK(is_corrupt(fold->load_entry(Bytes{0x00}, {})));
  CHECK(is_corrupt(fold->load_entry(Bytes{0x30, 1}, {})));
  for (const auto& [key, value] : rich().entries) {
    CHECK(is_corrupt(fold->load_entry(ByteView(key).first(key.size() - 1), value)));
    Bytes longer = value;
    longer.push_back(0);
    CHECK(is_corrupt(fold->load_entry(key, longer)));
  }
}

TEST_CASE("load: an entry or a mark twice is corrupt") {
  const Saved saved = rich();
  const auto fold = new_fold();
  REQUIRE(load(saved, *fold).ok());
  for (const auto& [key, value] : saved.entries)
    CHECK(is_corrupt(fold->load_entry(key, value)));
  CHECK(is_corrupt(fold->load_mark(kA, saved.mark.at(kA))));
  CHECK(is_corrupt(fold->load_mark(kB, {})));
}

TEST_CASE("load: entries and mark that cannot belong together are found") {
  const Saved good = rich();
  REQUIRE(load_anew(good).ok());

  SUBCASE("a mark is missing") { CHECK(is_corrupt(load_anew({good.entries, {}}))); }
  SUBCASE("a mark is ahead of the counts") {
    Saved saved = good;
    saved.mark.set(kA, {4, chain_of({kA, 4})});
    CHECK(is_corrupt(load_anew(saved)));
  }
  SUBCASE("a mark covers a pend entry") {
    Saved saved = good;
    saved.mark.set(kB, {9, chain_of({kB, 9})});
    saved.entries[state::count_key("t", 0, kB)] = state::counts_value({9, 0});
    CHECK(is_corrupt(load_anew(saved)));
  }
  SUBCASE("a live dot is not covered") {
    Saved saved = good;
    saved.entries[state::dot_key(EntryKind::kLiveDot, {{"events", "s"}, "e"}, {kA, 4})] = {1};
    CHECK(is_corrupt(load_anew(saved)));
  }
  SUBCASE("a counter is of a log without mark") {
    Saved saved = good;
    saved.entries[state::counter_key({"events", "c"}, kB)] = state::counter_value(1);
    CHECK(is_corrupt(load_anew(saved)));
  }
  SUBCASE("a count cell is missing") {
    Saved saved = good;
    saved.entries.erase(std::prev(saved.entries.end()));
    CHECK(is_corrupt(load_anew(saved)));
  }
}

TEST_CASE("load: a total at the end of its range overflows into an error value that stays") {
  for (const bool up : {true, false}) {
    CAPTURE(up);
    const std::int64_t sign = up ? 1 : -1;
    Saved saved = saved_of({counter_add({kA, 1}, "c", 1)});
    const Bytes key = state::counter_key({"events", "c"}, kA);
    REQUIRE(saved.entries.contains(key));
    saved.entries[key] = state::counter_value((state::kInt128Max - 1) * sign);
    const auto fold = new_fold();
    REQUIRE(load(saved, *fold).ok());

    const auto read = [&] {
      keep(saved.entries, fold->take_dirty());
      return state::read_counter({key, saved.entries.at(key)});
    };
    REQUIRE(apply_to(*fold, counter_add({kA, 2}, "c", sign)) == ApplyResult::kApplied);
    CHECK(read()->total == state::kInt128Max * sign);
    REQUIRE(apply_to(*fold, counter_add({kA, 3}, "c", sign)) == ApplyResult::kApplied);
    CHECK(read().error().code == ErrorCode::kOutOfRange);
    REQUIRE(apply_to(*fold, counter_add({kA, 4}, "c", -sign * 1000)) == ApplyResult::kApplied);
    CHECK(read().error().code == ErrorCode::kOutOfRange);

    // The error value is stored and loaded like any total.
    const auto again = new_fold();
    REQUIRE(load({saved.entries, fold->applied()}, *again).ok());
    CHECK(again->digest() == fold->digest());
  }
}
