#include "mesh/share.h"

#include <algorithm>
#include <vector>

#include "mesh/outbox.h"
#include "mesh/parts.h"
#include "mesh/want.h"

namespace ebb::mesh {
namespace {

constexpr Duration kBeforeTakeOver = milliseconds(500);
constexpr Duration kInterval = milliseconds(200);
constexpr std::uint64_t kSegmentsWorthSharing = 4;
constexpr Seq kTrialsWorthSharing = 4;
constexpr std::size_t kSharedLogs = 16;

// The largest part takes less than two round trips: for most of the time it would be waited for.
bool is_too_far(const Context& ctx, const Link& link) {
  const auto trips = static_cast<std::uint64_t>((round_trip(link) * 2).us);
  return rate_of(ctx, link) * trips / 1000000 > limits::kPartBytes;
}

// Who is asked for the whole of the log, and needs some time for it yet; null when it is not worth
// sharing.
Link* to_be_shared(const Context& ctx, const LogEntry& entry, const Link& newcomer) {
  Link* owner = link_at(ctx, entry.asked);
  if (owner == nullptr || owner == &newcomer || entry.asked_live || entry.segment_bytes == 0 ||
      entry.pending.seq == 0 || ctx.shared.size() >= kSharedLogs ||
      ctx.config.tuning.catch_ups < 2) {
    return nullptr;
  }
  const Seq reach = std::min(reach_of(ctx, newcomer, entry), limits::kSeqMax);
  const std::uint64_t missing = reach - std::min(reach, entry.pending.seq);
  // Where bytes are paid for, or may stop for the day, the log is not shared but taken over.
  if (missing < kSegmentsWorthSharing * entry.segment_events || !awaits(*owner, entry.id) ||
      is_metered(ctx, *owner)) {
    return nullptr;
  }
  const std::uint64_t rate = rate_of(ctx, *owner);
  const std::uint64_t theirs = rate_of(ctx, newcomer);
  if (rate == 0 || (theirs > 0 && std::max(rate, theirs) > kTooSlow * std::min(rate, theirs))) {
    return nullptr;
  }
  if (is_too_far(ctx, *owner) || is_too_far(ctx, newcomer)) return nullptr;
  const bool takes_long = bytes_of(entry, missing, entry.segment_bytes) * 1000 >
                          rate * ctx.config.tuning.worth_sharing_ms;
  return takes_long ? owner : nullptr;
}

// So many of its logs another link would have done first, or pays nothing for.
std::size_t fair_share(const Context& ctx, const Link& slow, const Link& link) {
  if (is_metered(ctx, slow) || is_silent(ctx, slow)) return slow.asked.size();
  const std::uint64_t rate = rate_of(ctx, link);
  const std::uint64_t all = std::max<std::uint64_t>(rate + rate_of(ctx, slow), 1);
  return static_cast<std::size_t>((slow.asked.size() * rate + all - 1) / all);
}

bool may_take_over(const Context& ctx, const LogEntry& entry, const Link& owner, const Link& link) {
  return entry.asked == owner.slot && !entry.asked_live && awaits(owner, entry.id) &&
         reach_of(ctx, link, entry) > entry.pending.seq &&
         entry.asked_at + before_take_over(owner) <= ctx.now &&
         (is_metered(ctx, owner) || is_slow_beside(ctx, owner, link));
}

void share_with(Context& ctx, Link& owner, Link& link) {
  const std::vector<LogId> logs(owner.asked.rbegin(), owner.asked.rend());
  std::size_t left = fair_share(ctx, owner, link);
  for (const LogId& log : logs) {
    LogEntry* entry = ctx.heads.find(log);
    if (!has_room(ctx, link)) return;
    if (entry == nullptr || link.asked.contains(log) || !awaits(link, log)) continue;
    if (is_shared(ctx, log)) {
      if (!give_part(ctx, *entry, link)) static_cast<void>(take_first_part(ctx, *entry, link));
    } else if (Link* whole = to_be_shared(ctx, *entry, link)) {
      static_cast<void>(begin_sharing(ctx, *entry, *whole, link));
    } else if (left > 0 && may_take_over(ctx, *entry, owner, link)) {
      --left;
      move_question(ctx, *entry, link);
    }
  }
}

}  // namespace

bool has_room(const Context& ctx, const Link& link) {
  return link.greeted() && link.settled && link.exchange.active && link.offers.empty() &&
         link.asked.size() < link.fetch.window() && !ctx.commits_paused_until &&
         !is_metered(ctx, link) && may_send(ctx, link, codec::Priority::kCatchUp);
}

bool is_slow_beside(const Context& ctx, const Link& slow, const Link& link) {
  const bool untried = link.fetch.is_untried() && is_silent(ctx, slow);
  return untried || rate_of(ctx, slow) * 2 < rate_of(ctx, link);
}

Duration before_take_over(const Link& link) {
  return std::max(kBeforeTakeOver, round_trip(link) * 2);
}

Seq trial_end(const Context& ctx, const LogEntry& entry) {
  const Seq events = ctx.config.tuning.trial_events;
  const bool is_long = entry.known - entry.pending.seq > events * kTrialsWorthSharing;
  if (!is_long || entry.segment_events > 0) return 0;
  const auto exchanges = std::count_if(ctx.slots.begin(), ctx.slots.end(), [](const Link* link) {
    return link != nullptr && link->exchange.active;
  });
  return exchanges > 1 ? entry.pending.seq + events : 0;
}

void share_log(Context& ctx, LogEntry& entry) {
  for (Link* link : ctx.slots) {
    if (link == nullptr || is_shared(ctx, entry.id) || !has_room(ctx, *link)) continue;
    if (Link* owner = to_be_shared(ctx, entry, *link))
      static_cast<void>(begin_sharing(ctx, entry, *owner, *link));
  }
}

void share_work(Context& ctx, Link& link) {
  for (Link* owner : ctx.slots) {
    if (owner == nullptr || owner == &link) continue;
    if (!has_room(ctx, link)) return;
    share_with(ctx, *owner, link);
  }
}

void run_sharing(Context& ctx) {
  if (!ctx.share_at || *ctx.share_at > ctx.now) return;
  ctx.share_at.reset();
  std::vector<LogId> shared;
  for (const auto& [log, parts] : ctx.shared)
    shared.push_back(log);
  for (const LogId& log : shared) {
    if (LogEntry* entry = ctx.heads.find(log)) advance_shared(ctx, *entry);
  }
  bool any = false;
  for (Link* link : ctx.slots) {
    if (link == nullptr) continue;
    any = any || link->catch_ups_out > 0;
    if (has_room(ctx, *link)) share_work(ctx, *link);
  }
  if (any) plan_sharing(ctx);
}

void plan_sharing(Context& ctx) {
  if (!ctx.share_at) ctx.share_at = ctx.now + kInterval;
}

}  // namespace ebb::mesh
