// Context: everything the engine knows, and the few services that all its parts use: sending,
// closing, faults, commits. Each part is a file of free functions over it.
//
// Model:     one step sets now, wall and out, runs one handler, then end_step() pumps the links
//            that the step touched and drops those that it closed.
// Ownership: owns links and tables; `out` belongs to the caller of the step.
// Threads:   not thread-safe; part of the engine.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "channel/handshake_gate.h"
#include "core/limits.h"
#include "core/rng.h"
#include "mesh/engine.h"
#include "mesh/head_table.h"
#include "mesh/link.h"
#include "mesh/link_budget.h"
#include "mesh/link_lists.h"
#include "mesh/link_table.h"
#include "mesh/membership.h"
#include "mesh/partner.h"
#include "mesh/peer_clocks.h"
#include "mesh/presence_book.h"
#include "mesh/rate_bound.h"
#include "mesh/sessions.h"
#include "mesh/slot_table.h"
#include "mesh/types.h"

namespace ebb::mesh {

// A segment that went into a Commit effect.
struct CommittedPart {
  LogId log;
  Seq last_seq = 0;
  std::size_t bytes = 0;
  std::size_t decoded_bytes = 0;
};
struct PendingCommit {
  LinkId link;
  std::vector<CommittedPart> parts;
};

// A range of a shared log that one link is asked for (share.h).
struct LogPart {
  Seq from = 0, to = 0;
  Seq reached = 0;     // of it, in hand or staged; from - 1 at first
  int slot = kNoSlot;  // kNoSlot: of nobody, and to be given away
  bool answered = false;
  Instant asked_at;         // when the WANT went out, or shall
  Instant moved_at;         // the same, or when something of it has come since
  std::uint32_t taken = 0;  // times from a link that was too slow with it
};
struct StagedSegment {
  trust::VerifiedSegment segment;
  LinkId link;
};
struct SharedLog {
  std::vector<LogPart> parts;           // in order, none empty, none done
  std::map<Seq, StagedSegment> staged;  // by their first event
  Seq next = 0;                         // beyond all parts so far
};

struct PeerCursor {
  codec::Cursor cursor;
  std::uint64_t heard = 0;      // Context::hellos when its peer greeted last
  std::optional<Instant> told;  // by the peer, to a link of this process
};

// What a peer takes part in, as a link of this process has told.
struct KnownScope {
  Scope scope;
  ScopeHash hash;
  std::uint64_t heard = 0;  // Context::hellos then
};

struct PendingRead {
  LinkId link;
  ServeRange range;
  bool cancelled = false;  // a newer WANT of the peer replaced it
};

// An address that may be dialled: a configured one, one that has a link, or one of the passive
// view.
struct Target {
  std::string address;
  std::optional<DeviceId> device;
  bool configured = false;
  bool link_scoped = false;  // means something on this machine alone: told to nobody
  Instant self_until;        // it led to ourselves, and counts as that until then
  bool urgent = false;       // for gossip: dial whatever the number of links
  bool first_hand = false;   // we dialled it there, or its device told us itself
  bool knows_us = false;     // has been told our own address
  bool reached = false;      // the last dial was answered
  bool stored = false;       // as the store has it
  bool no_relay = false;     // it said that it is none
  bool uncertified = false;  // one end was not admitted, and lacked a certificate then
  bool announced = false;    // only by its device's presence: goes when its dial fails
  std::optional<LinkId> link;
  std::uint32_t failures = 0;
  Instant next;
  Instant refused_until;  // or at fault: not dialled before, whatever is heard
  std::optional<Instant> heard;
  DifferenceDials differences;
  std::string_view refusal;  // of the last link, when it was refused for good; a static text
  std::string trouble;       // why the last dial did not open a connection
};

struct Context {
  Context(Config config_in, Rng rng_in)
      : config(std::move(config_in)),
        rng(rng_in),
        budget(config.link_classes, config.budgets),
        gate(config.half_open),
        peer_clocks(config.built) {}

  Config config;
  trust::SignatureCheck ed25519;
  Rng rng;
  Instant now;
  WallTime wall;
  Effects* out = nullptr;
  bool shut_down = false;

  LinkBudget budget;
  std::unique_ptr<Membership> membership;  // null: an open mesh

  HeadTable heads;
  Arrival arrival_head = 0;
  std::map<DeviceId, PeerCursor> cursors;  // ours of them, as persisted; kStoredPeers
  std::uint64_t hellos = 0;
  std::deque<ReconciliationId> hellos_to_self;  // the latest, as their other ends may come late
  std::map<DeviceId, Arrival> told_cursors;     // theirs of us, from their last HELLO; kStoredPeers

  ScopeHash scope_hash;                   // of ours
  std::map<DeviceId, KnownScope> scopes;  // of others; kStoredPeers
  std::unique_ptr<ScopeView> own_view;    // null: our scope is full
  bool views_made = false;                // any, ever

  LinkTable links;
  SlotTable slots;
  LinkList touched;
  channel::HandshakeGate gate;  // of connections that others have opened
  std::map<channel::HandshakeGate::Ticket, LinkId> half_open;
  LinkDeadlines link_deadlines;  // of links as they were when they were touched last
  Counters counters;
  // The rows of Counters::messages by the alternative of codec::Message; null until it is used.
  std::array<MessageCount*, std::variant_size_v<codec::Message>> message_counts{};

