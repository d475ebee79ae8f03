#include "mesh/covered.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/planted.h"
#include "mesh/live.h"
#include "mesh/scope.h"

namespace ebb::mesh {
namespace {

// With more logs behind it is not worth looking at each of them; another telling will come.
constexpr std::size_t kBehindMax = 256;
constexpr Arrival kNoArrival = 0;  // of a cursor that is dropped

// Goes on over what the peer has told to hold, as far as every arrival is known. Each log has one
// place in the order of arrival, so no step is taken twice for one commit.
void advance_confirmed(Context& ctx, Link& link) {
  const auto& by_arrival = ctx.heads.by_arrival();
  for (auto it = by_arrival.upper_bound(link.confirmed);
       it != by_arrival.end() && it->first <= ctx.arrival_head; ++it) {
    const LogEntry* entry = ctx.heads.find(it->second);
    const PeerLog* peer = entry == nullptr ? nullptr : entry->find_peer(link.slot);
    const bool concerns = entry == nullptr || in_both_scopes(link, entry->key);
    if (concerns && (peer == nullptr || peer->announced < entry->held.seq)) return;
    link.confirmed = it->first;
  }
}

bool holds_all_announced(const Context& ctx, const Link& link) {
  if (!ctx.commits.empty() || ctx.commits_paused_until) return false;
  if (ctx.heads.behind().size() > kBehindMax) return false;
  for (const LogId& log : ctx.heads.behind()) {
    const LogEntry* entry = ctx.heads.find(log);
    const PeerLog* peer = entry == nullptr ? nullptr : entry->find_peer(link.slot);
    // What went out ahead of its commit counts too: the peer may hold it, and its telling go by it.
    if (peer != nullptr && peer->reaches() > entry->held.seq) return false;
  }
  return true;
}

void try_covered(Context& ctx, Link& link) {
  if (link.lost_pushed || link.covered == 0 || link.phase != Phase::kLive ||
      !holds_all_announced(ctx, link))
    return;
  Commit commit;
  move_cursor(ctx, link, std::exchange(link.covered, 0), link.covered_heard, commit);
  if (commit.cursors.empty()) return;
  commit.token = new_token(ctx);
  ctx.out->commits.push_back(std::move(commit));
}

// The peer that greeted longest ago has no cursor any more, here and in the store: what it has
// meanwhile is found by an exchange, while one that only the store kept might count again when it
// means something else.
void make_room(Context& ctx, Commit& commit) {
  if (ctx.cursors.size() < limits::kStoredPeers) return;
  const auto oldest = std::min_element(
      ctx.cursors.begin(), ctx.cursors.end(),
      [](const auto& a, const auto& b) { return a.second.heard < b.second.heard; });
  commit.cursors.push_back({oldest->first, {oldest->second.cursor.epoch, kNoArrival}});
  ctx.cursors.erase(oldest);
}

}  // namespace

void load_cursors(Context& ctx) {
  for (const auto& [device, cursor] : ctx.config.cursors) {
    if (ctx.cursors.size() == limits::kStoredPeers) break;
    ctx.cursors[device] = {cursor, ++ctx.hellos, std::nullopt};
  }
}

void move_cursor(Context& ctx, const Link& link, Arrival upto, Instant told, Commit& commit) {
  if (link.left_out || link.is_limited || upto == 0) return;
  const codec::Cursor next{link.theirs.epoch, upto};
  const auto known = ctx.cursors.find(*link.peer);
  if (known == ctx.cursors.end()) {
    make_room(ctx, commit);
    ctx.cursors[*link.peer] = {next, ++ctx.hellos, told};
  } else {
    const codec::Cursor& cursor = known->second.cursor;
    const bool further = cursor.epoch != next.epoch || cursor.arrival < next.arrival;
    if (!further) return;
    known->second.cursor = next;
    known->second.told = told;
  }
  commit.cursors.push_back({*link.peer, next});
}

void greet_cursor(Context& ctx, const Link& link) {
  const auto it = ctx.cursors.find(*link.peer);
  if (it == ctx.cursors.end()) return;
  it->second.heard = ++ctx.hellos;
  codec::Cursor& cursor = it->second.cursor;
  const bool is_beyond =
      cursor.epoch == link.theirs.epoch && cursor.arrival > link.theirs.arrival_head;
  if (!is_beyond || cursor.arrival == kBeyondAll) return;
  const bool may_be_newer = it->second.told && *it->second.told >= link.since;
  cursor.arrival = may_be_newer || planted(Bug::kForgetDoubt) ? kNoArrival : kBeyondAll;
  Commit commit;
  commit.token = new_token(ctx);
  commit.cursors.push_back({*link.peer, cursor});
  if (cursor.arrival == kNoArrival) ctx.cursors.erase(it);
  ctx.out->commits.push_back(std::move(commit));
}

bool is_unsaid(const LogEntry& entry, const Link& link) {
  const PeerLog* peer = entry.find_peer(link.slot);
  return entry.is_control() && peer != nullptr && peer->announced >= entry.held.seq &&
         std::max(peer->told, peer->sent) < entry.held.seq;
}

void say_later(Context& ctx, Link& link, const LogEntry& entry) {
  const Arrival before = entry.arrival - 1;
  link.unsaid_from = std::min(link.unsaid_from.value_or(before), before);
  if (!link.unsaid_due) link.unsaid_due = ctx.now + ctx.config.cover_interval;
}

void say_unsaid(Context& ctx, Link& link) {
  link.unsaid_due.reset();
  if (!link.greeted() || !link.unsaid_from) return;
  const auto& by_arrival = ctx.heads.by_arrival();
  std::size_t said = 0;
  auto it = by_arrival.upper_bound(*std::exchange(link.unsaid_from, std::nullopt));
  for (; it != by_arrival.end() && it->first <= link.have_cursor; ++it) {
    if (said == ctx.config.tuning.heads_per_message) {
      link.unsaid_from = it->first - 1;
      link.unsaid_due = ctx.now + ctx.config.cover_interval;
      break;
    }
    const LogEntry* entry = ctx.heads.find(it->second);
    if (entry == nullptr || !may_publish(ctx, link, entry->key) || !is_unsaid(*entry, link))
      continue;
    link.durable_owed[entry->id] = entry->held.seq;
    ++said;
  }
  if (said > 0) plan_flush(ctx, link);
}

void tell_covered(Context& ctx, Link& link) {
  link.covered_due.reset();
  if (!link.greeted() || link.phase != Phase::kLive) return;
  // Whether there is anything to tell is looked at when it may be told.
  if (link.covered_told_at && *link.covered_told_at + ctx.config.cover_interval > ctx.now) {
    link.covered_due = *link.covered_told_at + ctx.config.cover_interval;
    touch(ctx, link);
    return;
  }
  advance_confirmed(ctx, link);
  if (link.confirmed <= link.covered_told) return;
  link.covered_told = link.confirmed;
  link.covered_told_at = ctx.now;
  send(ctx, link, codec::Have{{}, link.confirmed});
}

void take_covered(Context& ctx, Link& link, Arrival covered) {
  if (covered > link.covered) {
    link.covered = covered;
    link.covered_heard = ctx.now;
  }
  try_covered(ctx, link);
}

void retry_covered(Context& ctx) {
  for (Link* link : ctx.slots) {
    if (link != nullptr) try_covered(ctx, *link);
  }
}

void note_lost(Context& ctx, const LogEntry& entry) {
  for (Link* link : ctx.slots) {
    const PeerLog* peer = link == nullptr ? nullptr : entry.find_peer(link->slot);
    if (peer != nullptr && peer->reaches() > entry.held.seq) link->lost_pushed = true;
  }
}

void unconfirm(Link& link, const LogEntry& entry) {
  if (entry.arrival > 0) link.confirmed = std::min(link.confirmed, entry.arrival - 1);
}

}  // namespace ebb::mesh
