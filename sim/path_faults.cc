// Faults of paths, connections and addresses.
#include "sim/injector.h"

namespace ebb::sim {
namespace {

constexpr std::uint64_t kSlowReadRateMax = 2000;  // bytes per second; a stuck reader takes 100

class PathFaults : public Injector {
 public:
  explicit PathFaults(const FaultWorld& world) : world_(world) {}

  bool inject(const PlannedFault& fault) override {
    switch (fault.kind) {
      case Fault::kPartition:
      case Fault::kPartitionSized:
        cut_for(fault, between_sides(fault, true));
        return true;
      case Fault::kPartitionOneWay:
        cut_for(fault, between_sides(fault, false));
        return true;
      case Fault::kIsolation:
        cut_for(fault, around(fault.host, true, true));
        return true;
      case Fault::kIsolationOneWay:
        cut_for(fault, around(fault.host, fault.amount % 2 == 0, fault.amount % 2 != 0));
        return true;
      case Fault::kClog:
        cut_for(fault, {{fault.host, fault.other}});
        return true;
      case Fault::kNarrowPath:
        narrow(fault);
        return true;
      case Fault::kBlackHole:
        black_hole(fault);
        return true;
      case Fault::kHalfOpen:
        if (world_.network.half_open(fault.host)) world_.counts.count(fault.kind);
        return true;
      case Fault::kSlowReader:
        slow_reader(fault);
        return true;
      case Fault::kNoDescriptors:
        no_descriptors(fault);
        return true;
      case Fault::kHealStorm:
        heal_storm(fault);
        return true;
      default:
        return false;
    }
  }

 private:
  std::size_t hosts() const { return world_.hosts.size(); }

  std::vector<Direction> between_sides(const PlannedFault& fault, bool both_ways) const {
    std::vector<Direction> paths;
    for (HostIndex from = 0; from < hosts(); ++from) {
      for (HostIndex to = 0; to < hosts(); ++to) {
        if (fault.other_side[from] == fault.other_side[to]) continue;
        if (both_ways || fault.other_side[to]) paths.push_back({from, to});
      }
    }
    return paths;
  }

  std::vector<Direction> around(HostIndex host, bool inbound, bool outbound) const {
    std::vector<Direction> paths;
    for (HostIndex other = 0; other < hosts(); ++other) {
      if (other == host) continue;
      if (inbound) paths.push_back({other, host});
      if (outbound) paths.push_back({host, other});
    }
    return paths;
  }

  void cut_for(const PlannedFault& fault, std::vector<Direction> paths) {
    // A side that is empty, or a pair of one host, is no fault.
    if (paths.empty() || hosts() < 2) return;
    world_.counts.count(fault.kind);
    const CutId cut = world_.network.cut(std::move(paths));
    world_.queue.after(fault.duration, [this, cut, host = fault.host] {
      world_.trace.note(world_.queue.now(), host, "paths open");
      world_.network.heal(cut);
    });
  }

  void narrow(const PlannedFault& fault) {
    if (hosts() < 2) return;
    world_.counts.count(fault.kind);
    const std::uint64_t divisor = 10 + fault.amount % 90;
    const std::size_t capacity = 2 + fault.amount / 90 % 19;
    for (const Direction path : both_ways(fault)) {
      world_.network.narrow(path, divisor, capacity);
      world_.queue.after(fault.duration, [this, path] { world_.network.widen(path); });
    }
  }

  void black_hole(const PlannedFault& fault) {
    if (hosts() < 2) return;
    world_.counts.count(fault.kind);
    for (const Direction path : both_ways(fault)) {
      world_.network.set_black_hole(path, true);
      world_.queue.after(fault.duration,
                         [this, path] { world_.network.set_black_hole(path, false); });
    }
  }

  static std::vector<Direction> both_ways(const PlannedFault& fault) {
    return {{fault.host, fault.other}, {fault.other, fault.host}};
  }

  void slow_reader(const PlannedFault& fault) {
    world_.counts.count(fault.kind);
    world_.network.set_read_rate(fault.host, 100 + fault.amount % kSlowReadRateMax);
    world_.queue.after(fault.duration,
                       [this, host = fault.host] { world_.network.set_read_rate(host, 0); });
  }

  void no_descriptors(const PlannedFault& fault) {
    world_.counts.count(fault.kind);
    world_.network.set_descriptors(fault.host, false);
    world_.queue.after(fault.duration,
                       [this, host = fault.host] { world_.network.set_descriptors(host, true); });
  }

  // Hosts go one after the other, as far as `other_side` names them, and come back together.
  void heal_storm(const PlannedFault& fault) {
    std::int64_t ms = 0;
    for (HostIndex host = 0; host < hosts(); ++host) {
      if (!fault.other_side[host]) continue;
      ms += 500;
      world_.queue.after(milliseconds(ms), [this, host] {
        if (!calm_) world_.network.cut(around(host, true, true));
      });
    }
    world_.queue.after(milliseconds(ms) + fault.duration, [this, host = fault.host] {
      if (calm_ || world_.network.cuts() < 2) return;
      world_.counts.count(Fault::kHealStorm);
      world_.trace.note(world_.queue.now(), host, "all paths open");
      world_.network.open_all();
    });
  }

  void calm() override { calm_ = true; }

  FaultWorld world_;
  bool calm_ = false;
};

}  // namespace

std::unique_ptr<Injector> make_path_faults(const FaultWorld& world) {
  return std::make_unique<PathFaults>(world);
}

}  // namespace ebb::sim
