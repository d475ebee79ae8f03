#include "mesh/sync_answer.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <utility>
#include <variant>

#include "core/planted.h"
#include "mesh/epoch.h"
#include "mesh/log_cut.h"
#include "mesh/scope.h"

namespace ebb::mesh {
namespace {

codec::ListedHead listed(const LogEntry& entry) {
  return {entry.id, entry.held.seq, chain_prefix(entry.held.chain)};
}

bool may_list(const Context& ctx, const Link& link, const LogEntry& entry) {
  return entry.held.seq > 0 && may_publish(ctx, link, entry.key);
}

// What a peer has that stores all we tell it now: as much as our HELLO named, but nothing from
// where we held something back.
Arrival covered(Context& ctx, const Link& link) {
  Arrival upto = link.mine.arrival_head;
  for (const LogEntry* entry : ctx.heads.of_device(ctx.config.self)) {
    if (!in_both_scopes(link, entry->key)) continue;
    const bool held_back = entry->held.seq > 0 && !may_publish(ctx, link, entry->key);
    if (held_back && entry->arrival > 0) upto = std::min(upto, entry->arrival - 1);
  }
  return upto;
}

// Since we last were in sync with it, it has received next to nothing: what changed here is news
// to it, whatever the number.
bool was_mostly_offline(const Link& link) {
  if (!is_current(link.mine.cursor, link.theirs)) return false;
  return link.theirs.arrival_head - link.mine.cursor.arrival <= limits::kChangesListed / 4;
}

bool changes_exceed(const Context& ctx, const Link& link, Arrival since, std::size_t bound) {
  const auto& by_arrival = ctx.heads.by_arrival();
  std::size_t changes = 0;
  for (auto it = by_arrival.upper_bound(since); it != by_arrival.end(); ++it) {
    const LogEntry* entry = link.view == nullptr ? nullptr : ctx.heads.find(it->second);
    const bool counts =
        link.view == nullptr || (entry != nullptr && in_both_scopes(link, entry->key));
    if (counts && ++changes > bound) return true;
  }
  return false;
}

void add_change(Context& ctx, const Link& link, const LogEntry& entry,
                codec::SyncChanges& changes) {
  const codec::LogCut cut = cut_of(link.exchange.id, entry.id);
  if (find_cut(ctx.heads, link.exchange.id, cut) != &entry) {
    changes.whole.push_back(listed(entry));
    return;
  }
  codec::CutHead head{cut, entry.held.seq, {}};
  std::memcpy(head.chain.data.data(), entry.held.chain.data.data(), codec::ChainCut::kSize);
  changes.heads.push_back(head);
}

// The heads below a prefix, as far as they may be told.
void list_below(const Context& ctx, const Link& link, const IdPrefix& prefix,
                std::vector<codec::ListedHead>& heads) {
  const auto add = [&](const LogEntry& entry) {
    if (may_list(ctx, link, entry)) heads.push_back(listed(entry));
  };
  if (link.view != nullptr) {
    for (const LogId& log : link.view->list(prefix.first, prefix.last(), limits::kKnownLogs))
      add(*ctx.heads.find(log));
    return;
  }
  const auto end = ctx.heads.entries_end();
  for (auto it = ctx.heads.entries_from(prefix.first); it != end && prefix.covers(it->first); ++it)
    add(it->second);
}

void compare_range(const Context& ctx, const Link& link, const codec::SyncRange& theirs,
                   codec::SyncRanges& answer) {
  for (std::size_t digit = 0; digit < IdPrefix::kChildren; ++digit) {
    const IdPrefix child = theirs.prefix.child(digit);
    const trust::FingerprintSum sum = common_sum(ctx, link, child);
    if (sum.count() == 0 || range_fingerprint(sum) == theirs.children[digit]) continue;
    // A peer that has nothing there lacks all of it, so finer ranges would tell it nothing.
    const bool few = sum.count() <= limits::kRangeListHeads || theirs.children[digit].is_zero();
    const bool fits = answer.heads.size() + sum.count() <= ctx.config.tuning.heads_per_message;
    if ((few && fits) || child.depth == IdPrefix::kDepthMax) {
      list_below(ctx, link, child, answer.heads);
    } else {
      answer.ranges.push_back(range_of(ctx, link, child));
    }
  }
}

// Ascending, and none within another, so that no head is gone through twice for one question.
bool are_disjoint(const std::vector<codec::SyncRange>& ranges) {
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i].prefix.first <= ranges[i - 1].prefix.last()) return false;
  }
  return true;
}

