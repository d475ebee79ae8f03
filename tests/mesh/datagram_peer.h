// DatagramPeer: a device of a test's making that speaks to node 0 of a rig by datagrams, from an
// address where no node of the rig listens, or beside the one that does.
//
// Model:     has keys from connect() on, by a link that ends at once. Keeps what node 0 sends to
//            its address.
// Ownership: refers to the rig, whose on_datagram it takes over and gives back.
// Threads:   not thread-safe; one test.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "channel/datagrams.h"
#include "codec/datagram.h"
#include "tests/mesh/rig.h"

namespace ebb::tests {

class DatagramPeer {
 public:
  DatagramPeer(Rig& rig, std::string address, const DeviceId& device);
  ~DatagramPeer();
  DatagramPeer(const DatagramPeer&) = delete;
  DatagramPeer& operator=(const DatagramPeer&) = delete;

  // A handshake, HELLO and the end of the link: new keys for both.
  void connect();
  // Somewhere else than node 0 ever is.
  codec::RootDatagram root() const;
  Bytes sealed(const codec::DatagramBody& body);
  // Under the next counter, whatever the bytes are.
  Bytes sealed_bytes(std::uint8_t type, ByteView plain);
  void send(const codec::DatagramBody& body) { send_raw(sealed(body)); }
  void send_raw(Bytes bytes) { send_from(address_, std::move(bytes)); }
  void send_from(const std::string& address, Bytes bytes);

  // The next datagram of a kind that came; those of other kinds before it are gone.
  template <class T>
  std::optional<T> take() {
    while (!came.empty()) {
      auto opened = opener_->open(came.front());
      came.pop_front();
      auto* datagram = std::get_if<channel::OpenedDatagram>(&opened);
      if (datagram == nullptr) continue;
      kept_ = std::move(datagram->plain);
      const auto body = codec::decode_datagram(datagram->type, kept_);
      if (!body.ok()) continue;
      if (const T* found = std::get_if<T>(&*body)) return *found;
    }
    return std::nullopt;
  }

  std::deque<Bytes> came;

 private:
  Rig& rig_;
  std::string address_;
  DeviceId device_;
  std::optional<channel::DatagramSealer> sealer_;
  std::optional<channel::DatagramOpener> opener_;
  Bytes kept_;  // what the last one taken refers to
};

}  // namespace ebb::tests
