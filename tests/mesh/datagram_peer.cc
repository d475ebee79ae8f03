#include "tests/mesh/datagram_peer.h"

#include <doctest/doctest.h>

namespace ebb::tests {

DatagramPeer::DatagramPeer(Rig& rig, std::string address, const DeviceId& device)
    : rig_(rig), address_(std::move(address)), device_(device) {
  rig_.on_datagram = [this](std::size_t, const std::string& to, const Bytes& bytes) {
    if (to == address_) came.push_back(bytes);
    return true;
  };
}

DatagramPeer::~DatagramPeer() { rig_.on_datagram = nullptr; }

codec::RootDatagram DatagramPeer::root() const {
  codec::RootDatagram root;
  root.root.data[0] = 1;
  root.count = 1;
  root.cookie.data[0] = 1;
  root.listen_port = 7000;
  return root;
}

Bytes DatagramPeer::encoded(codec::DatagramBody body) const {
  codec::GossipDatagram datagram;
  datagram.mesh = test_mesh();
  datagram.device = device_;
  datagram.echo = echo;
  datagram.counter = ++counter;
  datagram.body = std::move(body);
  return codec::encode_datagram(datagram);
}

void DatagramPeer::send_from(const std::string& address, Bytes bytes) {
  sent_bytes = bytes.size();
  rig_.input(0, mesh::Datagram{address, std::move(bytes)});
}

void DatagramPeer::prove() {
  if (!echo.is_zero()) return;
  send(root());
  const auto wanted = take<codec::CookieDatagram>();
  REQUIRE(wanted);
  echo = wanted->cookie;
  came.clear();
}

}  // namespace ebb::tests