// Takes the work of a question from what the link may still ask for now. False after a fault.
bool spend_ranges(Context& ctx, Link& link, std::size_t ranges) {
  const auto us = static_cast<std::uint64_t>((ctx.now - link.ranges_counted).us);
  const std::uint64_t regained = us / 1000 * limits::kRangesPerSecond / 1000;
  if (regained > 0) {
    link.ranges_answered -= std::min(link.ranges_answered, regained);
    link.ranges_counted = ctx.now;
  }
  link.ranges_answered += ranges;
  if (link.ranges_answered <= limits::kRangesAnswered) return true;
  fault(ctx, link, "too_many_ranges");
  return false;
}

}  // namespace

codec::Priority sync_priority(const Link& link) {
  return link.phase == Phase::kLive ? codec::Priority::kBulk : codec::Priority::kControl;
}

bool is_current(const codec::Cursor& cursor, const codec::Hello& of) {
  return cursor.epoch == of.epoch && cursor.arrival > 0 && cursor.arrival <= of.arrival_head;
}

codec::ChainPrefix chain_prefix(const Hash& chain) {
  codec::ChainPrefix prefix;
  std::memcpy(prefix.data.data(), chain.data.data(), codec::ChainPrefix::kSize);
  return prefix;
}

Fingerprint range_fingerprint(const trust::FingerprintSum& sum) {
  return sum.count() == 0 ? Fingerprint{} : sum.fingerprint();
}

codec::SyncRange range_of(const Context& ctx, const Link& link, const IdPrefix& prefix) {
  codec::SyncRange range;
  range.prefix = prefix;
  for (std::size_t digit = 0; digit < IdPrefix::kChildren; ++digit)
    range.children[digit] = range_fingerprint(common_sum(ctx, link, prefix.child(digit)));
  return range;
}

void send_changes(Context& ctx, Link& link) {
  codec::SyncChanges changes;
  changes.covered = covered(ctx, link);
  const Arrival since = link.theirs.cursor.arrival;
  // Of a store that was set back the peer's cursor may name arrivals that are other events now.
  const bool set_back = !epoch_counts(ctx) || link.mine.epoch != ctx.config.epoch;
  const bool too_many =
      changes_exceed(ctx, link, since, limits::kChangesListed) && !was_mostly_offline(link);
  if (set_back || too_many) {
    changes.too_many = true;
    send(ctx, link, changes);
    return;
  }
  const auto& by_arrival = ctx.heads.by_arrival();
  for (auto it = by_arrival.upper_bound(since); it != by_arrival.end(); ++it) {
    const LogEntry* entry = ctx.heads.find(it->second);
    if (entry == nullptr || !may_list(ctx, link, *entry)) continue;
    if (changes.heads.size() + changes.whole.size() == ctx.config.tuning.heads_per_message) {
      changes.more = true;
      send(ctx, link, changes);
      changes.heads.clear();
      changes.whole.clear();
      changes.more = false;
    }
    add_change(ctx, link, *entry, changes);
  }
  send(ctx, link, changes);
}

