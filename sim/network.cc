#include "sim/network.h"

#include <algorithm>
#include <utility>

namespace ebb::sim {
namespace {

// What a socket takes without the sender waiting, and what one read returns at most.
constexpr std::size_t kSocketBytes = std::size_t{64} << 10;
constexpr Duration kRetransmission = milliseconds(200);
constexpr Duration kLocal = microseconds(20);  // from a system call to what follows from it

}  // namespace

Network::Network(EventQueue& queue, Rng rng, const NetworkOptions& options, std::size_t hosts,
                 FaultCounts& counts, Deliver deliver)
    : queue_(queue),
      rng_(rng),
      options_(options),
      hosts_(hosts),
      counts_(counts),
      deliver_(std::move(deliver)),
      blocked_(hosts * hosts, false),
      up_(hosts, false),
      life_(hosts, 0) {
  for (HostIndex host = 0; host < hosts; ++host)
    by_address_[address(host)] = host;
  const auto low = static_cast<std::uint64_t>(options.latency_min.us);
  const auto high = static_cast<std::uint64_t>(options.latency_max.us);
  latency_.reserve(hosts * hosts);
  for (std::size_t i = 0; i < hosts * hosts; ++i) {
    latency_.push_back(microseconds(static_cast<std::int64_t>(rng_.between(low, high))));
  }
}

std::string Network::address(HostIndex host) {
  return "10.0." + std::to_string(host / 250) + "." + std::to_string(host % 250 + 1) + ":" +
         std::to_string(kPort);
}

std::optional<HostIndex> Network::host_at(const std::string& text) const {
  const auto found = by_address_.find(text);
  if (found == by_address_.end()) return std::nullopt;
  return found->second;
}

std::optional<Network::Place> Network::find(HostIndex host, mesh::LinkId link) const {
  const auto found = places_.find({host, link.value});
  if (found == places_.end()) return std::nullopt;
  return found->second;
}

Duration Network::delay(HostIndex from, HostIndex to) { return travel_time(path(from, to), rng_); }

PathOptions Network::path(HostIndex from, HostIndex to) const {
  return {.latency = latency_[from * hosts_ + to],
          .jitter = options_.jitter,
          .rate = options_.rate,
          .loss_permille = options_.stream_loss_permille};
}

void Network::dial(HostIndex from, mesh::LinkId link, const std::string& address) {
  const ConnectionId id = next_connection_++;
  Connection& connection = connections_[id];
  connection.ends[0] = {from, link, true, false, 0};
  places_[{from, link.value}] = {id, 0};
  const std::optional<HostIndex> target = host_at(address);
  if (!target) return drop_end(id, 0, kLocal, "no such address");
  if (is_blocked(from, *target)) return drop_end(id, 0, options_.dial_timeout, "timed out");
  queue_.after(delay(from, *target), [this, id, target] { arrive_dial(id, *target); });
}

void Network::arrive_dial(ConnectionId id, HostIndex target) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  End& dialler = found->second.ends[0];
  const HostIndex from = dialler.host;
  if (is_blocked(target, from)) return drop_end(id, 0, options_.dial_timeout, "timed out");
  if (!up_[target]) return drop_end(id, 0, delay(target, from), "connection refused");
  const mesh::LinkId inbound{mesh::kInboundBit | next_inbound_++};
  found->second.ends[1] = {target, inbound, true, false, 0};
  places_[{target, inbound.value}] = {id, 1};
  queue_.after(delay(target, from), [this, id] { establish(id); });
  const std::string whole = address(from);
  const std::string remote =
      whole.substr(0, whole.find(':')) + ":" + std::to_string(30000 + id % 30000);
  deliver_(target, mesh::LinkUp{inbound, false, remote});
}

void Network::establish(ConnectionId id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  found->second.established = true;
  // What was sent meanwhile was kept back until now.
  schedule_pump(id, 0);
  schedule_pump(id, 1);
  if (!found->second.ends[0].open) return;
  const End dialler = found->second.ends[0];
  const HostIndex target = found->second.ends[1].host;
  deliver_(dialler.host, mesh::LinkUp{dialler.link, true, address(target)});
}

