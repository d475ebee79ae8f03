// Strangers: who is no host of the run, and has a place in its network. They answer dials, pass
// them on, and dial, in all ways that are open to who knows a mesh and is not let in.
//
// Model:     each talk goes one way, drawn among those that the options have on; a way counts as a
//            fault when it is gone. What hosts say to each other is overheard, to be repeated. They
//            go on when all else is calm; only what they pass on is then left as it is.
// Ownership: all that World refers to must outlive it, and it the queue's actions.
// Threads:   not thread-safe; owned by one run.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "sim/event_queue.h"
#include "sim/network.h"
#include "sim/overheard.h"
#include "sim/stranger_checker.h"
#include "sim/stranger_end.h"

namespace ebb::sim {

class Strangers {
 public:
  struct World {
    EventQueue& queue;
    Network& network;
    FaultCounts& counts;
    StrangerChecker& checker;
  };
  // Behind the hosts in the network, one after the other.
  Strangers(const World& world, const Options& options, const MeshId& mesh, Rng rng);

  std::vector<DeviceId> devices() const;
  // From now on; `hosts`: the devices of the run.
  void begin(std::vector<DeviceId> hosts);
  void calm() { calm_ = true; }
  void deliver(HostIndex place, mesh::Input input);

 private:
  struct Talk {
    Fault way = Fault::kStrangerSilent;
    HostIndex host = 0;  // at the other end; of one that has dialled not known
    std::unique_ptr<StrangerEnd> end;
    Bytes came;             // of a message that has not come whole
    std::size_t stage = 0;  // messages that have come
    Bytes behind;           // to be said later
    bool up = false;
    std::optional<mesh::LinkId> other;  // to whom all is passed on
  };
  struct Stranger {
    HostIndex place = 0;
    std::unique_ptr<trust::Identity> identity;
    std::map<mesh::LinkId, Talk> talks;
    std::uint64_t next_link = 1;
  };
  using Ways = std::pair<Fault, Fault>;  // first and last

  std::optional<Fault> draw_way(Ways ways);
  std::unique_ptr<StrangerEnd> make_end(const Stranger& stranger);
  mesh::LinkId dial(Stranger& stranger, Talk talk);
  void dial_again(Stranger& stranger);
  void answer(Stranger& stranger, mesh::LinkId link);
  void came_up(Stranger& stranger, mesh::LinkId link);
  void went_down(Stranger& stranger, mesh::LinkId link);
  void hear(Stranger& stranger, mesh::LinkId link, Bytes bytes);
  // stranger_ways.cc
  void begin_dialled(Stranger& stranger, mesh::LinkId link, Talk& talk);
  void hear_answered(Stranger& stranger, mesh::LinkId link, Talk& talk, Bytes bytes);
  void hear_repeated(Stranger& stranger, mesh::LinkId link, Talk& talk, Bytes bytes);
  void replay(Stranger& stranger, mesh::LinkId link, Talk& talk);
  void pass_on(Stranger& stranger, mesh::LinkId link, Talk& talk, Bytes bytes);
  void say_noise(Stranger& stranger, mesh::LinkId link);
  void close_within(Stranger& stranger, mesh::LinkId link, Duration longest);

  World world_;
  const Options& options_;
  MeshId mesh_;
  Rng rng_;
  Overheard overheard_;
  std::vector<Stranger> strangers_;
  std::vector<DeviceId> hosts_;
  bool calm_ = false;
};

}  // namespace ebb::sim
