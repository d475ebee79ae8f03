#include "mesh/covered.h"

#include <algorithm>
#include <utility>

namespace ebb::mesh {
namespace {

// With more logs behind it is not worth looking at each of them; another telling will come.
constexpr std::size_t kBehindMax = 256;

// Goes on over what the peer has told to hold, as far as every arrival is known. Each log has one
// place in the order of arrival, so no step is taken twice for one commit.
void advance_confirmed(Context& ctx, Link& link) {
  const auto& by_arrival = ctx.heads.by_arrival();
  for (auto it = by_arrival.upper_bound(link.confirmed);
       it != by_arrival.end() && it->first <= ctx.arrival_head; ++it) {
    const LogEntry* entry = ctx.heads.find(it->second);
    const PeerLog* peer = entry == nullptr ? nullptr : entry->find_peer(link.slot);
    if (peer == nullptr || peer->announced < entry->held.seq) return;
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
  move_cursor(ctx, link, std::exchange(link.covered, 0), commit);
  if (commit.cursors.empty()) return;
  commit.token = new_token(ctx);
  ctx.out->commits.push_back(std::move(commit));
}

}  // namespace

void move_cursor(Context& ctx, const Link& link, Arrival upto, Commit& commit) {
  if (link.left_out) return;
  const codec::Cursor next{link.theirs.epoch, upto};
  codec::Cursor& cursor = ctx.cursors[*link.peer];
  const bool further = cursor.epoch != next.epoch || cursor.arrival < next.arrival;
  if (!further) return;
  cursor = next;
  commit.cursors.push_back({*link.peer, next});
}

void drop_cursor_if_set_back(Context& ctx, const Link& link) {
  const auto it = ctx.cursors.find(*link.peer);
  if (it == ctx.cursors.end()) return;
  codec::Cursor& cursor = it->second;
  if (cursor.epoch != link.theirs.epoch || cursor.arrival <= link.theirs.arrival_head) return;
  cursor.arrival = 0;
  Commit commit;
  commit.token = new_token(ctx);
  commit.cursors.push_back({*link.peer, cursor});
  ctx.out->commits.push_back(std::move(commit));
}

void tell_covered(Context& ctx, Link& link) {
  link.covered_due.reset();
  if (!link.greeted() || link.phase != Phase::kLive) return;
  advance_confirmed(ctx, link);
  if (link.confirmed <= link.covered_told) return;
  if (link.covered_told_at && *link.covered_told_at + ctx.config.cover_interval > ctx.now) {
    link.covered_due = *link.covered_told_at + ctx.config.cover_interval;
    return;
  }
  link.covered_told = link.confirmed;
  link.covered_told_at = ctx.now;
  send(ctx, link, codec::Have{{}, link.confirmed});
}

void take_covered(Context& ctx, Link& link, Arrival covered) {
  link.covered = std::max(link.covered, covered);
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