void Network::send(HostIndex from, mesh::LinkId link, Bytes bytes) {
  const std::optional<Place> place = find(from, link);
  if (!place || bytes.empty()) return;
  ByteView rest(bytes);
  while (!rest.empty()) {
    const std::uint64_t most = std::min<std::uint64_t>(rest.size(), options_.chunk_bytes_max);
    // Now and then a very short piece, so that lengths and headers arrive in parts.
    const std::uint64_t size =
        rng_.between(1, rng_.chance(1, 8) ? std::min<std::uint64_t>(most, 6) : most);
    if (rng_.chance(options_.stream_resets_per_million, 1000000)) {
      counts_.count(Fault::kStreamReset);
      return reset(place->id);
    }
    queue_chunk(place->id, place->side, to_bytes(rest.first(size)), false);
    rest = rest.subspan(size);
  }
  schedule_progress(place->id, place->side);
}

void Network::queue_chunk(ConnectionId id, std::size_t side, Bytes bytes, bool end) {
  Connection& connection = connections_.at(id);
  Flow& flow = connection.flows[side];
  const HostIndex from = connection.ends[side].host;
  const HostIndex to = connection.ends[1 - side].host;
  const Passage passage = flow.path.carry(path(from, to), queue_.now(), bytes.size(), rng_);
  Instant due = passage.due;
  if (passage.fate == Fate::kLost) {
    counts_.count(Fault::kStreamDelayed);
    due = due + kRetransmission + latency_[to * hosts_ + from];
  }
  due = std::max(due, flow.last_due);
  flow.last_due = due;
  flow.bytes += bytes.size();
  flow.chunks.push_back({due, std::move(bytes), end});
  schedule_pump(id, side);
}

void Network::schedule_pump(ConnectionId id, std::size_t side) {
  Connection& connection = connections_.at(id);
  Flow& flow = connection.flows[side];
  if (flow.pumping || flow.stalled || flow.chunks.empty() || !connection.established) return;
  flow.pumping = true;
  queue_.at(flow.chunks.front().due, [this, id, side] { pump(id, side); });
}

void Network::pump(ConnectionId id, std::size_t side) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  Flow& flow = found->second.flows[side];
  const End from = found->second.ends[side];
  const End to = found->second.ends[1 - side];
  flow.pumping = false;
  if (is_blocked(from.host, to.host)) {
    flow.stalled = true;
    return;
  }
  Bytes bytes;
  bool end = false;
  while (!flow.chunks.empty() && !end && flow.chunks.front().due <= queue_.now() &&
         bytes.size() < kSocketBytes) {
    append(bytes, flow.chunks.front().bytes);
    end = flow.chunks.front().end;
    flow.chunks.pop_front();
  }
  const bool was_waiting = flow.bytes > kSocketBytes;
  flow.bytes -= bytes.size();
  schedule_pump(id, side);
  if (!to.open) {
    // The machine of a process that is gone answers with a reset, once it is there.
    const bool vanished = !found->second.flows[1 - side].ending;
    if (vanished && up_[to.host] && from.open) {
      drop_end(id, side, delay(to.host, from.host), "connection reset");
    }
    return;
  }
  if (was_waiting) schedule_progress(id, side);
  // `found` may be gone after a delivery: the host can close, and send, at once.
  if (!bytes.empty()) deliver_(to.host, mesh::StreamBytes{to.link, std::move(bytes)});
  if (end && find(to.host, to.link)) drop_end(id, 1 - side, kLocal, "closed by the peer");
}

void Network::schedule_progress(ConnectionId id, std::size_t side) {
  const auto found = connections_.find(id);
  if (found == connections_.end() || found->second.ends[side].progress_due) return;
  found->second.ends[side].progress_due = true;
  queue_.after(kLocal, [this, id, side] { progress(id, side); });
}

void Network::progress(ConnectionId id, std::size_t side) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  End& end = found->second.ends[side];
  end.progress_due = false;
  if (!end.open) return;
  const std::size_t bytes = found->second.flows[side].bytes;
  const std::size_t waiting = bytes > kSocketBytes ? bytes - kSocketBytes : 0;
  if (waiting == std::exchange(end.told_waiting, waiting)) return;
  deliver_(end.host, mesh::SendProgress{end.link, waiting});
}

