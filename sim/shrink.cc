#include "sim/shrink.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace ebb::sim {
namespace {

constexpr Duration kChaosMin = seconds(1);
constexpr Duration kFaultMin = milliseconds(100);
constexpr std::size_t kFaultsShortened = 32;  // of more, each one's duration would take too long

// The rate of a class that happens by chance; nullptr: it is planned, or follows from another.
std::uint64_t* rate_of(Options& options, Fault fault) {
  switch (fault) {
    case Fault::kDatagramLost:
      return &options.network.datagram_loss_permille;
    case Fault::kDatagramDuplicated:
      return &options.network.datagram_duplicate_permille;
    case Fault::kDatagramReordered:
      return &options.network.datagram_reorder_permille;
    case Fault::kDatagramForged:
      return &options.network.datagram_forge_permille;
    case Fault::kDatagramFlipped:
      return &options.network.datagram_flip_permille;
    case Fault::kStreamDelayed:
      return &options.network.stream_loss_permille;
    case Fault::kStreamReset:
      return &options.network.stream_resets_per_million;
    case Fault::kStreamFlipped:
      return &options.network.stream_flips_per_million;
    case Fault::kCommitFails:
      return &options.disk.commit_fail_permille;
    case Fault::kCommitLate:
      return &options.disk.commit_late_permille;
    case Fault::kReadFails:
      return &options.disk.read_fail_permille;
    case Fault::kReadLate:
      return &options.disk.read_late_permille;
    default:
      return nullptr;
  }
}

// What `planned` says, so that a written schedule can be read by people.
void count_planned(Schedule& schedule) {
  const std::uint64_t behind_nat = schedule.options.planned_of(Fault::kBehindNat);
  schedule.options.planned.fill(0);
  schedule.options.planned[static_cast<std::size_t>(Fault::kBehindNat)] = behind_nat;
  for (const PlannedFault& fault : schedule.faults)
    ++schedule.options.planned[static_cast<std::size_t>(fault.kind)];
}

class Shrinker {
 public:
  Shrinker(const Schedule& failing, const std::function<bool(const Schedule&)>& fails,
           const ShrinkOptions& options)
      : fails_(fails), options_(options), best_(failing) {}

  Shrunk run() {
    bool smaller = true;
    while (smaller && !is_over()) {
      const Schedule before = best_;
      drop_classes();
      drop_faults();
      end_earlier();
      use_fewer_nodes();
      halve(best_.options.append_batches, [](Options& options, std::uint64_t value) {
        options.append_batches = static_cast<std::size_t>(value);
      });
      halve(best_.options.extra_peers, [](Options& options, std::uint64_t value) {
        options.extra_peers = static_cast<std::size_t>(value);
      });
      shorten_faults();
      smaller = !(best_ == before);
    }
    return {best_, tries_, !is_over()};
  }

 private:
  bool is_over() const { return tries_ >= options_.tries_max; }

  // True when the candidate fails too and has become the best.
  bool attempt(Schedule candidate) {
    if (is_over() || candidate == best_) return false;
    ++tries_;
    const bool fails = fails_(candidate);
    if (fails) best_ = std::move(candidate);
    if (options_.progress) options_.progress(tries_, best_);
    return fails;
  }

  // Delta debugging: takes out runs of the items, half of them first, then ever shorter ones.
  // `keep` makes a candidate of what is left.
  template <class Item, class Keep>
  void reduce(std::vector<Item> items, Keep keep) {
    for (std::size_t run = items.size(); run > 0 && !items.empty(); run /= 2) {
      for (std::size_t at = 0; at < items.size() && !is_over();) {
        std::vector<Item> rest = items;
        const std::size_t end = std::min(at + run, items.size());
        rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(at),
                   rest.begin() + static_cast<std::ptrdiff_t>(end));
        if (attempt(keep(rest))) {
          items = std::move(rest);
        } else {
          at = end;
        }
      }
    }
  }

