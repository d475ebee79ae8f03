// Lane: the time of one host of its own, and what its engine asks of others meanwhile, kept until
// all hosts are as far (sim/lockstep.h).
//
// Model:     run_until() gives the host what is due: inputs from the network, timers, answers of
//            its store. What it asks of the network, and what it has committed, waits in calls(),
//            in order of time, for whoever carries it out. An input for a link that was closed
//            before it, in this span of time, is dropped: the network has not heard of the close.
// Ownership: the sink, and the host behind it, must outlive it.
// Threads:   not thread-safe; by one thread at a time. It touches nothing of other lanes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/event_queue.h"
#include "sim/fleet_meter.h"
#include "sim/observer.h"
#include "sim/port.h"
#include "sim/trace.h"

namespace ebb::sim {

struct Call {
  enum class Kind : std::uint8_t {
    kDial,
    kSend,
    kSendDatagram,
    kClose,
    kUp,
    kDown,
    kSetReading,
    kCommitted,
    kTrouble,
  };
  Instant at;
  Kind kind = Kind::kUp;
  bool flag = false;  // report, silent or reads
  mesh::LinkId link;
  std::string text;  // an address, or what is wrong
  Bytes bytes;
  std::vector<LogSpan> spans;
};

class Lane final : public Port, public Observer {
 public:
  using Sink = std::function<void(mesh::Input)>;
  // `network`: is asked for addresses only.
  Lane(const Port& network, Sink sink) : network_(network), sink_(std::move(sink)) {}

  EventQueue& queue() { return queue_; }
  Trace& trace() { return trace_; }
  FaultCounts& counts() { return counts_; }
  std::vector<Call>& calls() { return calls_; }

  // In order of time. One that is earlier than the lane's now comes now.
  void push(Instant at, mesh::Input input) { inputs_.push_back({at, std::move(input)}); }
  // When something is due here next.
  std::optional<Instant> next() const;
  // What is due before `end`.
  void run_until(Instant end);
  // What was asked for is carried out.
  void settle() {
    calls_.clear();
    closed_.clear();
  }

  void dial(HostIndex, mesh::LinkId link, const std::string& address) override;
  void send(HostIndex, mesh::LinkId link, Bytes bytes, bool report) override;
  void send_datagram(HostIndex, const std::string& to, Bytes bytes) override;
  void close(HostIndex, mesh::LinkId link) override;
  void host_up(HostIndex) override { add(Call::Kind::kUp); }
  void host_down(HostIndex, bool silent) override { add(Call::Kind::kDown).flag = silent; }
  void set_reading(HostIndex, bool reads) override { add(Call::Kind::kSetReading).flag = reads; }
  const std::string& current_address(HostIndex host) const override {
    return network_.current_address(host);
  }
  // As of the window before.
  bool is_open(HostIndex host, mesh::LinkId link) const override {
    return network_.is_open(host, link);
  }

  void committed(HostIndex host, const store::CommitResult& result) override;
  void trouble(HostIndex, const std::string& text) override {
    add(Call::Kind::kTrouble).text = text;
  }

 private:
  struct Arrival {
    Instant at;
    mesh::Input input;
  };
  Call& add(Call::Kind kind);
  bool is_for_closed(const mesh::Input& input) const;

  const Port& network_;
  Sink sink_;
  EventQueue queue_;
  Trace trace_;
  FaultCounts counts_;
  std::vector<Arrival> inputs_;
  std::vector<Call> calls_;
  std::vector<mesh::LinkId> closed_;
};

}  // namespace ebb::sim
