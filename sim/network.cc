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
      counts_(counts),
      deliver_(std::move(deliver)),
      topology_(options, rng_, hosts),
      up_(hosts, false),
      reads_(hosts),
      behind_nat_(hosts, false),
      descriptors_(hosts, true),
      life_(hosts, 0),
      places_(hosts) {}

std::optional<Network::Place> Network::find(HostIndex host, mesh::LinkId link) const {
  const auto found = places_[host].find(link.value);
  if (found == places_[host].end()) return std::nullopt;
  return found->second;
}

Duration Network::delay(HostIndex from, HostIndex to) { return travel_time(path(from, to), rng_); }

void Network::set_access(HostIndex host, const Access& access) {
  accesses_.resize(up_.size());
  uplinks_.resize(up_.size());
  accesses_[host] = access;
  set_read_rate(host, access.down);
}

PathOptions Network::path(HostIndex from, HostIndex to) const {
  if (!accesses_.empty()) {
    const Access& here = accesses_[from];
    const Access& there = accesses_[to];
    return {.latency = here.latency + there.latency,
            .jitter = here.jitter + there.jitter,
            .rate = here.up,
            .loss_permille = here.loss_permille + there.loss_permille -
                             here.loss_permille * there.loss_permille / 1000};
  }
  return {.latency = topology_.latency(from, to),
          .jitter = options_.jitter,
          .rate = std::max<std::uint64_t>(options_.rate / topology_.divisor(from, to), 1),
          .loss_permille = options_.stream_loss_permille};
}

void Network::dial(HostIndex from, mesh::LinkId link, const std::string& address) {
  const ConnectionId id = next_connection_++;
  Connection& connection = connections_[id];
  connection.id = id;
  index_.insert(id, connection);
  connection.ends[0] = {from, link, true};
  places_[from][link.value] = {id, 0};
  if (!descriptors_[from]) return drop_end(id, 0, kLocal, "too many open files");
  const std::optional<HostIndex> target = topology_.host_at(address);
  if (target) note_stranger(from, link, *target);
  if (!target) return drop_end(id, 0, kLocal, "no such address");
  if (topology_.is_cut(from, *target)) return drop_end(id, 0, options_.dial_timeout, "timed out");
  queue_.after(delay(from, *target), [this, id, target] { arrive_dial(id, *target); });
}

void Network::arrive_dial(ConnectionId id, HostIndex target) {
  Connection* const found = find(id);
  if (found == nullptr) return;
  End& dialler = found->ends[0];
  const HostIndex from = dialler.host;
  const bool answers = !behind_nat_[target] && descriptors_[target];
  if (topology_.is_cut(target, from) || !answers) {
    return drop_end(id, 0, options_.dial_timeout, "timed out");
  }
  if (!up_[target]) return drop_end(id, 0, delay(target, from), "connection refused");
  const mesh::LinkId inbound{mesh::kInboundBit | next_inbound_++};
  found->ends[1] = {target, inbound, true};
  places_[target][inbound.value] = {id, 1};
  note_stranger(target, inbound, from);
  queue_.after(delay(target, from), [this, id] { establish(id); });
  const std::string& whole = current_address(from);
  const std::string remote =
      whole.substr(0, whole.find(':')) + ":" + std::to_string(30000 + id % 30000);
  deliver_(target, mesh::LinkUp{inbound, false, remote});
}

void Network::establish(ConnectionId id) {
  Connection* const found = find(id);
  if (found == nullptr) return;
  found->established = true;
  // What was sent meanwhile was kept back until now.
  schedule_pump(id, 0);
  schedule_pump(id, 1);
  if (!found->ends[0].open) return;
  const End dialler = found->ends[0];
  const HostIndex target = found->ends[1].host;
  deliver_(dialler.host, mesh::LinkUp{dialler.link, true, current_address(target)});
}

void Network::send(HostIndex from, mesh::LinkId link, Bytes bytes, bool report) {
  send_pieces(from, link, std::move(bytes), report, false);
}

void Network::send_pieces(HostIndex from, mesh::LinkId link, Bytes bytes, bool report, bool bent) {
  const std::optional<Place> place = find(from, link);
  if (!place) return;
  bytes_sent_ += bytes.size();
  if (overhear_) overhear(*place, bytes);
  if (meter_) {
    meter_(from, existing(place->id).ends[1 - place->side].host, bytes.size());
  }
  // One write in four is cut at places of chance, the others only where they are too long.
  const bool cuts = options_.cuts && rng_.chance(1, 4);
  ByteView rest(bytes);
  while (!rest.empty()) {
    const std::uint64_t most = std::min<std::uint64_t>(rest.size(), options_.chunk_bytes_max);
    // Now and then a very short piece, so that lengths and headers arrive in parts.
    const std::uint64_t size =
        cuts ? rng_.between(1, rng_.chance(1, 4) ? std::min<std::uint64_t>(most, 6) : most) : most;
    if (rng_.chance(options_.stream_resets_per_million, 1000000)) {
      counts_.count(Fault::kStreamReset);
      return reset(place->id);
    }
    Chunk piece{{}, to_bytes(rest.first(size)), false, false, bent};
    flip(piece);
    queue_chunk(place->id, place->side, std::move(piece));
    rest = rest.subspan(size);
  }
  if (report) existing(place->id).ends[place->side].report_asked = true;
  schedule_progress(place->id, place->side);
}