void answer_waiting(Context& ctx, Link& link) {
  if (!link.waiting_request) return;
  const codec::Message request = *std::exchange(link.waiting_request, std::nullopt);
  if (const auto* list = std::get_if<codec::SyncListReq>(&request)) on_sync_req(ctx, link, *list);
  if (const auto* ranges = std::get_if<codec::SyncRangesReq>(&request)) {
    on_sync_req(ctx, link, *ranges);
  }
  if (const auto* audit = std::get_if<codec::SyncAuditReq>(&request)) {
    on_sync_req(ctx, link, *audit);
  }
}

void on_sync_req(Context& ctx, Link& link, const codec::SyncListReq& request) {
  if (!link.settled) {
    link.waiting_request = request;
    return;
  }
  codec::SyncList list;
  list.covered = covered(ctx, link);
  const auto end = ctx.heads.entries_end();
  for (auto it = ctx.heads.entries_after(request.after); it != end; ++it) {
    if (!may_list(ctx, link, it->second)) continue;
    if (list.heads.size() == ctx.config.tuning.heads_per_message) {
      list.more = true;
      break;
    }
    list.heads.push_back(listed(it->second));
  }
  if (planted(Bug::kDropLastOfPage) && !list.heads.empty()) list.heads.pop_back();
  send(ctx, link, list, sync_priority(link));
}

void on_sync_req(Context& ctx, Link& link, const codec::SyncRangesReq& request) {
  if (request.ranges.size() > limits::kRangesAsked) {
    fault(ctx, link, "too_many_ranges");
    return;
  }
  if (!are_disjoint(request.ranges)) {
    fault(ctx, link, "malformed_ranges");
    return;
  }
  if (!link.settled) {
    link.waiting_request = request;
    return;
  }
  if (!spend_ranges(ctx, link, request.ranges.size())) return;
  codec::SyncRanges answer;
  answer.covered = covered(ctx, link);
  for (const codec::SyncRange& range : request.ranges)
    compare_range(ctx, link, range, answer);
  send(ctx, link, answer, sync_priority(link));
}

void on_sync_req(Context& ctx, Link& link, const codec::SyncCutsReq& request) {
  if (!link.settled) {
    fault(ctx, link, "out_of_order", "sync_req");
    return;
  }
  // A cut that is ambiguous here is never sent, so one that finds no log is not ours.
  std::set<LogId> logs;
  for (const codec::LogCut& cut : request.cuts) {
    const LogEntry* entry = find_cut(ctx.heads, link.exchange.id, cut);
    if (entry != nullptr && may_list(ctx, link, *entry)) logs.insert(entry->id);
  }
  codec::SyncList list;
  list.covered = covered(ctx, link);
  for (const LogId& log : logs)
    list.heads.push_back(listed(*ctx.heads.find(log)));
  send(ctx, link, list, sync_priority(link));
}

void on_sync_req(Context& ctx, Link& link, const codec::SyncHeadsReq& request) {
  if (!link.settled) {
    fault(ctx, link, "out_of_order", "sync_req");
    return;
  }
  codec::SyncHeads answer;
  for (const LogId& log : request.logs) {
    const LogEntry* entry = ctx.heads.find(log);
    // At a cap no signature ends.
    if (entry == nullptr || entry->capped || !may_list(ctx, link, *entry)) continue;
    answer.heads.push_back(
        {entry->key, entry->held.seq, entry->hlc, entry->held.chain, entry->signature});
  }
  send(ctx, link, answer, sync_priority(link));
}

void on_sync_req(Context& ctx, Link& link, const codec::SyncAuditReq& request) {
  // A peer that had the same when the link began is live at once, while we may still be shown what
  // it has of our logs.
  if (!link.settled) {
    link.waiting_request = request;
    return;
  }
  codec::SyncRanges answer;
  answer.covered = covered(ctx, link);
  const trust::FingerprintSum sum = common_sum(ctx, link, request.prefix);
  const bool differs = range_fingerprint(sum) != request.fingerprint;
  if (differs && sum.count() > 0) answer.ranges.push_back(range_of(ctx, link, request.prefix));
  send(ctx, link, answer, sync_priority(link));
}

}  // namespace ebb::mesh
