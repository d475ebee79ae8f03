// Network: streams and datagrams between simulated hosts, with everything that goes wrong there.
//
// Model:     paths (sim/topology.h) lie between hosts; a connection has a rate in each direction.
//            A stream keeps order and loses nothing while it lives: a lost packet is a delay for
//            all behind it, a cut path a stall until it opens, a reset the end for both. Bytes
//            arrive cut at arbitrary places. Datagrams are lost, duplicated, overtaken,
//            and said again by somebody who has overheard them.
//            A host that does not read lets its peers' bytes pile up with them; one behind NAT
//            takes no dial, and datagrams only from where it sent some lately.
//            What happens to a host is handed to `deliver` as the engine's own inputs.
// Ownership: refers to the queue, the counts and `deliver`'s targets: all must outlive it.
// Threads:   not thread-safe; owned by one run.
// Determinism: draws from its own generator only, in the order of calls.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/check.h"
#include "core/pointer_index.h"
#include "core/rng.h"
#include "mesh/types.h"
#include "sim/event_queue.h"
#include "sim/options.h"
#include "sim/path.h"
#include "sim/port.h"
#include "sim/topology.h"

namespace ebb::sim {

// A host's own way to all others, beside what lies between the pair: whatever it sends leaves
// through one queue. Rates in bytes a second, 0: no limit.
struct Access {
  Duration latency{};  // a path has those of both ends, as it has their jitter and their loss
  Duration jitter{};
  std::uint64_t up = 0, down = 0;
  std::uint64_t loss_permille = 0;
};

class Network : public Port {
 public:
  // Of what is handed to the network, whatever becomes of it.
  using Meter = std::function<void(HostIndex from, HostIndex to, std::size_t bytes)>;
  using Deliver = std::function<void(HostIndex, mesh::Input)>;
  static constexpr std::uint16_t kPort = Topology::kPort;

  Network(EventQueue& queue, Rng rng, const NetworkOptions& options, std::size_t hosts,
          FaultCounts& counts, Deliver deliver);

  // Of the start; a host may change its own.
  static std::string address(HostIndex host) { return Topology::first_address(host); }
  const std::string& current_address(HostIndex host) const override {
    return topology_.address(host);
  }
  void change_address(HostIndex host) { topology_.change_address(host); }

  void dial(HostIndex from, mesh::LinkId link, const std::string& address) override;
  void send(HostIndex from, mesh::LinkId link, Bytes bytes, bool report) override;
  void send_datagram(HostIndex from, const std::string& to, Bytes bytes) override;
  void close(HostIndex from, mesh::LinkId link) override;

  void host_up(HostIndex host) override {
    up_[host] = true;
    ++life_[host];
  }
  void host_down(HostIndex host, bool silent) override;

  // Nothing passes those ways until heal() or open_all().
  CutId cut(std::vector<Direction> directions) { return topology_.cut(std::move(directions)); }
  void heal(CutId cut);
  bool passes(HostIndex from, HostIndex to) const { return !topology_.is_cut(from, to); }
  std::size_t cuts() const { return topology_.cuts(); }
  // Every path is open and as wide as it was.
  void open_all();
  void narrow(Direction path, std::uint64_t divisor, std::size_t capacity) {
    topology_.narrow(path, divisor, capacity);
  }
  void widen(Direction path) { topology_.widen(path); }
  void set_black_hole(Direction path, bool is);
  void set_latency(Direction path, Duration latency) { topology_.set_latency(path, latency); }

  // One end of one of the host's connections is gone, and the other end hears nothing of it. False
  // when the host has no connection that is up at both ends.
  bool half_open(HostIndex host);
  void set_reading(HostIndex host, bool reads) override;
  // Bytes a second that it takes from all its sockets together; 0: all there are.
  void set_read_rate(HostIndex host, std::uint64_t rate) { reads_[host].rate = rate; }
  // Before the run: the first call takes the place of the options' latencies, rate and loss.
  void set_access(HostIndex host, const Access& access);
  void set_meter(Meter meter) { meter_ = std::move(meter); }
  void set_behind_nat(HostIndex host) { behind_nat_[host] = true; }
  void set_descriptors(HostIndex host, bool left) { descriptors_[host] = left; }

  // From now on nothing is lost, duplicated, reordered or reset; paths are open, readers read, and
  // every address that a host ever had leads to it.
  void calm();

  // Who are no hosts of the run: the last places of the network are theirs.
  void set_strangers(std::vector<DeviceId> devices);
  bool is_stranger(HostIndex host) const { return host >= first_stranger(); }
  const DeviceId* stranger(HostIndex host, mesh::LinkId link) const override;
  // Of a link that is open.
  HostIndex other_end(HostIndex host, mesh::LinkId link) const;
  // As a stranger who passes on what another has said, changed: flipped on its way.
  void send_bent(HostIndex from, mesh::LinkId link, Bytes bytes) {
    send_pieces(from, link, std::move(bytes), false, true);
  }
  // What hosts say to each other is heard by somebody else, too. `side` 0 has dialled.
  using Overhear = std::function<void(std::uint64_t connection, std::size_t side, ByteView bytes)>;
  void set_overhear(Overhear overhear) { overhear_ = std::move(overhear); }

  // Who is connected: the dialling end first.
  std::vector<Direction> connected() const;

