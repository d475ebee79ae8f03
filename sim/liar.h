// Liar: stands between the engine of one host and its channels, and bends what that host says:
// bytes flipped, fields changed, messages repeated, old, out of order or left out, false claims,
// forged segments. It cannot sign for others.
//
// Model:   what a connection carries is taken apart into its frames before it is sealed; each goes
//          out as it is, or bent in one way. The host's own engine, store and clients are honest.
//          Nothing is forged in the name of the host itself: two histories of one's own log, well
//          signed, are a fork, and that is another story.
// Threads: not thread-safe; owned by its host.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "channel/datagrams.h"
#include "codec/frame.h"
#include "core/rng.h"
#include "mesh/channel.h"
#include "sim/faults.h"
#include "sim/options.h"
#include "trust/identity.h"

namespace ebb::sim {

class Liar {
 public:
  // All must outlive it.
  Liar(const Options& options, const trust::Identity& identity, FaultCounts& counts, Rng rng)
      : options_(options), identity_(identity), counts_(counts), rng_(rng) {}

  struct Stream {
    codec::FrameSplitter frames;
    std::vector<Bytes> held_back;
  };
  // What goes out instead of the bytes on that connection; maybe nothing yet.
  Bytes bend(Stream& stream, ByteView bytes);
  // The keys of what goes out under that index, so that lies are sealed.
  void keep_datagram_key(channel::ReceiverIndex index, channel::Key key);
  Bytes bend_datagram(ByteView bytes);

 private:
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
  std::vector<Bytes> kept_;  // frames of earlier, of all links
  std::vector<LogId> logs_;  // that were mentioned
  std::map<channel::ReceiverIndex, channel::CipherState> datagram_keys_;
};

// The channels of a liar: what another factory makes, with the liar in front. Both must outlive it.
class LyingChannels final : public mesh::Channels {
 public:
  LyingChannels(const mesh::Channels& honest, Liar& liar) : honest_(honest), liar_(liar) {}
  std::uint32_t random_index() const override { return honest_.random_index(); }
  std::unique_ptr<mesh::Channel> dial(mesh::ChannelClaim own) const override;
  std::unique_ptr<mesh::Channel> accept(mesh::ChannelClaim own,
                                        mesh::MayAnswer may_answer) const override;

 private:
  const mesh::Channels& honest_;
  Liar& liar_;
};

}  // namespace ebb::sim
