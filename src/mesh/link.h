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

#include "codec/frame.h"
#include "codec/message.h"
#include "core/ids.h"
#include "core/limits.h"
#include "core/time.h"
#include "mesh/channel.h"
#include "mesh/delay_control.h"
#include "mesh/head_table.h"
#include "mesh/link_rate.h"
#include "mesh/send_queue.h"
#include "mesh/types.h"

namespace ebb::mesh {

enum class Phase : std::uint8_t { kConnecting, kChannel, kGreeting, kReconciling, kLive };

// The reconciliation that a link begins with.
struct Exchange {
  ReconciliationId id;
  bool active = false;
  std::string_view kind = "hello";
  WallTime started;
  Instant begun;
  std::uint64_t rounds = 0, heads_compared = 0;
  std::uint64_t events_in = 0, events_out = 0;
  std::uint64_t held_before = 0, known_before = 0;
  Fingerprint root_before;

  bool list_asked = false, list_done = false;
  LogId list_after;
  bool done_sent = false, done_received = false;
  // What must be stored before we are done.
  std::map<LogId, Seq> awaited;
};

// A part of a WANT that we are to answer.
struct ServeRange {
  LogId log;
  Seq next = 1;
  Seq to = 0;  // 0: as far as we hold it
  std::uint64_t job = 0;
  codec::Priority priority = codec::Priority::kCatchUp;  // as what was read last went out
};
// A WANT that we are to answer: it ends with one DELTA that has `last` set.
struct ServeJob {
  ReconciliationId reconciliation;
  std::size_t open_ranges = 0;
  std::size_t unsent = 0;  // DELTAs of it that have not left whole
};

// A position of a log of ours that the peer has shown, to be compared with the store.
struct OwnShown {
  LogId log;
  Position position;
  bool operator==(const OwnShown&) const = default;
};

struct Link {
  LinkId id;
  bool dialled = false;
  std::string address;  // as dialled
  std::string remote;
  int link_class = -1;  // in Context::budget
  Phase phase = Phase::kConnecting;
  bool closed = false;
  bool misbehaved = false;   // refused or faulted, on either side: no hurry to dial it again
  bool turned_away = false;  // the peer's overlay is full: no hurry either
  bool surplus = false;      // has no overlay slot: serves catch-up, then ends
  Instant since;
  Instant greeting_deadline;

  std::unique_ptr<Channel> channel;
  codec::FrameSplitter splitter;
  std::optional<DeviceId> peer;
  int slot = kNoSlot;
  std::uint64_t bytes_in = 0, bytes_out = 0;

  // Greeting.
  bool hello_received = false;
  codec::Hello theirs;
  ReconciliationId my_id;
  Fingerprint my_root;
  std::uint64_t my_count = 0;
  Instant hello_sent;
  Instant hello_came;
  bool asked_for_ours = false;  // what they hold of our logs
  bool answered_ask = false;
  std::size_t heads_of_ours = 0;
  bool heads_told = false;  // all of them
  std::deque<OwnShown> own_shown;
  bool own_read_out = false;  // for the first of them
  bool settled = false;       // own logs may go out

  Exchange exchange;
  std::optional<codec::SyncReq> waiting_request;  // until settled

  // What we want of the peer.
  std::set<LogId> asked;                      // logs whose `asked` is this slot
  std::set<LogId> ask_queue, ask_queue_live;  // not sent yet
  std::size_t wants_out = 0;                  // sent, their `last` not received
  std::size_t catch_ups_out = 0;              // those among them that answer no announcement
  bool answer_was_useful = false;             // of the wants out
  std::uint64_t empty_answers = 0;            // in a row
  Instant last_progress;
  // While it owes an answer: since when, and what had come before.
  std::optional<Instant> owes_since;
  std::uint64_t owes_from_bytes = 0, owes_in_round = 0;
  std::size_t useless_bytes = 0;  // of segments in a row that brought nothing
  std::map<LogId, LogKey> keys;   // named by the peer, of logs not held yet

  // Segment bytes from the peer.
  std::size_t uncommitted = 0;      // received and not given back as credit
  std::size_t credit_owed = 0;      // to be given back with the next ACK
  std::size_t credit_withheld = 0;  // until commits work again
  std::map<LogId, Seq> durable_owed;

  // What the peer wants of us.
  std::deque<ServeRange> serving;
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
  std::optional<Instant> flushed;
  Duration batch;  // how long the last flush gathered

  // Life signs.
  Instant last_received;
  std::optional<Instant> ping_sent;
  std::uint64_t ping_nonce = 0;
  std::optional<Duration> srtt;

  bool greeted() const { return slot != kNoSlot && !closed; }
};

constexpr Duration clamp(Duration value, Duration low, Duration high) {
  return value < low ? low : (value > high ? high : value);
}

// The round trip to reckon with; a link that has not shown one yet counts as a near one.
inline Duration round_trip(const Link& link) { return link.srtt.value_or(milliseconds(20)); }

inline void note_round_trip(Link& link, Duration sample) {
  link.srtt = link.srtt ? (*link.srtt * 7 + sample) / 8 : sample;
}

}  // namespace ebb::mesh