  std::uint64_t next_link = 1;
  std::uint64_t next_token = 1;
  std::map<Token, PendingCommit> commits;
  std::map<Token, PendingRead> reads;
  std::map<Token, LinkId> own_reads;  // see own_heads.h
  std::size_t inbound_bytes = 0;      // in hand of all links, not committed
  std::size_t decoded_bytes = 0;      // of the same segments, as they are kept
  std::size_t begun_bytes = 0;        // of all links' frames that have not come whole
  std::size_t outbound_bytes = 0;     // in the queues of all links
  bool reads_wait = false;            // for the queues to become shorter

  PeerClocks peer_clocks;
  std::optional<PeerClock> told_clock;

  // A peer holds more of our own log than we do: its current incarnation stays unpublished.
  bool own_blocked = false;
  // Of ours, shown by peers while nothing of them was stored; signed by us, so they are few.
  std::set<Incarnation> lost_incarnations;

  // Our epoch: a peer knows later arrivals of it than there are, and another one is not stored yet;
  // and it was doubted, or taken, since the start (epoch.h).
  bool epoch_is_void = false, epoch_is_settled = false;

  // After a failed commit nothing is asked for until then.
  std::optional<Instant> commits_paused_until;
  std::uint32_t commit_failures = 0;

  std::set<std::pair<Instant, LogId>> log_timers;

  std::map<LogId, SharedLog> shared;
  std::size_t staged_bytes = 0, staged_decoded = 0;
  std::optional<Instant> share_at;

  PresenceBook presence;

  std::map<std::string, Target> targets;
  std::map<std::string, DeviceId> answered_at;  // who did, where somebody was dialled; bounded
  bool dials_changed = true;                    // dial_at has to be computed anew
  std::optional<Instant> dial_at;               // the earliest dial that is allowed
  std::optional<Instant> shuffle_at;
  std::optional<Instant> gossip_at;
  std::optional<Instant> audit_at;
  std::optional<Instant> deadline;  // of the engine, as of the last step
  SessionTable sessions;
  std::map<DeviceId, Partner> partners;
  bool partners_moved = false;         // partners_at has to be computed anew
  std::optional<Instant> partners_at;  // the earliest that one of them waits for
  std::map<Token, DatagramRead> datagram_reads;
  std::uint32_t gossip_doublings = 0;  // of the interval
  // Those chosen here and all others take nothing from each other.
  RateBound datagram_answers{limits::kDatagramAnswersPerSecond};
  RateBound datagram_work{limits::kDatagramWorkPerSecond};
  RateBound datagram_work_of_chosen{limits::kDatagramWorkPerSecond};
  std::optional<Instant> expected_tick;
};

// ---- services

// As control, or with another priority. Sending itself: see outbox.h.
void send(Context& ctx, Link& link, const codec::Message& message,
          codec::Priority priority = codec::Priority::kControl);
// The peer misbehaved: BYE, close, count. `reason` is a static text.
void fault(Context& ctx, Link& link, std::string_view reason, std::string detail = {});
void say_bye(Context& ctx, Link& link, codec::ByeCode code, std::string text);
// Asks the driver to close and forgets the link; idempotent.
void close_link(Context& ctx, Link& link, const std::string& reason);
// The same without a word, for a link whose channel is of no use any more.
void abandon_link(Context& ctx, Link& link, const std::string& reason);
// The same for a link that the driver has closed already.
void drop_link(Context& ctx, Link& link, const std::string& reason);
void notice(Context& ctx, const Link& link, NoticeKind kind, std::string text);
Token new_token(Context& ctx);
// The row of a message's name; `alternative` is its index in codec::Message.
inline MessageCount& count_of(Context& ctx, std::size_t alternative, std::string_view name) {
  MessageCount*& row = ctx.message_counts[alternative];
  if (row == nullptr) row = &ctx.counters.messages[name];
  return *row;
}
// The link will be pumped at the end of the step, and its deadline looked at anew.
inline void touch(Context& ctx, const Link& link) { ctx.touched.insert(link.id); }
Link* find_link(Context& ctx, LinkId id);
Link* link_of_device(Context& ctx, const DeviceId& device);
std::size_t greeted_links(const Context& ctx);

// Every signature of a peer is judged by it.
inline const trust::SignatureCheck& signatures(const Context& ctx) {
  return ctx.config.signatures == nullptr ? ctx.ed25519 : *ctx.config.signatures;
}

// Bytes on the link are bounded, on our side or the peer's: what is not live may take hours.
bool is_metered(const Context& ctx, const Link& link);
// A log of ours; of the incarnation that is being written.
bool is_own(const Context& ctx, const LogEntry& entry);
bool is_current_own(const Context& ctx, const LogEntry& entry);
// A log of ours, or of the peer: they go between the two whatever the roles are.
bool is_of_an_end(const Context& ctx, const Link& link, const LogKey& log);
// May the log's heads and segments go out on this link?
bool may_publish(const Context& ctx, const Link& link, const LogKey& log);

}  // namespace ebb::mesh
