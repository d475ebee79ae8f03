// Faults of disks that last; those of single operations are by chance (sim/disk_moods.h).
#include "sim/injector.h"

namespace ebb::sim {
namespace {

class DiskFaults : public Injector {
 public:
  explicit DiskFaults(const FaultWorld& world) : world_(world) {}

  bool inject(const PlannedFault& fault) override {
    StoreThread& storage = world_.hosts[fault.host]->storage();
    switch (fault.kind) {
      case Fault::kCommitsFail:
        storage.moods().fail_commits(fault.duration);
        return true;
      case Fault::kDiskStall:
        storage.moods().stall(fault.duration);
        return true;
      case Fault::kDiskFull:
        storage.fill_disk(fault.duration);
        return true;
      default:
        return false;
    }
  }

 private:
  FaultWorld world_;
};

}  // namespace

std::unique_ptr<Injector> make_disk_faults(const FaultWorld& world) {
  return std::make_unique<DiskFaults>(world);
}

}  // namespace ebb::sim