void Network::queue_chunk(ConnectionId id, std::size_t side, Chunk chunk) {
  Connection& connection = existing(id);
  Flow& flow = connection.flows[side];
  const HostIndex from = connection.ends[side].host;
  const HostIndex to = connection.ends[1 - side].host;
  Path& lane = accesses_.empty() ? flow.path : uplinks_[from];
  const Passage passage = lane.carry(path(from, to), queue_.now(), chunk.bytes.size(), rng_);
  Instant due = passage.due;
  if (passage.fate == Fate::kLost) {
    counts_.count(Fault::kStreamDelayed);
    due = due + kRetransmission + path(to, from).latency;
  }
  due = std::max(due, flow.last_due);
  flow.last_due = due;
  flow.bytes += chunk.bytes.size();
  chunk.due = due;
  flow.chunks.push_back(std::move(chunk));
  schedule_pump(id, side);
}

void Network::schedule_pump(ConnectionId id, std::size_t side) {
  Connection& connection = existing(id);
  Flow& flow = connection.flows[side];
  if (flow.pumping || flow.stalled || flow.chunks.empty() || !connection.established) return;
  flow.pumping = true;
  queue_.at(flow.chunks.front().due, [this, id, side] { pump(id, side); });
}

bool Network::is_stuck(const Connection& connection, std::size_t side) const {
  const HostIndex from = connection.ends[side].host;
  const HostIndex to = connection.ends[1 - side].host;
  const Flow& flow = connection.flows[side];
  if (topology_.is_cut(from, to)) return true;
  if (connection.ends[1 - side].open && !reads_[to].reads) return true;
  return !flow.chunks.empty() && topology_.swallows(from, to, flow.chunks.front().bytes.size());
}

