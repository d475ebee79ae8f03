// The inside of a Node: what its parts are and how they are wired. For the sources of Node only.
//
// Threads: not thread-safe; everything here is called on the loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock_judge.h"
#include "mesh/access_book.h"
#include "mesh/channel.h"
#include "mesh/types.h"
#include "node/issuer_mark.h"
#include "node/lan_beacon.h"
#include "node/loop_inbox.h"
#include "node/mesh_driver.h"
#include "node/node.h"
#include "node/readers.h"
#include "node/retry_pause.h"
#include "node/state_flush.h"
#include "node/store_thread.h"
#include "node/uv_handles.h"

namespace ebb::node {

inline Error stopping_error() { return {ErrorCode::kBusy, "node is stopping", ""}; }

struct Node::Impl {
  Impl(Home home_in, Config config_in, std::unique_ptr<Loop> loop_in);

  // Starting.
  Status start();
  Status make_channels();
  Status bind();
  void start_beacon();
  // What others are told to dial, the best first; where `bound`.
  std::vector<std::string> told_addresses() const;
  void watch_addresses();
  Result<mesh::Config> engine_config_of(const store::Store& opened) const;

  // What parts say.
  void commit(mesh::Commit commit);
  void on_committed(CommitReport report);
  void on_incarnation_begun(const store::Begun& begun);
  void note_commit(const Result<store::CommitResult>& result);
  void retry_commit();
  void answer_appends(CommitReport& report);
  void observe(const CommitReport& report);
  void on_read(const mesh::Read& read);
  void on_record(mesh::WriteRecord record);
  void on_rollback_found();
  void begin_incarnation();
  void on_incarnation(CommitReport report);
  // A peer knows later arrivals than the store has.
  void take_epoch();
  void on_epoch_taken(StoreEpoch taken);
  void on_epoch_not_taken(const Error& error);
  void release_held(const std::optional<Error>& error);
  void on_peer_clock(const std::optional<PeerClock>& heard);
  // Whether the clock is suspect now: for the log, and the engine once it runs.
  void note_clock();
  ClockStatus clock_status() const;
  void tell_listeners(const CommitNews& news);
  void note_store_error(const Error& error);
  // Joining (node_joining.cc).
  mesh::MembershipConfig membership() const;
  // Whether what the engine signs with may have signed more than the store has.
  bool find_set_back(const std::vector<Bytes>& stored) const;
  std::optional<Error> cannot_issue() const;
  void mark_signed(std::vector<mesh::Committed>& news);
  bool mark(const mesh::Token& token);
  void retry_issuing();
  void retry_issuing_later();
  void watch_invites();
  void plan_invites();
  void publish_invites();
  void on_invite_used(const mesh::InviteUsed& used);
  void on_issued(mesh::Issued issued);
  void end_issuing();
  template <class Wanted>
  void issue(Wanted wanted, IssueDone done);
  // The error of a commit in words that say what to do.
  Error told(const Error& error) const;

  // Stopping.
  void begin_stop();
  void finish_stop();
  // Calls back on a later turn of the loop: never from inside the call that was refused.
  void refuse_append(QueuedAppend append, Error error);

  Home home;  // before all that uses its identity
  Config config;
  Instant started;
  std::unique_ptr<Loop> loop;  // goes last but for the above
  LoopInbox inbox;
  Async stop_wanted;
  Readers readers;
  std::unique_ptr<mesh::AccessBook> access;  // what others may begin handshakes with
  trust::LinkKey link_key;                   // of this device's channels
  Invites invites;
  IssuerMark issuer_mark;
  // While a file of invites or the mark cannot be written: what was not committed, and what was and
  // is not told. Tried again now and then.
  std::vector<mesh::Commit> held_commits;
  std::vector<mesh::Token> unmarked;
  Timer issuing_timer;
  RetryPause issuing_pause;
  bool issuing_retry_due = false;
  Timer invites_timer;                       // runs while one is open
  std::map<mesh::Token, IssueDone> issuing;  // what the engine has not answered yet
  std::uint64_t next_issue = 1;
  std::unique_ptr<mesh::Channels> channels;  // before the engine that has them
  MeshDriver driver;
  std::optional<Endpoint> bound;
  NodeCounters counters;              // outlives the beacon, which counts in it
  std::unique_ptr<LanBeacon> beacon;  // nullptr: none
  std::unique_ptr<StoreThread> store;

  StoreEpoch epoch = 0;
  Incarnation incarnation = 0;
  ClockJudge clock{ClockJudge::Start{}};  // as the store's after its last commit
  bool clock_suspect = false;
  std::map<LogId, store::HeadRecord> heads;
  std::size_t queued_events = 0, queued_bytes = 0;
  std::optional<Error> store_error;
  // While it stands a commit is tried now and then, also where nothing is to be stored.
  Timer commit_timer;
  RetryPause commit_pause;
  bool commit_retry_due = false;
  std::optional<Error> store_damage;
  std::map<SubscriptionId, std::function<void(const CommitNews&)>> listeners;
  SubscriptionId next_subscription = 1;
  // After a rollback nothing may be appended until the new incarnation is stored: what comes
  // meanwhile is held, and refused once the first try has failed.
  bool beginning_incarnation = false;
  std::optional<Error> incarnation_error;
  std::vector<QueuedAppend> held_appends;
  RetryPause incarnation_pause;
  Timer incarnation_timer;
  bool epoch_doubted = false;  // each transaction takes another until one is stored
  RetryPause epoch_pause;
  Timer epoch_timer;
  std::vector<std::string> addresses;  // that the engine was told are ours
  Timer addresses_timer;               // runs where all addresses of the machine are listened on
  StateFlush state_flush;
  bool stopping = false, store_stopped = false, stopped = false;
};

}  // namespace ebb::node
