#include "mesh/own_view.h"

#include <vector>

#include "mesh/datagrams.h"
#include "mesh/own_heads.h"
#include "mesh/sync_answer.h"

namespace ebb::mesh {
namespace {

// False when it shows something that is not here. `below`: what only the store can tell.
bool is_here(Context& ctx, const codec::RootDatagram& root, std::vector<codec::ListedHead>& below) {
  if (root.view_heads.size() != root.view_count) return false;
  for (const codec::ListedHead& head : root.view_heads) {
    const LogEntry* entry = ctx.heads.find(head.log);
    if (entry == nullptr || !is_own(ctx, *entry)) return false;
    if (head.seq == 0 || head.seq > entry->held.seq) return false;
    const bool same = head.chain == chain_prefix(entry->held.chain);
    if (head.seq == entry->held.seq && !same) return false;
    if (head.seq < entry->held.seq && is_current_own(ctx, *entry)) below.push_back(head);
  }
  return true;
}

}  // namespace

void judge_own_view(Context& ctx, Partner& partner, const codec::RootDatagram& root) {
  ++partner.own_views;
  partner.own_checks = 0;
  partner.heads_wait = false;
  const trust::FingerprintSum mine = ctx.heads.device_sum(ctx.config.self);
  const bool equal = root.view == mine.fingerprint() && root.view_count == mine.count();
  partner.own_settled = equal || root.view_count == 0;
  if (partner.own_settled) return;
  std::vector<codec::ListedHead> below;
  if (!is_here(ctx, root, below)) {
    partner.disputed = true;
    return;
  }
  for (const codec::ListedHead& head : below) {
    if (!may_read(ctx, partner)) {
      // Not settled this time.
      ++partner.own_views;
      partner.own_checks = 0;
      return;
    }
    const Token token = new_token(ctx);
    ctx.datagram_reads[token] = {partner.device, head.log, head, partner.own_views};
    ctx.out->reads.push_back({token, head.log, head.seq, head.seq, 1});
    ++partner.own_checks;
  }
  partner.own_settled = below.empty();
}

bool own_view_read(Context& ctx, Partner& partner, const LogEntry& entry, const DatagramRead& read,
                   const ReadDone& done) {
  if (read.own_view != partner.own_views || partner.own_checks == 0) return false;
  const std::optional<Hash> chain =
      done.failed ? std::nullopt : chain_at(ctx, entry, read.own_shown->seq, done);
  if (!chain || chain_prefix(*chain) != read.own_shown->chain) {
    // Not settled, whatever the other answers are.
    ++partner.own_views;
    partner.own_checks = 0;
    partner.disputed = true;
    return true;
  }
  if (--partner.own_checks > 0) return false;
  partner.own_settled = !ctx.own_blocked;
  return true;
}

void forget_own_views(Context& ctx) {
  for (auto& [device, partner] : ctx.partners) {
    ++partner.own_views;
    partner.own_checks = 0;
    partner.own_settled = false;
  }
}

}  // namespace ebb::mesh
