// Faults of wall clocks.
#include "sim/injector.h"

namespace ebb::sim {
namespace {

constexpr std::int64_t kTenYearsMs = std::int64_t{3653} * 24 * 3600 * 1000;

class ClockFaults : public Injector {
 public:
  explicit ClockFaults(const FaultWorld& world) : world_(world) {}

  bool inject(const PlannedFault& fault) override {
    HostClock& clock = world_.hosts[fault.host]->clock();
    switch (fault.kind) {
      case Fault::kClockStep:
        world_.counts.count(fault.kind);
        clock.step(step_ms(fault.amount));
        return true;
      case Fault::kClockWalk:
        world_.counts.count(fault.kind);
        // Up to a twentieth fast or slow.
        clock.set_drift(static_cast<std::int64_t>(fault.amount % 100001) - 50000);
        return true;
      case Fault::kClockAtBoot:
        boot_in_1970(fault);
        return true;
      default:
        return false;
    }
  }

 private:
  // Of any size from a second to ten years, in either direction; small ones as often as large.
  static std::int64_t step_ms(std::uint64_t amount) {
    std::int64_t size = 1000;
    for (std::uint64_t i = 0; i < amount / 2 % 9; ++i)
      size *= 10;
    size = std::min(size, kTenYearsMs);
    size -= static_cast<std::int64_t>(amount / 18 % static_cast<std::uint64_t>(size / 2));
    return amount % 2 == 0 ? size : -size;
  }

  void boot_in_1970(const PlannedFault& fault) {
    Host& host = *world_.hosts[fault.host];
    if (!host.running()) return;
    world_.counts.count(fault.kind);
    host.stop(StopKind::kPowerLoss);
    host.clock().set_wall({12000});
    world_.start(fault.host);
    world_.queue.after(fault.duration,
                       [this, index = fault.host] { world_.hosts[index]->clock().set_right(); });
  }

  FaultWorld world_;
};

}  // namespace

std::unique_ptr<Injector> make_clock_faults(const FaultWorld& world) {
  return std::make_unique<ClockFaults>(world);
}

}  // namespace ebb::sim
