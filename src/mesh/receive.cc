#include "mesh/receive.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/shared_bytes.h"
#include "mesh/admission.h"
#include "mesh/live.h"
#include "mesh/own_heads.h"
#include "mesh/part_room.h"
#include "mesh/parts.h"
#include "mesh/reconcile.h"
#include "mesh/scope.h"
#include "mesh/want.h"
#include "trust/chain.h"
#include "trust/segment_verify.h"

namespace ebb::mesh {
namespace {

// What one DELTA comes to, before any of it counts.
struct Intake {
  std::vector<trust::VerifiedSegment> segments;
  std::map<LogId, Position> reached;  // behind the segments taken so far
  std::size_t taken_bytes = 0;
  std::size_t decoded_bytes = 0;  // of those
  std::size_t dropped_bytes = 0;
  std::size_t useless_bytes = 0;  // of those that were here already or did not fit on
  bool useful = false;            // something was staged
};

// False after a fault.
bool learn_keys(Context& ctx, Link& link, const std::vector<LogKey>& keys) {
  for (const LogKey& key : keys) {
    if (!is_valid_topic(key.topic)) {
      fault(ctx, link, "malformed_key");
      return false;
    }
    const LogId log = trust::log_id(key);
    const LogEntry* entry = ctx.heads.find(log);
    if (entry != nullptr && entry->has_key) continue;
    if (link.keys.size() >= limits::kKeysInHand) {
      fault(ctx, link, "too_many_keys");
      return false;
    }
    link.keys.emplace(log, key);
  }
  return true;
}

const LogKey* key_of(const Link& link, const LogEntry* entry, const LogId& log) {
  if (entry != nullptr && entry->has_key) return &entry->key;
  const auto it = link.keys.find(log);
  return it == link.keys.end() ? nullptr : &it->second;
}

// Where the log stands with what this DELTA has brought so far.
Position position_of(const Intake& intake, const LogEntry* entry, const LogId& log,
                     const LogKey& key) {
  if (const auto it = intake.reached.find(log); it != intake.reached.end()) return it->second;
  if (entry != nullptr && entry->pending.seq > 0) return entry->pending;
  return {0, trust::chain_start(key)};
}

// The peer has sent a segment of the log, so it has that much; but what it pushes runs ahead of its
// commit, which may fail. Null when the table is full.
LogEntry* note_brought(Context& ctx, Link& link, const codec::Delta& delta, const LogId& log,
                       Seq seq) {
  const LogEntry* known = ctx.heads.find(log);
  const PeerLog* before = known == nullptr ? nullptr : known->find_peer(link.slot);
  const bool is_news = before == nullptr || before->announced < seq;
  const bool was_pushed = before != nullptr && before->by_push;
  const bool is_pushed = delta.reconciliation.is_zero();
  LogEntry* entry = note_claim(ctx, link, log, seq);
  if (entry == nullptr) return nullptr;
  // Pushed once more it is no more of a promise.
  if (is_news || (was_pushed && is_pushed)) entry->peer(link.slot).by_push = is_pushed;
  return entry;
}

bool is_push(const Link& link, const codec::Delta& delta, const LogEntry* entry) {
  return delta.reconciliation.is_zero() && (entry == nullptr || entry->asked != link.slot);
}

void drop_segment(Link& link, LogEntry* entry, std::size_t bytes, Intake& intake, bool our_doing) {
  intake.dropped_bytes += bytes;
  if (entry == nullptr || entry->asked != link.slot || !our_doing) return;
  entry->answered = true;
  link.answer_was_useful = true;
}

// Whether there is room and will for more segments right now.
bool can_take(const Context& ctx, const Intake& intake, std::size_t bytes) {
  return !ctx.commits_paused_until &&
         ctx.inbound_bytes + ctx.begun_bytes + intake.taken_bytes + bytes <=
             ctx.config.tuning.inbound_bytes &&
         ctx.decoded_bytes + intake.decoded_bytes + limits::kSegmentDecodedBytes <=
             ctx.config.tuning.decoded_bytes;
}

// A verified segment of the log that we are writing: never stored, but a reason for alarm when it
// is not ours to the letter.
void judge_own_segment(Context& ctx, Link& link, LogEntry& entry,
                       const trust::VerifiedSegment& segment) {
  // Now that it is known to be ours, nobody is asked for it until the incarnation has changed.
  entry.set_key(segment.key);
  const Position shown{segment.last_seq(), segment.chain};
  const bool other = shown.seq == entry.held.seq && shown.chain != entry.held.chain;
  if (shown.seq > entry.held.seq || other) {
    // Asked for when the incarnation has changed.
    ctx.heads.announce(entry, link.slot, shown.seq);
    leave_out(link);
  }
  judge_own_position(ctx, link, entry, shown);
}

// Nullopt after a fault.
std::optional<trust::VerifiedSegment> verify(Context& ctx, Link& link, const LogKey& key,
                                             ByteView bytes) {
  Result<trust::VerifiedSegment> verified =
      trust::verify_segment(key, share(to_bytes(bytes)), signatures(ctx));
  if (verified.ok()) return std::move(*verified);
  const ErrorCode code = verified.error().code;
  const bool forged = code == ErrorCode::kBadSignature || code == ErrorCode::kBadChain;
  fault(ctx, link, forged ? "bad_signature" : "malformed_segment", verified.error().message());
  return std::nullopt;
}

// Verifies a segment that may extend what is in hand. False after a fault.
bool verify_and_keep(Context& ctx, Link& link, LogEntry& entry, const LogKey& key, ByteView bytes,
                     Intake& intake) {
  std::optional<trust::VerifiedSegment> verified = verify(ctx, link, key, bytes);
  if (!verified) return false;
  const Position position = position_of(intake, &entry, verified->log, key);
  const bool own = key.device == ctx.config.self && key.incarnation == ctx.config.incarnation;
  if (own) {
    judge_own_segment(ctx, link, entry, *verified);
    drop_segment(link, &entry, bytes.size(), intake, true);
    return true;
  }
  if (key.device == ctx.config.self) {
    judge_own_incarnation(ctx, link, key, verified->last_seq());
  }
  if (verified->first_seq == position.seq + 1 && verified->prev_chain != position.chain) {
    ++ctx.counters.forks_suspected;
    notice(ctx, link, NoticeKind::kForkSuspected, dot_text({verified->log, verified->first_seq}));
    drop_segment(link, &entry, bytes.size(), intake, false);
    refuse_log(ctx, link, entry);
    return true;
  }
  intake.reached[verified->log] = {verified->last_seq(), verified->chain};
  intake.taken_bytes += bytes.size();
  intake.decoded_bytes += verified->raw->size();
  intake.segments.push_back(std::move(*verified));
  return true;
}

// A log that was refused for its author's quota is not to be pushed either, though a flood says
// that every link is to push again.
void refuse_push(Context& ctx, Link& link, const codec::Delta& delta, LogEntry* entry) {
  if (!link.quota_told || entry == nullptr || !entry->peer(link.slot).refused) return;
  if (delta.flood) entry->pruned &= ~slot_bit(link.slot);
  stop_pushes(ctx, link, *entry);
}

// What its author may not write, or the peer may not bring: dropped, and no fault of the peer, who
// may not know that yet. One of a link is told.
void refuse_author(Context& ctx, Link& link, const codec::Delta& delta, const LogKey& key,
                   const codec::SegmentView& header, std::size_t bytes, Intake& intake) {
  ++ctx.counters.authors_refused;
  intake.useless_bytes += bytes;
  const LogId log = header.log;
  // Nobody has proven that there is such a log: of a link few are remembered, to be asked for when
  // its author may write.
  const bool is_new = ctx.heads.find(log) == nullptr;
  if (is_new && link.authors_refused >= limits::kAuthorsRefused) {
    return drop_segment(link, nullptr, bytes, intake, true);
  }
  if (is_new) ++link.authors_refused;
  // What was only pushed is announced no more: this is all that there is to ask for it by.
  LogEntry* entry = note_brought(ctx, link, delta, log, header.last_seq());
  drop_segment(link, entry, bytes, intake, true);
  if (!std::exchange(link.author_told, true)) {
    notice(ctx, link, NoticeKind::kAuthorRefused,
           "not admitted: " + device_short(key.device) + " in topic " + key.topic);
  }
  if (entry == nullptr) return;
  if (!may_be_stored(ctx, key, log)) note_author_refused(ctx, log);
  if (is_push(link, delta, entry)) stop_pushes(ctx, link, *entry);
  if (!entry->has_key) {
    entry->set_key(key);
    entry->unproven = true;
  }
  refuse_log(ctx, link, *entry);
}

// Decides about one segment of a DELTA. False after a fault.
bool take_segment(Context& ctx, Link& link, const codec::Delta& delta, ByteView bytes,
                  Intake& intake) {
  const Result<codec::SegmentView> header = codec::decode_segment(bytes);
  if (!header.ok() || header->first_seq == 0 || header->last_seq() < header->first_seq) {
    fault(ctx, link, "malformed_segment",
          header.ok() ? std::string("seq") : header.error().message());
    return false;
  }
  const LogId log = header->log;
  if (delta.reconciliation.is_zero()) ++ctx.counters.pushes_received;
  LogEntry* entry = ctx.heads.find(log);
  const LogKey* key = key_of(link, entry, log);
  if (key == nullptr) {
    fault(ctx, link, "unknown_log_key");
    return false;
  }
  if (!is_in_scope(ctx, *key)) {
    ++ctx.counters.segments_out_of_scope;
    intake.useless_bytes += bytes.size();
    drop_segment(link, entry, bytes.size(), intake, false);
    if (entry != nullptr) refuse_log(ctx, link, *entry);
    return true;
  }
  const bool of_other = !link.takes_others && !is_of_an_end(ctx, link, *key);
  if (of_other || !may_be_stored(ctx, *key, log)) {
    refuse_author(ctx, link, delta, LogKey(*key), *header, bytes.size(), intake);
    return true;
  }
  const Seq reached = position_of(intake, entry, log, *key).seq;
  if (header->last_seq() <= reached || (entry != nullptr && entry->capped)) {
    ctx.counters.events_redundant += header->count;
    intake.useless_bytes += bytes.size();
    drop_segment(link, entry, bytes.size(), intake, false);
    if (entry != nullptr) {
      ctx.heads.announce(*entry, link.slot, std::min(header->last_seq(), entry->pending.seq));
      if (is_push(link, delta, entry)) note_duplicate(ctx, link, *entry);
    }
    // Its number was used before, perhaps for something else.
    if (entry == nullptr || !is_current_own(ctx, *entry)) return true;
    const auto own = verify(ctx, link, *key, bytes);
    if (own) judge_own_segment(ctx, link, *entry, *own);
    return own.has_value();
  }
  const bool is_gap = header->first_seq > reached + 1;
  const bool of_part = is_gap && entry != nullptr && is_of_part(ctx, link, *header);
  if (of_part && may_stage(ctx, link, bytes.size()) && can_take(ctx, intake, bytes.size())) {
    std::optional<trust::VerifiedSegment> verified = verify(ctx, link, *key, bytes);
    if (verified) intake.useful = true;
    if (verified) stage(ctx, link, std::move(*verified));
    return !link.closed && verified.has_value();
  }
  if (is_gap || !can_take(ctx, intake, bytes.size())) {
    if (of_part) refuse_part(ctx, link, *entry, bytes.size());
    if (is_gap && !of_part) intake.useless_bytes += bytes.size();
    if (is_gap && !of_part && is_push(link, delta, entry)) refuse_push(ctx, link, delta, entry);
    LogEntry* claimed = note_brought(ctx, link, delta, log, header->last_seq());
    drop_segment(link, claimed, bytes.size(), intake, !is_gap);
    if (claimed != nullptr && !is_gap) note_useful(ctx, link, *claimed);
    if (claimed != nullptr) ask_after_announcement(ctx, link, *claimed);
    return true;
  }
  // The entry is made before the work of verifying, so that a full table costs no signature check.
  if (entry == nullptr) entry = ctx.heads.find_or_add(log);
  if (entry == nullptr) {
    drop_segment(link, entry, bytes.size(), intake, false);
    return true;
  }
  return verify_and_keep(ctx, link, *entry, *key, bytes, intake);
}

void give_back(Context& ctx, Link& link, std::size_t bytes, bool withheld) {
  link.uncommitted -= std::min(bytes, link.uncommitted);
  (withheld ? link.credit_withheld : link.credit_owed) += bytes;
  plan_flush(ctx, link);
}

// False after a fault: for too long nothing from this link was of any use.
bool brings_something(Context& ctx, Link& link, const Intake& intake) {
  if (!intake.segments.empty() || intake.useful) link.useless_bytes = 0;
  link.useless_bytes += intake.useless_bytes;
  if (link.useless_bytes <= limits::kUselessBytes) return true;
  fault(ctx, link, "brings_nothing");
  return false;
}

// Everything in the DELTA is good: push on, and ask for the commit.
void hand_over(Context& ctx, Link& link, const codec::Delta& delta, Intake intake) {
  if (intake.segments.empty()) return;
  Commit commit;
  commit.token = new_token(ctx);
  PendingCommit& pending = ctx.commits[commit.token];
  pending.link = link.id;
  for (const trust::VerifiedSegment& segment : intake.segments) {
    LogEntry* entry = note_brought(ctx, link, delta, segment.log, segment.last_seq());
    EBB_CHECK(entry != nullptr);  // made by take_segment
    const bool push = is_push(link, delta, entry);
    const bool flood = delta.flood && push && note_flood(ctx, *entry);
    if (push) note_push(link, *entry);
    if (!push) note_answer(link, *entry, segment.key);
    if (entry->asked == link.slot) {
      entry->answered = true;
      link.answer_was_useful = true;
    }
    if (link.exchange.active && delta.reconciliation == link.exchange.id) {
      link.exchange.events_in += segment.count;
    }
    entry->pending = {segment.last_seq(), segment.chain};
    ++entry->commits;
    pending.parts.push_back(
        {segment.log, segment.last_seq(), segment.encoded->size(), segment.raw->size()});
    note_size(*entry, segment);
    note_useful(ctx, link, *entry);
    push_segment(ctx, *entry, segment, link.slot, flood);
    note_progress(ctx, *entry);
  }
  commit.segments = std::move(intake.segments);
  ctx.inbound_bytes += intake.taken_bytes;
  ctx.decoded_bytes += intake.decoded_bytes;
  ctx.out->commits.push_back(std::move(commit));
  for (const auto& [log, position] : intake.reached) {
    if (LogEntry* entry = ctx.heads.find(log)) advance_shared(ctx, *entry);
  }
}

}  // namespace

void on_delta(Context& ctx, Link& link, const codec::Delta& delta) {
  link.last_progress = ctx.now;
  std::size_t bytes = 0;
  for (const ByteView segment : delta.segments)
    bytes += segment.size();
  link.uncommitted += bytes;
  if (!delta.reconciliation.is_zero()) link.fetch.came(ctx.now, bytes);
  if (link.uncommitted + link.credit_owed + link.credit_withheld > limits::kInboundBytesPerPeer) {
    fault(ctx, link, "credit_exceeded");
    return;
  }
  if (!learn_keys(ctx, link, delta.keys)) return;
  Intake intake;
  for (const ByteView segment : delta.segments) {
    if (!take_segment(ctx, link, delta, segment, intake)) return;
  }
  if (intake.dropped_bytes > 0) {
    give_back(ctx, link, intake.dropped_bytes, ctx.commits_paused_until.has_value());
  }
  if (!brings_something(ctx, link, intake)) return;
  hand_over(ctx, link, delta, std::move(intake));
  if (delta.last) want_answered(ctx, link, delta.reconciliation.is_zero());
}

void rollback_found(Context& ctx, Link& link, const std::string& what) {
  if (ctx.own_blocked) return;
  ctx.own_blocked = true;
  ++ctx.counters.rollbacks_found;
  notice(ctx, link, NoticeKind::kRollbackFound, what);
}

}  // namespace ebb::mesh
