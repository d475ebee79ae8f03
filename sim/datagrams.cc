// The part of the network that carries datagrams.
#include <string>
#include <utility>

#include "channel/datagrams.h"
#include "sim/network.h"

namespace ebb::sim {
namespace {

constexpr Duration kNatMemory = seconds(30);
constexpr Duration kReplayMax = seconds(1800);
constexpr Duration kForgedMax = seconds(1);

void flip_byte(Bytes& bytes, std::size_t from, Rng& rng) {
  if (bytes.size() <= from) return;
  const std::size_t at = from + rng.below(bytes.size() - from);
  bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ rng.between(1, 255));
}

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
  if (rng_.chance(options_.datagram_forge_permille, 1000)) forge_datagram(from, *target, bytes);
  if (rng_.chance(options_.datagram_duplicate_permille, 1000)) {
    counts_.count(Fault::kDatagramDuplicated);
    deliver_datagram(from, *target, bytes);
  }
  if (rng_.chance(options_.datagram_flip_permille, 1000)) {
    counts_.count(Fault::kDatagramFlipped);
    flip_byte(bytes, 0, rng_);
  }
  deliver_datagram(from, *target, std::move(bytes));
}

// What was overheard comes again: from another host's address or nobody's, or late from the right
// one; or a stranger seals something of his own under its index. It takes no room on the path, for
// it comes from elsewhere.
void Network::forge_datagram(HostIndex from, HostIndex to, Bytes bytes) {
  counts_.count(Fault::kDatagramForged);
  const auto other = static_cast<HostIndex>(rng_.below(up_.size()));
  const std::uint64_t port = rng_.between(1, 4);
  const std::uint64_t way = rng_.below(4);
  const Duration late = microseconds(static_cast<std::int64_t>(
      rng_.below(static_cast<std::uint64_t>(way == 0 ? kReplayMax.us : kForgedMax.us))));
  std::string source = current_address(way == 0 ? from : other);
  if (way >= 2) source = "198.51.100.7:" + std::to_string(port);
  if (way == 3) flip_byte(bytes, channel::kDatagramHeaderBytes, rng_);
  // Far ahead, as if it were the newest.
  const bool has_header = bytes.size() > channel::kDatagramHeaderBytes;
  if (way == 3 && has_header && rng_.chance(1, 2)) bytes[channel::kDatagramHeaderBytes - 3] ^= 1;
  queue_.after(late, [this, to, said = std::move(source), datagram = std::move(bytes)]() mutable {
    if (!up_[to] || !reads_[to].reads || options_.datagram_forge_permille == 0) return;
    deliver_(to, mesh::Datagram{std::move(said), std::move(datagram)});
  });
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
