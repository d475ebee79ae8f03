#include "mesh/own_heads.h"

#include <string>

#include "mesh/greeting.h"
#include "mesh/receive.h"
#include "trust/chain.h"
#include "trust/segment_verify.h"

namespace ebb::mesh {
namespace {

constexpr std::size_t kOneSegment = 1;                                 // a read brings at least one
constexpr std::size_t kOwnLogsWritten = limits::kTopicsPerDevice + 1;  // with the control topic

std::string text_of(const OwnShown& shown) { return dot_text({shown.log, shown.position.seq}); }

void ask_for_next(Context& ctx, Link& link) {
  if (link.own_shown.empty() || link.own_read) return;
  const auto& [log, position] = *link.own_shown.begin();
  link.own_read = OwnShown{log, position};
  link.own_shown.erase(link.own_shown.begin());
  const Token token = new_token(ctx);
  ctx.own_reads[token] = link.id;
  const Seq seq = link.own_read->position.seq;
  ctx.out->reads.push_back({token, link.own_read->log, seq, seq, kOneSegment});
}

// A greeting with many of our logs may take as many reads, and not one more.
void give_greeting_time(Context& ctx, Link& link) {
  if (link.settled || link.own_reads_in_greeting >= kOwnLogsWritten) return;
  ++link.own_reads_in_greeting;
  link.greeting_deadline = ctx.now + ctx.config.handshake_timeout;
  touch(ctx, link);
}

bool holds_incarnation(Context& ctx, Incarnation incarnation) {
  const std::vector<LogEntry*> own = ctx.heads.of_device(ctx.config.self);
  return std::any_of(own.begin(), own.end(), [incarnation](const LogEntry* entry) {
    return entry->key.incarnation == incarnation && entry->held.seq > 0;
  });
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

bool is_unknown_incarnation(Context& ctx, Incarnation shown) {
  return shown != ctx.config.incarnation && !ctx.lost_incarnations.contains(shown) &&
         !holds_incarnation(ctx, shown);
}

void judge_own_incarnation(Context& ctx, Link& link, const LogKey& key, Seq seq) {
  const Incarnation shown = key.incarnation;
  if (!is_unknown_incarnation(ctx, shown)) return;
  // Its logs are fetched back meanwhile: no second alarm for it. Nor for another one, for a store
  // is not set back while it is open: two copies of a device would alarm each other without end.
  const bool first = ctx.lost_incarnations.empty();
  ctx.lost_incarnations.insert(shown);
  if (first) rollback_found(ctx, link, dot_text({trust::log_id(key), seq}));
}

void judge_own_position(Context& ctx, Link& link, const LogEntry& entry, const Position& shown) {
  if (ctx.own_blocked) return;
  if (shown.seq > entry.held.seq ||
      (shown.seq == entry.held.seq && shown.chain != entry.held.chain)) {
    rollback_found(ctx, link, text_of({entry.id, shown}));
    return;
  }
  if (shown.seq == entry.held.seq) return;
  Position& waiting = link.own_shown[entry.id];
  // Two events signed by us under one number.
  if (shown.seq == waiting.seq && shown.chain != waiting.chain) {
    link.own_shown.erase(entry.id);
    rollback_found(ctx, link, text_of({entry.id, shown}));
    return;
  }
  if (shown.seq > waiting.seq) waiting = shown;
  ask_for_next(ctx, link);
}

bool on_own_read_done(Context& ctx, const ReadDone& done) {
  const auto asked = ctx.own_reads.find(done.token);
  if (asked == ctx.own_reads.end()) return false;
  Link* link = find_link(ctx, asked->second);
  ctx.own_reads.erase(asked);
  if (link == nullptr || link->closed) return true;
  touch(ctx, *link);
  const OwnShown shown = link->own_read.value();
  link->own_read.reset();
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
  give_greeting_time(ctx, *link);
  ask_for_next(ctx, *link);
  settle_when_judged(ctx, *link);
  return true;
}

}  // namespace ebb::mesh
