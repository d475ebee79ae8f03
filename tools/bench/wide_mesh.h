// WideMesh: thousands of engines in one process on virtual time, with stores in memory, for figures
// about how news spread. No faults but crashes; processing takes no time.
//
// Model:     node i listens at "n<i>:1". Streams keep order and have one delay a pair of nodes.
//            Keys and channels are the simulator's stand-ins: every message and record has the
//            length that it has on the wire, and what streams carry is counted as sealed.
//            What an author appends is kept once for all; a node's store is how far it holds each
//            log. A crashed node takes everything and answers nothing; nobody is told. Records of
//            devices are written only where presence is on.
// Ownership: owns engines, what they are given, stores and segments.
// Threads:   not thread-safe.
// Determinism: the same options give the same run.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/rng.h"
#include "mesh/engine.h"
#include "sim/stand_in_channel.h"
#include "sim/stand_in_identity.h"

namespace ebb::bench {

using NodeIndex = std::uint32_t;

struct WideOptions {
  std::size_t nodes = 1000;
  std::uint64_t seed = 1;
  Duration delay = milliseconds(10);  // one way: of every pair, or the mean of a log-normal one
  bool log_normal = false;            // sigma 0.5
  std::size_t contacts = 3;           // random nodes that a node is configured with
  bool presence = false;              // nodes write where they are, and are told of others
};

// Bytes and messages by name, all nodes that run added up.
using Traffic = std::map<std::string, mesh::MessageCount, std::less<>>;

// What became of one appended segment.
struct Delivery {
  LogId log;
  Seq seq = 0;
  Instant appended;
  std::vector<std::uint32_t> delays_us;  // of each node that stored it, the author not counted
};

class WideMesh {
 public:
  explicit WideMesh(const WideOptions& options);

  void start(NodeIndex node);
  void crash(NodeIndex node);  // in silence
  // From now on no node reaches another: links end, what is under way is lost. And back.
  void cut_all();
  void heal() { cut_ = false; }
  bool runs(NodeIndex node) const { return nodes_[node].engine != nullptr; }
  std::size_t running() const;
  void run_for(Duration duration);
  Instant now() const { return now_; }

  // One event whose segment has about `bytes` on the wire. Deliveries are counted from here.
  void append(NodeIndex author, std::string_view topic, std::size_t bytes);
  const std::vector<Delivery>& deliveries() const { return deliveries_; }
  void forget_deliveries() { deliveries_.clear(); }
  // Encoded bytes of the segment appended last.
  std::size_t segment_bytes() const { return segment_bytes_; }
  // Nodes that run and do not hold all that was ever appended by nodes that still run.
  std::size_t lacking() const;

  Traffic traffic() const;  // frames, without what sealing adds
  // Of everything that streams took, of handshakes and of sealed records; without TCP and IP.
  std::uint64_t stream_bytes() const { return stream_bytes_; }
  std::uint64_t events_received() const;                            // new ones
  std::uint64_t events_redundant() const;                           // received again
  std::uint64_t datagram_bytes() const { return datagram_bytes_; }  // sealed; without UDP and IP
  // Of all running nodes: how many others each knows of where they say they are.
  std::uint64_t presences() const;
  // Of running nodes: how many have so many links.
  std::map<std::size_t, std::size_t> degrees() const;
  std::uint64_t steps() const { return steps_; }
  mesh::Engine& engine(NodeIndex node) { return *nodes_[node].engine; }

 private:
  struct Held {
    Position position;
    Arrival arrival = 0;
  };
  struct Node {
    std::unique_ptr<sim::StandInIdentity> identity;
    std::unique_ptr<sim::StandInChannels> channels;
    std::unique_ptr<mesh::Engine> engine;  // behind what it is given: it goes first
    std::map<LogId, Held> held;
    Arrival arrival = 0;
    std::optional<Instant> armed;
    std::unordered_map<std::uint64_t, std::uint32_t> streams;  // by link
  };
  struct Stream {
    NodeIndex ends[2] = {0, 0};
    mesh::LinkId links[2];
    Duration delay;
    bool open = true;
  };
  struct Due {
    Instant at;
    std::uint64_t order = 0;
    NodeIndex node = 0;
    std::uint32_t stream = 0;  // kNoStream: none
    mesh::Input input;
  };
  struct Log {
    LogKey key;
    NodeIndex author = 0;
    std::vector<trust::VerifiedSegment> segments;
  };

  static bool later(const Due& a, const Due& b);
  mesh::Config config(NodeIndex node);
  Duration delay_between(NodeIndex a, NodeIndex b) const;
  void push(Instant at, NodeIndex node, std::uint32_t stream, mesh::Input input);
  void step(NodeIndex node, mesh::Input input);
  void perform(NodeIndex node, mesh::Effects& effects, std::vector<mesh::Input>& next);
  void dial(NodeIndex node, const mesh::Dial& dial);
  void send(NodeIndex node, mesh::Send& send);
  void close(NodeIndex node, const mesh::Close& close);
  WallTime wall() const;
  // One event, stored by its author; what that one's engine is to be told.
  mesh::Committed store_own(NodeIndex author, std::string_view topic, std::string_view type,
                            ByteView payload);
  mesh::Committed commit(NodeIndex node, const mesh::Commit& commit);
  mesh::ReadDone read(NodeIndex node, const mesh::Read& read);
  mesh::StoredHead stored_head(const Log& log, const trust::VerifiedSegment& segment,
                               Arrival arrival) const;
  void note_delivery(NodeIndex node, const LogId& log, Seq seq);
  std::optional<NodeIndex> listener(const std::string& address) const;

  WideOptions options_;
  Rng rng_;
  sim::StandInCheck signatures_;
  std::vector<Node> nodes_;
  std::vector<NodeIndex> started_;
  std::vector<Stream> streams_;
  std::vector<Due> heap_;
  std::map<LogId, Log> logs_;
  std::vector<Delivery> deliveries_;
  std::map<std::pair<LogId, Seq>, std::size_t> delivery_of_;
  Instant now_{1000000};
  std::uint64_t order_ = 0;
  std::uint64_t steps_ = 0;
  std::uint64_t next_inbound_ = 1;
  std::uint64_t stream_bytes_ = 0;
  std::uint64_t datagram_bytes_ = 0;
  std::size_t segment_bytes_ = 0;
  bool cut_ = false;
};

}  // namespace ebb::bench
