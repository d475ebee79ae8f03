#include "mesh/reconcile.h"

#include <algorithm>

#include "core/limits.h"
#include "core/planted.h"
#include "mesh/covered.h"
#include "mesh/learn.h"
#include "mesh/live.h"
#include "mesh/scope.h"
#include "mesh/sync_answer.h"

namespace ebb::mesh {
namespace {

constexpr std::string_view kInSync = "in_sync";

void finish(Context& ctx, Link& link, std::string_view outcome) {
  Exchange& ex = link.exchange;
  if (!ex.active) return;
  ex.active = false;
  Reconciliation row;
  row.id = ex.id;
  row.peer = link.peer.value_or(DeviceId{});
  row.kind = ex.kind;
  row.started = ex.started;
  row.duration = ctx.now - ex.begun;
  row.rounds = ex.rounds;
  row.heads_compared = ex.heads_compared;
  row.events_in = ex.events_in;
  row.events_out = ex.events_out;
  // The greeting belongs to the exchange, so both ends count from the first byte of the link.
  row.bytes_in = link.bytes_in;
  row.bytes_out = link.bytes_out;
  row.outcome = outcome;
  row.held_before = ex.held_before;
  row.known_before = ex.known_before;
  row.held_after = ctx.heads.events_held();
  row.known_after = ctx.heads.events_known();
  row.root_before = ex.root_before;
  row.root_after = common_root(ctx, link).fingerprint();
  Commit commit;
  commit.token = new_token(ctx);
  commit.reconciliations.push_back(row);
  if (outcome == kInSync) {
    move_cursor(ctx, link, std::min(ex.covered, link.theirs.arrival_head), link.hello_came, commit);
  }
  ctx.out->commits.push_back(std::move(commit));
}

// At the time of the HELLOs.
bool has_equal_root(const Link& link) {
  return link.theirs.root == link.mine.root && link.theirs.count == link.mine.count;
}

void finish_in_sync(Context& ctx, Link& link) {
  // What came later is announced.
  ctx.heads.announce_all(link.slot, link.mine.arrival_head);
  link.confirmed = link.mine.arrival_head;
  link.covered_told = link.mine.arrival_head;
  ++(link.left_out ? ctx.counters.reconciliations_left_out : ctx.counters.reconciliations_in_sync);
  // An exchange has brought each end what the other's next HELLO would name; equal roots have not.
  if (has_equal_root(link)) link.covered_told_at = ctx.now;
  finish(ctx, link, link.left_out ? "left_out" : kInSync);
  link.phase = Phase::kLive;
  tell_covered(ctx, link);
  touch(ctx, link);
}

void compare_roots(Context& ctx, Link& link) {
  link.phase = Phase::kReconciling;
  if (has_equal_root(link)) {
    finish_in_sync(ctx, link);
  } else {
    begin_learning(ctx, link);
  }
  answer_waiting(ctx, link);
  plan_flush(ctx, link);
}

}  // namespace

void begin_exchange(Context& ctx, Link& link) {
  Exchange& ex = link.exchange;
  ex.id = link.dialled ? link.mine.reconciliation : link.theirs.reconciliation;
  ex.active = true;
  ex.started = ctx.wall;
  ex.begun = ctx.now;
  ex.held_before = ctx.heads.events_held();
  ex.known_before = std::max(ctx.heads.events_known(), ex.held_before);
  ex.root_before = link.mine.root;
  ex.covered = link.theirs.arrival_head;
  if (link.scopes_known && !has_equal_root(link)) choose_learning(link);
}

void scopes_agreed(Context& ctx, Link& link) {
  if (!has_equal_root(link)) choose_learning(link);
  link.exchange.root_before = link.mine.root;
  settle_when_known(ctx, link);
}

void settle_when_known(Context& ctx, Link& link) {
  if (link.settled || !link.own_judged || !link.scopes_known) return;
  link.settled = true;
  touch(ctx, link);
  compare_roots(ctx, link);
}

void check_done(Context& ctx, Link& link) {
  Exchange& ex = link.exchange;
  const bool lacks = !ex.awaited.empty() && !planted(Bug::kCursorEarly);
  if (!ex.active || link.closed || !ex.list_done || ex.done_sent || lacks) return;
  ex.done_sent = true;
  send_ack(ctx, link, true);
  if (ex.done_received) finish_in_sync(ctx, link);
}

void on_done(Context& ctx, Link& link) {
  Exchange& ex = link.exchange;
  if (!ex.active) return;
  ex.done_received = true;
  if (ex.done_sent) finish_in_sync(ctx, link);
}

void note_stored(Context& ctx, const LogEntry& entry) {
  for (Link* link : ctx.slots) {
    if (link == nullptr || !link->exchange.active) continue;
    const auto it = link->exchange.awaited.find(entry.id);
    if (it == link->exchange.awaited.end()) continue;
    if (entry.held.seq < it->second && !entry.capped) continue;
    link->exchange.awaited.erase(it);
    check_done(ctx, *link);
  }
}

void stop_awaiting(Context& ctx, Link& link, const LogId& log) {
  if (link.exchange.awaited.erase(log) == 0) return;
  leave_out(link);
  check_done(ctx, link);
}

void refuse_exchange(Context& ctx, Link& link) {
  ++ctx.counters.reconciliations_refused;
  begin_exchange(ctx, link);
  finish(ctx, link, "refused");
}

void interrupt_exchange(Context& ctx, Link& link) {
  if (!link.exchange.active) return;
  ++ctx.counters.reconciliations_interrupted;
  finish(ctx, link, "interrupted");
}

}  // namespace ebb::mesh
