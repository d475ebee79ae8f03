#include "mesh/reconcile.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/limits.h"
#include "core/planted.h"
#include "mesh/live.h"
#include "mesh/want.h"

namespace ebb::mesh {
namespace {

codec::ChainPrefix chain_prefix(const Hash& chain) {
  codec::ChainPrefix prefix;
  std::memcpy(prefix.data.data(), chain.data.data(), codec::ChainPrefix::kSize);
  return prefix;
}

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
  row.root_after = ctx.heads.root().fingerprint();
  Commit commit;
  commit.token = new_token(ctx);
  commit.reconciliations.push_back(row);
  if (outcome == "in_sync" && !ex.gave_up) {
    const codec::Cursor cursor{link.theirs.epoch, link.theirs.arrival_head};
    ctx.cursors[row.peer] = cursor;
    commit.cursors.push_back({row.peer, cursor});
  }
  ctx.out->commits.push_back(std::move(commit));
}

void finish_in_sync(Context& ctx, Link& link) {
  ++ctx.counters.reconciliations_in_sync;
  finish(ctx, link, "in_sync");
  link.phase = Phase::kLive;
  touch(ctx, link);
}

// Says done once everything that the list promised is stored.
void check_done(Context& ctx, Link& link) {
  Exchange& ex = link.exchange;
  const bool lacks = !ex.awaited.empty() && !planted(Bug::kCursorEarly);
  if (!ex.active || link.closed || !ex.list_done || ex.done_sent || lacks) return;
  ex.done_sent = true;
  send_ack(ctx, link, true);
  if (ex.done_received) finish_in_sync(ctx, link);
}

void answer_request(Context& ctx, Link& link, const codec::SyncReq& request) {
  codec::SyncResp response;
  response.reconciliation = request.reconciliation;
  response.arrival_head = ctx.arrival_head;
  const auto& entries = ctx.heads.entries();
  for (auto it = entries.upper_bound(request.after); it != entries.end(); ++it) {
    const LogEntry& entry = it->second;
    if (entry.held.seq == 0 || !may_publish(ctx, link, entry)) continue;
    if (response.heads.size() == ctx.config.tuning.heads_per_message) {
      response.more = true;
      break;
    }
    response.heads.push_back({entry.id, entry.held.seq, chain_prefix(entry.held.chain)});
  }
  if (planted(Bug::kDropLastOfPage) && !response.heads.empty()) response.heads.pop_back();
  send(ctx, link, response);
}

void take_listed(Context& ctx, Link& link, const codec::ListedHead& head) {
  LogEntry* entry = note_claim(ctx, link, head.log, head.seq);
  if (entry == nullptr) return;
  if (entry->held.seq == head.seq && chain_prefix(entry->held.chain) != head.chain) {
    if (is_current_own(ctx, *entry)) return;  // YOUR_LOGS is the judge of those
    ++ctx.counters.forks_suspected;
    notice(ctx, link, NoticeKind::kForkSuspected, dot_text({head.log, head.seq}));
    refuse_log(ctx, link, *entry);
    return;
  }
  const bool lacking = head.seq > entry->held.seq && !entry->capped &&
                       !entry->peer(link.slot).refused && !is_current_own(ctx, *entry);
  if (!lacking) return;
  link.exchange.awaited[head.log] = std::min(head.seq, limits::kSeqMax);
  ask_now(ctx, *entry);
}

// False after a fault.
bool check_page(Context& ctx, Link& link, const codec::SyncResp& response) {
  Exchange& ex = link.exchange;
  if (!ex.active || !ex.list_asked || ex.list_done || response.reconciliation != ex.id) {
    fault(ctx, link, "out_of_order", "sync_resp");
    return false;
  }
  LogId last = ex.list_after;
  for (const codec::ListedHead& head : response.heads) {
    if (head.log <= last || head.seq == 0) {
      fault(ctx, link, "malformed_list");
      return false;
    }
    last = head.log;
  }
  ex.heads_compared += response.heads.size();
  const bool endless = ex.heads_compared > limits::kKnownLogs;
  if (endless || (response.more && response.heads.empty())) {
    fault(ctx, link, "endless_list");
    return false;
  }
  ex.list_after = last;
  return true;
}

void ask_for_list(Context& ctx, Link& link) {
  ++link.exchange.rounds;
  link.last_progress = ctx.now;
  link.exchange.list_asked = true;
  send(ctx, link, codec::SyncReq{link.exchange.id, 0, link.exchange.list_after});
}

}  // namespace

void begin_exchange(Context& ctx, Link& link) {
  Exchange& ex = link.exchange;
  ex.id = link.dialled ? link.my_id : link.theirs.reconciliation;
  ex.active = true;
  ex.started = ctx.wall;
  ex.begun = ctx.now;
  ex.held_before = ctx.heads.events_held();
  ex.known_before = std::max(ctx.heads.events_known(), ex.held_before);
  ex.root_before = link.my_root;
}

void compare_roots(Context& ctx, Link& link) {
  link.phase = Phase::kReconciling;
  if (link.theirs.root == link.my_root && link.theirs.count == link.my_count) {
    // Equal at the time of the HELLOs; what came later is announced from the cursor on.
    for (auto& [log, entry] : ctx.heads.entries()) {
      if (entry.held.seq > 0 && entry.arrival <= link.have_cursor) {
        ctx.heads.announce(entry, link.slot, entry.held.seq);
      }
    }
    finish_in_sync(ctx, link);
  } else {
    link.exchange.kind = "list";
    ask_for_list(ctx, link);
  }
  if (link.waiting_request) {
    answer_request(ctx, link, *std::exchange(link.waiting_request, std::nullopt));
  }
  plan_flush(ctx, link);
}

void on_sync_req(Context& ctx, Link& link, const codec::SyncReq& request) {
  if (link.settled) {
    answer_request(ctx, link, request);
  } else {
    link.waiting_request = request;
  }
}

void on_sync_resp(Context& ctx, Link& link, const codec::SyncResp& response) {
  if (!check_page(ctx, link, response)) return;
  for (const codec::ListedHead& head : response.heads)
    take_listed(ctx, link, head);
  if (response.more) {
    ask_for_list(ctx, link);
    return;
  }
  link.exchange.list_done = true;
  link.exchange.known_before = ctx.heads.events_known();
  check_done(ctx, link);
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
  link.exchange.gave_up = true;
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
