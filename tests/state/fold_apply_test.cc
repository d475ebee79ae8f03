// The apply rules, one idea a case.
#include <doctest/doctest.h>

#include <set>

#include "codec/value.h"
#include "core/limits.h"
#include "state/entry_key.h"
#include "state/objects.h"
#include "tests/codec/allocation_peak.h"
#include "tests/state/model.h"

using namespace ebb;
using namespace ebb::tests;
using state::ApplyResult;
using state::EntryKind;

namespace {

const LogId kA = log_of(0xa);
const LogId kB = log_of(0xb);
const LogId kC = log_of(0xc);

// A fold and what a store would hold of it.
struct Replica {
  std::unique_ptr<state::Fold> fold = new_fold();
  Entries stored;

  explicit Replica(const std::vector<Happened>& events) {
    for (const Happened& event : events)
      REQUIRE(apply_to(*fold, event) == ApplyResult::kApplied);
    flush();
  }
  void apply(const Happened& event) {
    REQUIRE(apply_to(*fold, event) == ApplyResult::kApplied);
    flush();
  }
  void flush() { keep(stored, fold->take_dirty()); }

  std::vector<Dot> live(const std::string& element = "e") const {
    return fold->set_live_dots("events", "s", element);
  }
  std::size_t pending() const {
    std::size_t entries = 0;
    for (const auto& [key, value] : stored) {
      entries += key[0] == static_cast<std::uint8_t>(EntryKind::kPend) ? 1U : 0U;
    }
    return entries;
  }
  state::Int128 total(const std::string& name, const LogId& log) const {
    const auto found = stored.find(state::counter_key({"events", name}, log));
    if (found == stored.end()) return -1;
    const auto entry = state::read_counter({found->first, found->second});
    REQUIRE(entry.ok());
    return entry->total;
  }
};

Happened add(const Dot& dot, std::vector<Dot> kills = {}) {
  return set_change(dot, true, "s", "e", std::move(kills));
}
Happened remove(const Dot& dot, std::vector<Dot> kills = {}) {
  return set_change(dot, false, "s", "e", std::move(kills));
}
Happened in_topic(Happened event, std::string topic) {
  event.topic = std::move(topic);
  return event;
}

using Dots = std::vector<Dot>;

}  // namespace

TEST_CASE("fold: an event moves the applied position, with its chain") {
  Replica replica({plain({kA, 1}), plain({kA, 2})});
  CHECK(replica.fold->applied().positions().size() == 1);
  CHECK(replica.fold->applied().at(kA) == Position{2, chain_of({kA, 2})});
}

TEST_CASE("fold: a duplicate has no effect") {
  Replica replica({counter_add({kA, 1}, "c", 5), plain({kA, 2})});
  const Hash before = replica.fold->digest();
  CHECK(apply_to(*replica.fold, counter_add({kA, 1}, "c", 5)) == ApplyResult::kDuplicate);
  CHECK(apply_to(*replica.fold, counter_add({kA, 2}, "c", 5)) == ApplyResult::kDuplicate);
  CHECK(apply_to(*replica.fold, plain({kA, 0})) == ApplyResult::kDuplicate);
  CHECK(replica.fold->digest() == before);
  CHECK_FALSE(replica.fold->dirty());
}

TEST_CASE("fold: a gap has no effect, and leaves no trace of an unknown log") {
  Replica replica({plain({kA, 1})});
  const Hash before = replica.fold->digest();
  CHECK(apply_to(*replica.fold, counter_add({kA, 3}, "c", 5)) == ApplyResult::kGap);
  CHECK(apply_to(*replica.fold, plain({kB, 2})) == ApplyResult::kGap);
  CHECK(apply_to(*replica.fold, plain({kB, UINT64_MAX})) == ApplyResult::kGap);
  CHECK(replica.fold->digest() == before);
  CHECK(replica.fold->applied().positions().size() == 1);
  CHECK(replica.fold->take_dirty().empty());
}