  void drop_classes() {
    std::vector<Fault> enabled;
    for (std::size_t i = 0; i < kFaultClasses; ++i) {
      if (best_.options.enabled[i]) enabled.push_back(static_cast<Fault>(i));
    }
    const Schedule from = best_;
    reduce(enabled, [&](const std::vector<Fault>& kept) {
      Schedule candidate = from;
      for (std::size_t i = 0; i < kFaultClasses; ++i) {
        const auto fault = static_cast<Fault>(i);
        const bool is_kept = std::find(kept.begin(), kept.end(), fault) != kept.end();
        if (candidate.options.enabled[i] && !is_kept) candidate = without_class(candidate, fault);
      }
      return candidate;
    });
  }

  // They are in order of time, so a run of them is a window.
  void drop_faults() {
    const Schedule from = best_;
    reduce(from.faults, [&](const std::vector<PlannedFault>& kept) {
      Schedule candidate = from;
      candidate.faults = kept;
      count_planned(candidate);
      return candidate;
    });
  }

  void end_earlier() {
    for (const std::int64_t percent : {50, 75, 90}) {
      const auto shorter = [&] {
        const std::int64_t whole = best_.options.chaos.us * percent / 100 / seconds(1).us;
        return std::max(seconds(whole), kChaosMin);
      };
      while (shorter() < best_.options.chaos && attempt(ended_at(best_, shorter()))) {
      }
    }
  }

  void use_fewer_nodes() {
    for (const std::size_t percent : {std::size_t{50}, std::size_t{75}}) {
      while (try_nodes(best_.options.nodes * percent / 100)) {
      }
    }
    while (try_nodes(best_.options.nodes - 1)) {
    }
  }

  bool try_nodes(std::size_t nodes) {
    const Options& options = best_.options;
    const bool is_named = options.left_out && *options.left_out >= nodes;
    if (nodes == 0 || nodes >= options.nodes || is_named) return false;
    return attempt(of_nodes(best_, nodes));
  }

  template <class Set>
  void halve(std::uint64_t value, Set set) {
    while (value > 0) {
      Schedule candidate = best_;
      set(candidate.options, value / 2);
      if (!attempt(std::move(candidate))) return;
      value /= 2;
    }
  }

  void shorten_faults() {
    if (best_.faults.size() > kFaultsShortened) return;
    for (std::size_t i = 0; i < best_.faults.size(); ++i) {
      while (best_.faults[i].duration > kFaultMin) {
        Schedule candidate = best_;
        candidate.faults[i].duration = milliseconds(candidate.faults[i].duration.ms() / 2);
        if (!attempt(std::move(candidate))) break;
      }
    }
  }

  const std::function<bool(const Schedule&)>& fails_;
  const ShrinkOptions& options_;
  Schedule best_;
  std::uint64_t tries_ = 0;
};

}  // namespace

Shrunk shrink(const Schedule& failing, const std::function<bool(const Schedule&)>& fails,
              const ShrinkOptions& options) {
  return Shrinker(failing, fails, options).run();
}

Schedule without_class(const Schedule& schedule, Fault fault) {
  Schedule smaller = schedule;
  smaller.options.plan(fault, 0);
  if (std::uint64_t* const rate = rate_of(smaller.options, fault)) *rate = 0;
  std::erase_if(smaller.faults, [&](const PlannedFault& one) { return one.kind == fault; });
  return smaller;
}

Schedule ended_at(const Schedule& schedule, Duration chaos) {
  Schedule smaller = schedule;
  smaller.options.chaos = chaos;
  std::erase_if(smaller.faults,
                [&](const PlannedFault& one) { return one.at >= Instant{} + chaos; });
  count_planned(smaller);
  return smaller;
}

Schedule of_nodes(const Schedule& schedule, std::size_t nodes) {
  Schedule smaller = schedule;
  smaller.options.nodes = nodes;
  std::erase_if(smaller.faults, [&](const PlannedFault& one) {
    return one.host >= nodes || (one.other >= nodes && nodes > 1);
  });
  for (PlannedFault& fault : smaller.faults)
    fault.other_side.resize(nodes);
  count_planned(smaller);
  return smaller;
}

}  // namespace ebb::sim
