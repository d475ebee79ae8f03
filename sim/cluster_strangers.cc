// Who has a place in the network of a run and is none of its hosts.
#include <utility>

#include "sim/cluster.h"

namespace ebb::sim {

void Cluster::make_strangers(const MeshId& mesh, Rng rng) {
  if (options_.strangers == 0) return;
  const Strangers::World world{queue_, network_, counts_, stranger_checker_};
  strangers_ = std::make_unique<Strangers>(world, options_, mesh, rng);
  network_.set_strangers(strangers_->devices());
}

void Cluster::let_strangers_in(std::vector<DeviceId> hosts) {
  if (strangers_ == nullptr) return;
  stranger_checker_.set(strangers_->devices(), hosts, options_.real_channel);
  strangers_->begin(std::move(hosts));
}

}  // namespace ebb::sim
