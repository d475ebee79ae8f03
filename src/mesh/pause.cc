#include "mesh/pause.h"

#include <algorithm>

#include "core/planted.h"
#include "mesh/live.h"
#include "mesh/parts.h"
#include "mesh/want.h"

namespace ebb::mesh {
namespace {

constexpr Duration kPauseMin = seconds(1);
constexpr Duration kPauseMax = seconds(60);

}  // namespace

void pause_commits(Context& ctx) {
  const std::uint32_t doublings = std::min<std::uint32_t>(ctx.commit_failures, 6);
  ++ctx.commit_failures;
  const Duration pause = clamp(kPauseMin * (1 << doublings), kPauseMin, kPauseMax);
  if (!ctx.commits_paused_until) ctx.commits_paused_until = ctx.now + pause;
}

void resume_commits_if_due(Context& ctx) {
  if (!ctx.commits_paused_until || ctx.now < *ctx.commits_paused_until) return;
  if (!planted(Bug::kPauseForEver)) ctx.commits_paused_until.reset();
  for (Link* link : ctx.slots) {
    if (link == nullptr) continue;
    link->credit_owed += link->credit_withheld;
    link->credit_withheld = 0;
    plan_flush(ctx, *link);
  }
  for (const LogId& log : ctx.heads.behind()) {
    LogEntry* entry = ctx.heads.find(log);
    if (entry == nullptr) continue;
    if (is_shared(ctx, log)) {
      resume_shared(ctx, *entry);
    } else if (entry->asked != kNoSlot) {
      ask_again(ctx, *entry);
    } else {
      ask_now(ctx, *entry);
    }
  }
}

}  // namespace ebb::mesh
