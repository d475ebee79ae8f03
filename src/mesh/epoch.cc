#include "mesh/epoch.h"

#include <string>
#include <utility>

#include "core/planted.h"

namespace ebb::mesh {

void judge_told_cursor(Context& ctx, const Link& link) {
  const codec::Cursor& told = link.theirs.cursor;
  const bool beyond = told.epoch == ctx.config.epoch && told.arrival > ctx.arrival_head;
  if (!beyond || ctx.epoch_is_settled || planted(Bug::kKeepDoubtedEpoch)) return;
  ctx.epoch_is_settled = true;
  ctx.epoch_is_void = true;
  ++ctx.counters.set_backs_found;
  notice(ctx, link, NoticeKind::kSetBackFound,
         "arrival " + std::to_string(told.arrival) + ", here " + std::to_string(ctx.arrival_head));
}

void take_epoch(Context& ctx, StoreEpoch epoch) {
  if (std::exchange(ctx.config.epoch, epoch) == epoch) return;
  ctx.epoch_is_settled = true;
  ctx.epoch_is_void = false;
  // What peers have told of the epoch before says nothing of this one, and what we have told them
  // is void: greet anew.
  ctx.told_cursors.clear();
  for (Link& link : ctx.links) {
    if (!link.peer) continue;
    say_bye(ctx, link, codec::ByeCode::kShutdown, "another epoch");
    close_link(ctx, link, "another epoch");
    touch(ctx, link);
  }
}

}  // namespace ebb::mesh
