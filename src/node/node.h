// Node: the daemon of a device without its face. Runs the engine on a libuv loop, the store on a
// thread of its own and queries on workers, and wires them.
//
// Model:     the loop owns engine, links and sockets; the store thread owns the writing connection
//            and gathers whatever was queued while the previous commit was syncing into the next
//            (group commit without a timer); workers read.
// Ownership: `home` and `config` are moved in. Callbacks run on the loop thread, never from inside
//            the call that they answer; all of them have run when run() returns. A Watch must go
//            before the Node. SIGPIPE is ignored from start() on.
// Threads:   construct, use and destroy on one thread, the loop thread; only request_stop() may be
//            called from others and from signal handlers.
// Errors:    start: kBusy (another node runs on this directory; or the configured port is in use:
//            `context` tells which), kPermission (a key that others can read), and those of
//            Store::open. append:
//            kBusy when the queue is full; what the store said while a new incarnation is wanted
//            and cannot be written.
// Limits:    kAppendQueueBytes, kAppendQueueEvents; commit and read queues are bounded by credit.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.h"
#include "core/result.h"
#include "core/time.h"
#include "mesh/status_types.h"
#include "mesh/types.h"
#include "node/append_stream.h"
#include "node/beacon_counters.h"
#include "node/config.h"
#include "node/home.h"
#include "node/invites.h"
#include "store/reader.h"
#include "store/types.h"

namespace ebb::node {

// What followers of events and status hear after each commit.
struct CommitNews {
  // Logs that moved, with their positions before.
  const std::vector<store::HeadAdvance>& advances;
};

// Latency and size histograms and counters of this room; the engine's are apart.
struct Histogram {
  std::vector<double> bounds;         // upper bounds, ascending; seconds or bytes
  std::vector<std::uint64_t> counts;  // one more than bounds
  double sum = 0;
  std::uint64_t count = 0;
  void observe(double value);
};
struct NodeCounters {
  std::uint64_t events_appended = 0;
  std::uint64_t append_duplicates = 0;
  std::map<std::string, std::uint64_t> appends_rejected;  // by error code name
  std::uint64_t commits = 0, commits_failed = 0;
  std::uint64_t merges = 0;
  std::uint64_t state_flushes = 0;  // asked for by queries
  BeaconCounters beacons;
  Histogram commit_seconds, commit_events, convergence_seconds;
};

// What the engine says of itself, as it says it: values that the rooms above name by these names
// (docs/decisions/0010-engine-status-passes-through-node.md).
using LinkStatus = mesh::LinkStatus;
using KnownPeer = mesh::KnownPeer;
using MembershipStatus = mesh::MembershipStatus;
using MeshCounters = mesh::Counters;
using BudgetStatus = mesh::BudgetStatus;
using MissingLog = mesh::MissingLog;
using MissingLogs = mesh::MissingLogs;

// The wall clock, as far as it can be judged now.
struct ClockStatus {
  bool suspect = false;
  std::string_view doubt;                // clock_doubt_name
  WallTime time;                         // what is stamped with
  std::size_t peers = 0;                 // whose median is known; 0: too few say anything
  std::optional<std::int64_t> ahead_ms;  // of that median
  std::string why, next;                 // for people; empty when all is well
};

struct NodeStatus {
  std::string dir;  // of its data, for hints
  DeviceId device;
  std::string name;
  MeshId mesh;
  Incarnation incarnation = 0;
  StoreEpoch epoch = 0;
  std::string listen;  // as bound
  Duration uptime;
  std::uint64_t heads = 0, events_held = 0, events_known = 0;
  std::uint64_t records_held = 0;  // of the events held, those in control topics
  MissingLogs missing;             // at most kMissingLogsTold by name
  std::uint64_t links_in_sync = 0, links = 0, peers = 0;  // links: those that have greeted
  Scope scope;                                            // of this node
  bool relay = false;                                     // it is one
  std::uint64_t relays = 0;  // links to relays, of a node that has not all logs
  // There are links, nobody on them may bring what others wrote, and there are others.
  bool without_relay = false;
  std::uint64_t links_incomplete = 0;  // something that the peer has could not be had
  std::uint64_t peers_configured = 0;
  std::vector<KnownPeer> peers_refusing;  // of the configured ones
  Fingerprint root;
  std::uint64_t store_bytes = 0;
  std::uint64_t append_queue_bytes = 0, engine_queue_bytes = 0;
  std::uint64_t presences = 0;          // devices whose own word of where they are is known
  std::uint64_t gossip_partners = 0;    // devices that datagrams are exchanged with
  std::uint64_t datagram_sessions = 0;  // pairs of datagram keys that are live
  ClockStatus clock;
  std::uint64_t incarnations = 0;    // of this device, the present one included
  std::optional<Error> store_error;  // the last commit failed and none succeeded since
  Duration write_waits;              // that the disk has not answered yet; zero: there is none
  // The first damage that a read or a commit met since the start; it does not go away by itself.
  std::optional<Error> store_damage;
  // A peer holds more of our log than the store, and the new incarnation could not be written yet:
  // appends are refused.
  std::optional<Error> incarnation_error;
};

struct MadeInvite {
  std::string line;
  trust::InviteId id;
  WallTime expires;
  std::vector<std::string> addresses;
};

class Node {
 public:
  static Result<std::unique_ptr<Node>> start(Home home, Config config);
  // Stops cleanly if that has not happened: BYE, last commit, flush, close.
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // Runs the loop until request_stop(); then says BYE, drains the store and returns.
  void run();
  void request_stop() noexcept;

