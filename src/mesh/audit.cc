#include "mesh/audit.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "mesh/learn.h"
#include "mesh/outbox.h"
#include "mesh/want.h"

namespace ebb::mesh {
namespace {

constexpr Duration kUnderWayMin = seconds(2);
constexpr int kUnderWayRoundTrips = 4;
// An answer goes behind everything else, so it may take a while on a slow link.
constexpr Duration kAnswerTime = seconds(600);
// Audits of one link over all ids become rarer, up to so many times half the interval.
constexpr std::uint32_t kWholeDoublings = 6;

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
    entry->repairing = entry->asked != kNoSlot;
  }
}

bool whole_is_due(const Context& ctx, const Link& link) {
  return link.incomplete && link.audit.whole_from <= ctx.now;
}

// Where bytes are paid for, the peer may have to wait for its hour.
bool owes_answer(const Context& ctx, const Link& link) {
  return !link.closed && link.exchange.auditing && !is_metered(ctx, link);
}

void begin_one(Context& ctx) {
  std::vector<Link*> candidates;
  for (Link* link : ctx.slots) {
    if (link != nullptr && may_audit(ctx, *link)) candidates.push_back(link);
  }
  if (candidates.empty()) return;
  // Where something is known to be left out, all of it is gone through, and soon; but what is left
  // out for good, or by a liar, shall not take the turns of the other links.
  std::vector<Link*> incomplete;
  std::copy_if(candidates.begin(), candidates.end(), std::back_inserter(incomplete),
               [&ctx](const Link* link) { return whole_is_due(ctx, *link); });
  const bool preferred = !incomplete.empty() && ctx.rng.chance(1, 2);
  const std::vector<Link*>& of = preferred ? incomplete : candidates;
  Link& link = *of[ctx.rng.below(of.size())];
  const IdPrefix all;
  link.audit.whole = whole_is_due(ctx, link);
  if (link.audit.whole) {
    const std::uint32_t doublings = std::min(link.audit.wholes++, kWholeDoublings);
    link.audit.whole_from = ctx.now + ctx.config.audit_interval / 2 * (1 << doublings);
    begin_audit(ctx, link, all);
  } else {
    begin_audit(ctx, link, all.child(ctx.rng.below(IdPrefix::kChildren)));
  }
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
    const bool late =
        link != nullptr && owes_answer(ctx, *link) && link->audit.answer_by <= ctx.now;
    if (late) close_link(ctx, *link, "an audit was not answered");
  }
  if (!ctx.audit_at || *ctx.audit_at > ctx.now) return;
  ctx.audit_at.reset();
  begin_one(ctx);
}

std::optional<Instant> audit_deadline(const Context& ctx, const Link& link) {
  if (link.slot == kNoSlot) return std::nullopt;
  if (owes_answer(ctx, link)) return link.audit.answer_by;
  return link.audit.judge_at;
}

void end_audit(Context& ctx, Link& link) {
  ++ctx.counters.audits;
  const bool whole = std::exchange(link.audit.whole, false);
  if (link.audit.lacking.empty()) {
    if (!whole) return;
    link.incomplete = false;
    link.audit.wholes = 0;
    return;
  }
  link.audit.judge_at = ctx.now + std::max(kUnderWayMin, round_trip(link) * kUnderWayRoundTrips);
}

void wait_for_audit(Context& ctx, Link& link) {
  link.audit.answer_by = ctx.now + kAnswerTime;
  touch(ctx, link);
}

}  // namespace ebb::mesh
