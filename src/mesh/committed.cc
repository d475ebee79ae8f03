#include <algorithm>
#include <string>
#include <utility>

#include "core/planted.h"
#include "mesh/admission.h"
#include "mesh/covered.h"
#include "mesh/live.h"
#include "mesh/overlay.h"
#include "mesh/pause.h"
#include "mesh/presence.h"
#include "mesh/receive.h"
#include "mesh/reconcile.h"
#include "mesh/scope.h"
#include "mesh/want.h"

namespace ebb::mesh {
namespace {

void take_advances(Context& ctx, const Committed& answer) {
  const bool received = answer.token.value != 0;
  for (const StoredHead& head : answer.advanced) {
    const LogEntry* known = ctx.heads.find(head.log);
    const Seq before = known == nullptr ? 0 : known->held.seq;
    const bool was_capped = known != nullptr && known->capped;
    LogEntry* entry = ctx.heads.advance(head);
    move_in_views(ctx, head);
    if (received && head.held.seq > before) {
      ctx.counters.events_received += head.held.seq - before;
      if (std::exchange(entry->repairing, false)) ++ctx.counters.audit_repairs;
    }
    if (head.capped && !was_capped) {
      ctx.out->notices.push_back(
          {NoticeKind::kLogCapped, LinkId{}, head.key.device, log_text(head.log)});
    }
    note_progress(ctx, *entry);
    note_stored(ctx, *entry);
  }
  if (answer.arrival_head > ctx.arrival_head) ctx.arrival_head = answer.arrival_head;
  if (answer.advanced.empty()) return;
  const bool hurry =
      std::any_of(answer.advanced.begin(), answer.advanced.end(),
                  [](const StoredHead& head) { return head.key.topic != kControlTopic; });
  for (Link* link : ctx.slots) {
    if (link != nullptr) hurry ? plan_flush(ctx, *link) : plan_late_flush(ctx, *link);
  }
}

// One of a link is told: whoever has too many may have any number.
void refuse_and_tell(Context& ctx, Link& link, LogEntry& entry, bool& told, NoticeKind kind,
                     const std::string& why) {
  if (!std::exchange(told, true)) notice(ctx, link, kind, why + log_text(entry.id));
  refuse_log(ctx, link, entry);
}

void judge_outcome(Context& ctx, Link* link, LogEntry& entry, const CommittedPart& part,
                   CommitOutcome outcome) {
  switch (outcome) {
    case CommitOutcome::kStored:
      if (link != nullptr) note_bringer(ctx, *link, entry);
      [[fallthrough]];
    case CommitOutcome::kDuplicate:
      if (link != nullptr) link->durable_owed[part.log] = entry.held.seq;
      break;
    case CommitOutcome::kGap:
      break;  // asked for again when the last commit of the log is answered
    case CommitOutcome::kFork:
      ++ctx.counters.forks_suspected;
      if (link == nullptr) break;
      notice(ctx, *link, NoticeKind::kForkSuspected, dot_text({part.log, part.last_seq}));
      refuse_log(ctx, *link, entry);
      break;
    case CommitOutcome::kTooManyLogs:
      ++ctx.counters.logs_refused;
      if (link == nullptr) break;
      refuse_and_tell(ctx, *link, entry, link->log_refused, NoticeKind::kLogRefused,
                      "too many logs: ");
      break;
    case CommitOutcome::kOverQuota:
      ++ctx.counters.quota_refused;
      if (link == nullptr) break;
      // No fault of the peer: its own clock and counts may say otherwise.
      refuse_and_tell(ctx, *link, entry, link->quota_told, NoticeKind::kOverQuota, "over quota: ");
      break;
    case CommitOutcome::kRefused:
      if (link != nullptr) refuse_log(ctx, *link, entry);
      break;
  }
}

// The last commit of the log is answered: what was in hand is stored, or it is nowhere.
void settle_pending(Context& ctx, LogEntry& entry) {
  if (entry.commits > 0 || entry.pending.seq == entry.held.seq) return;
  entry.pending = entry.held;
  note_lost(ctx, entry);
  if (entry.asked != kNoSlot) {
    ask_again(ctx, entry);
  } else {
    ask_now(ctx, entry);
  }
}

void answer_parts(Context& ctx, const Committed& answer, const PendingCommit& commit) {
  Link* link = find_link(ctx, commit.link);
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < commit.parts.size(); ++i) {
    const CommittedPart& part = commit.parts[i];
    bytes += part.bytes;
    ctx.decoded_bytes -= part.decoded_bytes;
    LogEntry* entry = ctx.heads.find(part.log);
    if (entry == nullptr) continue;
    if (entry->commits > 0) --entry->commits;
    if (!answer.failed && i < answer.outcomes.size()) {
      judge_outcome(ctx, link, *entry, part, answer.outcomes[i]);
    }
    settle_pending(ctx, *entry);
    if (link != nullptr && entry->has_key) link->keys.erase(part.log);
  }
  ctx.inbound_bytes -= bytes;
  if (link == nullptr || planted(Bug::kCreditNeverReturned)) return;
  link->uncommitted -= bytes;
  // After a failure the peer shall not send more before the pause is over.
  (answer.failed ? link->credit_withheld : link->credit_owed) += bytes;
  plan_flush(ctx, *link);
}

}  // namespace

void on_committed(Context& ctx, Committed& answer) {
  const auto it = ctx.commits.find(answer.token);
  if (answer.failed) {
    pause_commits(ctx);
  } else {
    ctx.commit_failures = 0;
    take_advances(ctx, answer);
    hear_presences(ctx, answer.presences);
  }
  (void)authority_committed(ctx, answer);
  if (it != ctx.commits.end()) {
    const PendingCommit commit = std::move(it->second);
    ctx.commits.erase(it);
    answer_parts(ctx, answer, commit);
  }
  if (ctx.commits.empty()) retry_covered(ctx);
  for (const trust::VerifiedSegment& segment : answer.own_segments) {
    LogEntry* entry = ctx.heads.find(segment.log);
    if (entry != nullptr) push_segment(ctx, *entry, segment, kNoSlot, false);
  }
}

}  // namespace ebb::mesh
