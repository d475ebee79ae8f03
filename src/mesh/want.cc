#include "mesh/want.h"

#include <algorithm>
#include <vector>

#include "core/planted.h"
#include "mesh/live.h"
#include "mesh/outbox.h"
#include "mesh/parts.h"
#include "mesh/reconcile.h"
#include "mesh/scope.h"
#include "mesh/share.h"

namespace ebb::mesh {
namespace {

constexpr std::uint64_t kEmptyAnswersMax = 3;
constexpr std::uint64_t kUnkeptPushesMax = 64;

void set_timer(Context& ctx, LogEntry& entry, std::optional<Instant> at) {
  if (entry.timer) ctx.log_timers.erase({*entry.timer, entry.id});
  entry.timer = at;
  if (at) ctx.log_timers.insert({*at, entry.id});
}

Duration answer_time(const Link& link) {
  return clamp(round_trip(link) * 3 / 2, milliseconds(30), seconds(1));
}

// Where bytes are paid for, nobody is asked who is not the only one to have them.
bool is_better(const Context& ctx, const Link& link, const Link& other) {
  const bool metered = is_metered(ctx, link);
  if (metered != is_metered(ctx, other)) return !metered;
  return round_trip(link) < round_trip(other);
}

// The nearest link that says it has more than is in hand here; the lowest slot among equals.
Link* best_announcer(Context& ctx, const LogEntry& entry, SlotMask except) {
  Link* best = nullptr;
  for (Link* link : ctx.slots) {
    if (link == nullptr || (except & slot_bit(link->slot)) != 0) continue;
    const PeerLog* peer = entry.find_peer(link->slot);
    if (peer == nullptr || peer->refused || peer->announced <= entry.pending.seq) continue;
    if (is_outside(ctx, *link, entry)) continue;
    const bool held_back = link->exchange.awaited.contains(entry.id) &&
                           !may_send(ctx, *link, codec::Priority::kCatchUp);
    if (held_back) continue;
    if (best == nullptr || is_better(ctx, *link, *best)) best = link;
  }
  return best;
}

void ask_as(Context& ctx, LogEntry& entry, Link& link, bool live) {
  entry.asked = link.slot;
  entry.asked_live = live;
  entry.answered = false;
  entry.asked_at = ctx.now;
  entry.asked_to = live ? 0 : trial_end(ctx, entry);
  // Who is asked for a single announcement shall push from now on.
  if (live) entry.pruned &= ~slot_bit(link.slot);
  link.asked.insert(entry.id);
  link.stop_queue.erase(entry.id);
  (live ? link.ask_queue_live : link.ask_queue).insert(entry.id);
  set_timer(ctx, entry, live ? std::optional(ctx.now + answer_time(link)) : std::nullopt);
  touch(ctx, link);
}

void ask(Context& ctx, LogEntry& entry, Link& link) {
  const bool awaited = link.exchange.active && link.exchange.awaited.contains(entry.id);
  ask_as(ctx, entry, link, !awaited);
}

// Nobody is asked for the log any more.
void withdraw(Context& ctx, LogEntry& entry) {
  if (is_shared(ctx, entry.id)) return end_sharing(ctx, entry);
  if (entry.asked == kNoSlot) return;
  if (Link* link = ctx.slots[static_cast<std::size_t>(entry.asked)]) {
    link->asked.erase(entry.id);
    link->ask_queue.erase(entry.id);
    link->ask_queue_live.erase(entry.id);
    if (!link->offers.empty()) touch(ctx, *link);  // it has room again
  }
  entry.asked = kNoSlot;
  set_timer(ctx, entry, std::nullopt);
}

// The same, and who was asked is told, as it may be sending.
void withdraw_and_tell(Context& ctx, LogEntry& entry) {
  Link* link = is_shared(ctx, entry.id) ? nullptr : link_at(ctx, entry.asked);
  const bool sent = link != nullptr && !link->ask_queue.contains(entry.id) &&
                    !link->ask_queue_live.contains(entry.id);
  withdraw(ctx, entry);
  if (!sent) return;
  link->stop_queue.insert(entry.id);
  touch(ctx, *link);
}

bool is_missing(const Context& ctx, const LogEntry& entry) {
  // More of the log that we are writing can only be news for the rollback check, never a gap.
  return !entry.capped && entry.known > entry.pending.seq && !is_current_own(ctx, entry);
}

void log_timer_due(Context& ctx, LogEntry& entry) {
  set_timer(ctx, entry, std::nullopt);
  if (entry.asked == kNoSlot) {
    ask_now(ctx, entry);
    return;
  }
  Link* link = ctx.slots[static_cast<std::size_t>(entry.asked)];
  if (link == nullptr || !entry.asked_live) return;
  if (link->last_progress > entry.asked_at) {
    // It answers, only not this log yet.
    entry.asked_at = ctx.now;
    set_timer(ctx, entry, ctx.now + answer_time(*link));
    return;
  }
  entry.tried |= slot_bit(link->slot);
  Link* other = best_announcer(ctx, entry, entry.tried);
  if (other == nullptr) {
    // Everybody was asked; the one asked last may still answer, or dies of its silence.
    entry.tried = 0;
    return;
  }
  withdraw(ctx, entry);
  ask(ctx, entry, *other);
}

// One more WANT that is no answer to an announcement.
bool may_catch_up(const Context& ctx, const Link& link) {
  std::size_t all = 0;
  for (const Link* each : ctx.slots)
    all += each == nullptr ? 0 : each->catch_ups_out;
  // What it would bring is not allowed on this link now; whoever has it elsewhere was asked first.
  if (!may_send(ctx, link, codec::Priority::kCatchUp)) return false;
  return all < ctx.config.tuning.catch_ups && link.catch_ups_out < limits::kCatchUpsPerPeer;
}

void let_others_catch_up(Context& ctx) {
  for (const Link* link : ctx.slots) {
    if (link != nullptr && !link->ask_queue.empty()) touch(ctx, *link);
  }
}

// The link has said of one of the logs that it holds more: a push alone says no such thing.
bool was_promised(const Context& ctx, const Link& link, const std::vector<LogId>& logs) {
  return std::any_of(logs.begin(), logs.end(), [&](const LogId& log) {
    const LogEntry* entry = ctx.heads.find(log);
    const PeerLog* peer = entry == nullptr ? nullptr : entry->find_peer(link.slot);
    return peer == nullptr || !peer->by_push;
  });
}

void take_offers(Context& ctx, Link& link) {
  // What cannot be fetched here now stays offered.
  if (!may_send(ctx, link, codec::Priority::kCatchUp)) return;
  while (!link.offers.empty() && link.asked.size() < link.fetch.window() &&
         !ctx.commits_paused_until) {
    LogEntry* entry = ctx.heads.find(*link.offers.begin());
    link.offers.erase(link.offers.begin());
    // One that another link is asked for comes back to this one if that link ends.
    if (entry == nullptr || entry->asked != kNoSlot || !is_missing(ctx, *entry)) continue;
    const PeerLog* peer = entry->find_peer(link.slot);
    const bool has_more = peer != nullptr && !peer->refused && peer->announced > entry->pending.seq;
    if (!has_more || is_outside(ctx, link, *entry)) continue;
    if (is_metered(ctx, link)) {
      ask_now(ctx, *entry);  // whoever costs nothing comes first
    } else {
      ask(ctx, *entry, link);
    }
  }
}

void send_want(Context& ctx, Link& link, const codec::Want& want) {
  ++link.wants_out;
  if (!want.reconciliation.is_zero()) {
    ++link.catch_ups_out;
    link.fetch.asked(ctx.now);
    plan_sharing(ctx);
  }
  send(ctx, link, want);
}

void flush_queue(Context& ctx, Link& link, std::set<LogId>& queue, const ReconciliationId& id) {
  // Half of what a peer must accept, so that a WANT sent while answers are on their way is no
  // fault.
  const bool live = id.is_zero();
  while (!queue.empty() && link.wants_out < limits::kWantsInHand / 2 &&
         (live || may_catch_up(ctx, link))) {
    codec::Want want;
    want.reconciliation = id;
    while (!queue.empty() && want.ranges.size() < ctx.config.tuning.heads_per_message) {
      const LogId log = *queue.begin();
      queue.erase(queue.begin());
      LogEntry* entry = ctx.heads.find(log);
      const auto range = entry == nullptr ? std::nullopt : asked_range(ctx, link, *entry);
      if (!range) continue;
      want.ranges.push_back({log, range->from, range->to});
      note_want_sent(ctx, link, *entry);
    }
    if (want.ranges.empty()) return;
    if (link.wants_out == 0) {
      link.last_progress = ctx.now;
      link.answer_was_useful = false;
    }
    send_want(ctx, link, want);
  }
}

// A range that ends before it begins replaces what is left of what was asked for.
void flush_stops(Context& ctx, Link& link) {
  if (link.stop_queue.empty() || link.wants_out >= limits::kWantsInHand / 2) return;
  codec::Want want;
  want.reconciliation = link.exchange.id;
  while (!link.stop_queue.empty() && want.ranges.size() < ctx.config.tuning.heads_per_message) {
    const LogId log = *link.stop_queue.begin();
    link.stop_queue.erase(link.stop_queue.begin());
    const LogEntry* entry = ctx.heads.find(log);
    const Seq end = entry == nullptr ? 1 : std::max<Seq>(entry->pending.seq, 1);
    want.ranges.push_back({log, end + 1, end});
  }
  send_want(ctx, link, want);
}

}  // namespace

LogEntry* note_claim(Context& ctx, Link& link, const LogId& log, Seq seq) {
  LogEntry* entry = ctx.heads.find_or_add(log);
  const bool counts =
      entry != nullptr && !is_out_of_scope(ctx, *entry) && !is_outside(ctx, link, *entry);
  if (counts) {
    ctx.heads.announce(*entry, link.slot, seq);
  }
  return entry;
}

void refuse_log(Context& ctx, Link& link, LogEntry& entry) {
  entry.peer(link.slot).refused = true;
  leave_out(link);
  if (entry.asked == link.slot || is_shared(ctx, entry.id)) withdraw_and_tell(ctx, entry);
  stop_awaiting(ctx, link, entry.id);
  ask_now(ctx, entry);
}

void offer(Context& ctx, Link& link, const LogEntry& entry) {
  link.offers.insert(entry.id);
  touch(ctx, link);
}

bool is_offered(const Context& ctx, const LogId& log) {
  return std::any_of(ctx.slots.begin(), ctx.slots.end(), [&log](const Link* link) {
    return link != nullptr && link->offers.contains(log);
  });
}

void ask_now(Context& ctx, LogEntry& entry) {
  if (ctx.commits_paused_until || entry.asked != kNoSlot || !is_missing(ctx, entry)) return;
  Link* best = best_announcer(ctx, entry, entry.tried);
  if (best == nullptr) {
    entry.tried = 0;
    best = best_announcer(ctx, entry, 0);
  }
  if (best != nullptr) ask(ctx, entry, *best);
}

void ask_for_repair(Context& ctx, LogEntry& entry) {
  if (ctx.commits_paused_until || entry.asked != kNoSlot || !is_missing(ctx, entry)) return;
  Link* best = best_announcer(ctx, entry, 0);
  const bool may_ask = best != nullptr && may_send(ctx, *best, codec::Priority::kBulk);
  if (may_ask) ask_as(ctx, entry, *best, false);
}

void ask_after_announcement(Context& ctx, Link& announcer, LogEntry& entry) {
  if (entry.asked != kNoSlot || !is_missing(ctx, entry)) return;
  // Whoever would have pushed announces instead, or there is nobody else to push: nothing to wait
  // for.
  const bool from_author = entry.has_key && announcer.peer == entry.key.device;
  const bool lost_parent = entry.parent == kNoSlot && entry.pending.seq > 0;
  if (from_author || lost_parent || entry.parent == announcer.slot || greeted_links(ctx) == 1) {
    ask_now(ctx, entry);
  } else if (!entry.timer) {
    const Duration delay = clamp(round_trip(announcer) * 2, milliseconds(40), seconds(1));
    set_timer(ctx, entry, ctx.now + delay);
  }
}

void ask_again(Context& ctx, LogEntry& entry) {
  withdraw(ctx, entry);
  ask_now(ctx, entry);
}

void move_question(Context& ctx, LogEntry& entry, Link& link) {
  withdraw_and_tell(ctx, entry);
  ask(ctx, entry, link);
}

void note_progress(Context& ctx, LogEntry& entry) {
  entry.tried = 0;
  if (is_shared(ctx, entry.id)) return;
  if (entry.asked != kNoSlot) {
    const PeerLog* peer = entry.find_peer(entry.asked);
    const bool goes_on = entry.asked_to == 0 || entry.asked_to > entry.pending.seq;
    if (goes_on && peer != nullptr && peer->announced > entry.pending.seq) return;
    Link* link = link_at(ctx, entry.asked);
    if (link != nullptr && !entry.asked_live) {
      link->fetch.log_came(ctx.now - entry.asked_at, round_trip(*link));
    }
    withdraw(ctx, entry);
    ask_now(ctx, entry);  // others may have more
    share_log(ctx, entry);
  } else if (entry.timer && entry.known <= entry.pending.seq) {
    set_timer(ctx, entry, std::nullopt);
  }
}

void want_answered(Context& ctx, Link& link, bool live) {
  if (link.wants_out == 0) return;
  touch(ctx, link);
  link.owes_since.reset();
  if (!live && link.catch_ups_out > 0) {
    --link.catch_ups_out;
    let_others_catch_up(ctx);
  }
  if (--link.wants_out > 0) return;
  link.fetch.answered(ctx.now, round_trip(link));
  std::vector<LogId> open;
  for (const LogId& log : link.asked) {
    if (!link.ask_queue.contains(log) && !link.ask_queue_live.contains(log)) open.push_back(log);
  }
  if (link.answer_was_useful) link.unkept_pushes = 0;
  if (link.answer_was_useful || open.empty()) {
    link.empty_answers = 0;
  } else if (was_promised(ctx, link, open) || ++link.unkept_pushes > kUnkeptPushesMax) {
    ++link.empty_answers;
  }
  if (link.empty_answers >= kEmptyAnswersMax) {
    fault(ctx, link, "empty_answers");
    return;
  }
  for (const LogId& log : open) {
    LogEntry* entry = ctx.heads.find(log);
    if (entry == nullptr || link.closed || part_unanswered(ctx, link, *entry)) continue;
    withdraw(ctx, *entry);
    if (!entry->answered) {
      leave_out(link);
      entry->repairing = false;
      ctx.heads.retract(*entry, link.slot);
      stop_awaiting(ctx, link, log);
    }
    ask_now(ctx, *entry);
  }
}

void flush_wants(Context& ctx, Link& link) {
  if (link.closed) return;
  take_offers(ctx, link);
  flush_stops(ctx, link);
  flush_queue(ctx, link, link.ask_queue_live, ReconciliationId{});
  flush_queue(ctx, link, link.ask_queue, link.exchange.id);
}

void run_log_timers(Context& ctx) {
  while (!ctx.log_timers.empty() && ctx.log_timers.begin()->first <= ctx.now) {
    const LogId log = ctx.log_timers.begin()->second;
    LogEntry* entry = ctx.heads.find(log);
    if (entry == nullptr) {
      ctx.log_timers.erase(ctx.log_timers.begin());
    } else {
      log_timer_due(ctx, *entry);
    }
  }
}

void release_wants(Context& ctx, Link& link, bool liar) {
  std::vector<LogId> orphans(link.asked.begin(), link.asked.end());
  for (const LogId& log : ctx.heads.behind()) {
    const LogEntry* entry = ctx.heads.find(log);
    const bool ours = entry != nullptr && entry->parent == link.slot;
    if (ours && is_missing(ctx, *entry)) orphans.push_back(log);
  }
  for (const LogId& log : orphans) {
    LogEntry* entry = ctx.heads.find(log);
    if (entry != nullptr && orphan_part(ctx, link.slot, *entry)) continue;
    if (entry != nullptr && entry->asked == link.slot && !planted(Bug::kAskNobodyAfterCut)) {
      entry->asked = kNoSlot;
      set_timer(ctx, *entry, std::nullopt);
    }
  }
  link.asked.clear();
  link.catch_ups_out = 0;
  let_others_catch_up(ctx);
  ctx.heads.forget_slot(link.slot, liar);
  for (const LogId& log : orphans) {
    LogEntry* entry = ctx.heads.find(log);
    if (entry == nullptr) continue;
    resume_shared(ctx, *entry);
    ask_now(ctx, *entry);
  }
}

}  // namespace ebb::mesh