void Network::pump(ConnectionId id, std::size_t side) {
  Connection* const found = find(id);
  if (found == nullptr) return;
  Flow& flow = found->flows[side];
  const End from = found->ends[side];
  const End to = found->ends[1 - side];
  flow.pumping = false;
  if (is_stuck(*found, side)) {
    flow.stalled = true;
    stalled_.emplace(id, side);
    return;
  }
  Reading& reading = reads_[to.host];
  if (reading.rate > 0 && to.open && reading.free > queue_.now()) {
    flow.chunks.front().due = reading.free;
    return schedule_pump(id, side);
  }
  Bytes bytes;
  bool end = false;
  while (!flow.chunks.empty() && !end && flow.chunks.front().due <= queue_.now() &&
         bytes.size() < kSocketBytes && (bytes.empty() || reading.rate == 0) &&
         !topology_.swallows(from.host, to.host, flow.chunks.front().bytes.size())) {
    append(bytes, flow.chunks.front().bytes);
    end = flow.chunks.front().end;
    if (to.open) note_flip(to, flow.chunks.front());
    flow.chunks.pop_front();
  }
  if (reading.rate > 0) {
    reading.free = queue_.now() +
                   microseconds(static_cast<std::int64_t>(bytes.size() * 1000000 / reading.rate));
  }
  const bool was_waiting = flow.bytes > kSocketBytes;
  flow.bytes -= bytes.size();
  schedule_pump(id, side);
  if (!to.open) {
    // The machine of a process that is gone answers with a reset, once it is there.
    const bool vanished = !found->flows[1 - side].ending && !found->half_open;
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
  Connection* const found = find(id);
  if (found == nullptr || found->ends[side].progress_due) return;
  End& end = found->ends[side];
  // Nothing waits, nothing is thought to, and nobody asks.
  const bool waits = found->flows[side].bytes > kSocketBytes;
  if (!waits && end.told_waiting == 0 && !end.report_asked) return;
  end.progress_due = true;
  queue_.after(kLocal, [this, id, side] { progress(id, side); });
}

void Network::progress(ConnectionId id, std::size_t side) {
  Connection* const found = find(id);
  if (found == nullptr) return;
  End& end = found->ends[side];
  end.progress_due = false;
  if (!end.open) return;
  const std::size_t bytes = found->flows[side].bytes;
  const std::size_t waiting = bytes > kSocketBytes ? bytes - kSocketBytes : 0;
  const bool news = waiting != std::exchange(end.told_waiting, waiting);
  if (!std::exchange(end.report_asked, false) && !news) return;
  deliver_(end.host, mesh::SendProgress{end.link, waiting});
}

void Network::close(HostIndex from, mesh::LinkId link) {
  const std::optional<Place> place = find(from, link);
  if (!place) return;
  Connection& connection = existing(place->id);
  if (connection.ends[1 - place->side].open) {
    connection.flows[place->side].ending = true;
    queue_chunk(place->id, place->side, {{}, {}, true, false, false});
  }
  drop_end(place->id, place->side, kLocal, "closed here");
}

void Network::drop_end(ConnectionId id, std::size_t side, Duration delay, const char* reason) {
  Connection* const found = find(id);
  if (found == nullptr || !found->ends[side].open) return;
  End& end = found->ends[side];
  end.open = false;
  places_[end.host].erase(end.link.value);
  const HostIndex host = end.host;
  const mesh::LinkId link = end.link;
  queue_.after(delay, [this, host, link, reason, life = life_[host]] {
    if (up_[host] && life == life_[host]) deliver_(host, mesh::LinkDown{link, reason});
  });
  erase_if_closed(id);
}

void Network::erase_if_closed(ConnectionId id) {
  const Connection& ended = existing(id);
  if (ended.ends[0].open || ended.ends[1].open) return;
  index_.erase(id, ended);
  connections_.erase(id);
}

void Network::reset(ConnectionId id) {
  Connection* const found = find(id);
  if (found == nullptr) return;
  const HostIndex a = found->ends[0].host;
  const HostIndex b = found->ends[1].host;
  drop_end(id, 0, delay(b, a), "connection reset");
  drop_end(id, 1, delay(a, b), "connection reset");
}

void Network::host_down(HostIndex host, bool silent) {
  up_[host] = false;
  // Its next life may give the same ids again.
  std::erase_if(flips_, [host](const auto& flip) { return flip.first.first == host; });
  std::erase_if(strange_, [host](const auto& link) { return link.first.first == host; });
  std::vector<Place> places;
  for (const auto& [link, place] : places_[host])
    places.push_back(place);
  for (const Place& place : places) {
    Connection* const found = find(place.id);
    if (found == nullptr) continue;
    Connection& connection = *found;
    if (!silent && connection.ends[1 - place.side].open) {
      connection.flows[place.side].ending = true;
      queue_chunk(place.id, place.side, {{}, {}, true, false, false});
    }
    End& end = connection.ends[place.side];
    end.open = false;
    places_[end.host].erase(end.link.value);
    erase_if_closed(place.id);
  }
}

bool Network::half_open(HostIndex host) {
  for (const auto& [link, place] : places_[host]) {
    Connection& connection = existing(place.id);
    if (!connection.established || !connection.ends[1 - place.side].open) continue;
    if (connection.half_open || connection.flows[1 - place.side].ending) continue;
    connection.half_open = true;
    drop_end(place.id, place.side, kLocal, "timed out");
    return true;
  }
  return false;
}

void Network::heal(CutId cut) {
  topology_.heal(cut);
  resume_stalled();
}

void Network::open_all() {
  topology_.heal_all();
  resume_stalled();
}

void Network::set_black_hole(Direction path, bool is) {
  topology_.set_black_hole(path, is);
  if (!is) resume_stalled();
}

void Network::set_reading(HostIndex host, bool reads) {
  reads_[host].reads = reads;
  if (reads) resume_stalled();
}

void Network::resume_stalled() {
  for (auto it = stalled_.begin(); it != stalled_.end();) {
    const auto [id, side] = *it;
    Connection* const found = find(id);
    if (found == nullptr) {
      it = stalled_.erase(it);
      continue;
    }
    if (is_stuck(*found, side)) {
      ++it;
      continue;
    }
    it = stalled_.erase(it);
    Flow& flow = found->flows[side];
    flow.stalled = false;
    const Instant resumed =
        queue_.now() + delay(found->ends[side].host, found->ends[1 - side].host);
    if (!flow.chunks.empty()) {
      flow.chunks.front().due = std::max(flow.chunks.front().due, resumed);
    }
    schedule_pump(id, side);
  }
}

void Network::calm() {
  options_.stream_loss_permille = 0;
  options_.stream_resets_per_million = 0;
  options_.stream_flips_per_million = 0;
  options_.datagram_loss_permille = 0;
  options_.datagram_duplicate_permille = 0;
  options_.datagram_reorder_permille = 0;
  options_.datagram_forge_permille = options_.datagram_flip_permille = 0;
  descriptors_.assign(descriptors_.size(), true);
  for (Reading& reading : reads_) {
    reading.reads = true;
    reading.rate = 0;
  }
  topology_.restore_addresses();
  open_all();
}

std::size_t Network::waiting_bytes(HostIndex host) const {
  std::size_t waiting = 0;
  for (const auto& [link, place] : places_[host]) {
    const std::size_t bytes = existing(place.id).flows[place.side].bytes;
    if (bytes > kSocketBytes) waiting += bytes - kSocketBytes;
  }
  return waiting;
}

}  // namespace ebb::sim