  // What a host's driver keeps for its links because the sockets do not take it.
  std::size_t waiting_bytes(HostIndex host) const;
  std::optional<std::size_t> bytes_since_flip(HostIndex host, mesh::LinkId link) const override;
  bool is_open(HostIndex host, mesh::LinkId link) const override {
    return find(host, link).has_value();
  }
  // Bytes handed to the network so far, datagrams included.
  std::uint64_t bytes_sent() const { return bytes_sent_; }

 private:
  struct Chunk {
    Instant due;
    Bytes bytes;
    bool end = false;
    bool flipped = false;
    bool bent = false;  // the same, by who has passed it on
  };
  // One direction of a connection.
  struct Flow {
    std::deque<Chunk> chunks;
    Path path;
    Instant last_due;
    std::size_t bytes = 0;  // sent and not delivered
    bool pumping = false;   // a pump is scheduled
    bool stalled = false;
    bool ending = false;
  };
  struct End {
    HostIndex host = 0;
    mesh::LinkId link;
    bool open = false;
    bool progress_due = false;
    bool report_asked = false;
    std::size_t told_waiting = 0;
  };
  // ends[0] dialled; flows[i] leaves from ends[i].
  using ConnectionId = std::uint64_t;
  struct Connection {
    ConnectionId id = 0;
    std::array<End, 2> ends;
    std::array<Flow, 2> flows;
    bool established = false;  // the dialling end knows that the other has accepted
    bool half_open = false;    // what is sent to the end that is gone is answered by nobody
  };
  struct Place {
    ConnectionId id = 0;
    std::size_t side = 0;
  };

  struct Reading {
    bool reads = true;
    std::uint64_t rate = 0;
    Instant free;  // a slow reader takes nothing before
  };

  HostIndex first_stranger() const {
    return static_cast<HostIndex>(up_.size() - strangers_.size());
  }
  void note_stranger(HostIndex host, mesh::LinkId link, HostIndex other);
  void overhear(const Place& place, ByteView bytes);
  void send_pieces(HostIndex from, mesh::LinkId link, Bytes bytes, bool report, bool bent);

  PathOptions path(HostIndex from, HostIndex to) const;
  std::uint64_t datagram_loss(HostIndex from, HostIndex to) const;
  Duration delay(HostIndex from, HostIndex to);
  // Whether the flow cannot move now, and for no time that is known.
  bool is_stuck(const Connection& connection, std::size_t side) const;
  void resume_stalled();
  std::optional<Place> find(HostIndex host, mesh::LinkId link) const;
  Connection* find(ConnectionId id) const {
    return index_.find(id, [id](const Connection& connection) { return connection.id == id; });
  }
  // There must be one.
  Connection& existing(ConnectionId id) const {
    Connection* const found = find(id);
    EBB_CHECK(found != nullptr);
    return *found;
  }

  void arrive_dial(ConnectionId id, HostIndex target);
  void establish(ConnectionId id);
  void queue_chunk(ConnectionId id, std::size_t side, Chunk chunk);
  void flip(Chunk& chunk);
  void schedule_pump(ConnectionId id, std::size_t side);
  void pump(ConnectionId id, std::size_t side);
  void schedule_progress(ConnectionId id, std::size_t side);
  void progress(ConnectionId id, std::size_t side);
  // Ends one side; the host hears LinkDown after `delay` unless it is down itself.
  void drop_end(ConnectionId id, std::size_t side, Duration delay, const char* reason);
  // Of a chunk that arrives.
  void note_flip(const End& to, const Chunk& chunk);
  void reset(ConnectionId id);
  bool may_reach_by_datagram(HostIndex from, HostIndex to);
  void deliver_datagram(HostIndex from, HostIndex to, Bytes bytes);
  void forge_datagram(HostIndex from, HostIndex to, Bytes bytes);
  void erase_if_closed(ConnectionId id);

  EventQueue& queue_;
  Rng rng_;
  NetworkOptions options_;
  FaultCounts& counts_;
  Deliver deliver_;
  Topology topology_;
  std::vector<bool> up_;
  std::vector<Reading> reads_;
  std::vector<Access> accesses_;  // one a host, or none at all
  std::vector<Path> uplinks_;     // the same
  Meter meter_;
  std::vector<bool> behind_nat_;
  std::vector<bool> descriptors_;                                 // false: none is left
  std::map<std::pair<HostIndex, HostIndex>, Instant> nat_holes_;  // (behind NAT, sent to), when
  std::vector<std::uint64_t> life_;  // news for an earlier life of a host reaches nobody
  // Nothing goes over them in their order.
  std::unordered_map<ConnectionId, Connection> connections_;
  PointerIndex<Connection> index_;  // of the same, by id: looked up with each packet
  std::vector<std::map<std::uint64_t, Place>> places_;  // of each host, by link
  std::set<std::pair<ConnectionId, std::size_t>> stalled_;
  std::map<std::pair<HostIndex, mesh::LinkId>, std::size_t> flips_;
  std::vector<DeviceId> strangers_;
  std::map<std::pair<HostIndex, mesh::LinkId>, HostIndex> strange_;  // links that lead to one
  Overhear overhear_;
  std::uint64_t next_connection_ = 1;
  std::uint64_t next_inbound_ = 1;
  std::uint64_t bytes_sent_ = 0;
};

}  // namespace ebb::sim
