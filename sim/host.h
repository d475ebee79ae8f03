// Host: one simulated device: an engine, its store thread and its clocks; it performs the engine's
// effects as the daemon does.
//
// Model:     start() opens the store and gives an engine what is stored; stop() ends both. Each
//            start is another life: what an earlier one asked for reaches nobody. Timers fire on
//            whole milliseconds of clocks of its own (sim/host_clock.h). While paused it reads
//            nothing and its timers do not fire; what was under way for it waits.
// Ownership: owns engine, store thread and identity; queue, network, trace and observer must
//            outlive it.
// Threads:   not thread-safe; owned by one run.
// Errors:    start: those of opening the store; the host is then not running.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "channel/secret.h"
#include "core/rng.h"
#include "mesh/access_book.h"
#include "mesh/engine.h"
#include "sim/host_clock.h"
#include "sim/issuer_mark.h"
#include "sim/liar.h"
#include "sim/network.h"
#include "sim/stand_in_identity.h"
#include "sim/store_thread.h"
#include "sim/trace.h"

namespace ebb::sim {

enum class StopKind { kClean, kKill, kPowerLoss };

class Host {
 public:
  // What all hosts of a run share.
  struct World {
    EventQueue& queue;
    Port& network;
    Trace& trace;
    Observer& observer;
    FaultCounts& counts;
    const std::optional<DeviceId>* liar = nullptr;  // who may be blamed
  };
  struct Setup {
    HostIndex index = 0;
    MeshId mesh;
    std::string dir;    // of the store, when it is a real one
    bool real = false;  // see Options::real
    bool folds = true;  // its store does
    bool real_channel = false;
    Bytes secret;  // of the mesh; empty: none
    std::vector<std::string> peers;
    WallTime wall_at_start;  // what its clock says when the simulation begins
    WallTime built;          // when its program was built
    DiskOptions disk;
    std::vector<mesh::LinkClass> link_classes;
    bool metered = false;
    RareOptions rare;
    std::uint64_t wire_version = 1;
    std::function<Scope()> next_scope;  // of a start; empty: full
    store::QuotaLimit quota;            // of the others
    const Options* lies = nullptr;      // how this host lies; nullptr: it is honest
  };

  Host(const World& world, Setup setup, Rng rng);

  // Nothing when it runs already.
  Status start();
  void stop(StopKind kind);
  bool running() const { return engine_ != nullptr; }

  // The process stands still until resume().
  void pause();
  void resume();
  bool paused() const { return paused_; }

  // The network has given it another address, and its system says so.
  void address_changed();

  // From the network or the store. Nothing happens when the host is down.
  void deliver(mesh::Input input);
  void append(store::AppendBatch batch);

  // While down: its next start is with the store that was backed up, in a new incarnation as after
  // `ebb restore`; or with none.
  void restore_backup();
  void lose_disk();

  // From now on a peer may show this host that its store was rolled back.
  void expect_rollback() { rollback_expected_ = true; }
  // And there may be two histories of a log.
  void expect_fork() { fork_expected_ = true; }
  std::uint64_t rollbacks_found() const { return rollbacks_found_; }
  // And how often that its arrival numbers were given before.
  std::uint64_t set_backs_found() const { return set_backs_found_; }

  bool honest() const { return liar_ == nullptr; }
  // It may not read: of others it is to have control logs alone.
  void make_blind() { blind_ = true; }
  // Of what it is to have, as it runs.
  Scope takes_part() const { return blind_ ? Scope{ScopeKind::kLeaf, {}, {}} : scope_; }
  // Before its first start: who is let in. An outsider is not, or writes what it may not.
  void join(mesh::MembershipConfig membership, bool is_outsider);
  trust::LinkKey link_key() const;
  // It is to agree with the others in the end.
  bool is_member() const { return honest() && !outsider_; }
  // Not any more, for nobody can let it in.
  void excuse() { outsider_ = true; }
  // Of an issuer: how far it has signed; nullptr: it is none.
  const IssuerMark* mark() const { return mark_ ? &*mark_ : nullptr; }
  // Whether an issuer waits for what it has signed.
  bool waits() const { return set_back_; }

  HostClock& clock() { return clock_; }
  StoreThread& storage() { return storage_; }
  const StoreThread& storage() const { return storage_; }
  // nullptr while down.
  const mesh::Engine* engine() const { return engine_.get(); }
  const DeviceId& device() const { return identity_->device(); }
  // As it runs, or ran last.
  const Scope& scope() const { return scope_; }
  // Of the heap, by its engine and what that has handed out.
  std::int64_t heap_bytes() const;

 private:
  void read_mark();
  void make_channels();
  mesh::Config config() const;
  void perform(mesh::Effects& effects);
  // Nothing that comes behind a flipped byte may be believed.
  void check_flip(mesh::LinkId link);
  // All hosts but one are honest, and of a rollback we would know: blame and alarms are mistakes.
  void judge(const mesh::Effects& effects);
  bool is_strangers(const mesh::PeerFault& fault) const;
  void arm();
  void timer();

  World world_;
  Setup setup_;
  Rng rng_;
  HostClock clock_;
  StandInCheck stand_in_check_;
  trust::SignatureCheck real_check_;
  std::unique_ptr<trust::Identity> identity_;
  channel::Key link_key_;  // where the channel is real
  StoreThread storage_;
  std::unique_ptr<Liar> liar_;
  // Of the engine, which goes first: its own, and those that lie.
  std::unique_ptr<mesh::AccessBook> access_;  // of real channels
  std::unique_ptr<mesh::Channels> channels_;
  std::unique_ptr<mesh::Channels> lying_channels_;
  std::unique_ptr<mesh::Engine> engine_;
  std::uint64_t life_ = 0;
  Scope scope_;
  std::optional<mesh::MembershipConfig> membership_;
  bool outsider_ = false;
  bool blind_ = false;
  std::optional<IssuerMark> mark_;
  bool set_back_ = false;  // its store lacks what its issuer has signed
  bool paused_ = false;
  bool restored_ = false;          // and has not begun its new incarnation
  std::deque<mesh::Input> inbox_;  // what came while paused
  std::optional<Instant> timer_at_;
  std::uint64_t timer_generation_ = 0;
  Instant last_tick_;
  std::uint64_t ticks_at_once_ = 0;
  bool rollback_expected_ = false;
  bool fork_expected_ = false;
  std::uint64_t rollbacks_found_ = 0, set_backs_found_ = 0;
};

}  // namespace ebb::sim
