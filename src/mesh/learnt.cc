#include "mesh/learnt.h"

#include <algorithm>

#include "core/limits.h"
#include "mesh/log_cut.h"
#include "mesh/scope.h"
#include "mesh/sync_answer.h"
#include "mesh/want.h"

namespace ebb::mesh {
namespace {

// Takes a head of the peer's. `same_chain` counts where it is as long as ours.
void take_head(Context& ctx, Link& link, LogEntry& entry, Seq seq, bool same_chain) {
  Exchange& ex = link.exchange;
  if (is_out_of_scope(ctx, entry)) return;
  const bool outside = is_outside(ctx, link, entry);
  if (!outside) ctx.heads.announce(entry, link.slot, seq);
  if (is_current_own(ctx, entry)) {
    // YOUR_LOGS is the judge of those; what we lack of them is not to be had by asking.
    if (seq > entry.held.seq) leave_out(link);
    return;
  }
  const bool other_chain = seq == entry.held.seq && !same_chain;
  if (!other_chain && (seq <= entry.held.seq || entry.capped)) return;
  if (entry.peer(link.slot).refused) {
    leave_out(link);
    return;
  }
  if (other_chain) {
    ex.disputed.insert(entry.id);  // its signed head will show
    return;
  }
  if (outside) return;  // it would never be asked for
  if (ex.auditing) {
    link.audit.lacking[entry.id] = std::min(seq, limits::kSeqMax);
    return;
  }
  ex.awaited[entry.id] = std::min(seq, limits::kSeqMax);
  offer(ctx, link, entry);
}

}  // namespace

void take_listed(Context& ctx, Link& link, const codec::ListedHead& head) {
  LogEntry* entry = ctx.heads.find_or_add(head.log);
  if (entry == nullptr) {
    leave_out(link);
    return;
  }
  take_head(ctx, link, *entry, head.seq, chain_prefix(entry->held.chain) == head.chain);
}

void take_cut(Context& ctx, Link& link, const codec::CutHead& head) {
  LogEntry* entry = find_cut(ctx.heads, link.exchange.id, head.log);
  if (entry == nullptr) {
    link.exchange.cuts.insert(head.log);
    return;
  }
  const bool same_chain =
      std::equal(head.chain.data.begin(), head.chain.data.end(), entry->held.chain.data.begin());
  take_head(ctx, link, *entry, head.seq, same_chain);
}

void take_own(Context& ctx, Link& link, LogEntry* entry, Seq seq) {
  if (entry == nullptr) {
    leave_out(link);
  } else {
    take_head(ctx, link, *entry, seq, true);
  }
}

void judge_disputed(Context& ctx, Link& link, const LogId& log, const Position& theirs) {
  LogEntry* entry = ctx.heads.find(log);
  if (entry == nullptr || theirs == entry->held) return;
  if (theirs.seq > entry->held.seq) {
    take_head(ctx, link, *entry, theirs.seq, true);
    return;
  }
  leave_out(link);
  if (theirs.seq < entry->held.seq) return;  // ours has grown meanwhile: it shows nothing now
  ++ctx.counters.forks_suspected;
  notice(ctx, link, NoticeKind::kForkSuspected, dot_text({log, theirs.seq}));
  refuse_log(ctx, link, *entry);
}

}  // namespace ebb::mesh
