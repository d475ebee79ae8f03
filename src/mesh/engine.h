// Engine: the protocol of one node as a pure state machine. It has no socket, clock, thread, file
// or global randomness: inputs go in with the time, effects come out, and the same inputs give the
// same effects.
//
// Model:
//   - Heads: per log the committed position, what each link has announced or acknowledged, and one
//     eager bit a link. Root fingerprint kept as heads move.
//   - Links: channel -> HELLO both ways -> YOUR_LOGS settled -> if roots differ, the heads that do
//     (by cursor, list or ranges) -> WANT / DELTA / ACK until both ends have said done -> live.
//   - Live: a new segment is verified, pushed to eager links at once and announced (HAVE) to the
//     others after its commit; a duplicate push makes its link lazy (PRUNE). Missing after HAVE:
//     WANT from an announcer after a delay that adapts to the round trip.
//   - Invariant: nothing of our own logs is sent, pushed or announced on a link whose YOUR_LOGS is
//     not settled. Arrival numbers, HAVE and HELLO name committed heads only.
//     Rationale: a rolled-back device must learn of it before it signs a number twice.
//   - Audits: now and then a sixteenth of all heads is compared with one neighbour; what a healthy
//     mesh would have brought long ago is fetched, and counts as a repair.
//   - Segments past held+1 are asked for again in order; kept aside are only those of a part of a
//     long log that is fetched from several links (parts.h).
// Units:     Instant is the driver's monotonic time.
// Ownership: owns everything; inputs are consumed.
// Threads:   not thread-safe; call on the loop thread.
// Errors:    peer misbehaviour is a PeerFault effect, a closed link and a counter; never a crash.
// Limits:    links, frames, queues and credit as in core/limits.h. A link whose driver reports more
//            than kInboundBytesPerPeer waiting is sent no further DELTA until that falls.
// Spec:      docs/wire_format.md
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.h"
#include "core/limits.h"
#include "core/rng.h"
#include "core/time.h"
#include "mesh/channel.h"
#include "mesh/status_types.h"
#include "mesh/tuning.h"
#include "mesh/types.h"
#include "trust/identity.h"

namespace ebb::mesh {

struct Config {
  DeviceId self;
  MeshId mesh;
  std::uint64_t fold_version = 0;
  StoreEpoch epoch = 0;
  Arrival arrival_head = 0;
  std::uint16_t listen_port = 0;  // told to peers; 0: does not listen
  std::string advertise;          // host:port told in PEERS; empty: nothing
  // All that lead to this node, the best first; the first of them are told in our presence.
  std::vector<std::string> addresses;  // empty: `advertise` alone
  bool local_only = false;             // the program binds and dials loopback alone
  std::vector<std::string> peers;      // host:port, dialled for ever with back-off
  std::vector<StoredHead> heads;       // everything stored at start
  std::vector<std::pair<DeviceId, codec::Cursor>> cursors;
  // As stored by earlier Commits. What was known before the start counts as told before it, so a
  // restarted node does not repeat itself; but a node whose own address is new tells all again.
  std::vector<PeerSeen> known_peers;
  std::vector<HeldPresence> presences;  // the newest of each device, ours too
  // Classes of links, first match counts, and what is kept of what they spent (Commit.budgets).
  std::vector<LinkClass> link_classes;
  std::vector<BudgetSpent> budgets;
  bool metered = false;  // this node pays for what it sends anywhere: told to peers
  std::map<std::string, TopicPriority> topics;
  Scope scope;                  // the logs that this node takes part in
  bool relay = true;            // with a full scope: for those who have less
  Incarnation incarnation = 0;  // ours: which of our logs are being written
  // Who judges signatures; nullptr: Ed25519. Must outlive the engine.
  const trust::SignatureCheck* signatures = nullptr;
  // Who makes the channels of links (checked: there is one). Must outlive the engine.
  const Channels* channels = nullptr;
  // Who is let in; absent: an open mesh, in which every device that proves its key is a member.
  std::optional<MembershipConfig> membership;
  WallTime built;                             // of the program: what peers say before it is no time
  bool clock_suspect = false;                 // ours, at the start
  std::size_t half_open = limits::kHalfOpen;  // connections of others that are no links yet
  Tuning tuning;
  // Timers; the defaults are the protocol's.
  Duration ping_idle = seconds(15);
  Duration dead_after = seconds(45);
  Duration handshake_timeout = seconds(10);
  Duration dial_backoff_min = seconds(1);
  Duration dial_backoff_max = seconds(300);
  Duration gossip_interval = seconds(60);
  Duration gossip_interval_max = seconds(600);      // while nothing old differs
  Duration gossip_keep = seconds(600);              // a partner of datagrams
  Duration gossip_interval_lonely = seconds(1);     // while fewer than 2 links are up
  Duration shuffle_interval = seconds(60);          // of addresses, with one random neighbour
  Duration have_batch = milliseconds(5);            // announcements gather so long on a quiet link
  Duration have_batch_max = milliseconds(50);       // and on a busy one
  Duration have_batch_control = milliseconds(500);  // and of control logs, unless others come
  Duration refresh_interval = seconds(600);         // between floods of one log
  Duration audit_interval = seconds(60);
  // That addresses have stood, counted from the start too, before our presence tells them.
  Duration presence_stands = milliseconds(limits::kPresenceStandsMs);
  Duration cover_interval = seconds(10);  // between two movements of a cursor on a live link
};

class Engine {
 public:
  // `rng` feeds reconciliation ids, jitter and choices; seeded by the driver. `wall` of each input
  // is what the node's clock claims: it is only told to peers and kept in rows.
  Engine(Config config, Rng rng);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // One step. Appends to `out`.
  void handle(Instant now, WallTime wall, Input input, Effects& out);
  // When a Tick is due; nullopt: never.
  std::optional<Instant> next_deadline() const;

  std::vector<LinkStatus> links() const;
  std::vector<KnownPeer> peers() const;
  std::vector<BudgetStatus> budgets() const;
  const Counters& counters() const;
  Fingerprint root() const;
  std::uint64_t log_count() const;
  // Events held here and events known to exist anywhere (from announcements), for completeness.
  std::uint64_t events_held() const;
  std::uint64_t events_known() const;
  // How many entries of the table of logs its work has looked at so far.
  std::uint64_t logs_looked_at() const;
  MissingLogs missing_logs(std::size_t named_max) const;
  std::size_t queued_bytes() const;
  Sharing sharing() const;
  std::size_t gossip_partners() const;    // devices that datagrams are exchanged with
  std::size_t datagram_sessions() const;  // pairs of datagram keys that are live
  std::size_t presences() const;          // devices whose presence is known
  MembershipStatus membership() const;
  // Why this device may not append to the topic: kPermission, with the words for a person; success
  // in an open mesh, and while the device has no certificate at all.
  Status may_append(std::string_view topic) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ebb::mesh
