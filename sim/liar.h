// Liar: stands between the engine of one host and the network, and bends what that host says: bytes
// flipped, fields changed, messages repeated, old, out of order or left out, false claims, forged
// segments. It cannot sign for others.
//
// Model:   what a connection carries is taken apart into its frames behind the preamble; each goes
//          out as it is, or bent in one way. The host's own engine, store and clients are honest.
//          Nothing is forged in the name of the host itself: two histories of one's own log, well
//          signed, are a fork, and that is another story.
// Threads: not thread-safe; owned by its host.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "codec/frame.h"
#include "core/rng.h"
#include "mesh/types.h"
#include "sim/faults.h"
#include "sim/options.h"
#include "trust/identity.h"

namespace ebb::sim {

class Liar {
 public:
  // All must outlive it.
  Liar(const Options& options, const trust::Identity& identity, FaultCounts& counts, Rng rng)
      : options_(options), identity_(identity), counts_(counts), rng_(rng) {}

  // What goes out instead of the bytes on that connection; maybe nothing yet.
  Bytes bend(mesh::LinkId link, ByteView bytes);
  Bytes bend_datagram(ByteView bytes);
  void forget_links() { streams_.clear(); }

 private:
  struct Stream {
    std::size_t preamble = 0;  // bytes of it that have passed
    codec::FrameSplitter frames;
    std::vector<Bytes> held_back;
  };

  void say(Stream& stream, ByteView frame, Bytes& out);
  void bend_frame(Stream& stream, ByteView frame, Fault lie, Bytes& out);
  // What stands in `out` from there on, again and again.
  void flood(Bytes& out, std::size_t begin);
  void keep(ByteView frame);
  // False when the message has nothing that can be bent that way.
  bool change_field(ByteView frame, Bytes& out);
  bool forge(ByteView frame, Bytes& out);
  void claim(Bytes& out);
  void flip(Bytes& bytes, std::size_t from);

  const Options& options_;
  const trust::Identity& identity_;
  FaultCounts& counts_;
  Rng rng_;
  std::map<mesh::LinkId, Stream> streams_;
  std::vector<Bytes> kept_;  // frames of earlier, of all links
  std::vector<LogId> logs_;  // that were mentioned
};

}  // namespace ebb::sim