TEST_CASE("fold: counters keep a running total per log") {
  Replica replica({counter_add({kA, 1}, "c", 5), counter_add({kB, 1}, "c", -7),
                   counter_add({kA, 2}, "c", 1), counter_add({kA, 3}, "d", 9)});
  CHECK(replica.total("c", kA) == 6);
  CHECK(replica.total("c", kB) == -7);
  CHECK(replica.total("d", kA) == 9);
}

TEST_CASE("fold: totals pass 64 bits") {
  Replica replica({counter_add({kA, 1}, "c", INT64_MAX), counter_add({kA, 2}, "c", INT64_MAX),
                   counter_add({kA, 3}, "d", INT64_MIN), counter_add({kA, 4}, "d", INT64_MIN)});
  CHECK(state::int128_text(replica.total("c", kA)) == "18446744073709551614");
  CHECK(state::int128_text(replica.total("d", kA)) == "-18446744073709551616");
}

TEST_CASE("fold: an added element is live under its dot") {
  Replica replica({add({kA, 1})});
  CHECK(replica.live() == Dots{{kA, 1}});
  CHECK(replica.live("other").empty());
  CHECK(replica.fold->set_live_dots("events", "other", "e").empty());
  CHECK(replica.fold->set_live_dots("other", "s", "e").empty());
}

TEST_CASE("fold: a remove is itself a live dot, and kills what it saw of both polarities") {
  Replica replica({add({kA, 1}), remove({kB, 1}, {{kA, 1}})});
  CHECK(replica.live() == Dots{{kB, 1}});
  replica.apply(remove({kA, 2}, {{kB, 1}}));
  CHECK(replica.live() == Dots{{kA, 2}});
}

TEST_CASE("fold: an add that a remove had not seen survives it") {
  Replica replica({add({kA, 1}), add({kC, 1}), remove({kB, 1}, {{kA, 1}})});
  CHECK(replica.live() == Dots{{kB, 1}, {kC, 1}});
}

TEST_CASE("fold: a kill that arrives before its dot waits in pend, and the dot arrives dead") {
  Replica replica({remove({kB, 1}, {{kA, 1}})});
  CHECK(replica.pending() == 1);
  CHECK(replica.live() == Dots{{kB, 1}});
  replica.apply(add({kA, 1}));
  CHECK(replica.live() == Dots{{kB, 1}});
  CHECK(replica.pending() == 0);
}

TEST_CASE("fold: a pend entry goes when its dot turns out to be of another element or object") {
  Replica replica({remove({kB, 1}, {{kA, 1}, {kA, 2}})});
  replica.apply(set_change({kA, 1}, true, "s", "another", {}));
  CHECK(replica.live("another") == Dots{{kA, 1}});
  CHECK(replica.pending() == 1);
  replica.apply(set_change({kA, 2}, true, "another", "e", {}));
  CHECK(replica.fold->set_live_dots("events", "another", "e") == Dots{{kA, 2}});
  CHECK(replica.pending() == 0);
}

TEST_CASE("fold: a pend entry goes when its dot turns out to be no operation at all") {
  Replica replica({remove({kB, 1}, {{kA, 1}, {kA, 2}, {kA, 3}})});
  CHECK(replica.pending() == 3);
  replica.apply(plain({kA, 1}));
  CHECK(replica.pending() == 2);
  replica.apply(counter_add({kA, 2}, "c", 1));
  CHECK(replica.pending() == 1);
  replica.apply(plain({kA, 3}, std::string(state::kSetAddType)));
  CHECK(replica.pending() == 0);
}

TEST_CASE("fold: one dot may be waited for by several elements; all of it goes at once") {
  Replica replica({remove({kB, 1}, {{kA, 1}}), set_change({kB, 2}, false, "s", "f", {{kA, 1}}),
                   remove({kC, 1}, {{kA, 1}})});
  CHECK(replica.pending() == 2);
  replica.apply(add({kA, 1}));
  CHECK(replica.pending() == 0);
  CHECK(replica.live() == Dots{{kB, 1}, {kC, 1}});
}