void Network::close(HostIndex from, mesh::LinkId link) {
  const std::optional<Place> place = find(from, link);
  if (!place) return;
  Connection& connection = connections_.at(place->id);
  if (connection.ends[1 - place->side].open) {
    connection.flows[place->side].ending = true;
    queue_chunk(place->id, place->side, {}, true);
  }
  drop_end(place->id, place->side, kLocal, "closed here");
}

void Network::drop_end(ConnectionId id, std::size_t side, Duration delay, const char* reason) {
  const auto found = connections_.find(id);
  if (found == connections_.end() || !found->second.ends[side].open) return;
  End& end = found->second.ends[side];
  end.open = false;
  places_.erase({end.host, end.link.value});
  const HostIndex host = end.host;
  const mesh::LinkId link = end.link;
  queue_.after(delay, [this, host, link, reason, life = life_[host]] {
    if (up_[host] && life == life_[host]) deliver_(host, mesh::LinkDown{link, reason});
  });
  erase_if_closed(id);
}

void Network::erase_if_closed(ConnectionId id) {
  const auto found = connections_.find(id);
  if (!found->second.ends[0].open && !found->second.ends[1].open) connections_.erase(found);
}

void Network::reset(ConnectionId id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  const HostIndex a = found->second.ends[0].host;
  const HostIndex b = found->second.ends[1].host;
  drop_end(id, 0, delay(b, a), "connection reset");
  drop_end(id, 1, delay(a, b), "connection reset");
}

void Network::host_down(HostIndex host, bool silent) {
  up_[host] = false;
  std::vector<Place> places;
  for (auto it = places_.lower_bound({host, 0}); it != places_.end() && it->first.first == host;
       ++it) {
    places.push_back(it->second);
  }
  for (const Place& place : places) {
    const auto found = connections_.find(place.id);
    if (found == connections_.end()) continue;
    Connection& connection = found->second;
    if (!silent && connection.ends[1 - place.side].open) {
      connection.flows[place.side].ending = true;
      queue_chunk(place.id, place.side, {}, true);
    }
    End& end = connection.ends[place.side];
    end.open = false;
    places_.erase({end.host, end.link.value});
    erase_if_closed(place.id);
  }
}

void Network::send_datagram(HostIndex from, const std::string& to, Bytes bytes) {
  const std::optional<HostIndex> target = host_at(to);
  if (!target || is_blocked(from, *target)) return;
  if (rng_.chance(options_.datagram_loss_permille, 1000)) {
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
  Duration late = delay(from, to);
  if (rng_.chance(options_.datagram_reorder_permille, 1000)) {
    counts_.count(Fault::kDatagramReordered);
    late = late + microseconds(static_cast<std::int64_t>(rng_.below(3000000)));
  }
  queue_.after(late, [this, from, to, datagram = std::move(bytes)]() mutable {
    if (!up_[to] || is_blocked(from, to)) return;
    deliver_(to, mesh::Datagram{address(from), std::move(datagram)});
  });
}

void Network::open_all() {
  blocked_.assign(blocked_.size(), false);
  for (auto& [id, connection] : connections_) {
    for (std::size_t side = 0; side < 2; ++side) {
      Flow& flow = connection.flows[side];
      if (!flow.stalled) continue;
      flow.stalled = false;
      const Instant resumed =
          queue_.now() + delay(connection.ends[side].host, connection.ends[1 - side].host);
      if (!flow.chunks.empty()) {
        flow.chunks.front().due = std::max(flow.chunks.front().due, resumed);
      }
      schedule_pump(id, side);
    }
  }
}

void Network::calm() {
  options_.stream_loss_permille = 0;
  options_.stream_resets_per_million = 0;
  options_.datagram_loss_permille = 0;
  options_.datagram_duplicate_permille = 0;
  options_.datagram_reorder_permille = 0;
  open_all();
}

}  // namespace ebb::sim
