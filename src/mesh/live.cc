#include "mesh/live.h"

#include <algorithm>
#include <utility>

#include "core/planted.h"
#include "mesh/covered.h"
#include "mesh/outbox.h"
#include "mesh/peers.h"
#include "mesh/reconcile.h"
#include "mesh/serve.h"
#include "mesh/want.h"
#include "trust/chain.h"

namespace ebb::mesh {
namespace {

// So much credit is given back at once instead of with the next batch.
constexpr std::size_t kCreditAtOnce = limits::kInboundBytesPerPeer / 8;

constexpr Seq kEventsBetweenFloods = 64;

bool is_eager(const LogEntry& entry, const Link& link) {
  return !link.surplus && (entry.lazy & slot_bit(link.slot)) == 0;
}

bool should_push(const Context& ctx, const Link& link, const LogEntry& entry,
                 const trust::VerifiedSegment& segment) {
  const std::size_t bytes = segment.encoded->size();
  const std::size_t push_bytes = ctx.config.tuning.push_bytes;
  const bool opens = segment.first_seq == 1;
  if (opens && segment.key.topic == kControlTopic) return false;  // nobody can have asked yet
  const bool small = bytes <= (opens ? std::min(limits::kFloodBytes, push_bytes) : push_bytes);
  if (!small || !link.settled || !is_eager(entry, link)) return false;
  if (!may_publish(ctx, link, segment.key)) return false;  // the entry may not know its key yet
  const PeerLog* peer = entry.find_peer(link.slot);
  const Seq reaches = peer == nullptr ? 0 : peer->reaches();
  const codec::Priority priority = push_priority(ctx, segment.key.topic);
  return reaches == segment.first_seq - 1 && may_send(ctx, link, priority) &&
         link.credit >= link.credit_reserved + bytes &&
         !has_backlog_of(ctx, link, priority, entry.id);
}

// Doubles from flush to flush while news keep coming, so that a busy link shares headers, and
// starts anew after a pause.
Duration batch_time(const Context& ctx, Link& link) {
  const Config& config = ctx.config;
  const bool quiet = !link.flushed || ctx.now - *link.flushed >= config.have_batch_max;
  link.batch =
      quiet ? config.have_batch : clamp(link.batch * 2, config.have_batch, config.have_batch_max);
  return link.batch;
}

// Announces what has been committed since the cursor, and what was held back before.
void flush_haves(Context& ctx, Link& link) {
  if (!link.settled) return;
  codec::Have have;
  const auto add = [&](LogEntry& entry) {
    if (entry.held.seq == 0 || !may_publish(ctx, link, entry.key)) return;
    const PeerLog* peer = entry.find_peer(link.slot);
    if (entry.held.seq > (peer == nullptr ? 0 : peer->reaches())) {
      have.heads.push_back({entry.id, entry.held.seq});
      entry.peer(link.slot).told = entry.held.seq;
    } else if (is_unsaid(entry, link)) {
      say_later(ctx, link, entry);
    }
  };
  while (!link.have_extra.empty() && have.heads.size() < ctx.config.tuning.heads_per_message) {
    LogEntry* entry = ctx.heads.find(*link.have_extra.begin());
    link.have_extra.erase(link.have_extra.begin());
    if (entry != nullptr) add(*entry);
  }
  const auto& by_arrival = ctx.heads.by_arrival();
  auto it = by_arrival.upper_bound(link.have_cursor);
  // Not beyond what is known whole: what is still to be told of a transaction may come before it.
  const auto end = by_arrival.upper_bound(ctx.arrival_head);
  for (; it != end && have.heads.size() < ctx.config.tuning.heads_per_message; ++it) {
    if (LogEntry* entry = ctx.heads.find(it->second)) add(*entry);
    link.have_cursor = it->first;
  }
  if (planted(Bug::kDropLastHave) && !have.heads.empty()) have.heads.pop_back();
  if (!have.heads.empty()) send(ctx, link, have);
  if (it != end || !link.have_extra.empty()) plan_flush(ctx, link);
}

// A log that begins: its first segment goes where later ones of its device went, if they did.
void take_over_tree(Context& ctx, LogEntry& entry, const LogKey& key) {
  const LogKey control_key{key.device, key.incarnation, std::string(kControlTopic)};
  const LogEntry* control = ctx.heads.find(trust::log_id(control_key));
  if (control == nullptr || control == &entry || !control->is_control()) return;
  const bool in_tree = control->parent != kNoSlot || control->lazy != ~SlotMask{0};
  if (!in_tree) return;
  for (Link* link : ctx.slots) {
    if (link != nullptr) set_lazy(entry, *link, (control->lazy & slot_bit(link->slot)) != 0);
  }
}

// Every link is eager again, and the first to push becomes parent.
void forget_tree(Context& ctx, LogEntry& entry) {
  for (Link* link : ctx.slots) {
    if (link != nullptr) set_lazy(entry, *link, false);
  }
  entry.pruned = 0;
  entry.parent = kNoSlot;
  entry.racer = kNoSlot;
  entry.flooded = ctx.now;
}

// A log of our own: whether this segment is to find the ways anew. The tree that pushes follow
// grows long with every repair; a flood costs a copy a link, so only a busy log is worth it.
bool begin_flood(Context& ctx, LogEntry& entry, const trust::VerifiedSegment& segment) {
  if (entry.is_control()) return false;
  if (!entry.flooded) {
    entry.flooded = ctx.now;
    entry.flooded_seq = segment.last_seq();
  }
  const bool due = ctx.now - *entry.flooded >= ctx.config.refresh_interval &&
                   segment.last_seq() - entry.flooded_seq >= kEventsBetweenFloods;
  if (!due || segment.encoded->size() > limits::kFloodBytes) return false;
  forget_tree(ctx, entry);
  entry.flooded_seq = segment.last_seq();
  return true;
}

}  // namespace

void note_push(const Link& link, LogEntry& entry) {
  if (entry.parent == kNoSlot || entry.racer == link.slot) entry.parent = link.slot;
  entry.racer = entry.parent == link.slot ? kNoSlot : link.slot;
}

void note_answer(const Link& link, LogEntry& entry, const LogKey& key) {
  if (key.topic != kControlTopic || entry.asked != link.slot || !entry.asked_live) return;
  entry.parent = link.slot;
  entry.racer = kNoSlot;
}

bool note_flood(Context& ctx, LogEntry& entry) {
  if (entry.is_control()) return false;
  // A little less than the author's interval: floods do not arrive in step.
  const Duration rest = ctx.config.refresh_interval * 9 / 10;
  if (entry.flooded && ctx.now - *entry.flooded < rest) return false;
  forget_tree(ctx, entry);
  return true;
}

void note_duplicate(Context& ctx, Link& link, LogEntry& entry) {
  // Before anybody brought news nobody is pruned: who has them first is not known yet.
  if (entry.parent == kNoSlot && !is_own(ctx, entry)) return;
  int loser = link.slot;
  // The parent came second: it stays, and the one that was faster this time is told to announce.
  if (entry.parent == link.slot) loser = std::exchange(entry.racer, kNoSlot);
  if (loser == kNoSlot) return;
  Link* pruned = ctx.slots[static_cast<std::size_t>(loser)];
  if (pruned != nullptr) stop_pushes(ctx, *pruned, entry);
}

void stop_pushes(Context& ctx, Link& link, LogEntry& entry) {
  if ((entry.pruned & slot_bit(link.slot)) != 0) return;
  entry.pruned |= slot_bit(link.slot);
  link.prune_queue.insert(entry.id);
  touch(ctx, link);
}

void push_segment(Context& ctx, LogEntry& entry, const trust::VerifiedSegment& segment, int source,
                  bool flood) {
  if (segment.first_seq == 1) take_over_tree(ctx, entry, segment.key);
  if (is_current_own(ctx, entry)) flood = begin_flood(ctx, entry, segment);
  for (Link* link : ctx.slots) {
    if (link == nullptr || link->slot == source) continue;
    if (!should_push(ctx, *link, entry, segment)) continue;
    entry.peer(link->slot).sent = segment.last_seq();
    ++ctx.counters.pushes_sent;
    ctx.counters.events_sent += segment.count;
    send_segments(ctx, *link, entry, segment.key, push_priority(ctx, segment.key.topic),
                  {segment.log, {}, {}, {segment.encoded}, 0, flood});
  }
}

void plan_flush(Context& ctx, Link& link) {
  const bool waits_long = std::exchange(link.flush_late, false);
  if (!link.flush_at || waits_long) {
    const Instant at = ctx.now + batch_time(ctx, link);
    link.flush_at = std::min(link.flush_at.value_or(at), at);
  }
  if (link.credit_owed >= kCreditAtOnce) link.flush_at = ctx.now;
  touch(ctx, link);
}

void plan_late_flush(Context& ctx, Link& link) {
  if (link.flush_at) return;
  link.flush_at = ctx.now + ctx.config.have_batch_control;
  link.flush_late = true;
  touch(ctx, link);
}

void send_ack(Context& ctx, Link& link, bool done) {
  codec::Ack ack;
  ack.reconciliation = link.exchange.active ? link.exchange.id : ReconciliationId{};
  ack.credit_bytes = std::exchange(link.credit_owed, 0);
  while (!link.durable_owed.empty() && ack.durable.size() < ctx.config.tuning.heads_per_message) {
    const auto first = link.durable_owed.begin();
    LogEntry* entry = ctx.heads.find(first->first);
    if (entry != nullptr) {
      ack.durable.push_back({first->first, first->second});
      entry->peer(link.slot).told = first->second;
    }
    link.durable_owed.erase(first);
  }
  ack.done = done;
  send(ctx, link, ack);
}

void flush_link(Context& ctx, Link& link) {
  if (!link.greeted()) return;
  if (!link.prune_queue.empty()) {
    codec::Prune prune;
    while (!link.prune_queue.empty() && prune.logs.size() < ctx.config.tuning.heads_per_message) {
      prune.logs.push_back(*link.prune_queue.begin());
      link.prune_queue.erase(link.prune_queue.begin());
    }
    send(ctx, link, prune);
  }
  if (!link.flush_at || *link.flush_at > ctx.now) return;
  link.flush_at.reset();
  link.flush_late = false;
  link.flushed = ctx.now;
  while (link.credit_owed > 0 || !link.durable_owed.empty())
    send_ack(ctx, link, false);
  flush_haves(ctx, link);
  tell_covered(ctx, link);
  tell_peers(ctx, link);
}

void on_ack(Context& ctx, Link& link, const codec::Ack& ack) {
  const std::size_t room = limits::kInboundBytesPerPeer - link.credit;
  if (ack.credit_bytes > room) {
    fault(ctx, link, "credit_overflow");
    return;
  }
  link.credit += static_cast<std::size_t>(ack.credit_bytes);
  touch(ctx, link);
  for (const codec::LogSeq& durable : ack.durable) {
    LogEntry* entry = ctx.heads.find(durable.log);
    if (entry == nullptr) continue;
    const PeerLog& peer = entry->peer(link.slot);
    // It has by another link what was announced on this one: as after a PRUNE.
    if (peer.sent < durable.seq && peer.told >= durable.seq) set_lazy(*entry, link, true);
    ctx.heads.announce(*entry, link.slot, durable.seq);
    ask_after_announcement(ctx, link, *entry);
  }
  if (!ack.durable.empty()) tell_covered(ctx, link);
  if (ack.done && ack.reconciliation == link.exchange.id) on_done(ctx, link);
}

void on_have(Context& ctx, Link& link, const codec::Have& have) {
  for (const codec::LogSeq& head : have.heads) {
    LogEntry* entry = note_claim(ctx, link, head.log, head.seq);
    if (entry != nullptr) ask_after_announcement(ctx, link, *entry);
  }
  if (have.covered > 0) take_covered(ctx, link, have.covered);
  tell_covered(ctx, link);
}

void on_prune(Context& ctx, Link& link, const codec::Prune& prune) {
  for (const LogId& log : prune.logs) {
    if (LogEntry* entry = ctx.heads.find(log)) set_lazy(*entry, link, true);
  }
}

}  // namespace ebb::mesh
