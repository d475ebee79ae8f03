// LinkBudget: what links of a class may cost a day, and the hours in which they are quiet.
//
// Model:
//   - A class has a name and address patterns; a link belongs to the first class that its address
//     matches, or to none, which costs nothing.
//   - Every byte on a link of the class counts, in and out. Of a day's bytes history and bulk may
//     use the first half, catch-up the first three quarters, live events all. Control always goes
//     (and counts): it is what keeps a link a link.
//     Rationale: what is left for the evening shall be what people wait for.
//   - In quiet hours only control and live go.
//   - Datagrams with addresses of the class count, too, and are catch-up.
//   - Day and minute are the driver's local time, told by LocalTime; nothing is read here. Before
//     the first one there are no quiet hours, and what was spent belongs to the day it was kept
//     for.
//   - What is kept runs ahead of what is spent by a step, so that a crash forgets nothing.
// Units:     bytes; days since 1970 in local time; minutes since midnight.
// Threads:   not thread-safe; part of the engine.
// Limits:    limits::kLinkClasses.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mesh/send_queue.h"
#include "mesh/types.h"

namespace ebb::mesh {

// `pattern` is host:port or a host, with * for any run of characters.
bool matches_address(std::string_view pattern, std::string_view address);
bool is_quiet(const QuietHours& hours, std::int32_t minute);

class LinkBudget {
 public:
  static constexpr int kNone = -1;

  // `kept`: as Commit.budgets said last before the restart.
  LinkBudget(std::vector<LinkClass> classes, const std::vector<BudgetSpent>& kept);

  int class_of(std::string_view address) const;
  // The link's traffic is bounded: its peer shall be patient.
  bool is_metered(int link_class) const;
  PriorityMask allowed(int link_class) const;

  void spend(int link_class, std::size_t bytes);
  // Something that was not allowed may be allowed now, or the reverse.
  void set_time(const LocalTime& time) { time_ = time; }
  // What is to be kept now, once; empty most of the time.
  std::vector<BudgetSpent> take_unkept();

  std::size_t size() const { return states_.size(); }
  const LinkClass& settings(int link_class) const { return at(link_class).settings; }
  std::uint64_t spent_today(int link_class) const;

 private:
  struct State {
    LinkClass settings;
    std::int64_t day = 0;
    std::uint64_t spent = 0;
    std::uint64_t kept = 0;
  };
  const State& at(int link_class) const { return states_[static_cast<std::size_t>(link_class)]; }

  std::vector<State> states_;
  std::optional<LocalTime> time_;
};

}  // namespace ebb::mesh
