// Link: the state of one connection, from the dial to its end. Plain data; what happens to it is
// in the files named for the journeys (greeting, reconcile, want, receive, serve, live, ping).
//
// Model:     kConnecting -> kChannel -> kGreeting -> kReconciling -> kLive. A link has a slot from
//            its accepted HELLO on. A closed link stays until the end of the step, so that the
//            handlers of that step may still hold a reference.
// Threads:   not thread-safe; part of the engine.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "channel/handshake_gate.h"
#include "codec/frame.h"
#include "codec/message.h"
#include "core/id_prefix.h"
#include "core/ids.h"
#include "core/limits.h"
#include "core/time.h"
#include "mesh/channel.h"
#include "mesh/delay_control.h"
#include "mesh/fetch_rate.h"
#include "mesh/head_table.h"
#include "mesh/link_rate.h"
#include "mesh/scope_view.h"
#include "mesh/send_queue.h"
#include "mesh/serve_queue.h"
#include "mesh/types.h"
#include "trust/verdict.h"

namespace ebb::mesh {

enum class Phase : std::uint8_t { kConnecting, kChannel, kGreeting, kReconciling, kLive };

// How an end learns what the other holds and it lacks.
enum class Learning : std::uint8_t { kUnknown, kNothing, kChanges, kList, kRanges };

// The reconciliation that a link begins with.
struct Exchange {
  ReconciliationId id;
  bool active = false;
  bool auditing = false;  // no reconciliation: what is learnt goes to Link::audit
  std::string_view kind = "hello";
  WallTime started;
  Instant begun;
  std::uint64_t rounds = 0, heads_compared = 0;
  std::uint64_t events_in = 0, events_out = 0;
  std::uint64_t held_before = 0, known_before = 0;
  Fingerprint root_before;

  // Of the peer's heads. While it is asked and not done the peer owes answers.
  Learning learning = Learning::kUnknown;
  bool list_asked = false, list_done = false;
  std::size_t answers_due = 0;
  LogId list_after;
  bool changes_done = false;
  std::set<codec::LogCut> cuts, asked_cuts;  // that name no log here; and those asked about
  std::set<LogId> disputed, asked_heads;     // as long as ours, with another chain
  std::deque<IdPrefix> ranges;               // that differ and are not asked about yet
  std::deque<std::set<IdPrefix>> questions;  // about ranges, not answered, in their order
  std::size_t ranges_compared = 0;
  Arrival covered = 0;  // the peer's cursor once all that was learnt is stored
  bool done_sent = false, done_received = false;
  // What must be stored before we are done.
  std::map<LogId, Seq> awaited;
};

// A WANT that we are to answer: it ends with one DELTA that has `last` set.
struct ServeJob {
  ReconciliationId reconciliation;
  std::size_t open_ranges = 0;
  std::size_t unsent = 0;  // DELTAs of it that have not left whole
  bool is_repair = false;  // of what an audit has shown
};

// What the last audit of a link has shown: heads that the peer has and we lacked then.
struct Audit {
  std::map<LogId, Seq> lacking;
  std::optional<Instant> judge_at;
  Instant answer_by;         // while a question is out
  bool whole = false;        // it went over all ids, and nothing was left out yet
  std::uint32_t wholes = 0;  // over all ids, since one has found nothing
  Instant whole_from;        // the next of them not before
};

// What both ends know and told of what authorities have said, and what each may do here.
struct LinkAdmission {
  bool on = false;     // not in an open mesh
  bool joins = false;  // with the secret of an invite: there is nothing but AUTH
  bool told = false;   // the first batch is out
  bool heard = false;  // the peer's has come whole
  trust::Telling telling = trust::Telling::kNothing;  // of the batches so far
  std::map<DeviceId, Position> heads;                 // the peer's, from the handshake
  // What is to be told yet, of each log behind this position; it goes as the queue drains. Then
  // comes the message that ends it, and to who joins the mesh and, when all of it has left, the end
  // of the link.
  std::map<DeviceId, Position> to_tell;
  std::optional<std::uint64_t> news_from;  // the place in AuthorityNews; none: it is told no news
  bool end_due = false;
  bool lets_in = false;
  bool mesh_told = false;
  bool compares = false;  // it is told for a comparison that the peer has asked for
  std::optional<codec::GrantedAccess> given, granted;  // to the peer; by it
  std::uint64_t given_roles = 0, granted_roles = 0;
  std::optional<bool> shown_holds;  // the signature of the certificate that it shows, once known
  std::optional<bool> certified;    // by what it showed as a newcomer, once that was asked
  bool hello_sent = false;
  bool judge = false;            // this link is to be judged at the end of the step
  bool asks = false;             // it waits for a certificate to be signed here
  std::optional<Instant> asked;  // when it asked last
  bool asked_it = false;         // we did, and it has not refused since
  bool may_name = false;         // the same, and it has named no issuers since
  bool was_refused = false;      // it asked in vain
  bool later = false;            // who asked, here or there, was told to ask again
  Instant clock_told;            // when it heard last what the clock here shows
  codec::AuthorityDigest digest;
  std::optional<Instant> compare_at;
  Duration compare_after = milliseconds(limits::kAuthCompareMs);
};

// A position of a log of ours that the peer has shown, to be compared with the store.
struct OwnShown {
  LogId log;
  Position position;
};

struct Link {
  LinkId id;
  bool dialled = false;
  std::string address;  // as dialled
  std::string remote;
  int link_class = -1;  // in Context::budget
  // Of a handshake that another has begun: its class pays for it once it is done, for else
  // strangers could use up the day of a link that costs money.
  std::size_t unspent_bytes = 0;
  Phase phase = Phase::kConnecting;
  bool closed = false;
  bool misbehaved = false;   // refused or faulted, on either side: no hurry to dial it again
  bool unadmitted = false;   // refused for want of access, by either side
  bool turned_away = false;  // the peer's overlay is full: no hurry either
  std::string_view refusal;  // refused by either side for what it is: a static text
  bool copied = false;       // another node has our device key: a long pause
  bool heard = false;        // a record of the other end has opened: it knows the secret
  bool leans = false;        // it had no link to a relay, and we are one
  bool surplus = false;      // has no overlay slot: serves catch-up, then ends
  // Logs of which it brought the latest news (LogEntry::bringer), and those of which the peer has
  // news from others, so that it wants no pushes (LogEntry::lazy).
  std::int64_t brings = 0, lazy_logs = 0;
  Instant since;
  Instant greeting_deadline;

