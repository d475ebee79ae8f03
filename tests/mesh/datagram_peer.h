// DatagramPeer: a device of a test's making that speaks to node 0 of a rig by datagrams, from an
// address where no node of the rig listens, or beside the one that does.
//
// Model:     echoes what the test gives it: nothing before prove(). Keeps what node 0 sends there.
// Ownership: refers to the rig, whose on_datagram it takes over and gives back.
// Threads:   not thread-safe; one test.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "codec/datagram.h"
#include "tests/mesh/rig.h"

namespace ebb::tests {

class DatagramPeer {
 public:
  DatagramPeer(Rig& rig, std::string address, const DeviceId& device);
  ~DatagramPeer();
  DatagramPeer(const DatagramPeer&) = delete;
  DatagramPeer& operator=(const DatagramPeer&) = delete;

  // Somewhere else than node 0 ever is.
  codec::RootDatagram root() const;
  Bytes encoded(codec::DatagramBody body) const;
  void send(codec::DatagramBody body) { send_raw(encoded(std::move(body))); }
  void send_raw(Bytes bytes) { send_from(address_, std::move(bytes)); }
  void send_from(const std::string& address, Bytes bytes);
  // Asks for the cookie, unless it has one, and echoes it from now on.
  void prove();

  // The next datagram of a kind that came; those of other kinds before it are gone.
  template <class T>
  std::optional<T> take() {
    while (!came.empty()) {
      const auto datagram = codec::decode_datagram(came.front());
      kept_ = std::exchange(came.front(), {});
      came.pop_front();
      if (!datagram.ok()) continue;
      if (const T* found = std::get_if<T>(&datagram->body)) return *found;
    }
    return std::nullopt;
  }

  codec::AddressCookie echo;
  mutable std::uint64_t counter = 0;  // of the last datagram
  std::deque<Bytes> came;
  std::size_t sent_bytes = 0;  // in the last datagram

 private:
  Rig& rig_;
  std::string address_;
  DeviceId device_;
  Bytes kept_;  // what the last one taken refers to
};

}  // namespace ebb::tests
