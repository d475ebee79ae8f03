#include "tests/state/random_history.h"

#include <doctest/doctest.h>

#include <utility>

#include "state/objects.h"

namespace ebb::tests {
namespace {

using state::ApplyResult;

template <class T>
const T& pick(Rng& rng, const std::vector<T>& items) {
  return items[rng.below(items.size())];
}

const std::vector<std::string> kNames{"a", "b"};
const std::vector<std::string> kElements{"", "x", "y"};
const std::vector<std::string> kTopics{"events", "other"};

Dot any_dot(Rng& rng, std::size_t logs) {
  // One log more than there are.
  return {log_of(static_cast<std::uint8_t>(rng.below(logs + 1))), 1 + rng.below(14)};
}

std::int64_t any_amount(Rng& rng) {
  const std::vector<std::int64_t> ends{INT64_MIN, INT64_MAX, 0, -1, 1};
  return rng.chance(1, 3) ? pick(rng, ends) : static_cast<std::int64_t>(rng.below(2000)) - 1000;
}

void set_any_time(Rng& rng, Happened& event) {
  const std::vector<std::int64_t> times{INT64_MIN, INT64_MAX, -1, 0, 59999, 60000};
  event.hlc = Hlc::at({static_cast<std::int64_t>(1700000000000 + rng.below(3) * 60000)});
  if (rng.chance(1, 4)) return;
  const auto behind = static_cast<std::int64_t>(rng.below(1300000));
  event.ts_ms = rng.chance(1, 4) ? pick(rng, times) : event.hlc.wall().ms - behind;
}

Happened any_event(Rng& rng, const Dot& dot, std::size_t logs) {
  const std::uint64_t choice = rng.below(10);
  if (choice < 2) return plain(dot, rng.chance(1, 2) ? "page.view" : "door");
  if (choice < 4) return counter_add(dot, pick(rng, kNames), any_amount(rng));
  if (choice < 5) {
    return plain(dot, std::string(rng.chance(1, 2) ? state::kSetAddType : state::kCounterAddType));
  }
  std::vector<Dot> kills;
  const std::uint64_t count = rng.below(6);
  for (std::uint64_t i = 0; i < count; ++i)
    kills.push_back(any_dot(rng, logs));
  if (rng.chance(1, 6)) kills.push_back(dot);
  return set_change(dot, rng.chance(2, 3), pick(rng, kNames), pick(rng, kElements), kills);
}

}  // namespace

History hostile_history(Rng& rng) {
  History history(1 + rng.below(4));
  std::uint8_t number = 0;
  for (auto& log : history) {
    const std::string topic = pick(rng, kTopics);
    const Seq length = rng.below(13);
    for (Seq seq = 1; seq <= length; ++seq) {
      Happened event = any_event(rng, {log_of(number), seq}, history.size());
      event.topic = topic;
      set_any_time(rng, event);
      log.push_back(std::move(event));
    }
    ++number;
  }
  return history;
}

HonestHistory honest_history(Rng& rng) {
  HonestHistory honest;
  const std::size_t authors = 2 + rng.below(3);
  honest.logs.resize(authors);
  for (std::size_t i = 0; i < authors; ++i)
    honest.replicas.push_back(new_fold());
  for (int step = 0; step < 60; ++step) {
    const std::size_t author = rng.below(authors);
    state::Fold& replica = *honest.replicas[author];
    const std::size_t other = rng.below(authors);
    if (other != author) {
      // Hears the next event of another log, without any regard for what that one builds upon.
      const Seq held = replica.applied().at(log_of(static_cast<std::uint8_t>(other))).seq;
      if (held == honest.logs[other].size()) continue;
      REQUIRE(apply_to(replica, honest.logs[other][held]) == ApplyResult::kApplied);
      continue;
    }
    const Dot dot{log_of(static_cast<std::uint8_t>(author)), honest.logs[author].size() + 1};
    const std::string& name = pick(rng, kNames);
    const std::string& element = pick(rng, kElements);
    Happened event = set_change(dot, rng.chance(1, 2), name, element,
                                replica.set_live_dots("events", name, element));
    REQUIRE(apply_to(replica, event) == ApplyResult::kApplied);
    honest.logs[author].push_back(std::move(event));
  }
  return honest;
}

std::vector<Happened> prefix(const History& history, const std::vector<std::size_t>& lengths) {
  std::vector<Happened> events;
  for (std::size_t i = 0; i < history.size(); ++i) {
    for (std::size_t n = 0; n < lengths[i]; ++n)
      events.push_back(history[i][n]);
  }
  return events;
}

std::vector<std::size_t> random_lengths(Rng& rng, const History& history) {
  std::vector<std::size_t> lengths;
  for (const auto& log : history)
    lengths.push_back(rng.below(log.size() + 1));
  return lengths;
}

std::vector<std::size_t> full_lengths(const History& history) {
  std::vector<std::size_t> lengths;
  for (const auto& log : history)
    lengths.push_back(log.size());
  return lengths;
}

void deliver(Rng& rng, state::Fold& fold, const History& history, std::vector<std::size_t> from,
             const std::vector<std::size_t>& to, const AfterEach& after_each) {
  std::vector<std::size_t> behind;
  for (std::size_t i = 0; i < history.size(); ++i) {
    if (from[i] < to[i]) behind.push_back(i);
  }
  while (!behind.empty()) {
    const std::size_t at = rng.below(behind.size());
    const std::size_t log = behind[at];
    std::size_t& done = from[log];
    if (done > 0 && rng.chance(1, 4)) {
      REQUIRE(apply_to(fold, history[log][rng.below(done)]) == ApplyResult::kDuplicate);
    }
    if (done + 1 < history[log].size() && rng.chance(1, 4)) {
      const std::size_t beyond = rng.between(done + 1, history[log].size() - 1);
      REQUIRE(apply_to(fold, history[log][beyond]) == ApplyResult::kGap);
    }
    REQUIRE(apply_to(fold, history[log][done]) == ApplyResult::kApplied);
    ++done;
    if (done == to[log]) behind.erase(behind.begin() + static_cast<std::ptrdiff_t>(at));
    if (after_each) after_each(from);
  }
}

}  // namespace ebb::tests
