#include "mesh/link_budget.h"

#include <algorithm>
#include <utility>

#include "core/limits.h"

namespace ebb::mesh {
namespace {

// Kept is ahead of spent by up to this, or by a 64th of the day's bytes.
constexpr std::uint64_t kStepMin = std::uint64_t{64} << 10;

constexpr PriorityMask kControlOnly = mask_of(codec::Priority::kControl);
constexpr PriorityMask kQuiet = kControlOnly | mask_of(codec::Priority::kLive);
constexpr PriorityMask kNoHistory = kQuiet | mask_of(codec::Priority::kCatchUp);

std::uint64_t step_of(const LinkClass& settings) {
  return std::max(kStepMin, settings.daily_bytes / 64);
}

PriorityMask within(std::uint64_t spent, std::uint64_t daily) {
  if (daily == 0 || spent < daily / 2) return kAllPriorities;
  if (spent < daily - daily / 4) return kNoHistory;
  return spent < daily ? kQuiet : kControlOnly;
}

}  // namespace

bool matches_address(std::string_view pattern, std::string_view address) {
  // Without a port the pattern is about hosts.
  if (pattern.rfind(':') == std::string_view::npos) address = address.substr(0, address.rfind(':'));
  std::size_t at = 0, in = 0;
  std::size_t star = std::string_view::npos, resume = 0;
  while (in < address.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      resume = in;
    } else if (at < pattern.size() && pattern[at] == address[in]) {
      ++at;
      ++in;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      in = ++resume;
    } else {
      return false;
    }
  }
  while (at < pattern.size() && pattern[at] == '*')
    ++at;
  return at == pattern.size();
}

bool is_quiet(const QuietHours& hours, std::int32_t minute) {
  if (hours.from <= hours.to) return hours.from <= minute && minute < hours.to;
  return minute >= hours.from || minute < hours.to;  // over midnight
}

LinkBudget::LinkBudget(std::vector<LinkClass> classes, const std::vector<BudgetSpent>& kept) {
  for (LinkClass& settings : classes) {
    if (states_.size() == limits::kLinkClasses) return;
    State state;
    state.settings = std::move(settings);
    for (const BudgetSpent& row : kept) {
      if (row.link_class != state.settings.name) continue;
      state.day = row.day;
      state.spent = row.bytes;
      state.kept = row.bytes;
    }
    states_.push_back(std::move(state));
  }
}

int LinkBudget::class_of(std::string_view address) const {
  for (std::size_t i = 0; i < states_.size(); ++i) {
    for (const std::string& pattern : states_[i].settings.addresses) {
      if (matches_address(pattern, address)) return static_cast<int>(i);
    }
  }
  return kNone;
}

bool LinkBudget::is_metered(int link_class) const {
  if (link_class == kNone) return false;
  const LinkClass& settings = at(link_class).settings;
  return settings.daily_bytes > 0 || settings.quiet.has_value();
}

std::uint64_t LinkBudget::spent_today(int link_class) const {
  const State& state = at(link_class);
  return time_ && time_->day != state.day ? 0 : state.spent;
}

PriorityMask LinkBudget::allowed(int link_class) const {
  if (link_class == kNone) return kAllPriorities;
  const LinkClass& settings = at(link_class).settings;
  const PriorityMask bytes = within(spent_today(link_class), settings.daily_bytes);
  const bool quiet = settings.quiet && time_ && is_quiet(*settings.quiet, time_->minute);
  return static_cast<PriorityMask>(bytes & (quiet ? kQuiet : kAllPriorities));
}

void LinkBudget::spend(int link_class, std::size_t bytes) {
  if (link_class == kNone) return;
  State& state = states_[static_cast<std::size_t>(link_class)];
  if (time_ && time_->day != state.day) {
    state.day = time_->day;
    state.spent = 0;
    state.kept = 0;
  }
  state.spent += bytes;
}

std::vector<BudgetSpent> LinkBudget::take_unkept() {
  std::vector<BudgetSpent> rows;
  for (State& state : states_) {
    if (state.settings.daily_bytes == 0 || state.spent <= state.kept) continue;
    state.kept = state.spent + step_of(state.settings);
    rows.push_back({state.settings.name, state.day, state.kept});
  }
  return rows;
}

}  // namespace ebb::mesh
