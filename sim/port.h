// Port: what the engine of one host asks of the network, as a driver asks the system.
//
// Model:   calls about a link that is gone have no effect. What comes back is an input of the host.
// Threads: those of the implementation.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "core/bytes.h"
#include "mesh/types.h"
#include "sim/options.h"

namespace ebb::sim {

class Port {
 public:
  virtual ~Port() = default;
  virtual void dial(HostIndex from, mesh::LinkId link, const std::string& address) = 0;
  // `report`: the host hears how much waits even if that has not changed.
  virtual void send(HostIndex from, mesh::LinkId link, Bytes bytes, bool report) = 0;
  virtual void send_datagram(HostIndex from, const std::string& to, Bytes bytes) = 0;
  // The peer receives what was sent before, then the end. This end hears LinkDown soon.
  virtual void close(HostIndex from, mesh::LinkId link) = 0;

  virtual void host_up(HostIndex host) = 0;
  // Its connections go with it: with a word to the peers, or (`silent`) without one, so that only
  // their timers, or a reset once the host is back, tell them.
  virtual void host_down(HostIndex host, bool silent) = 0;
  virtual void set_reading(HostIndex host, bool reads) = 0;
  virtual const std::string& current_address(HostIndex host) const = 0;

  // What a link has brought to the host since the first byte of it that was flipped on its way,
  // that piece included; nullopt: none was, as everywhere where nothing goes wrong on purpose.
  virtual std::optional<std::size_t> bytes_since_flip(HostIndex, mesh::LinkId) const {
    return std::nullopt;
  }
  // The device of the stranger who is at the other end, or was; nullptr: none is.
  virtual const DeviceId* stranger(HostIndex, mesh::LinkId) const { return nullptr; }
  virtual bool is_open(HostIndex host, mesh::LinkId link) const = 0;
};

}  // namespace ebb::sim