  std::unique_ptr<Channel> channel;
  std::uint32_t receiver_index = 0;                      // that we have told for datagrams; 0: none
  std::optional<channel::HandshakeGate::Ticket> ticket;  // while it is half open
  codec::FrameSplitter splitter;
  std::optional<DeviceId> peer;
  int slot = kNoSlot;
  std::uint64_t bytes_in = 0, bytes_out = 0;

  LinkAdmission admission;
  // Logs of others may come from it, or go to it: always, but for certificates that say less.
  bool takes_others = true, tells_others = true;
  // By them one of the two is no full member, no reader or no relay to the other. What they may
  // tell each other is compared and told like anything else; but no cursor moves, for it speaks of
  // everything.
  bool is_limited = false;

  // Greeting.
  bool hello_received = false;
  codec::Hello theirs;
  codec::Hello mine;
  Instant hello_sent;
  Instant hello_came;
  bool asked_for_ours = false;  // what they hold of our logs
  bool answered_ask = false;
  std::size_t heads_of_ours = 0;
  std::optional<LogId> last_of_ours;      // the last of these heads
  bool heads_told = false;                // all of them
  std::map<LogId, Position> own_shown;    // waits for a read, the furthest of each log
  std::optional<OwnShown> own_read;       // what a read is out for
  std::size_t own_reads_in_greeting = 0;  // each has given the greeting more time
  bool own_judged = false;                // what they hold of our logs
  bool settled = false;                   // own logs may go out, and what is in both scopes

  std::optional<Scope> scope;  // the peer's, as far as it is known
  bool scopes_known = false;   // both ends know both, and the roots are over what is in both
  bool root_told = false, root_heard = false;
  std::unique_ptr<ScopeView> view;  // null: both are full, or `scope` is not known

  Exchange exchange;
  Audit audit;
  bool left_out = false;    // something that the peer has was not to be had: its cursor stays
  bool incomplete = false;  // the same, until an audit over all ids has found nothing

  // How far each end's cursor may go while the link is live.
  Arrival confirmed = 0;     // the peer has told that it holds all of ours up to here
  Arrival covered_told = 0;  // and knows that we know
  std::optional<Instant> covered_told_at;
  std::optional<Instant> covered_due;  // when there is more to tell
  // Behind it are heads that we hold as the peer told it does, and did not tell back.
  std::optional<Arrival> unsaid_from;
  std::optional<Instant> unsaid_due;
  Arrival covered = 0;              // what the peer said of its own, not taken over yet
  Instant covered_heard;            // when it said so
  bool log_refused = false;         // one that it showed, for want of a row, and said so
  bool quota_told = false;          // that an author whose log it showed has used up its quota
  bool author_told = false;         // the same of one who may not write it
  std::size_t authors_refused = 0;  // logs that it named and that are in the table for that alone
  bool lost_pushed = false;  // it got by us what we have not stored: what it says goes beyond us
  std::optional<codec::Message> waiting_request;  // a SYNC_REQ, until settled
  std::uint64_t ranges_answered = 0;              // not given back by time
  Instant ranges_counted;                         // when some were given back last

