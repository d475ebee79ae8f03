// Rig: a few engines with fake stores in one process, joined by streams with a fixed delay. Time
// stands still but for run_for().
//
// Model:     node i listens at address(i); what a node dials, sends, commits and reads is carried
//            out by the rig. Everything is deterministic.
// Ownership: owns engines and stores.
// Threads:   not thread-safe; one test.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mesh/engine.h"
#include "tests/mesh/fake_store.h"
#include "tests/mesh/plain_channel.h"

namespace ebb::tests {

MeshId test_mesh(std::uint8_t number = 7);

class Rig {
 public:
  struct Node {
    std::unique_ptr<FakeStore> store;
    std::unique_ptr<mesh::Channels> channels;  // plain, unless a test wants others
    std::unique_ptr<mesh::Engine> engine;
    mesh::Config config;
    std::uint64_t generation = 0;  // of the process: what was meant for an earlier one is lost
    bool listening = true;
    bool mute = false;  // takes everything, sends nothing
    std::vector<mesh::Reconciliation> rows;
    std::vector<mesh::Notice> notices;
    std::vector<mesh::PeerFault> faults;
    std::vector<mesh::PeerClockMoved> clocks;
    std::int64_t wall_off_ms = 0;  // of its clock
    std::vector<mesh::PeerSeen> seen;
    std::vector<mesh::BudgetSpent> budgets;  // as kept last, in order of keeping
    std::vector<Instant> dial_times;
    std::vector<mesh::Read> reads;
    std::vector<mesh::WriteRecord> records;
    // Of certificates: what the node is started with, and what it has kept since.
    std::optional<mesh::MembershipConfig> membership;
    std::vector<Bytes> records_kept;
    std::vector<trust::AuthorityMissing> missing_kept;
    trust::TimeFloor::Kept floors_kept;
    std::vector<mesh::Issued> issued;
    std::vector<mesh::InviteUsed> invites_used;

    void keep(mesh::AuthorityUpdate update);
  };

  // Makes a node with these configured peers; it does not run before start().
  std::size_t add_node(std::uint8_t seed, const std::vector<std::size_t>& peers = {});
  void start(std::size_t i);
  void stop(std::size_t i);  // the process is gone: streams break, memory is lost
  std::string address(std::size_t i) const;

  Node& node(std::size_t i) { return *nodes_[i]; }
  mesh::Engine& engine(std::size_t i) { return *nodes_[i]->engine; }
  FakeStore& store(std::size_t i) { return *nodes_[i]->store; }
  Instant now() const { return now_; }
  // The true time.
  WallTime wall() const;

  void input(std::size_t i, mesh::Input input);
  void append(std::size_t i, const AppendShape& shape = {});
  // Carries out what is due within `duration`.
  void run_for(Duration duration);
  // Breaks every stream between the two now; bytes on their way are lost.
  void cut(std::size_t a, std::size_t b);
  std::size_t streams_between(std::size_t a, std::size_t b) const;
  // Sum over all messages of a name that the node sent or received.
  mesh::MessageCount count(std::size_t i, std::string_view name);
  std::size_t size() const { return nodes_.size(); }
  std::uint64_t all_wire_bytes() const;
  // Wire bytes that `from` sent to `to` since the start of the rig.
  std::uint64_t wire_bytes(std::size_t from, std::size_t to) const;

  Duration latency = milliseconds(1);
  Duration commit_delay = Duration{};
  Duration read_delay = Duration{};
  bool datagrams = true;
  bool takes_epochs = true;  // where a peer knows later arrivals
  bool presences = false;    // true: records are written, and the newest of each device told
  // When set, says between whom nothing passes: no dials, no datagrams. Streams are for cut().
  std::function<bool(std::size_t a, std::size_t b)> parted;
  // Bytes a second of a stream from one node to another; 0: no limit. A socket takes `socket_bytes`
  // beyond what has left; the rest waits in the driver.
  std::function<std::uint64_t(std::size_t from, std::size_t to)> rate;
  std::size_t socket_bytes = 0;
  // When set, says of whom no commit of records succeeds now.
  std::function<bool(std::size_t i)> fails_authority;
  bool dials = true;                           // false: every dial is refused
  std::map<std::string, std::size_t> aliases;  // where nodes listen beside their addresses
  // When set, sees every datagram and decides whether it arrives.
  std::function<bool(std::size_t from, const std::string& to, const Bytes&)> on_datagram;
  // When set, sees what node 0 sends on links that are none of the rig's, of which there were so
  // many.
  std::function<void(const mesh::Send&)> on_stray_send;
  std::uint64_t strangers = 0;
  // When set, decides the fate of a stream's bytes: how many of them arrive before it breaks.
  std::function<std::optional<std::size_t>(std::size_t from, std::size_t to, Bytes&)> breaker;

 private:
  // One direction of a stream.
  struct Pipe {
    Instant free_at;          // everything sent has left by then
    std::size_t waiting = 0;  // sent and not left
  };
  struct Stream {
    std::size_t a = 0, b = 0;
    mesh::LinkId at_a, at_b;
    bool open = true;
    Pipe from_a = {}, from_b = {};
  };
  struct Due {
    Instant at;
    std::size_t node = 0;
    std::uint64_t generation = 0;
    mesh::Input input;
    std::optional<std::size_t> stream;  // dropped when this stream has broken
    std::size_t left = 0;               // bytes of it that have left: the input says what waits
  };

  void carry_out(Due due);
  void apply(std::size_t i, mesh::Effects& effects);
  void dial(std::size_t i, const mesh::Dial& dial);
  void deliver(std::size_t i, mesh::Send& send);
  void send_slowly(std::size_t i, std::size_t index, mesh::LinkId link, ByteView bytes,
                   std::uint64_t limit);
  Pipe& pipe_from(std::size_t i, Stream& stream, mesh::LinkId link);
  void break_stream(std::size_t index, std::optional<std::size_t> silent_for);
  void later(Duration delay, std::size_t node, mesh::Input input,
             std::optional<std::size_t> stream = std::nullopt);
  std::optional<std::size_t> stream_of(std::size_t node, mesh::LinkId link) const;
  std::optional<std::size_t> listener(const std::string& address) const;

  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<Stream> streams_;
  std::multimap<Instant, Due> due_;  // equal times in order of insertion
  std::map<std::pair<std::size_t, std::size_t>, std::uint64_t> wire_bytes_;
  Instant now_{1000000};
  std::uint64_t next_inbound_ = 1;
};

}  // namespace ebb::tests
