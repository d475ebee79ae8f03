// The planted bugs, each with a recorded seed: caught by the checker that is there for it, and by
// nobody without the bug. After a change that moves all runs sim_planted_long prints the table
// anew.
#include <doctest/doctest.h>

#include <array>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "sim/planted_bugs.h"
#include "sim/planted_runs.h"
#include "tests/temp_dir.h"
#include "trust/hash.h"

using ebb::Bug;
using ebb::sim::caught_by;
using ebb::sim::Outcome;
using ebb::sim::report;

namespace {

struct Recorded {
  std::string_view bug;
  std::uint64_t seed = 0;
  std::string_view checker;
};

constexpr std::array kRecorded = {
    Recorded{"acknowledge_before_durable", 1, "durability"},
    Recorded{"answer_unstored", 1, "convergence"},
    Recorded{"store_goes_back", 1, "durability"},
    Recorded{"reuse_seq", 1, "ledger"},
    Recorded{"same_incarnation_after_restore", 13, "ledger"},
    Recorded{"forget_epoch", 3, "order"},
    Recorded{"keep_doubted_epoch", 1, "host"},
    Recorded{"late_epoch", 1, "order"},
    Recorded{"forget_client_ids", 1, "ledger"},
    Recorded{"cut_one_too_many", 6, "liveness"},
    Recorded{"merge_loses_segment", 6, "durability"},
    Recorded{"one_arrival_a_commit", 1, "order"},
    Recorded{"tell_from_start", 1, "follower"},
    Recorded{"first_presence_stays", 4, "presence"},
    Recorded{"forget_scope", 32, "cursor"},
    Recorded{"trust_future_stamps", 1, "stamp"},
    Recorded{"same_stamp", 1, "convergence"},
    Recorded{"fold_before_commit", 1, "cursor"},
    Recorded{"fold_repeats", 3, "refold"},
    Recorded{"forget_early_kills", 1, "convergence"},
    Recorded{"keep_erased_state", 9, "convergence"},
    Recorded{"store_totals_once", 9, "convergence"},
    Recorded{"forget_doubt", 1, "host"},
    Recorded{"cursor_early", 2, "cursor"},
    Recorded{"drop_last_of_page", 1, "cursor"},
    Recorded{"arrival_before_commit", 24, "cursor"},
    Recorded{"drop_last_segment", 1, "convergence"},
    Recorded{"drop_last_have", 1, "liveness"},
    Recorded{"ask_nobody_after_cut", 1, "liveness"},
    Recorded{"reads_never_end", 2, "liveness"},
    Recorded{"keep_ended_parts", 7, "liveness"},
    Recorded{"credit_never_returned", 2, "liveness"},
    Recorded{"refuse_later_fields", 1, "liveness"},
    Recorded{"refuse_later_messages", 3, "host"},
    Recorded{"skip_signature", 2, "signature"},
    Recorded{"trust_your_logs", 10, "host"},
    Recorded{"pause_for_ever", 1, "host"},
    Recorded{"keep_ended_links", 1, "memory"},
    Recorded{"cursor_by_datagram", 1, "cursor"},
    Recorded{"ignore_scope", 1, "scope"},
    Recorded{"deaf_to_beacons", 3, "liveness"},
    Recorded{"tell_record_early", 2, "members"},
    Recorded{"skip_author_check", 2, "members"},
    Recorded{"hello_before_records", 7, "members"},
    Recorded{"ignore_mark", 3, "members"},
    Recorded{"ignore_prefix", 2, "members"},
    Recorded{"tell_the_blind", 9, "members"},
    Recorded{"skip_record_tag", 2, "host"},
    Recorded{"skip_datagram_tag", 1, "datagram"},
    Recorded{"skip_replay_window", 1, "datagram"},
    Recorded{"plain_datagrams", 1, "datagram"},
    Recorded{"skip_first_mac", 1, "strangers"},
    Recorded{"forget_secret", 2, "strangers"},
    Recorded{"believe_answer", 2, "strangers"},
    Recorded{"ignore_quota", 1, "quota"},
};

constexpr std::array<std::string_view, 18> kCheckers = {
    "convergence", "cursor",   "datagram", "durability", "follower", "host",
    "ledger",      "liveness", "members",  "memory",     "order",    "presence",
    "quota",       "refold",   "scope",    "signature",  "stamp",    "strangers",
};

Outcome run(std::uint64_t seed, Bug bug) {
  const ebb::tests::TempDir dir;
  return ebb::sim::run_planted(seed, bug, dir.path().string());
}

Outcome run_clean(std::uint64_t seed, Bug bug) {
  const ebb::tests::TempDir dir;
  return ebb::sim::run_without(seed, bug, dir.path().string());
}

}  // namespace

TEST_CASE("each planted bug is caught by its checker from a recorded seed, good without it") {
  REQUIRE(ebb::trust::crypto_ready().ok());
  CHECK(kRecorded.size() == ebb::kBugs);
  std::set<std::pair<std::string_view, std::uint64_t>> clean;
  std::set<std::string, std::less<>> caught;
  std::set<Bug> planted;
  for (const Recorded& row : kRecorded) {
    const auto bug = ebb::sim::bug_named(row.bug);
    REQUIRE_MESSAGE(bug.has_value(), row.bug);
    planted.insert(*bug);
    if (clean.emplace(ebb::sim::scenario_of(*bug), row.seed).second) {
      const Outcome outcome = run_clean(row.seed, *bug);
      CHECK_MESSAGE(outcome.good(), report(outcome));
    }
    const Outcome outcome = run(row.seed, *bug);
    const auto by = caught_by(outcome);
    CHECK_MESSAGE(by.contains(std::string(row.checker)), row.bug << ": " << report(outcome));
    caught.insert(by.begin(), by.end());
  }
  CHECK(planted.size() == ebb::kBugs);
  for (const std::string_view checker : kCheckers) {
    CHECK_MESSAGE(caught.contains(checker), checker << " catches no planted bug");
  }
}
