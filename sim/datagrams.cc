// The part of the network that carries datagrams.
#include <utility>

#include "sim/network.h"

namespace ebb::sim {
namespace {

constexpr Duration kNatMemory = seconds(30);

}  // namespace

// A NAT lets in what comes from where it sent something lately.
bool Network::may_reach_by_datagram(HostIndex from, HostIndex to) {
  if (behind_nat_[from]) nat_holes_[{from, to}] = queue_.now();
  if (!behind_nat_[to]) return true;
  const auto hole = nat_holes_.find({to, from});
  return hole != nat_holes_.end() && queue_.now() - hole->second < kNatMemory;
}

std::uint64_t Network::datagram_loss(HostIndex from, HostIndex to) const {
  return accesses_.empty() ? options_.datagram_loss_permille : path(from, to).loss_permille;
}

void Network::send_datagram(HostIndex from, const std::string& to, Bytes bytes) {
  bytes_sent_ += bytes.size();
  const std::optional<HostIndex> target = topology_.host_at(to);
  if (!target || topology_.is_cut(from, *target)) return;
  if (!may_reach_by_datagram(from, *target)) return;
  if (topology_.swallows(from, *target, bytes.size())) return;
  if (meter_) meter_(from, *target, bytes.size());
  if (rng_.chance(datagram_loss(from, *target), 1000)) {
    counts_.count(Fault::kDatagramLost);
    return;
  }
  if (rng_.chance(options_.datagram_duplicate_permille, 1000)) {
    counts_.count(Fault::kDatagramDuplicated);
    deliver_datagram(from, *target, bytes);
  }
  deliver_datagram(from, *target, std::move(bytes));
}

void Network::deliver_datagram(HostIndex from, HostIndex to, Bytes bytes) {
  if (!topology_.datagram_enters(from, to)) return;
  Duration late = delay(from, to);
  if (rng_.chance(options_.datagram_reorder_permille, 1000)) {
    counts_.count(Fault::kDatagramReordered);
    late = late + microseconds(static_cast<std::int64_t>(rng_.below(3000000)));
  }
  queue_.after(late, [this, from, to, datagram = std::move(bytes)]() mutable {
    topology_.datagram_left(from, to);
    if (!up_[to] || !reads_[to].reads || topology_.is_cut(from, to)) return;
    deliver_(to, mesh::Datagram{current_address(from), std::move(datagram)});
  });
}

}  // namespace ebb::sim
