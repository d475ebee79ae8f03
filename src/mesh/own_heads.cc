#include "mesh/own_heads.h"

#include <algorithm>
#include <string>

#include "mesh/greeting.h"
#include "mesh/receive.h"
#include "trust/chain.h"
#include "trust/segment_verify.h"

namespace ebb::mesh {
namespace {

constexpr std::size_t kOneSegment = 1;  // a read brings at least one

std::string text_of(const OwnShown& shown) { return dot_text({shown.log, shown.position.seq}); }

void ask_for_next(Context& ctx, Link& link) {
  if (link.own_shown.empty() || link.own_read_out) return;
  const OwnShown& shown = link.own_shown.front();
  const Token token = new_token(ctx);
  link.own_read_out = true;
  ctx.own_reads[token] = link.id;
  ctx.out->reads.push_back({token, shown.log, shown.position.seq, shown.position.seq, kOneSegment});
}

}  // namespace

std::optional<Hash> chain_at(const Context& ctx, const LogEntry& entry, Seq seq,
                             const ReadDone& done) {
  if (done.segments.empty()) return std::nullopt;
  const auto segment = trust::verify_segment(entry.key, done.segments.front(), signatures(ctx));
  if (!segment || seq < segment->first_seq || seq > segment->last_seq()) return std::nullopt;
  Hash chain = segment->prev_chain;
  for (Seq at = segment->first_seq; at <= seq; ++at) {
    const auto index = static_cast<std::uint32_t>(at - segment->first_seq);
    chain = trust::chain_next(chain, trust::event_hash(segment->event_bytes(index)));
  }
  return chain;
}

void judge_own_position(Context& ctx, Link& link, const LogEntry& entry, const Position& shown) {
  if (ctx.own_blocked) return;
  const OwnShown next{entry.id, shown};
  if (shown.seq > entry.held.seq ||
      (shown.seq == entry.held.seq && shown.chain != entry.held.chain)) {
    rollback_found(ctx, link, text_of(next));
    return;
  }
  if (shown.seq == entry.held.seq) return;
  const bool waits =
      std::find(link.own_shown.begin(), link.own_shown.end(), next) != link.own_shown.end();
  if (waits || (link.settled && link.own_shown.size() >= limits::kHeadsPerMessage)) return;
  link.own_shown.push_back(next);
  ask_for_next(ctx, link);
}

bool on_own_read_done(Context& ctx, const ReadDone& done) {
  const auto asked = ctx.own_reads.find(done.token);
  if (asked == ctx.own_reads.end()) return false;
  Link* link = find_link(ctx, asked->second);
  ctx.own_reads.erase(asked);
  if (link == nullptr || link->closed) return true;
  touch(ctx, *link);
  const OwnShown shown = link->own_shown.front();
  link->own_shown.pop_front();
  link->own_read_out = false;
  const LogEntry* entry = ctx.heads.find(shown.log);
  // Of an incarnation that has ended meanwhile nothing more is written.
  if (entry != nullptr && is_current_own(ctx, *entry) && !ctx.own_blocked) {
    if (done.failed && done.failed->code != ErrorCode::kCorrupt) {
      close_link(ctx, *link, "own events cannot be read");
      return true;
    }
    if (done.failed || chain_at(ctx, *entry, shown.position.seq, done) != shown.position.chain) {
      rollback_found(ctx, *link, text_of(shown));
    }
  }
  link->greeting_deadline = ctx.now + ctx.config.handshake_timeout;  // while it goes on
  ask_for_next(ctx, *link);
  settle_when_judged(ctx, *link);
  return true;
}

}  // namespace ebb::mesh
