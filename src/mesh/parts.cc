#include "mesh/parts.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/planted.h"
#include "mesh/live.h"
#include "mesh/outbox.h"
#include "mesh/part_room.h"
#include "mesh/reconcile.h"
#include "mesh/share.h"
#include "mesh/want.h"

namespace ebb::mesh {
namespace {

constexpr Duration kStuckMin = seconds(2);
constexpr std::uint32_t kStuckDoublings = 5;
constexpr std::size_t kPartsMax = 2 * limits::kLinks;  // of one log, those of nobody counted

LogPart* part_of(SharedLog& shared, int slot) {
  const auto it = std::find_if(shared.parts.begin(), shared.parts.end(),
                               [slot](const LogPart& part) { return part.slot == slot; });
  return it == shared.parts.end() ? nullptr : &*it;
}

SharedLog* find_shared(Context& ctx, const LogId& log) {
  const auto it = ctx.shared.find(log);
  return it == ctx.shared.end() ? nullptr : &it->second;
}

bool is_too_slow(const Context& ctx, const Link& link, const SharedLog& shared) {
  std::uint64_t fastest = 0;
  for (const LogPart& part : shared.parts) {
    const Link* other = link_at(ctx, part.slot);
    if (other != nullptr) fastest = std::max(fastest, rate_of(ctx, *other));
  }
  const std::uint64_t rate = rate_of(ctx, link);
  return rate > 0 && rate * kTooSlow < fastest;
}

// All WANTs in hand may be for the log, but then none waits for another.
bool is_done_by_enough(const Context& ctx, const SharedLog& shared) {
  const auto asked = std::count_if(shared.parts.begin(), shared.parts.end(),
                                   [](const LogPart& part) { return part.slot != kNoSlot; });
  return static_cast<std::size_t>(asked) >= ctx.config.tuning.catch_ups;
}

void ask_for_part(Context& ctx, const LogEntry& entry, LogPart& part, Link& link) {
  part.slot = link.slot;
  part.answered = false;
  part.asked_at = ctx.now;
  part.moved_at = ctx.now;
  link.asked.insert(entry.id);
  link.ask_queue.insert(entry.id);
  link.stop_queue.erase(entry.id);
  touch(ctx, link);
}

// `tell`: the link does not know yet that nothing more is wanted.
void take_part_away(Context& ctx, const LogId& log, LogPart& part, bool tell) {
  Link* link = link_at(ctx, std::exchange(part.slot, kNoSlot));
  if (link == nullptr) return;
  link->asked.erase(log);
  const bool unsent = link->ask_queue.erase(log) > 0;
  if (tell && !unsent) link->stop_queue.insert(log);
  touch(ctx, *link);
}

void note_who_is_asked(LogEntry& entry, const SharedLog& shared) {
  entry.asked = kNoSlot;
  entry.asked_live = false;
  for (const LogPart& part : shared.parts) {
    if (entry.asked == kNoSlot) entry.asked = part.slot;
  }
}

// What a segment brings beyond its own part is not asked for again, where that was not done yet.
// Of what is on its way only a whole part is stopped: what else it brings may begin elsewhere.
void skip_staged(Context& ctx, const LogId& log, SharedLog& shared, Seq first, Seq last) {
  shared.next = std::max(shared.next, last + 1);
  for (LogPart& part : shared.parts) {
    const bool begins_in_it = part.reached + 1 >= first && part.reached < last;
    if (!begins_in_it) continue;
    const Link* link = link_at(ctx, part.slot);
    const bool asked = link != nullptr && !link->ask_queue.contains(log);
    if (asked && last < part.to) continue;
    if (asked) take_part_away(ctx, log, part, true);
    part.reached = last;
  }
}

// The first part that is nobody's, or a new one behind all others. False: the link gets none.
bool give_part_of(Context& ctx, LogEntry& entry, SharedLog& shared, Link& link) {
  const Seq reach = reach_of(ctx, link, entry);
  const bool may_have = !is_done_by_enough(ctx, shared) && part_of(shared, link.slot) == nullptr &&
                        !is_too_slow(ctx, link, shared);
  if (!may_have) return false;
  for (std::size_t i = 0; i < shared.parts.size(); ++i) {
    LogPart& part = shared.parts[i];
    const Seq begin = part.reached + 1;
    if (part.slot != kNoSlot || reach < begin) continue;
    const bool comes_next = begin <= entry.pending.seq + 1;
    if (!comes_next && !may_wait(ctx, link, entry, part.to - part.reached)) return false;
    if (reach < part.to && shared.parts.size() >= kPartsMax) return false;
    if (reach < part.to) {
      LogPart rest = part;
      rest.from = reach + 1;
      rest.reached = reach;
      part.to = reach;
      shared.parts.insert(shared.parts.begin() + static_cast<std::ptrdiff_t>(i) + 1, rest);
    }
    ask_for_part(ctx, entry, shared.parts[i], link);
    note_who_is_asked(entry, shared);
    return true;
  }
  const Seq events = part_events(ctx, link, entry);
  const bool comes_next = shared.next <= entry.pending.seq + 1;
  if (reach < shared.next || (!comes_next && !may_wait(ctx, link, entry, events))) return false;
  LogPart part;
  part.from = shared.next;
  part.reached = part.from - 1;
  part.to = std::min(reach, shared.next + events - 1);
  shared.next = part.to + 1;
  shared.parts.push_back(part);
  ask_for_part(ctx, entry, shared.parts.back(), link);
  note_who_is_asked(entry, shared);
  return true;
}

// What has come is nobody's task any more.
void settle_parts(Context& ctx, LogEntry& entry, SharedLog& shared) {
  for (LogPart& part : shared.parts) {
    if (part.reached >= part.to) take_part_away(ctx, entry.id, part, false);
  }
  std::erase_if(shared.parts, [](const LogPart& part) { return part.reached >= part.to; });
  resume_shared(ctx, entry);
}

void count_staged_out(Context& ctx, Link* link, const trust::VerifiedSegment& segment) {
  ctx.staged_bytes -= segment.encoded->size();
  ctx.staged_decoded -= segment.raw->size();
  if (link != nullptr) link->staged_bytes -= segment.encoded->size();
}

void drop_staged(Context& ctx, const StagedSegment& staged) {
  Link* link = find_link(ctx, staged.link);
  count_staged_out(ctx, link, staged.segment);
  const std::size_t bytes = staged.segment.encoded->size();
  ctx.inbound_bytes -= bytes;
  ctx.decoded_bytes -= staged.segment.raw->size();
  ctx.counters.events_redundant += staged.segment.count;
  if (link == nullptr) return;
  link->uncommitted -= bytes;
  (ctx.commits_paused_until ? link->credit_withheld : link->credit_owed) += bytes;
  plan_flush(ctx, *link);
}

// It comes next: as if the link had brought it now.
void commit_staged(Context& ctx, LogEntry& entry, StagedSegment staged) {
  Link* link = find_link(ctx, staged.link);
  trust::VerifiedSegment& segment = staged.segment;
  count_staged_out(ctx, link, segment);
  // While we sit on its bytes it owes nothing.
  if (link != nullptr) touch(ctx, *link);
  Commit commit;
  commit.token = new_token(ctx);
  PendingCommit& pending = ctx.commits[commit.token];
  pending.link = staged.link;
  pending.parts.push_back(
      {segment.log, segment.last_seq(), segment.encoded->size(), segment.raw->size()});
  entry.pending = {segment.last_seq(), segment.chain};
  ++entry.commits;
  push_segment(ctx, entry, segment, link == nullptr ? kNoSlot : link->slot, false);
  commit.segments.push_back(std::move(segment));
  ctx.out->commits.push_back(std::move(commit));
}

// Nothing of it has come for long, though there was room. Longer each time that it was taken away:
// in the end there is time enough for the largest segment of the slowest link.
bool is_stuck(const Context& ctx, const LogPart& part, const Link& owner) {
  const Duration patience = std::max(kStuckMin, round_trip(owner) * 3);
  const bool has_credit =
      owner.uncommitted - owner.staged_bytes < ctx.config.tuning.credit_bytes / 4;
  return has_credit &&
         part.moved_at + patience * (1 << std::min(part.taken, kStuckDoublings)) <= ctx.now;
}

void fork_found(Context& ctx, LogEntry& entry, const StagedSegment& staged) {
  ++ctx.counters.forks_suspected;
  drop_staged(ctx, staged);
  end_sharing(ctx, entry);
  Link* link = find_link(ctx, staged.link);
  if (link == nullptr) return ask_now(ctx, entry);
  notice(ctx, *link, NoticeKind::kForkSuspected, dot_text({entry.id, staged.segment.first_seq}));
  refuse_log(ctx, *link, entry);
}

}  // namespace

void note_size(LogEntry& entry, const trust::VerifiedSegment& segment) {
  entry.segment_events = static_cast<std::uint32_t>(segment.count);
  entry.segment_bytes = static_cast<std::uint32_t>(segment.encoded->size());
  entry.segment_decoded = static_cast<std::uint32_t>(segment.raw->size());
}

bool is_shared(const Context& ctx, const LogId& log) { return ctx.shared.contains(log); }

std::optional<AskedRange> asked_range(const Context& ctx, const Link& link, const LogEntry& entry) {
  const auto it = ctx.shared.find(entry.id);
  if (it == ctx.shared.end()) {
    if (entry.asked != link.slot) return std::nullopt;
    return AskedRange{entry.pending.seq + 1,
                      entry.asked_to > entry.pending.seq ? entry.asked_to : 0};
  }
  for (const LogPart& part : it->second.parts) {
    if (part.slot == link.slot) return AskedRange{part.reached + 1, part.to};
  }
  return std::nullopt;
}

bool give_part(Context& ctx, LogEntry& entry, Link& link) {
  SharedLog* shared = find_shared(ctx, entry.id);
  return shared != nullptr && give_part_of(ctx, entry, *shared, link);
}

bool begin_sharing(Context& ctx, LogEntry& entry, Link& owner, Link& newcomer) {
  const Seq events = part_events(ctx, owner, entry);
  const Seq reach = std::max(reach_of(ctx, owner, entry), entry.pending.seq + 1);
  if (!may_wait(ctx, newcomer, entry, part_events(ctx, newcomer, entry))) return false;
  SharedLog& shared = ctx.shared[entry.id];
  LogPart first;
  first.from = entry.pending.seq + 1;
  first.reached = entry.pending.seq;
  first.to = std::min(reach, entry.pending.seq + events);
  shared.next = first.to + 1;
  shared.parts.push_back(first);
  ask_for_part(ctx, entry, shared.parts.front(), owner);
  note_who_is_asked(entry, shared);
  return give_part_of(ctx, entry, shared, newcomer);
}

bool take_first_part(Context& ctx, LogEntry& entry, Link& link) {
  SharedLog* found = find_shared(ctx, entry.id);
  if (found == nullptr || found->parts.empty()) return false;
  SharedLog& shared = *found;
  LogPart& first = shared.parts.front();
  Link* owner = link_at(ctx, first.slot);
  if (owner == nullptr || first.asked_at + before_take_over(*owner) > ctx.now ||
      part_of(shared, link.slot) != nullptr || reach_of(ctx, link, entry) < first.to ||
      !(is_slow_beside(ctx, *owner, link) || is_stuck(ctx, first, *owner))) {
    return false;
  }
  ++first.taken;
  take_part_away(ctx, entry.id, first, true);
  ask_for_part(ctx, entry, first, link);
  note_who_is_asked(entry, shared);
  return true;
}

bool is_of_part(Context& ctx, const Link& link, const codec::SegmentView& header) {
  SharedLog* shared = find_shared(ctx, header.log);
  const LogPart* part = shared == nullptr ? nullptr : part_of(*shared, link.slot);
  return part != nullptr && header.first_seq == part->reached + 1 && part->reached < part->to &&
         !shared->staged.contains(header.first_seq);
}

void stage(Context& ctx, Link& link, trust::VerifiedSegment segment) {
  LogEntry* entry = ctx.heads.find(segment.log);
  SharedLog* shared = find_shared(ctx, segment.log);
  LogPart* part = shared == nullptr || entry == nullptr ? nullptr : part_of(*shared, link.slot);
  if (part == nullptr) return;
  const std::size_t bytes = segment.encoded->size();
  ctx.inbound_bytes += bytes;
  ctx.decoded_bytes += segment.raw->size();
  ctx.staged_bytes += bytes;
  ctx.staged_decoded += segment.raw->size();
  link.staged_bytes += bytes;
  link.exchange.events_in += segment.count;
  note_size(*entry, segment);
  part->reached = segment.last_seq();
  note_useful(ctx, link, *entry);
  const Seq first = segment.first_seq;
  skip_staged(ctx, segment.log, *shared, first, segment.last_seq());
  shared->staged.emplace(first, StagedSegment{std::move(segment), link.id});
  settle_parts(ctx, *entry, *shared);
}

void advance_shared(Context& ctx, LogEntry& entry) {
  SharedLog* shared = find_shared(ctx, entry.id);
  if (shared == nullptr) return;
  while (!shared->staged.empty() && shared->staged.begin()->first <= entry.pending.seq + 1) {
    StagedSegment staged = std::move(shared->staged.begin()->second);
    shared->staged.erase(shared->staged.begin());
    const bool fits = staged.segment.first_seq != entry.pending.seq + 1 ||
                      staged.segment.prev_chain == entry.pending.chain;
    if (!fits) return fork_found(ctx, entry, staged);
    if (staged.segment.last_seq() <= entry.pending.seq) {
      drop_staged(ctx, staged);
    } else {
      commit_staged(ctx, entry, std::move(staged));
    }
  }
  shared->next = std::max(shared->next, entry.pending.seq + 1);
  for (LogPart& part : shared->parts) {
    if (part.from <= entry.pending.seq) part.reached = std::max(part.reached, entry.pending.seq);
  }
  settle_parts(ctx, entry, *shared);
}

void note_want_sent(Context& ctx, const Link& link, LogEntry& entry) {
  SharedLog* shared = find_shared(ctx, entry.id);
  if (shared == nullptr && !entry.asked_live) entry.asked_at = ctx.now;
  LogPart* part = shared == nullptr ? nullptr : part_of(*shared, link.slot);
  if (part != nullptr) part->asked_at = part->moved_at = ctx.now;
}

void note_useful(Context& ctx, Link& link, const LogEntry& entry) {
  SharedLog* shared = find_shared(ctx, entry.id);
  LogPart* part = shared == nullptr ? nullptr : part_of(*shared, link.slot);
  if (part == nullptr) return;
  part->answered = true;
  part->moved_at = ctx.now;
  link.answer_was_useful = true;
}

void refuse_part(Context& ctx, Link& link, LogEntry& entry, std::size_t bytes) {
  SharedLog* shared = find_shared(ctx, entry.id);
  LogPart* part = shared == nullptr ? nullptr : part_of(*shared, link.slot);
  if (part == nullptr) return;
  link.answer_was_useful = true;  // it is we who have no room
  // Nobody has verified what it says of itself.
  entry.segment_bytes = std::max(entry.segment_bytes, static_cast<std::uint32_t>(bytes));
  entry.segment_decoded = limits::kSegmentDecodedBytes;
  take_part_away(ctx, entry.id, *part, true);
  resume_shared(ctx, entry);
}

bool part_unanswered(Context& ctx, Link& link, LogEntry& entry) {
  if (!is_shared(ctx, entry.id)) return false;
  advance_shared(ctx, entry);  // what came by other ways counts
  SharedLog* shared = find_shared(ctx, entry.id);
  LogPart* part = shared == nullptr ? nullptr : part_of(*shared, link.slot);
  // Done, or asked for anew just now.
  if (part == nullptr || link.ask_queue.contains(entry.id)) return true;
  const bool answered = part->answered;
  take_part_away(ctx, entry.id, *part, false);
  if (!answered) {
    leave_out(link);
    ctx.heads.retract(entry, link.slot);
    stop_awaiting(ctx, link, entry.id);
  }
  resume_shared(ctx, entry);
  return true;
}

bool orphan_part(Context& ctx, int slot, LogEntry& entry) {
  SharedLog* shared = find_shared(ctx, entry.id);
  LogPart* part = shared == nullptr ? nullptr : part_of(*shared, slot);
  if (part == nullptr || planted(Bug::kKeepEndedParts)) return shared != nullptr;
  part->slot = kNoSlot;
  note_who_is_asked(entry, *shared);
  return true;
}

void resume_shared(Context& ctx, LogEntry& entry) {
  SharedLog* shared = find_shared(ctx, entry.id);
  if (shared == nullptr) return;
  for (Link* link : ctx.slots) {
    if (link != nullptr && has_room(ctx, *link) && awaits(*link, entry.id))
      static_cast<void>(give_part_of(ctx, entry, *shared, *link));
  }
  note_who_is_asked(entry, *shared);
  if (entry.asked != kNoSlot || ctx.commits_paused_until) return;
  end_sharing(ctx, entry);
  ask_now(ctx, entry);
}

void end_sharing(Context& ctx, LogEntry& entry) {
  const auto it = ctx.shared.find(entry.id);
  if (it == ctx.shared.end()) return;
  SharedLog shared = std::move(it->second);
  ctx.shared.erase(it);
  entry.asked = kNoSlot;
  for (LogPart& part : shared.parts)
    take_part_away(ctx, entry.id, part, true);
  for (const auto& [seq, staged] : shared.staged)
    drop_staged(ctx, staged);
}

}  // namespace ebb::mesh
