// Channel: what a link's bytes go through on their way to and from the wire. The plain one is all
// there is so far; the encrypted one replaces it behind this interface.
//
// Model:     start() gives the first bytes to send; receive() takes wire bytes and appends the
//            stream's plaintext; seal() turns plaintext into wire bytes. `peer()` is known once the
//            channel is established, and only then may seal() be called.
//            Bytes are passed by value because the plain channel hands them on without a copy.
// Errors:    receive: kMalformed, kUnsupported; the link is then useless.
// Threads:   not thread-safe; owned by its link.
// Spec:      docs/wire_format.md section 7
#pragma once

#include <memory>
#include <optional>

#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"

namespace ebb::mesh {

class Channel {
 public:
  virtual ~Channel() = default;
  virtual void start(Bytes& wire_out) = 0;
  // `wire_out` takes bytes that the channel itself must send in answer.
  virtual Status receive(Bytes wire, Bytes& plain_out, Bytes& wire_out) = 0;
  virtual void seal(Bytes plain, Bytes& wire_out) = 0;
  virtual bool established() const = 0;
  virtual std::optional<DeviceId> peer() const = 0;
  // False for a channel that proves nothing and hides nothing: drivers keep it on loopback.
  virtual bool secure() const = 0;
};

// "ebb-plain-1" and the device's id, then frames as they are.
std::unique_ptr<Channel> make_plain_channel(const DeviceId& self);

}  // namespace ebb::mesh
