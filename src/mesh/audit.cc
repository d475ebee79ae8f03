#include "mesh/audit.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "mesh/learn.h"
#include "mesh/outbox.h"
#include "mesh/want.h"

namespace ebb::mesh {
namespace {

constexpr Duration kUnderWayMin = seconds(2);
constexpr int kUnderWayRoundTrips = 4;

bool may_audit(const Context& ctx, const Link& link) {
  const Exchange& ex = link.exchange;
  return may_send(ctx, link, codec::Priority::kBulk) && link.phase == Phase::kLive && !ex.active &&
         !ex.auditing && !link.audit.judge_at;
}

// Nobody is asked for it, nobody will be, and it has not come.
bool is_lacking(const LogEntry& entry, Seq seq) {
  return !entry.capped && entry.pending.seq < seq && entry.asked == kNoSlot && !entry.timer;
}

void judge(Context& ctx, Link& link) {
  link.audit.judge_at.reset();
  for (const auto& [log, seq] : std::exchange(link.audit.lacking, {})) {
    LogEntry* entry = ctx.heads.find(log);
    if (entry == nullptr || !is_lacking(*entry, seq) || entry->peer(link.slot).refused) continue;
    ask_for_repair(ctx, *entry);
    if (entry->asked != kNoSlot) ++ctx.counters.audit_repairs;
  }
}

void begin_one(Context& ctx) {
  std::vector<Link*> candidates;
  for (Link* link : ctx.slots) {
    if (link != nullptr && may_audit(ctx, *link)) candidates.push_back(link);
  }
  if (candidates.empty()) return;
  Link& link = *candidates[ctx.rng.below(candidates.size())];
  begin_audit(ctx, link, IdPrefix{}.child(ctx.rng.below(IdPrefix::kChildren)));
}

}  // namespace

void plan_audits(Context& ctx) {
  if (ctx.audit_at) return;
  const Duration mean = ctx.config.audit_interval;
  const auto spread = static_cast<std::uint64_t>(std::max<std::int64_t>(mean.us / 2, 1));
  const auto jitter = static_cast<std::int64_t>(ctx.rng.below(spread));
  ctx.audit_at = ctx.now + mean * 3 / 4 + microseconds(jitter);
}

void run_audits(Context& ctx) {
  for (Link* link : ctx.slots) {
    const bool due = link != nullptr && link->audit.judge_at && *link->audit.judge_at <= ctx.now;
    if (due) judge(ctx, *link);
  }
  if (!ctx.audit_at || *ctx.audit_at > ctx.now) return;
  ctx.audit_at.reset();
  begin_one(ctx);
}

std::optional<Instant> next_audit_deadline(const Context& ctx) {
  std::optional<Instant> next = ctx.audit_at;
  for (const Link* link : ctx.slots) {
    if (link == nullptr || !link->audit.judge_at) continue;
    if (!next || *link->audit.judge_at < *next) next = link->audit.judge_at;
  }
  return next;
}

void end_audit(Context& ctx, Link& link) {
  ++ctx.counters.audits;
  if (link.audit.lacking.empty()) return;
  link.audit.judge_at = ctx.now + std::max(kUnderWayMin, round_trip(link) * kUnderWayRoundTrips);
}

}  // namespace ebb::mesh