  using AppendDone = std::function<void(Result<std::vector<store::DotRange>>)>;
  // Calls back once, after the durable commit or with the reason why it is not stored.
  void append(store::AppendBatch batch, AppendDone done, AppendPart part = {});
  // True when append() would answer kBusy for more than a small batch.
  bool append_queue_full() const;

  // Runs `work` with a read-only connection on a worker, then `done` on the loop. `flush_state`
  // first has the store write its state, so that `work` sees all that was acknowledged before.
  // After kQueryMs, or when the node stops, the reader ends what runs (Reader::set_expired); in the
  // latter case `done` hears kBusy.
  void query(bool flush_state, std::function<void(const store::Reader&)> work,
             std::function<void(Status)> done);
  // An answer of the store that was `error`: kCorrupt is remembered as NodeStatus::store_damage.
  void note_store_error(const Error& error);
  // request_stop() has begun to work: nothing more is committed or read.
  bool stopping() const;
  // State digest after everything held is folded.
  void digest(std::function<void(Result<Hash>)> done);

  using SubscriptionId = std::uint64_t;
  SubscriptionId subscribe(std::function<void(const CommitNews&)> listener);
  void unsubscribe(SubscriptionId id);

  NodeStatus status() const;
  const std::vector<store::HeadRecord> heads() const;
  std::vector<LinkStatus> links() const;
  std::vector<KnownPeer> peers() const;
  std::vector<BudgetStatus> budgets() const;
  mesh::MembershipStatus membership() const;
  const MeshCounters& mesh_counters() const;
  const NodeCounters& counters() const;
  // Sizes of received DELTAs, their framing included.
  Histogram delta_bytes() const;
  const Home& home() const;
  const Config& config() const;
  // ---- joining. kPermission: this node has no issuer's key, or does not listen.
  Result<MadeInvite> make_invite(Duration ttl, std::uint64_t uses, trust::Terms terms = {});
  const std::vector<KeptInvite>& invites() const;
  Status end_invite(const trust::InviteId& id);
  // Calls back once, with the record when it is durable, or with why there is none.
  using IssueDone = std::function<void(const Result<Bytes>&)>;
  void certify(mesh::IssueWanted wanted, IssueDone done);
  void set_admit(trust::Admit admit, IssueDone done);
  bool is_issuer() const;
  // Dials it too, until the next start. kInvalidArgument, kPermission (offline).
  Status add_peer(const std::string& address);
  Instant now() const;
  WallTime wall() const;

  // For the rooms above, which do not include libuv. Both run on the loop thread.
  class Watch {
   public:
    virtual ~Watch() = default;  // stops watching
  };
  // Calls back when `fd` is readable.
  std::unique_ptr<Watch> watch_readable(int fd, std::function<void()> ready);
  // Calls back once after `delay`.
  std::unique_ptr<Watch> call_after(Duration delay, std::function<void()> expired);

 private:
  struct Impl;
  explicit Node(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ebb::node