  // What we want of the peer.
  std::set<LogId> offers;                     // learnt and lacking, asked of nobody yet
  std::set<LogId> asked;                      // logs whose `asked` is this slot
  std::set<LogId> ask_queue, ask_queue_live;  // not sent yet
  std::set<LogId> stop_queue;                 // to be told that they are asked for no more
  FetchRate fetch;
  std::size_t wants_out = 0;        // sent, their `last` not received
  std::size_t catch_ups_out = 0;    // those among them that answer no announcement
  bool answer_was_useful = false;   // of the wants out
  std::uint64_t empty_answers = 0;  // in a row
  std::uint64_t unkept_pushes = 0;  // empty answers about what was only pushed, the same
  Instant last_progress;
  // While it owes an answer: since when, and what had come before.
  std::optional<Instant> owes_since;
  std::uint64_t owes_from_bytes = 0, owes_in_round = 0;
  std::size_t useless_bytes = 0;  // of segments in a row that brought nothing
  std::map<LogId, LogKey> keys;   // named by the peer, of logs not held yet

  // Segment bytes from the peer.
  std::size_t uncommitted = 0;      // received and not given back as credit
  std::size_t staged_bytes = 0;     // of those, behind a gap
  std::size_t credit_owed = 0;      // to be given back with the next ACK
  std::size_t credit_withheld = 0;  // until commits work again
  std::map<LogId, Seq> durable_owed;

  // What the peer wants of us.
  ServeQueue serving;
  std::map<std::uint64_t, ServeJob> jobs;
  std::uint64_t next_job = 1;
  std::size_t reads_out = 0;
  std::size_t credit = limits::kInboundBytesPerPeer;
  std::size_t credit_reserved = 0;  // for reads that are out

  // What goes out, and how fast.
  SendQueue queue;
  LinkRate rate;
  DelayControl background;
  bool report_due = false;         // the driver will say how much waits
  std::size_t queued_counted = 0;  // of the queue, in Context::outbound_bytes
  std::size_t begun_counted = 0;   // of the splitter, in Context::begun_bytes

  // Announcements.
  Arrival have_cursor = 0;     // everything up to here was told, or was equal
  std::set<LogId> have_extra;  // to be told whatever their arrival
  std::set<LogId> prune_queue;
  bool introduced = false;          // our own address, and a newcomer's list, are told
  std::set<std::string> addresses;  // to be told, news of others; bounded
  std::optional<Instant> shuffle_answered;
  std::optional<Instant> flush_at;
  bool flush_late = false;  // it waits for control logs alone
  std::optional<Instant> flushed;
  Duration batch;  // how long the last flush gathered

  // Life signs.
  Instant last_received;
  std::optional<Instant> ping_sent;
  std::uint64_t ping_nonce = 0;
  std::optional<Duration> srtt;

  bool greeted() const { return slot != kNoSlot && !closed; }
};

// The peer wants the log announced and not pushed, or pushed. The entry was looked up in this step.
inline void set_lazy(LogEntry& entry, Link& link, bool lazy) {
  const SlotMask bit = slot_bit(link.slot);
  if (((entry.lazy & bit) != 0) == lazy) return;
  entry.lazy ^= bit;
  // Of control logs that is how it begins, and says nothing of the link.
  if (!entry.is_control()) link.lazy_logs += lazy ? 1 : -1;
}

// Something that the peer has will not be stored, now or ever.
inline void leave_out(Link& link) {
  link.left_out = true;
  link.incomplete = true;
  link.audit.whole = false;
}

constexpr Duration clamp(Duration value, Duration low, Duration high) {
  return value < low ? low : (value > high ? high : value);
}

// The round trip to reckon with; a link that has not shown one yet counts as a near one.
inline Duration round_trip(const Link& link) { return link.srtt.value_or(milliseconds(20)); }

inline void note_round_trip(Link& link, Duration sample) {
  link.srtt = link.srtt ? (*link.srtt * 7 + sample) / 8 : sample;
}

}  // namespace ebb::mesh
