// Status: what a person sees of the links.
//
// Threads:   not thread-safe; part of the engine.
#pragma once

#include <string_view>
#include <vector>

#include "mesh/context.h"

namespace ebb::mesh {

// Costs one walk over all logs; for status pages, not for every event.
std::vector<LinkStatus> link_statuses(const Context& ctx);
// The same cost. At most `named_max` of them by name.
MissingLogs missing_logs_of(const Context& ctx, std::size_t named_max);
std::vector<BudgetStatus> budget_statuses(const Context& ctx);
MembershipStatus membership_status(const Context& ctx);
// As Engine::may_append.
Status may_append_here(const Context& ctx, std::string_view topic);

}  // namespace ebb::mesh
