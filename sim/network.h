// Network: streams and datagrams between simulated hosts, with everything that goes wrong there.
//
// Model:     each ordered pair of hosts has a latency; a connection has a rate in each direction.
//            A stream keeps order and loses nothing while it lives: a lost packet is a delay for
//            all behind it, a blocked path a stall until it opens, a reset the end for both. Bytes
//            arrive cut at arbitrary places. Datagrams are lost, duplicated, overtaken.
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
#include <string>
#include <utility>
#include <vector>

#include "core/rng.h"
#include "mesh/types.h"
#include "sim/event_queue.h"
#include "sim/options.h"
#include "sim/path.h"

namespace ebb::sim {

class Network {
 public:
  using Deliver = std::function<void(HostIndex, mesh::Input)>;
  static constexpr std::uint16_t kPort = 4000;

  Network(EventQueue& queue, Rng rng, const NetworkOptions& options, std::size_t hosts,
          FaultCounts& counts, Deliver deliver);

  static std::string address(HostIndex host);

  // What a host's engine asks for. Calls about a link that is gone have no effect.
  void dial(HostIndex from, mesh::LinkId link, const std::string& address);
  void send(HostIndex from, mesh::LinkId link, Bytes bytes);
  void send_datagram(HostIndex from, const std::string& to, Bytes bytes);
  // The peer receives what was sent before, then the end. This end hears LinkDown soon.
  void close(HostIndex from, mesh::LinkId link);

  void host_up(HostIndex host) {
    up_[host] = true;
    ++life_[host];
  }
  // Its connections go with it: with a word to the peers, or (`silent`) without one, so that only
  // their timers, or a reset once the host is back, tell them.
  void host_down(HostIndex host, bool silent);

  // Nothing passes from `from` to `to` until open_all().
  void block(HostIndex from, HostIndex to) { blocked_[from * hosts_ + to] = true; }
  void open_all();
  // From now on nothing is lost, duplicated, reordered or reset; paths are open.
  void calm();

 private:
  struct Chunk {
    Instant due;
    Bytes bytes;
    bool end = false;
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
    std::size_t told_waiting = 0;
  };
  // ends[0] dialled; flows[i] leaves from ends[i].
  struct Connection {
    std::array<End, 2> ends;
    std::array<Flow, 2> flows;
    bool established = false;  // the dialling end knows that the other has accepted
  };
  using ConnectionId = std::uint64_t;
  struct Place {
    ConnectionId id = 0;
    std::size_t side = 0;
  };

  bool is_blocked(HostIndex from, HostIndex to) const { return blocked_[from * hosts_ + to]; }
  PathOptions path(HostIndex from, HostIndex to) const;
  Duration delay(HostIndex from, HostIndex to);
  std::optional<HostIndex> host_at(const std::string& text) const;
  std::optional<Place> find(HostIndex host, mesh::LinkId link) const;

  void arrive_dial(ConnectionId id, HostIndex target);
  void establish(ConnectionId id);
  void queue_chunk(ConnectionId id, std::size_t side, Bytes bytes, bool end);
  void schedule_pump(ConnectionId id, std::size_t side);
  void pump(ConnectionId id, std::size_t side);
  void schedule_progress(ConnectionId id, std::size_t side);
  void progress(ConnectionId id, std::size_t side);
  // Ends one side; the host hears LinkDown after `delay` unless it is down itself.
  void drop_end(ConnectionId id, std::size_t side, Duration delay, const char* reason);
  void reset(ConnectionId id);
  void deliver_datagram(HostIndex from, HostIndex to, Bytes bytes);
  void erase_if_closed(ConnectionId id);

  EventQueue& queue_;
  Rng rng_;
  NetworkOptions options_;
  std::size_t hosts_;
  FaultCounts& counts_;
  Deliver deliver_;
  std::vector<Duration> latency_;
  std::vector<bool> blocked_;
  std::vector<bool> up_;
  std::vector<std::uint64_t> life_;  // news for an earlier life of a host reaches nobody
  std::map<std::string, HostIndex> by_address_;
  std::map<ConnectionId, Connection> connections_;
  std::map<std::pair<HostIndex, std::uint64_t>, Place> places_;
  std::uint64_t next_connection_ = 1;
  std::uint64_t next_inbound_ = 1;
};

}  // namespace ebb::sim