TEST_CASE("fold: a kill of a foreign object or element changes nothing") {
  Replica replica({add({kA, 1}), set_change({kB, 1}, false, "other", "e", {{kA, 1}}),
                   set_change({kB, 2}, false, "s", "f", {{kA, 1}})});
  CHECK(replica.live() == Dots{{kA, 1}});
  CHECK(replica.pending() == 0);
}

TEST_CASE("fold: a kill from another topic changes nothing, before or after its dot") {
  const Happened foreign = in_topic(remove({kB, 1}, {{kA, 1}}), "other");
  Replica after({add({kA, 1}), foreign});
  Replica before({foreign, add({kA, 1})});
  CHECK(after.live() == Dots{{kA, 1}});
  CHECK(before.live() == Dots{{kA, 1}});
  CHECK(after.fold->digest() == before.fold->digest());
}

TEST_CASE("fold: a counter and a set may share a name") {
  Replica replica({counter_add({kA, 1}, "s", 2), add({kA, 2}, {{kA, 1}})});
  CHECK(replica.total("s", kA) == 2);
  CHECK(replica.live() == Dots{{kA, 2}});
}

TEST_CASE("fold: an operation cannot kill itself") {
  Replica replica({add({kA, 1}, {{kA, 1}})});
  CHECK(replica.live() == Dots{{kA, 1}});
  CHECK(replica.pending() == 0);
}

TEST_CASE("fold: an author may kill its own later dots; they are then dead") {
  Replica replica({remove({kA, 1}, {{kA, 2}}), add({kA, 2})});
  CHECK(replica.live() == Dots{{kA, 1}});
  CHECK(replica.pending() == 0);
}

TEST_CASE("fold: kills of dots that never come are kept and harm nobody") {
  Replica replica({add({kA, 1}), remove({kB, 1}, {{kA, UINT64_MAX}, {log_of(0xee), 1}})});
  CHECK(replica.live() == Dots{{kA, 1}, {kB, 1}});
  CHECK(replica.pending() == 2);
}

TEST_CASE("fold: 1,024 kills work, and an operation with more changes no object") {
  Dots kills;
  std::vector<Happened> events;
  for (Seq seq = 1; seq <= limits::kKillsPerOperation; ++seq) {
    kills.push_back({kA, seq});
    events.push_back(add({kA, seq}));
  }
  Replica replica(events);
  replica.apply(remove({kB, 1}, kills));
  CHECK(replica.live() == Dots{{kB, 1}});

  kills.push_back({kB, 1});
  Happened too_many = remove({kB, 2});
  too_many.payload.clear();
  codec::Writer writer(too_many.payload);
  writer.map(3);
  writer.str("element");
  writer.str("e");
  writer.str("kills");
  writer.array(kills.size());
  for (const Dot& dot : kills)
    writer.str(dot_text(dot));
  writer.str("name");
  writer.str("s");
  replica.apply(too_many);
  CHECK(replica.live() == Dots{{kB, 1}});
  CHECK(replica.fold->applied().at(kB).seq == 2);
}

TEST_CASE("fold: an unknown type of the reserved space counts as an event and no more") {
  Replica replica({plain({kA, 1}, "ebb.flag.enable")});
  CHECK(replica.fold->digest() == model_digest(model_of({plain({kA, 1}, "ebb.flag.enable")})));
  REQUIRE(replica.stored.size() == 1);
  CHECK(replica.stored.begin()->first[0] == static_cast<std::uint8_t>(EntryKind::kCountCell));
}

