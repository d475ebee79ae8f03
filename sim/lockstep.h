// Lockstep: many hosts on several processors, and the same run with any number of them.
//
// Model:     nothing that a host sends arrives sooner than the least latency of the network. So
//            time goes on in windows of that width: first the network hands each host what arrives
//            in the window; then each host goes through its part of it in a lane of its own, all
//            side by side; then what they asked for is carried out in order of time. A host hears
//            of its own sockets (what waits in them, that a link is down) up to a window late.
// Ownership: owns lanes and threads; network, its queue and the listener must outlive it.
// Threads:   made, called and destroyed by one thread. Sinks run on any thread, those of different
//            hosts at once.
// Determinism: the order of what is carried out is that of (time, host), whoever was first.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "sim/lane.h"
#include "sim/network.h"
#include "sim/worker_pool.h"

namespace ebb::sim {

class LaneListener {
 public:
  virtual ~LaneListener() = default;
  virtual void committed(Instant now, HostIndex host, const std::vector<LogSpan>& spans) = 0;
  virtual void trouble(HostIndex host, const std::string& text) = 0;
};

class Lockstep {
 public:
  // `width` > 0; what arrives sooner than that comes late.
  Lockstep(EventQueue& network_queue, Network& network, LaneListener& listener, Duration width,
           std::size_t threads);

  // Of the next host.
  Lane& add_lane(Lane::Sink sink);
  Lane& lane(HostIndex host) { return *lanes_[host]; }
  std::size_t lanes() const { return lanes_.size(); }

  // The network's: an input that arrives at its queue's now.
  void deliver(HostIndex host, mesh::Input input);

  // All that is due before `limit`; it is then `limit` everywhere.
  void run_until(Instant limit);
  // Between windows: something for each host, on all threads; it touches nothing else.
  void each(const std::function<void(HostIndex)>& work);
  // Between windows: does something to a host, now.
  void act(HostIndex host, const std::function<void()>& action);

 private:
  struct Due {
    Instant at;
    HostIndex host = 0;
  };
  struct Position {
    Instant at;
    HostIndex host = 0;
    std::uint32_t index = 0;  // of the lane's calls
  };
  static bool later(const Due& a, const Due& b) { return b.at < a.at; }

  std::optional<Instant> earliest();
  void arm(HostIndex host, std::optional<Instant> when);
  void run_window(Instant end);
  void carry_out_all();
  void carry_out(HostIndex host, Call& call);

  EventQueue& network_queue_;
  Network& network_;
  LaneListener& listener_;
  Duration width_;
  WorkerPool pool_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  Instant now_;
  std::vector<Due> dues_;       // a heap; entries that are not of armed_ are stale
  std::vector<Instant> armed_;  // of each host
  std::vector<HostIndex> active_;
  std::vector<Position> order_;
};

}  // namespace ebb::sim
