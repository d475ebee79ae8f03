#include "mesh/engine.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "core/planted.h"
#include "mesh/admission.h"
#include "mesh/audit.h"
#include "mesh/authority_talk.h"
#include "mesh/bounds.h"
#include "mesh/context.h"
#include "mesh/covered.h"
#include "mesh/dialer.h"
#include "mesh/epoch.h"
#include "mesh/gossip.h"
#include "mesh/greeting.h"
#include "mesh/learn.h"
#include "mesh/live.h"
#include "mesh/outbox.h"
#include "mesh/overlay.h"
#include "mesh/own_heads.h"
#include "mesh/own_view.h"
#include "mesh/pause.h"
#include "mesh/peers.h"
#include "mesh/ping.h"
#include "mesh/presence.h"
#include "mesh/receive.h"
#include "mesh/scope.h"
#include "mesh/serve.h"
#include "mesh/settle.h"
#include "mesh/share.h"
#include "mesh/status.h"
#include "mesh/stream.h"
#include "mesh/sync_answer.h"
#include "mesh/want.h"

namespace ebb::mesh {
namespace {

constexpr Duration kLateTick = seconds(1);

// ---- one handler for each message

void on_message(Context& ctx, Link& link, const codec::Hello& m) { on_hello(ctx, link, m); }
void on_message(Context& ctx, Link& link, const codec::YourLogsSummary& m) {
  on_your_logs(ctx, link, m);
}
void on_message(Context& ctx, Link& link, const codec::YourLogsAsk& m) {
  on_your_logs(ctx, link, m);
}
void on_message(Context& ctx, Link& link, const codec::YourLogsHeads& m) {
  on_your_logs(ctx, link, m);
}
void on_message(Context& ctx, Link& link, const codec::SyncListReq& m) {
  on_sync_req(ctx, link, m);
}
void on_message(Context& ctx, Link& link, const codec::SyncRangesReq& m) {
  on_sync_req(ctx, link, m);
}
void on_message(Context& ctx, Link& link, const codec::SyncCutsReq& m) {
  on_sync_req(ctx, link, m);
}
void on_message(Context& ctx, Link& link, const codec::SyncHeadsReq& m) {
  on_sync_req(ctx, link, m);
}
void on_message(Context& ctx, Link& link, const codec::SyncAuditReq& m) {
  on_sync_req(ctx, link, m);
}
void on_message(Context& ctx, Link& link, const codec::SyncList& m) { on_sync_resp(ctx, link, m); }
void on_message(Context& ctx, Link& link, const codec::SyncRanges& m) {
  on_sync_resp(ctx, link, m);
}
void on_message(Context& ctx, Link& link, const codec::SyncChanges& m) {
  on_sync_resp(ctx, link, m);
}
void on_message(Context& ctx, Link& link, const codec::SyncHeads& m) { on_sync_resp(ctx, link, m); }
void on_message(Context& ctx, Link& link, const codec::Want& m) { on_want(ctx, link, m); }
void on_message(Context& ctx, Link& link, const codec::Delta& m) { on_delta(ctx, link, m); }
void on_message(Context& ctx, Link& link, const codec::Ack& m) { on_ack(ctx, link, m); }
void on_message(Context& ctx, Link& link, const codec::Have& m) { on_have(ctx, link, m); }
void on_message(Context& ctx, Link& link, const codec::Prune& m) { on_prune(ctx, link, m); }
void on_message(Context& ctx, Link& link, const codec::Ping& m) { on_ping(ctx, link, m); }
void on_message(Context& ctx, Link& link, const codec::Peers& m) { on_peers(ctx, link, m); }
void on_message(Context& ctx, Link& link, const codec::Bye& m) { on_bye(ctx, link, m); }
void on_message(Context& ctx, Link& link, const codec::ScopeTold& m) { on_scope(ctx, link, m); }
void on_message(Context& ctx, Link& link, const codec::ScopeRoot& m) { on_scope(ctx, link, m); }
void on_message(Context& ctx, Link& link, const codec::AuthRecords& m) { on_auth(ctx, link, m); }
void on_message(Context& ctx, Link& link, const codec::AuthAsk& m) { on_auth(ctx, link, m); }
void on_message(Context& ctx, Link& link, const codec::AuthRefused& m) { on_auth(ctx, link, m); }
void on_message(Context& ctx, Link& link, const codec::AuthMesh& m) { on_auth(ctx, link, m); }
void on_message(Context& ctx, Link& link, const codec::AuthGrant& m) { on_auth(ctx, link, m); }
void on_message(Context& ctx, Link& link, const codec::AuthCompare& m) { on_auth(ctx, link, m); }

void count_message(MessageCount& count, std::size_t frame_bytes) {
  ++count.messages_in;
  count.bytes_in += frame_bytes + codec::kChunkHeaderBytes;
}

void count_delta(Context& ctx, std::size_t frame_bytes) {
  const std::size_t bytes = frame_bytes + sizeof(std::uint32_t);
  const auto* size = std::lower_bound(kDeltaSizes.begin(), kDeltaSizes.end(), bytes);
  ++ctx.counters.delta_sizes[static_cast<std::size_t>(size - kDeltaSizes.begin())];
}

// Addresses of issuers come to who was not let in.
bool may_come_first(const Link& link, const codec::Message& message) {
  if (std::holds_alternative<codec::Peers>(message)) return link.admission.may_name;
  return std::holds_alternative<codec::Hello>(message) ||
         std::holds_alternative<codec::Bye>(message) || codec::message_name(message) == "auth";
}

void on_frame(Context& ctx, Link& link, ByteView frame) {
  const Result<codec::Message> message = codec::decode_message(frame);
  if (!message.ok()) {
    if (message.error().code == ErrorCode::kUnsupported && !planted(Bug::kRefuseLaterMessages)) {
      count_message(ctx.counters.messages["unknown"],
                    frame.size());  // of a later version; to be ignored
    } else {
      fault(ctx, link, "malformed_frame", message.error().message());
    }
    return;
  }
  count_message(count_of(ctx, message->index(), codec::message_name(*message)), frame.size());
  if (std::holds_alternative<codec::Delta>(*message)) count_delta(ctx, frame.size());
  if (!link.hello_received && !may_come_first(link, *message)) {
    fault(ctx, link, "out_of_order", std::string(codec::message_name(*message)));
    return;
  }
  std::visit([&](const auto& m) { on_message(ctx, link, m); }, *message);
}

// ---- one handler for each input

void on_input(Context& ctx, LinkUp& up) { on_link_up(ctx, up); }
void on_input(Context& ctx, LinkDown& down) { on_link_down(ctx, down); }
void on_input(Context& ctx, StreamBytes& stream) { on_stream_bytes(ctx, stream, on_frame); }

void on_input(Context& ctx, SendProgress& progress) {
  if (Link* link = find_link(ctx, progress.link)) {
    link->rate.reported(ctx.now, progress.waiting_bytes);
    link->report_due = progress.waiting_bytes > 0;
    if (link->admission.lets_in) give_time(ctx, *link);
    pump_output(ctx, *link);
    touch(ctx, *link);
  }
}

void on_input(Context& ctx, Datagram& datagram) { on_datagram(ctx, datagram); }
void on_input(Context& ctx, Committed& committed) { on_committed(ctx, committed); }
void on_input(Context& ctx, ReadDone& done) {
  if (!on_own_read_done(ctx, done) && !datagram_read_done(ctx, done)) on_read_done(ctx, done);
}

void on_input(Context& ctx, Tick&) {
  run_link_timers(ctx);
  run_half_open(ctx);
  ctx.sessions.expire(ctx.now);
  resume_commits_if_due(ctx);
  run_log_timers(ctx);
  run_sharing(ctx);
  run_audits(ctx);
  run_gossip(ctx);
  run_shuffle(ctx);
  run_presence(ctx);
  run_dialer(ctx);
}

void on_input(Context& ctx, LocalTime& time) {
  ctx.budget.set_time(time);
  if (ctx.budget.size() == 0) return;
  for (const LogId& log : ctx.heads.behind()) {
    LogEntry* entry = ctx.heads.find(log);
    if (entry != nullptr && !is_offered(ctx, log)) ask_now(ctx, *entry);
  }
  for (Link& link : ctx.links) {
    if (link.link_class == LinkBudget::kNone) continue;
    pump_output(ctx, link);
    touch(ctx, link);
  }
}

void on_input(Context& ctx, AddPeer& peer) {
  if (Target* target = add_target(ctx, peer.address, std::nullopt, true, false)) {
    target->next = std::min(target->next, ctx.now);
  }
}

void on_input(Context& ctx, AddressHeard& heard) {
  if (!planted(Bug::kDeafToBeacons)) heard_nearby(ctx, heard.address);
}

void on_input(Context& ctx, Shutdown&) {
  for (Link& link : ctx.links) {
    say_bye(ctx, link, codec::ByeCode::kShutdown, "shutting down");
    close_link(ctx, link, "shutting down");
  }
  ctx.shut_down = true;
}

void on_input(Context& ctx, ClockJudged& judged) { ctx.config.clock_suspect = judged.suspect; }

void on_input(Context& ctx, AddressesChanged& changed) { change_addresses(ctx, changed.addresses); }

void on_input(Context& ctx, IncarnationBegun& begun) {
  ctx.config.incarnation = begun.incarnation;
  ctx.own_blocked = false;
  forget_own_views(ctx);
  // What was held back is an ordinary old log now: told, and where a peer has more, asked for.
  for (const LogId& log : ctx.heads.behind()) {
    LogEntry* entry = ctx.heads.find(log);
    if (entry != nullptr && is_own(ctx, *entry)) ask_now(ctx, *entry);
  }
  for (const LogEntry* entry : ctx.heads.of_device(ctx.config.self)) {
    for (Link* link : ctx.slots) {
      if (link == nullptr) continue;
      link->have_extra.insert(entry->id);
      plan_flush(ctx, *link);
    }
  }
  take_epoch(ctx, begun.epoch);
}

void on_input(Context& ctx, EpochTaken& taken) { take_epoch(ctx, taken.epoch); }

void on_input(Context& ctx, IssueWanted& wanted) { issue(ctx, wanted); }
void on_input(Context& ctx, PolicyWanted& wanted) { issue(ctx, wanted); }
void on_input(Context& ctx, InvitesChanged& changed) { change_invites(ctx, changed); }

void keep_budgets(Context& ctx) {
  std::vector<BudgetSpent> rows = ctx.budget.take_unkept();
  if (rows.empty()) return;
  Commit commit;
  commit.token = new_token(ctx);
  commit.budgets = std::move(rows);
  ctx.out->commits.push_back(std::move(commit));
}

// Tells when what peers say the time is has changed.
void tell_peer_clock(Context& ctx) {
  ctx.peer_clocks.expire(ctx.now);
  const std::optional<PeerClock> clock = ctx.peer_clocks.median();
  if (clock == ctx.told_clock) return;
  ctx.told_clock = clock;
  ctx.out->clocks.push_back({clock});
}

// Lets the links that the step touched do what has become possible, and forgets closed ones.
void end_step(Context& ctx) {
  end_admission(ctx);
  keep_bounds(ctx);
  resume_reads(ctx);
  while (!ctx.touched.empty()) {
    const LinkId id = ctx.touched.take();
    Link* const link = ctx.links.find(id);
    if (link == nullptr) continue;
    if (link->closed) {
      ctx.link_deadlines.set(id, std::nullopt);
      if (!planted(Bug::kKeepEndedLinks)) ctx.links.remove(id);
      continue;
    }
    if (messages_exceed_bound(*link)) {
      close_link(ctx, *link, "the peer reads too slowly");
      continue;
    }
    go_on_telling(ctx, *link);
    if (link->closed) continue;
    flush_wants(ctx, *link);
    watch_progress(ctx, *link);
    pump_reads(ctx, *link);
    const bool flush_due = link->flush_at && *link->flush_at <= ctx.now;
    if (flush_due || !link->prune_queue.empty()) flush_link(ctx, *link);
    shed_surplus(ctx, *link);
    ctx.link_deadlines.set(id, link_deadline(ctx, *link));
  }
  keep_budgets(ctx);
  plan_dials(ctx);
  plan_gossip(ctx);
  plan_audits(ctx);
  plan_presence(ctx);
  if (ctx.peer_clocks.changed(ctx.now)) tell_peer_clock(ctx);
}

std::optional<Instant> earliest(const Context& ctx) {
  std::optional<Instant> next = ctx.link_deadlines.earliest();
  const auto consider = [&next](const std::optional<Instant>& at) {
    if (at && (!next || *at < *next)) next = at;
  };
  consider(ctx.dial_at);
  consider(ctx.gate.next_deadline());
  consider(next_gossip_deadline(ctx));
  consider(ctx.sessions.next_expiry());
  consider(ctx.shuffle_at);
  consider(next_presence_deadline(ctx));
  consider(ctx.audit_at);
  consider(next_admission_deadline(ctx));
  consider(ctx.commits_paused_until);
  consider(ctx.share_at);
  consider(ctx.peer_clocks.next_expiry());
  if (!ctx.log_timers.empty()) consider(ctx.log_timers.begin()->first);
  return next;
}

}  // namespace

struct Engine::Impl {
  Context ctx;
};

Engine::Engine(Config config, Rng rng)
    : impl_(std::make_unique<Impl>(Impl{Context(std::move(config), rng)})) {
  Context& ctx = impl_->ctx;
  EBB_CHECK(ctx.config.channels != nullptr);
  ctx.heads.load(ctx.config.heads);
  ctx.config.heads.clear();
  ctx.arrival_head = ctx.config.arrival_head;
  load_membership(ctx);
  load_scope(ctx);
  load_cursors(ctx);
  load_presences(ctx);
  for (const std::string& address : ctx.config.peers) {
    add_target(ctx, address, std::nullopt, true, false);
  }
  load_peers(ctx);
  plan_dials(ctx);
  plan_gossip(ctx);
  plan_audits(ctx);
  ctx.deadline = earliest(ctx);
}

Engine::~Engine() = default;

void Engine::handle(Instant now, WallTime wall, Input input, Effects& out) {
  Context& ctx = impl_->ctx;
  if (ctx.shut_down) return;
  // What is about one link touches it, and so does its deadline; what moves the time of all of them
  // does not.
  bool moves_all = std::holds_alternative<LocalTime>(input);
  if (ctx.expected_tick && now - *ctx.expected_tick > kLateTick) {
    forgive_lateness(ctx, now - *ctx.expected_tick);
    moves_all = true;
  }
  ctx.now = now;
  ctx.wall = wall;
  ctx.out = &out;
  std::visit([&](auto& in) { on_input(ctx, in); }, input);
  end_step(ctx);
  if (moves_all) note_link_deadlines(ctx);
  ctx.out = nullptr;
  // What became due in this very step, such as a dial that nobody wanted before, is not late.
  ctx.deadline = earliest(ctx);
  ctx.expected_tick = ctx.deadline;
  if (ctx.expected_tick) ctx.expected_tick = std::max(*ctx.expected_tick, now);
}

std::optional<Instant> Engine::next_deadline() const {
  if (impl_->ctx.shut_down) return std::nullopt;
  return impl_->ctx.deadline;
}

const Counters& Engine::counters() const { return impl_->ctx.counters; }
Fingerprint Engine::root() const { return own_root(impl_->ctx).fingerprint(); }
std::uint64_t Engine::log_count() const { return own_root(impl_->ctx).count(); }
std::uint64_t Engine::events_held() const { return impl_->ctx.heads.events_held(); }
std::uint64_t Engine::logs_looked_at() const { return impl_->ctx.heads.looked_at(); }
std::uint64_t Engine::events_known() const { return impl_->ctx.heads.events_known(); }
std::vector<KnownPeer> Engine::peers() const {
  std::vector<KnownPeer> list = known_peers(impl_->ctx);
  add_presences(impl_->ctx, list);
  return list;
}
std::size_t Engine::presences() const { return impl_->ctx.presence.others.size(); }

Sharing Engine::sharing() const { return {impl_->ctx.shared.size(), impl_->ctx.staged_bytes}; }

std::size_t Engine::gossip_partners() const { return impl_->ctx.partners.size(); }
std::size_t Engine::datagram_sessions() const { return impl_->ctx.sessions.size(); }

std::size_t Engine::queued_bytes() const {
  std::size_t bytes = impl_->ctx.inbound_bytes;
  for (const Link& link : impl_->ctx.links)
    bytes += link.splitter.buffered_bytes() + link.queue.bytes();
  return bytes;
}

MissingLogs Engine::missing_logs(std::size_t named_max) const {
  return missing_logs_of(impl_->ctx, named_max);
}
std::vector<BudgetStatus> Engine::budgets() const { return budget_statuses(impl_->ctx); }

MembershipStatus Engine::membership() const { return membership_status(impl_->ctx); }
Status Engine::may_append(std::string_view topic) const {
  return may_append_here(impl_->ctx, topic);
}

std::vector<LinkStatus> Engine::links() const { return link_statuses(impl_->ctx); }

}  // namespace ebb::mesh