TEST_CASE("fold: the digest covers each argument and the chain of each log") {
  const auto digest_with = [](const state::Arguments& arguments) {
    const auto fold = new_fold(arguments);
    REQUIRE(apply_to(*fold, plain({kA, 1})) == ApplyResult::kApplied);
    CHECK(fold->digest() == model_digest(model_of({plain({kA, 1})}), arguments));
    return fold->digest();
  };
  const Hash one = chain_of({kC, 1});
  const Hash plain_digest = digest_with({});
  std::set<Hash> all{plain_digest, digest_with({.base = one}), digest_with({.authority = one}),
                     digest_with({.configuration = {3, one}}),
                     digest_with({.configuration = {4, one}})};
  CHECK(all.size() == 5);

  const auto other_history = new_fold();
  const Happened event = plain({kA, 1});
  REQUIRE(other_history->apply(kA, "events", 1, one, event.view()) == ApplyResult::kApplied);
  CHECK(other_history->digest() != plain_digest);
}

TEST_CASE("fold: views are no part of the state digest") {
  const auto first = new_fold();
  const auto second = new_fold();
  REQUIRE(apply_to(*first, plain({kA, 1}, "one")) == ApplyResult::kApplied);
  REQUIRE(apply_to(*second, plain({kA, 1}, "two")) == ApplyResult::kApplied);
  CHECK(first->digest() == second->digest());
  CHECK(first->view_digest() != second->view_digest());
}

TEST_CASE("fold: changed entries come once, in order, until something changes again") {
  const auto fold = new_fold();
  CHECK(fold->take_dirty().empty());
  CHECK_FALSE(fold->dirty());
  REQUIRE(apply_to(*fold, add({kB, 1})) == ApplyResult::kApplied);
  REQUIRE(apply_to(*fold, counter_add({kA, 1}, "c", 1)) == ApplyResult::kApplied);
  REQUIRE(apply_to(*fold, counter_add({kA, 2}, "c", 1)) == ApplyResult::kApplied);
  CHECK(fold->dirty());
  CHECK(fold->applied_since_flush() == 3);
  const auto entries = fold->take_dirty();
  CHECK(entries.size() == 4);
  for (std::size_t i = 1; i < entries.size(); ++i)
    CHECK(entries[i - 1].key < entries[i].key);
  CHECK_FALSE(fold->dirty());
  CHECK(fold->take_dirty().empty());
}

TEST_CASE("fold: an entry that came and went between two flushes is told as gone") {
  const auto fold = new_fold();
  REQUIRE(apply_to(*fold, add({kA, 1})) == ApplyResult::kApplied);
  REQUIRE(apply_to(*fold, remove({kA, 2}, {{kA, 1}})) == ApplyResult::kApplied);
  const Bytes key = state::dot_key(EntryKind::kLiveDot, {{"events", "s"}, "e"}, {kA, 1});
  std::size_t found = 0;
  for (const state::Entry& entry : fold->take_dirty()) {
    if (entry.key != key) continue;
    ++found;
    CHECK_FALSE(entry.value.has_value());
  }
  CHECK(found == 1);
}

TEST_CASE("a set whose elements come and go needs no more memory as long as it is stored") {
  const auto fold = new_fold();
  const auto churn = [&fold](Seq from, Seq to) {
    for (Seq seq = from; seq <= to; ++seq) {
      std::vector<Dot> kills;
      if (seq > 1) kills.push_back({kA, seq - 1});
      REQUIRE(apply_to(*fold, add({kA, seq}, kills)) == ApplyResult::kApplied);
      if (seq % 100 == 0) fold->take_dirty();
    }
  };
  churn(1, 1000);
  const AllocationPeak peak;
  churn(1001, 11000);
  CHECK(peak.bytes() < 200000);
  // The tree that was kept on the way is that of the whole at once.
  const auto fresh = new_fold();
  for (Seq seq = 1; seq <= 11000; ++seq) {
    const std::vector<Dot> kills = seq > 1 ? std::vector<Dot>{{kA, seq - 1}} : std::vector<Dot>{};
    REQUIRE(apply_to(*fresh, add({kA, seq}, kills)) == ApplyResult::kApplied);
  }
  CHECK(fold->digest() == fresh->digest());
}
