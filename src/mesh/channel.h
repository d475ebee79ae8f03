// Channel: what a link's bytes go through on their way to and from the wire, and what tells which
// device is at the other end.
//
// Model:     start() gives the first bytes to send, if this end begins; receive() takes wire bytes
//            and appends the stream's plaintext; seal() turns plaintext into wire bytes. `peer()`
//            is known once the channel is established, and only then may seal() be called;
//            finish() says that it was all, and nothing may be sealed behind it.
//            Bytes are passed by value so that a channel may hand them on without a copy.
// Errors:    a failure of receive() is final. Plaintext that was appended before it stands; what
//            is appended to `wire_out` is sent all the same, and where there is nothing, nothing
//            may be sent.
// Ownership: keys go with the channel. A factory must outlive the engine that has it.
// Threads:   not thread-safe; owned by its link.
// Spec:      docs/wire_format.md sections 7 and 12
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "channel/secret.h"
#include "core/bytes.h"
#include "core/ids.h"
#include "mesh/membership_types.h"
#include "trust/certificate.h"

namespace ebb::mesh {

enum class ChannelFault : std::uint8_t {
  kNoAccess,         // it has not shown that it knows mesh and secret
  kNotAnswered,      // it has, and may_answer said no
  kBroken,           // bytes that are not authentic, or nothing that can be read
  kBadProof,         // it is not the device that it says it is
  kNoCommonVersion,  // of the wire; no fault of anybody's
};

struct ChannelFailure {
  ChannelFault fault = ChannelFault::kBroken;
  std::string detail;
};

// What an end says of itself in the handshake, beside the proof of its device. Sealed with it, and
// for the engine to judge.
struct ChannelClaim {
  std::uint32_t receiver_index = 0;  // of datagrams to it; 0: none
  Bytes certificate;                 // as signed; empty: none
  Bytes authority_heads;             // encoded; empty: nothing said
  bool operator==(const ChannelClaim&) const = default;
};

// Who is at the other end.
struct ChannelPeer {
  DeviceId device;          // proven
  trust::LinkKey link_key;  // of the channel; that it is the device's is proven, too
  ChannelClaim claim;
  std::optional<InviteId> invite = std::nullopt;  // of a channel of purpose join: by its secret
};

// Of the datagrams of a handshake, each for one direction.
struct DatagramKeys {
  channel::Key outward, inward;
};

class Channel {
 public:
  virtual ~Channel() = default;
  virtual void start(Bytes& wire_out) = 0;
  // `wire_out` takes bytes that the channel itself must send in answer. nullopt: all is well.
  virtual std::optional<ChannelFailure> receive(Bytes wire, Bytes& plain_out, Bytes& wire_out) = 0;
  virtual void seal(Bytes plain, Bytes& wire_out) = 0;
  // The orderly end of what this end has to say; once, of an established channel.
  virtual void finish(Bytes& wire_out) = 0;
  virtual bool established() const = 0;
  // The other end has said all that it had to say.
  virtual bool ended() const = 0;
  virtual const std::optional<ChannelPeer>& peer() const = 0;
  // Of an established channel, once (checked); they outlive it.
  virtual DatagramKeys take_datagram_keys() = 0;
};

// Asked of a channel that the other end has begun, once, when that has shown that it knows mesh and
// secret, and before anything is computed for it. False: not a byte goes out.
using MayAnswer = std::function<bool()>;

// Makes the channel of each link.
class Channels {
 public:
  virtual ~Channels() = default;
  // Nobody can foretell it, whatever others he has seen.
  virtual std::uint32_t random_index() const = 0;
  // `own`: what this end claims.
  virtual std::unique_ptr<Channel> dial(ChannelClaim own) const = 0;
  // `may_answer` is called in receive().
  virtual std::unique_ptr<Channel> accept(ChannelClaim own, MayAnswer may_answer) const = 0;
};

}  // namespace ebb::mesh
