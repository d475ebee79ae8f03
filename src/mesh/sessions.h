// Sessions: the datagram keys that are live, each of one handshake with one device.
//
// Model:     who seals takes the device's session; who opens, the one that the datagram's index
//            names, so what comes from a stranger costs one look-up, and moves nothing.
//            A device's next handshake replaces its session, but one within kOverlap of it that the
//            smaller device key has dialled stays, on both ends. The other is kept, so that what is
//            on its way is not lost and ends that have judged the overlap differently understand
//            each other: until a datagram opens under a later handshake. That shows what the other
//            end seals with, so it is ours from then on, and all before it are forgotten.
// Ownership: owns the keys; they are erased with their session.
// Threads:   not thread-safe; part of the engine.
// Limits:    limits::kDatagramSessions, of which the one whose stream ended first makes room; two
//            of a device; limits::kDatagramKeysMs behind the end of the stream.
// Spec:      docs/wire_format.md section 12
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "channel/datagrams.h"
#include "codec/message.h"
#include "core/ids.h"
#include "core/time.h"
#include "mesh/channel.h"
#include "mesh/types.h"

namespace ebb::mesh {

// What a handshake has agreed on.
struct NewSession {
  DeviceId device;
  DatagramKeys keys;
  channel::ReceiverIndex index = 0;  // ours
  channel::ReceiverIndex peer_index = 0;
  LinkId link;              // the stream of the handshake
  bool by_smaller = false;  // dialled by the smaller of the two device keys
  std::string address;      // where the other end may be spoken to; empty: unknown
};

struct Session {
  Session(NewSession made, Instant now, std::uint64_t number_in)
      : device(made.device),
        sealer(channel::CipherState(std::move(made.keys.outward)), made.peer_index),
        opener(channel::CipherState(std::move(made.keys.inward)), made.index),
        link(made.link),
        by_smaller(made.by_smaller),
        made_at(now),
        number(number_in),
        address(std::move(made.address)) {}

  DeviceId device;
  channel::DatagramSealer sealer;
  channel::DatagramOpener opener;
  LinkId link;
  bool by_smaller;
  Instant made_at;
  std::uint64_t number;          // of its handshake, of all devices
  std::optional<Instant> ended;  // its stream
  // Where the newest authentic datagram came from, or where it was dialled; empty: unknown.
  std::string address;
  // What equal roots have shown: all that it holds up to there is stored here.
  std::optional<codec::Cursor> agreed;
};

class SessionTable {
 public:
  static constexpr Duration kOverlap = seconds(10);

  // Whether the index may be told to somebody.
  bool is_free(channel::ReceiverIndex index) const {
    return index != 0 && !sessions_.contains(index);
  }
  // False, and the keys are erased: an index is 0 or taken, or all places are of streams that live.
  bool add(NewSession made, Instant now);
  void link_ended(LinkId link, Instant now);
  // Null: there is none, or not any more.
  Session* of_device(const DeviceId& device, Instant now);
  void forget(const DeviceId& device);
  void expire(Instant now);
  std::optional<Instant> next_expiry() const { return next_expiry_; }
  std::size_t size() const { return sessions_.size(); }

  struct Opened {
    Session* session = nullptr;  // valid until the next call
    channel::OpenedDatagram datagram;
  };
  // Why not: a static text.
  std::variant<Opened, std::string_view> open(ByteView wire, Instant now);

 private:
  struct OfDevice {
    channel::ReceiverIndex seals = 0;
    channel::ReceiverIndex other = 0;  // 0: none
  };
  using Sessions = std::map<channel::ReceiverIndex, Session>;

  bool make_room();
  void place(OfDevice& known, channel::ReceiverIndex index, Session& added);
  void settle_on(OfDevice& known, channel::ReceiverIndex index, const Session& opened);
  // Takes it out of its device's row, too.
  void erase(Sessions::iterator at);
  void plan();

  Sessions sessions_;
  std::map<DeviceId, OfDevice> devices_;
  std::uint64_t handshakes_ = 0;
  std::optional<Instant> next_expiry_;
};

}  // namespace ebb::mesh
