#include "mesh/greeting.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/planted.h"
#include "mesh/admission.h"
#include "mesh/covered.h"
#include "mesh/datagrams.h"
#include "mesh/dialer.h"
#include "mesh/epoch.h"
#include "mesh/learnt.h"
#include "mesh/newcomers.h"
#include "mesh/outbox.h"
#include "mesh/overlay.h"
#include "mesh/own_heads.h"
#include "mesh/peers.h"
#include "mesh/receive.h"
#include "mesh/reconcile.h"
#include "mesh/scope.h"
#include "mesh/sync_answer.h"

namespace ebb::mesh {
namespace {

constexpr std::size_t kHellosToSelf = 16;  // remembered

ReconciliationId random_id(Rng& rng) {
  Bytes bytes;
  append_be64(bytes, rng.next());
  append_be64(bytes, rng.next() | 1);  // never zero, which means live
  return ReconciliationId::from(bytes).value_or(ReconciliationId{});
}

// How many of our heads changed since the cursor that the peer told last; all, when it told none.
std::uint64_t changes_since_told(const Context& ctx, const DeviceId& peer) {
  const auto told = ctx.told_cursors.find(peer);
  if (told == ctx.told_cursors.end()) return ctx.heads.root().count();
  const auto& by_arrival = ctx.heads.by_arrival();
  std::uint64_t changes = 0;
  for (auto it = by_arrival.upper_bound(told->second); it != by_arrival.end(); ++it) {
    if (++changes > limits::kChangesListed) return ctx.heads.root().count();
  }
  return changes;
}

void note_told_cursor(Context& ctx, const Link& link) {
  const codec::Cursor& cursor = link.theirs.cursor;
  const bool room =
      ctx.told_cursors.contains(*link.peer) || ctx.told_cursors.size() < limits::kStoredPeers;
  if (is_current(cursor, link.mine) && room) ctx.told_cursors[*link.peer] = cursor.arrival;
}

// What no later dial will change, unless somebody changes one of the nodes.
std::string_view lasting_refusal(codec::ByeCode code) {
  if (code == codec::ByeCode::kOtherMesh) return "another mesh";
  if (code == codec::ByeCode::kNoCommonVersion) return "no common wire version";
  return {};
}

void refuse(Context& ctx, Link& link, codec::ByeCode code, const std::string& text) {
  link.refusal = lasting_refusal(code);
  say_bye(ctx, link, code, text);
  notice(ctx, link, NoticeKind::kRefused, text);
  link.misbehaved = true;
  if (link.hello_received) refuse_exchange(ctx, link);
  close_link(ctx, link, text);
}

// False when the peer was refused.
bool check_hello(Context& ctx, Link& link, const codec::Hello& hello) {
  if (hello.reconciliation.is_zero() || hello.wire_min > hello.wire_max) {
    fault(ctx, link, "malformed_hello");
    return false;
  }
  if (hello.mesh != ctx.config.mesh) {
    refuse(ctx, link, codec::ByeCode::kOtherMesh,
           "another mesh: " + to_hex(hello.mesh.view()) + ", ours is " +
               to_hex(ctx.config.mesh.view()));
    return false;
  }
  if (hello.wire_min > codec::kWireVersion || hello.wire_max < codec::kWireVersion) {
    refuse(ctx, link, codec::ByeCode::kNoCommonVersion,
           "no common wire version: theirs " + std::to_string(hello.wire_min) + " to " +
               std::to_string(hello.wire_max) + ", ours " + std::to_string(codec::kWireVersion));
    return false;
  }
  return true;
}

void close_duplicate(Context& ctx, Link& link) {
  // No row: the other link of the pair tells the story.
  link.exchange.active = false;
  say_bye(ctx, link, codec::ByeCode::kDuplicateLink, "another link of this pair stays");
  close_link(ctx, link, "duplicate link");
}

// True when `link` is the one that stays. Both ends come to the same answer: the link dialled by
// the smaller device key, and of two from the same dialler the newer one, because the dialler
// knows that the older is gone.
bool resolve_duplicate(Context& ctx, Link& link) {
  Link* older = link_of_device(ctx, *link.peer);
  if (older == nullptr) return true;
  const bool mine_is_smaller = ctx.config.self < *link.peer;
  const bool stays = older->dialled == link.dialled || link.dialled == mine_is_smaller;
  close_duplicate(ctx, stays ? *older : link);
  return stays;
}

void close_own_key(Context& ctx, Link& link) {
  say_bye(ctx, link, codec::ByeCode::kSelf, "this is the same device");
  close_link(ctx, link, "the same device");
}

// The key at the other end is ours. Where that end is a link of this very node it is known by what
// it has said; else there are two nodes with one key.
void meet_own_key(Context& ctx, Link& link) {
  for (Link& other : ctx.links) {
    const bool other_end = other.id != link.id && !other.closed && other.peer == ctx.config.self &&
                           other.mine.reconciliation == link.theirs.reconciliation;
    if (!other_end) continue;
    dialer_found_self(ctx, link);
    dialer_found_self(ctx, other);
    close_own_key(ctx, link);
    close_own_key(ctx, other);
    return;
  }
  // Whoever passes it on may have closed the other end before.
  const auto& said = ctx.hellos_to_self;
  if (std::find(said.begin(), said.end(), link.theirs.reconciliation) != said.end()) {
    dialer_found_self(ctx, link);
    close_own_key(ctx, link);
    return;
  }
  link.copied = true;
  link.misbehaved = true;
  link.refusal = "the same device key answers there (a copied directory?)";
  notice(ctx, link, NoticeKind::kRefused, link.remote + ": " + std::string(link.refusal));
  close_own_key(ctx, link);
}

bool take_slot(Context& ctx, Link& link) {
  for (std::size_t i = 0; i < ctx.slots.size(); ++i) {
    if (ctx.slots[i] != nullptr) continue;
    ctx.slots.set(i, &link);
    link.slot = static_cast<int>(i);
    ctx.dials_changed = true;
    return true;
  }
  return false;
}

// Of our logs those that the peer takes part in, where these are not all.
trust::FingerprintSum own_in_scope(Context& ctx, const Link& link) {
  trust::FingerprintSum sum;
  for (const LogEntry* entry : ctx.heads.of_device(ctx.config.self)) {
    if (in_both_scopes(link, entry->key)) sum.add(entry->id, entry->held);
  }
  return sum;
}

void settle(Context& ctx, Link& link) {
  link.own_judged = true;
  settle_when_known(ctx, link);
}

// Judges one head of ours as the peer holds it. False after a fault.
bool judge_head(Context& ctx, Link& link, const codec::SignedHead& head) {
  const LogId log = trust::log_id(head.key);
  const Bytes signed_bytes = trust::head_bytes({log, head.seq, head.hlc, head.chain});
  if (head.key.device != ctx.config.self || head.seq == 0 ||
      (!signatures(ctx).holds(head.key.device, signed_bytes, head.signature) &&
       !planted(Bug::kTrustYourLogs))) {
    fault(ctx, link, "bad_signature", "head in your_logs");
    return false;
  }
  if (link.last_of_ours && log <= *link.last_of_ours) {
    fault(ctx, link, "malformed_list", "your_logs");
    return false;
  }
  link.last_of_ours = log;
  judge_own_incarnation(ctx, link, head.key, head.seq);
  LogEntry* entry = ctx.heads.find_or_add(log);
  if (entry == nullptr) {  // the table is full
    leave_out(link);
    if (head.key.incarnation == ctx.config.incarnation) {
      rollback_found(ctx, link, dot_text({log, head.seq}));
    }
    return true;
  }
  entry->set_key(head.key);
  if (head.seq > entry->held.seq) take_own(ctx, link, entry, head.seq);
  // Logs of incarnations that have ended are fetched back like any other.
  if (head.key.incarnation != ctx.config.incarnation) return true;
  judge_own_position(ctx, link, *entry, {head.seq, head.chain});
  return true;
}

}  // namespace

void send_hello(Context& ctx, Link& link) {
  expect_scope(ctx, link);
  const trust::FingerprintSum root = common_root(ctx, link);
  link.have_cursor = ctx.arrival_head;
  link.hello_sent = ctx.now;
  codec::Hello& hello = link.mine;
  hello.mesh = ctx.config.mesh;
  hello.wire_max = ctx.config.tuning.wire_version;
  hello.fold_version = ctx.config.fold_version;
  hello.features = overlay_features(ctx, link);
  hello.epoch = ctx.config.epoch;
  hello.arrival_head = ctx.arrival_head;
  if (planted(Bug::kArrivalBeforeCommit)) hello.arrival_head += ctx.commits.size();
  const auto cursor = ctx.cursors.find(*link.peer);
  if (cursor != ctx.cursors.end()) hello.cursor = cursor->second.cursor;
  hello.changes_since = changes_since_told(ctx, *link.peer);
  hello.my_scope = ctx.scope_hash;
  hello.your_scope = scope_hash_of(ctx, *link.peer);
  hello.root = root.fingerprint();
  hello.count = root.count();
  if (!ctx.config.clock_suspect) hello.wall = ctx.wall;
  const bool metered = ctx.config.metered || ctx.budget.is_metered(link.link_class);
  hello.budget_class = metered ? codec::kBudgetMetered : 0;
  hello.reconciliation = random_id(ctx.rng);
  if (link.peer == ctx.config.self) {
    ctx.hellos_to_self.push_back(hello.reconciliation);
    if (ctx.hellos_to_self.size() > kHellosToSelf) ctx.hellos_to_self.pop_front();
  }
  send(ctx, link, hello);
}

void settle_when_judged(Context& ctx, Link& link) {
  if (link.heads_told && own_positions_judged(link)) settle(ctx, link);
}

void on_established(Context& ctx, Link& link) {
  link.peer = link.channel->peer()->device;
  link.phase = Phase::kGreeting;
  if (!take_newcomer(ctx, link)) return;
  if (begin_admission(ctx, link)) send_hello(ctx, link);
}

void on_hello(Context& ctx, Link& link, const codec::Hello& hello) {
  if (link.hello_received || !may_greet(link)) {
    fault(ctx, link, "out_of_order", "hello");
    return;
  }
  link.hello_received = true;
  link.hello_came = ctx.now;
  link.theirs = hello;
  if (!check_hello(ctx, link, hello)) return;
  if (link.peer == ctx.config.self) return meet_own_key(ctx, link);
  adopt_session(ctx, link);
  if (!resolve_duplicate(ctx, link)) return;
  if (!take_slot(ctx, link)) {
    refuse(ctx, link, codec::ByeCode::kTooManyLinks, "too many links");
    return;
  }
  overlay_joined(ctx, link);
  note_told_cursor(ctx, link);
  judge_told_cursor(ctx, link);
  greet_cursor(ctx, link);
  greet_scope(ctx, link);
  begin_exchange(ctx, link);
  const trust::FingerprintSum sum = ctx.heads.device_sum(*link.peer);
  send(ctx, link, codec::YourLogsSummary{sum.fingerprint(), sum.count()});
  send_later(ctx, link);
  notice(ctx, link, NoticeKind::kLinkEstablished, link.remote);
  meet_peer(ctx, link);
}

void on_your_logs(Context& ctx, Link& link, const codec::YourLogsSummary& summary) {
  if (link.own_judged || link.asked_for_ours) {
    fault(ctx, link, "out_of_order", "your_logs");
    return;
  }
  // The summary answers our HELLO, so it shows the round trip without a message of its own.
  const Duration trip = ctx.now - link.hello_sent;
  note_round_trip(link, trip);
  const Duration age = ctx.now - link.hello_came + trip / 2;
  ctx.peer_clocks.hear(*link.peer, link.theirs.wall, age, ctx.now);
  ctx.peer_clocks.link_stands(*link.peer);
  const auto is_all = [&summary](const trust::FingerprintSum& mine) {
    return summary.fingerprint == mine.fingerprint() && summary.count == mine.count();
  };
  const bool equal = is_all(ctx.heads.device_sum(ctx.config.self)) ||
                     (link.view != nullptr && is_all(own_in_scope(ctx, link)));
  // Who holds nothing of ours cannot show anything that we lack.
  if (equal || summary.count == 0) {
    settle(ctx, link);
    return;
  }
  link.asked_for_ours = true;
  send(ctx, link, codec::YourLogsAsk{});
}

void on_your_logs(Context& ctx, Link& link, const codec::YourLogsAsk&) {
  if (std::exchange(link.answered_ask, true)) {
    fault(ctx, link, "out_of_order", "your_logs");
    return;
  }
  const std::vector<LogEntry*> logs = ctx.heads.of_device(*link.peer);
  codec::YourLogsHeads page;
  for (const LogEntry* entry : logs) {
    // At a cap no signature ends, so it shows nothing. In the summary it counts: where its author
    // is capped there as well, both have the same.
    if (entry->held.seq == 0 || entry->capped) continue;
    if (page.heads.size() == ctx.config.tuning.heads_per_message) {
      page.more = true;
      send(ctx, link, page);
      page = {};
    }
    page.heads.push_back(
        {entry->key, entry->held.seq, entry->hlc, entry->held.chain, entry->signature});
  }
  send(ctx, link, page);
}

void on_your_logs(Context& ctx, Link& link, const codec::YourLogsHeads& heads) {
  if (link.own_judged || link.heads_told || !link.asked_for_ours) {
    fault(ctx, link, "out_of_order", "your_logs");
    return;
  }
  link.heads_of_ours += heads.heads.size();
  if (link.heads_of_ours > limits::kKnownLogs || (heads.more && heads.heads.empty())) {
    fault(ctx, link, "endless_list");
    return;
  }
  for (const codec::SignedHead& head : heads.heads) {
    if (!judge_head(ctx, link, head)) return;
  }
  link.heads_told = !heads.more;
  settle_when_judged(ctx, link);
}

void on_bye(Context& ctx, Link& link, const codec::Bye& bye) {
  switch (bye.code) {
    case codec::ByeCode::kOtherMesh:
    case codec::ByeCode::kNoCommonVersion:
    case codec::ByeCode::kTooManyLinks:
      notice(ctx, link, NoticeKind::kRefused, bye.text);
      link.refusal = lasting_refusal(bye.code);
      link.misbehaved = true;
      break;
    case codec::ByeCode::kDuplicateLink:
      link.exchange.active = false;
      break;
    case codec::ByeCode::kProtocolError:
      link.misbehaved = true;
      break;
    case codec::ByeCode::kOverlayFull:
      link.turned_away = true;
      break;
    case codec::ByeCode::kNotAdmitted:
      notice(ctx, link, NoticeKind::kNotAdmitted, "not admitted there: " + bye.text);
      link.refusal = "does not admit this device";
      link.misbehaved = !link.admission.later;
      link.unadmitted = true;
      break;
    case codec::ByeCode::kSelf:  // which this node has seen itself, or it is none
    case codec::ByeCode::kShutdown:
      break;
  }
  close_link(ctx, link, "bye: " + bye.text);
}

}  // namespace ebb::mesh
