// Faults of whole hosts: they end, stand still, come late, or come back as another.
#include "sim/injector.h"

namespace ebb::sim {
namespace {

class HostFaults : public Injector {
 public:
  explicit HostFaults(const FaultWorld& world) : world_(world) {}

  bool inject(const PlannedFault& fault) override {
    switch (fault.kind) {
      case Fault::kCleanStop:
        down_for(fault, StopKind::kClean);
        return true;
      case Fault::kKill:
        fall(fault, StopKind::kKill);
        return true;
      case Fault::kPowerLoss:
        fall(fault, StopKind::kPowerLoss);
        return true;
      case Fault::kPause:
        pause_for(fault);
        return true;
      case Fault::kSleep:
        fall_asleep(fault);
        return true;
      case Fault::kRestore:
        restore(fault);
        return true;
      case Fault::kDiskLost:
        lose_disk(fault);
        return true;
      case Fault::kAddressChange:
        change_address(fault);
        return true;
      case Fault::kLateStart:
        world_.counts.count(fault.kind);
        world_.start(fault.host);
        return true;
      default:
        return false;
    }
  }

  void calm() override {
    calm_ = true;
    for (const auto& host : world_.hosts)
      host->resume();
  }

 private:
  Host& host(HostIndex index) { return *world_.hosts[index]; }

  // False when it was down already.
  bool stop(const PlannedFault& fault, StopKind kind) {
    if (!host(fault.host).running()) return false;
    world_.counts.count(fault.kind);
    host(fault.host).stop(kind);
    return true;
  }

  void start_after(Duration duration, HostIndex index) {
    world_.queue.after(duration, [this, index] { world_.start(index); });
  }

  void down_for(const PlannedFault& fault, StopKind kind) {
    if (stop(fault, kind)) start_after(fault.duration, fault.host);
  }

  // Half of them in the middle of the next commit, where it hurts most.
  void fall(const PlannedFault& fault, StopKind kind) {
    if (fault.amount % 2 == 0) return down_for(fault, kind);
    host(fault.host).storage().at_next_commit([this, fault, kind] {
      if (!calm_) down_for(fault, kind);
    });
  }

  void pause_for(const PlannedFault& fault) {
    if (!host(fault.host).running() || host(fault.host).paused()) return;
    world_.counts.count(fault.kind);
    host(fault.host).pause();
    world_.queue.after(fault.duration, [this, index = fault.host] { host(index).resume(); });
  }

  // Awake for a tenth of the time: again and again until all is calm.
  void fall_asleep(const PlannedFault& fault) {
    if (calm_) return;
    Host& sleeper = host(fault.host);
    if (sleeper.running() && !sleeper.paused()) {
      world_.counts.count(fault.kind);
      world_.trace.note(world_.queue.now(), fault.host, "sleeps");
      sleeper.pause();
      const CutId cut = world_.network.cut(silence(fault.host));
      world_.queue.after(fault.duration, [this, fault, cut] { wake(fault, cut); });
    }
    world_.queue.after(fault.duration + fault.duration / 9 + seconds(5),
                       [this, fault] { fall_asleep(fault); });
  }

  void wake(const PlannedFault& fault, CutId cut) {
    world_.network.heal(cut);
    if (!host(fault.host).paused()) return;
    host(fault.host).resume();
  }

  std::vector<Direction> silence(HostIndex index) const {
    std::vector<Direction> paths;
    for (HostIndex other = 0; other < world_.hosts.size(); ++other) {
      if (other == index) continue;
      paths.push_back({other, index});
      paths.push_back({index, other});
    }
    return paths;
  }

  // Backed up now, restored later.
  void restore(const PlannedFault& fault) {
    Host& saved = host(fault.host);
    if (!saved.running()) return;
    saved.stop(StopKind::kClean);
    saved.storage().back_up();
    world_.start(fault.host);
    world_.queue.after(fault.duration, [this, fault] {
      if (calm_ || !stop(fault, StopKind::kPowerLoss)) return;
      host(fault.host).restore_backup();
      world_.store_replaced(fault.host);
      world_.start(fault.host);
    });
  }

  void lose_disk(const PlannedFault& fault) {
    if (!stop(fault, StopKind::kPowerLoss)) return;
    host(fault.host).lose_disk();
    world_.store_erased(fault.host);
    start_after(fault.duration, fault.host);
  }

  // Half of them while they run: what they have open stays so, as with a second network.
  void change_address(const PlannedFault& fault) {
    if (fault.amount % 2 == 0 && host(fault.host).running()) {
      world_.counts.count(fault.kind);
      world_.network.change_address(fault.host);
      return host(fault.host).address_changed();
    }
    if (!stop(fault, StopKind::kKill)) return;
    world_.network.change_address(fault.host);
    start_after(fault.duration, fault.host);
  }

  FaultWorld world_;
  bool calm_ = false;
};

}  // namespace

std::unique_ptr<Injector> make_host_faults(const FaultWorld& world) {
  return std::make_unique<HostFaults>(world);
}

}  // namespace ebb::sim
