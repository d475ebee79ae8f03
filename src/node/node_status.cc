// What a node says of itself.
#include <sys/stat.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

#include "core/limits.h"
#include "node/clocks.h"
#include "node/neighbours.h"
#include "node/node_impl.h"

namespace ebb::node {
namespace {

std::uint64_t file_bytes(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

bool may_relay(const mesh::MembershipStatus& own) {
  return !own.on || (own.certificate && own.certificate->has_role(trust::roles::kRelay));
}

}  // namespace

NodeStatus Node::status() const {
  const Impl& impl = *impl_;
  const mesh::Engine& engine = impl.driver.engine();
  const std::vector<mesh::LinkStatus> links = engine.links();
  NodeStatus status;
  status.dir = impl.home.paths.dir;
  status.device = impl.home.identity->device();
  status.name = impl.config.name;
  status.scope = impl.config.scope;
  status.relay = impl.config.scope.is_full() && impl.config.relay && may_relay(engine.membership());
  status.mesh = impl.home.mesh;
  status.incarnation = impl.incarnation;
  status.epoch = impl.epoch;
  status.listen = impl.bound ? impl.bound->text() : impl.config.listen;
  status.uptime = monotonic_now() - impl.started;
  status.heads = impl.heads.size();
  for (const auto& [log, head] : impl.heads) {
    if (head.key.topic == kControlTopic) status.records_held += head.held.seq;
  }
  status.events_held = engine.events_held();
  status.events_known = engine.events_known();
  if (status.events_known > status.events_held) {
    status.missing = engine.missing_logs(limits::kMissingLogsTold);
  }
  for (const mesh::LinkStatus& link : links) {
    const bool in_sync = link.state == "in_sync";
    const bool incomplete = link.state == "incomplete";
    if (in_sync) ++status.links_in_sync;
    if (link.relay && link.scope == "full") ++status.relays;
    if (incomplete) ++status.links_incomplete;
    if (has_greeted(link)) ++status.links;
  }
  const std::vector<mesh::KnownPeer> peers = engine.peers();
  status.without_relay = is_without_relay(links, peers);
  for (const mesh::KnownPeer& peer : peers) {
    if (peer.state == "self") continue;
    ++status.peers;
    if (!peer.configured) continue;
    ++status.peers_configured;
    if (peer.state == "refused") status.peers_refusing.push_back(peer);
  }
  status.root = engine.root();
  const std::string database = impl.home.paths.store + "/ebb.db";
  status.store_bytes = file_bytes(database) + file_bytes(database + "-wal");
  status.append_queue_bytes = impl.queued_bytes;
  status.engine_queue_bytes = engine.queued_bytes();
  status.presences = engine.presences();
  status.gossip_partners = engine.gossip_partners();
  status.datagram_sessions = engine.datagram_sessions();
  status.store_error = impl.store_error;
  status.write_waits = impl.store->write_waits();
  status.store_damage = impl.store_damage;
  status.incarnation_error = impl.incarnation_error;
  status.clock = impl.clock_status();
  std::set<Incarnation> incarnations{impl.incarnation};
  for (const auto& [log, head] : impl.heads) {
    if (head.key.device == status.device) incarnations.insert(head.key.incarnation);
  }
  status.incarnations = incarnations.size();
  return status;
}

const std::vector<store::HeadRecord> Node::heads() const {
  std::vector<store::HeadRecord> heads;
  heads.reserve(impl_->heads.size());
  for (const auto& [log, head] : impl_->heads)
    heads.push_back(head);
  return heads;
}

std::vector<mesh::LinkStatus> Node::links() const { return impl_->driver.engine().links(); }
mesh::MembershipStatus Node::membership() const { return impl_->driver.engine().membership(); }

std::vector<mesh::KnownPeer> Node::peers() const { return impl_->driver.engine().peers(); }
std::vector<mesh::BudgetStatus> Node::budgets() const { return impl_->driver.engine().budgets(); }
const mesh::Counters& Node::mesh_counters() const { return impl_->driver.engine().counters(); }
const NodeCounters& Node::counters() const { return impl_->counters; }
Histogram Node::delta_bytes() const {
  const mesh::Counters& mesh = mesh_counters();
  Histogram sizes;
  sizes.bounds.assign(mesh::kDeltaSizes.begin(), mesh::kDeltaSizes.end());
  sizes.counts.assign(mesh.delta_sizes.begin(), mesh.delta_sizes.end());
  sizes.count = std::accumulate(sizes.counts.begin(), sizes.counts.end(), std::uint64_t{0});
  const auto deltas = mesh.messages.find("delta");
  if (deltas != mesh.messages.end()) sizes.sum = static_cast<double>(deltas->second.bytes_in);
  return sizes;
}

const Home& Node::home() const { return impl_->home; }
const Config& Node::config() const { return impl_->config; }
Instant Node::now() const { return monotonic_now(); }
WallTime Node::wall() const { return wall_now(); }

}  // namespace ebb::node
