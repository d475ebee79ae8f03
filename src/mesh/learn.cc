#include "mesh/learn.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <utility>
#include <vector>

#include "mesh/audit.h"
#include "mesh/learnt.h"
#include "mesh/log_cut.h"
#include "mesh/reconcile.h"
#include "mesh/scope.h"
#include "mesh/sync_answer.h"
#include "mesh/want.h"
#include "trust/chain.h"
#include "trust/segment_verify.h"

namespace ebb::mesh {
namespace {

constexpr std::uint64_t kFewLogs = 64;         // their list is shorter than a few rounds of ranges
constexpr std::size_t kQuestionsInFlight = 4;  // about ranges
constexpr std::size_t kSecondLevel = IdPrefix::kChildren * IdPrefix::kChildren;
constexpr std::size_t kSecondDepth = 2;

// Counts what was told. False after a fault.
template <class Heads>
bool count_heads(Context& ctx, Link& link, const Heads& heads) {
  const bool zero =
      std::any_of(heads.begin(), heads.end(), [](const auto& head) { return head.seq == 0; });
  link.exchange.heads_compared += heads.size();
  if (zero) fault(ctx, link, "malformed_list");
  // No node tells more than it may know of, and each head at most twice: by cut, and whole.
  if (link.exchange.heads_compared > 2 * limits::kKnownLogs) fault(ctx, link, "endless_list");
  return !link.closed;
}

// ---- asking

void note_asked(Context& ctx, Link& link) {
  ++link.exchange.rounds;
  ++link.exchange.answers_due;
  link.last_progress = ctx.now;
  wait_for_audit(ctx, link);
}

void ask_for_list(Context& ctx, Link& link) {
  note_asked(ctx, link);
  link.exchange.kind = "list";
  link.exchange.learning = Learning::kList;
  send(ctx, link, codec::SyncListReq{link.exchange.list_after}, sync_priority(link));
}

void ask_for_ranges(Context& ctx, Link& link) {
  Exchange& ex = link.exchange;
  while (!ex.ranges.empty() && ex.questions.size() < kQuestionsInFlight) {
    std::set<IdPrefix> question;
    while (!ex.ranges.empty() && question.size() < limits::kRangesAsked) {
      question.insert(ex.ranges.front());
      ex.ranges.pop_front();
    }
    codec::SyncRangesReq request;
    for (const IdPrefix& prefix : question)
      request.ranges.push_back(range_of(ctx, link, prefix));
    ex.questions.push_back(std::move(question));
    note_asked(ctx, link);
    send(ctx, link, request, sync_priority(link));
  }
}

void ask_for_cuts(Context& ctx, Link& link) {
  Exchange& ex = link.exchange;
  codec::SyncCutsReq request;
  request.cuts.assign(ex.cuts.begin(), ex.cuts.end());
  ex.asked_cuts.merge(ex.cuts);
  ex.cuts.clear();
  if (request.cuts.empty()) return;
  note_asked(ctx, link);
  send(ctx, link, request, sync_priority(link));
}

void ask_for_disputed(Context& ctx, Link& link) {
  Exchange& ex = link.exchange;
  codec::SyncHeadsReq request;
  while (!ex.disputed.empty() && request.logs.size() < ctx.config.tuning.heads_per_message) {
    const LogId log = *ex.disputed.begin();
    request.logs.push_back(log);
    ex.asked_heads.insert(log);
    ex.disputed.erase(ex.disputed.begin());
  }
  if (request.logs.empty()) return;
  note_asked(ctx, link);
  send(ctx, link, request, sync_priority(link));
}

// An answer was taken in: asks on, or has learnt all.
void go_on(Context& ctx, Link& link) {
  if (link.closed) return;
  Exchange& ex = link.exchange;
  if (ex.learning == Learning::kRanges) ask_for_ranges(ctx, link);
  ask_for_cuts(ctx, link);
  ask_for_disputed(ctx, link);
  if (ex.answers_due > 0 || !link.settled) return;
  // What the peer can neither name nor prove we cannot ask for.
  if (!ex.asked_cuts.empty() || !ex.asked_heads.empty()) leave_out(link);
  if (ex.auditing) {
    ex.auditing = false;
    end_audit(ctx, link);
    return;
  }
  ex.list_done = true;
  ex.known_before = ctx.heads.events_known();
  check_done(ctx, link);
}

// Without a cursor.
void learn_all(Context& ctx, Link& link) {
  Exchange& ex = link.exchange;
  const std::uint64_t mine = link.mine.count;
  const std::uint64_t theirs = link.theirs.count;
  if (theirs == 0) {
    ex.kind = "list";
    ex.learning = Learning::kNothing;
    go_on(ctx, link);
    return;
  }
  // Who lacks more than half lacks something in nearly every range.
  if (theirs <= kFewLogs || mine < theirs / 2) {
    ask_for_list(ctx, link);
    return;
  }
  ex.kind = "ranges";
  ex.learning = Learning::kRanges;
  ex.ranges.emplace_back();
  ask_for_ranges(ctx, link);
}

// Both cursors say that there is nothing new, and still the roots differ: one of them lies.
bool cursors_fail(const Link& link) {
  const auto all_told = [](const codec::Cursor& cursor, const codec::Hello& of) {
    return is_current(cursor, of) && cursor.arrival == of.arrival_head;
  };
  return all_told(link.mine.cursor, link.theirs) && all_told(link.theirs.cursor, link.mine);
}

// False after a fault.
bool expect(Context& ctx, Link& link, bool expected) {
  const bool running = link.exchange.active || link.exchange.auditing;
  const bool owed = running && link.exchange.answers_due > 0;
  if (owed && expected) {
    --link.exchange.answers_due;
    link.last_progress = ctx.now;
    wait_for_audit(ctx, link);
    return true;
  }
  fault(ctx, link, "out_of_order", "sync_resp");
  return false;
}

void note_covered(Link& link, Arrival covered) {
  link.exchange.covered = std::min(link.exchange.covered, covered);
}

// ---- the list

// A page goes on where the last one ended. False after a fault.
bool check_page(Context& ctx, Link& link, const codec::SyncList& list) {
  LogId last = link.exchange.list_after;
  for (const codec::ListedHead& head : list.heads) {
    if (head.log <= last) {
      fault(ctx, link, "malformed_list");
      return false;
    }
    last = head.log;
  }
  if (list.more && list.heads.empty()) {
    fault(ctx, link, "endless_list");
    return false;
  }
  link.exchange.list_after = last;
  return true;
}

void take_page(Context& ctx, Link& link, const codec::SyncList& list) {
  if (!check_page(ctx, link, list)) return;
  for (const codec::ListedHead& head : list.heads)
    take_listed(ctx, link, head);
  if (list.more) ask_for_list(ctx, link);
  go_on(ctx, link);
}

// The whole heads of cuts that named no log here.
void take_named(Context& ctx, Link& link, const codec::SyncList& list) {
  Exchange& ex = link.exchange;
  for (const codec::ListedHead& head : list.heads) {
    if (ex.asked_cuts.erase(cut_of(ex.id, head.log)) == 0) {
      fault(ctx, link, "malformed_list");
      return;
    }
    take_listed(ctx, link, head);
  }
  go_on(ctx, link);
}

// ---- ranges

// The children of a finer range that differ from ours.
void take_range(Context& ctx, Link& link, const codec::SyncRange& theirs) {
  const codec::SyncRange mine = range_of(ctx, link, theirs.prefix);
  for (std::size_t digit = 0; digit < IdPrefix::kChildren; ++digit) {
    const bool differs = theirs.children[digit] != mine.children[digit];
    if (!differs || theirs.children[digit].is_zero()) continue;
    const IdPrefix child = theirs.prefix.child(digit);
    if (child.depth == IdPrefix::kDepthMax) {
      leave_out(link);  // nothing is finer than one id
      continue;
    }
    link.exchange.ranges.push_back(child);
  }
}

// Finer ranges lie directly below those that this question was about, each once and in order, so
// that no range is ever gone through twice; none of those that wait is empty at the peer, so they
// are no more than its logs. False after a fault.
bool check_ranges(Context& ctx, Link& link, const codec::SyncRanges& answer,
                  const std::set<IdPrefix>& question) {
  Exchange& ex = link.exchange;
  const IdPrefix* before = nullptr;
  for (const codec::SyncRange& range : answer.ranges) {
    const bool below = range.prefix.depth > 0 && question.contains(range.prefix.parent());
    // That of an audit's question comes back itself.
    const bool itself = ex.auditing && ex.rounds == 1 && question.contains(range.prefix);
    const bool ascends = before == nullptr || *before < range.prefix;
    if (!ascends || !(below || itself)) {
      fault(ctx, link, "malformed_list");
      return false;
    }
    before = &range.prefix;
  }
  ex.ranges_compared += answer.ranges.size();
  const bool endless =
      ex.ranges.size() > limits::kKnownLogs || ex.ranges_compared > limits::kKnownLogs;
  if (endless) fault(ctx, link, "endless_list");
  return !endless;
}

bool nearly_all_differs(const Exchange& ex) {
  const auto second = std::count_if(ex.ranges.begin(), ex.ranges.end(), [](const IdPrefix& range) {
    return range.depth == kSecondDepth;
  });
  return static_cast<std::size_t>(second) > kSecondLevel / 2;
}

}  // namespace

void choose_learning(Link& link) {
  Exchange& ex = link.exchange;
  const bool by_cursor = is_current(link.mine.cursor, link.theirs) && !cursors_fail(link);
  if (!by_cursor) return;
  ex.learning = Learning::kChanges;
  ex.kind = "cursor";
  ex.answers_due = 1;
}

void begin_learning(Context& ctx, Link& link) {
  Exchange& ex = link.exchange;
  ex.list_asked = true;
  link.last_progress = ctx.now;
  if (is_current(link.theirs.cursor, link.mine) && !cursors_fail(link)) send_changes(ctx, link);
  if (ex.learning == Learning::kChanges) {
    ++ex.rounds;
    go_on(ctx, link);
  } else if (ex.learning == Learning::kUnknown) {
    learn_all(ctx, link);
  }
}

void begin_audit(Context& ctx, Link& link, const IdPrefix& prefix) {
  const ReconciliationId id = link.exchange.id;
  link.exchange = {};
  Exchange& ex = link.exchange;
  ex.id = id;
  ex.auditing = true;
  ex.learning = Learning::kRanges;
  ex.questions.push_back({prefix});
  note_asked(ctx, link);
  const Fingerprint mine = range_fingerprint(common_sum(ctx, link, prefix));
  send(ctx, link, codec::SyncAuditReq{prefix, mine}, sync_priority(link));
}

void on_sync_resp(Context& ctx, Link& link, const codec::SyncList& list) {
  const Exchange& ex = link.exchange;
  const bool named = ex.learning == Learning::kChanges && !ex.asked_cuts.empty();
  if (!expect(ctx, link, named || ex.learning == Learning::kList)) return;
  if (!count_heads(ctx, link, list.heads)) return;
  note_covered(link, list.covered);
  if (named) {
    take_named(ctx, link, list);
  } else {
    take_page(ctx, link, list);
  }
}

void on_sync_resp(Context& ctx, Link& link, const codec::SyncRanges& answer) {
  Exchange& ex = link.exchange;
  if (!expect(ctx, link, !ex.questions.empty())) return;
  const std::set<IdPrefix> question = std::move(ex.questions.front());
  ex.questions.pop_front();
  if (!count_heads(ctx, link, answer.heads) || !check_ranges(ctx, link, answer, question)) return;
  note_covered(link, answer.covered);
  const bool first = question.contains(IdPrefix{});
  for (const codec::SyncRange& range : answer.ranges)
    take_range(ctx, link, range);
  for (const codec::ListedHead& head : answer.heads)
    take_listed(ctx, link, head);
  if (first && nearly_all_differs(ex)) {
    ex.ranges.clear();
    ask_for_list(ctx, link);
  }
  go_on(ctx, link);
}

void on_sync_resp(Context& ctx, Link& link, const codec::SyncChanges& changes) {
  Exchange& ex = link.exchange;
  const bool expected = ex.learning == Learning::kChanges && !ex.changes_done;
  if (!expect(ctx, link, expected)) return;
  note_covered(link, changes.covered);
  ex.changes_done = !changes.more;
  if (changes.too_many) {
    ex.learning = Learning::kUnknown;
    if (link.settled) learn_all(ctx, link);
    return;
  }
  if (!count_heads(ctx, link, changes.heads) || !count_heads(ctx, link, changes.whole)) return;
  if (changes.more) {
    ++ex.answers_due;
    if (changes.heads.empty() && changes.whole.empty()) {
      fault(ctx, link, "endless_list");
      return;
    }
  }
  for (const codec::CutHead& head : changes.heads)
    take_cut(ctx, link, head);
  for (const codec::ListedHead& head : changes.whole)
    take_listed(ctx, link, head);
  go_on(ctx, link);
}

void on_sync_resp(Context& ctx, Link& link, const codec::SyncHeads& answer) {
  Exchange& ex = link.exchange;
  if (!expect(ctx, link, !ex.asked_heads.empty())) return;
  for (const codec::SignedHead& head : answer.heads) {
    const LogId log = trust::log_id(head.key);
    const Bytes signed_bytes = trust::head_bytes({log, head.seq, head.hlc, head.chain});
    const bool genuine = ex.asked_heads.erase(log) > 0 &&
                         signatures(ctx).holds(head.key.device, signed_bytes, head.signature);
    if (!genuine) {
      fault(ctx, link, "bad_signature", "head in sync_resp");
      return;
    }
    judge_disputed(ctx, link, log, {head.seq, head.chain});
  }
  go_on(ctx, link);
}

}  // namespace ebb::mesh
