#include "tests/mesh/datagram_peer.h"

#include <doctest/doctest.h>

#include "codec/frame.h"
#include "codec/message.h"

namespace ebb::tests {
namespace {

// Above all that a rig gives to its streams.
constexpr std::uint64_t kFirstLink = std::uint64_t{1} << 40;

}  // namespace

DatagramPeer::DatagramPeer(Rig& rig, std::string address, const DeviceId& device)
    : rig_(rig), address_(std::move(address)), device_(device) {
  rig_.on_datagram = [this](std::size_t, const std::string& to, const Bytes& bytes) {
    if (to == address_) came.push_back(bytes);
    return true;
  };
}

DatagramPeer::~DatagramPeer() { rig_.on_datagram = nullptr; }

void DatagramPeer::connect() {
  const std::uint64_t number = ++rig_.strangers;
  const mesh::LinkId link{mesh::kInboundBit | (kFirstLink + number)};
  const auto index = static_cast<std::uint32_t>(number);
  Bytes wire;
  rig_.on_stray_send = [&wire, link](const mesh::Send& send) {
    if (send.link == link) append(wire, send.bytes);
  };
  // Each from a host of its own: no source may begin too many handshakes.
  rig_.input(0, mesh::LinkUp{link, false, "by-stream" + std::to_string(number) + ":1"});
  Bytes said = plain_preamble(device_, index);
  codec::Hello hello;
  hello.mesh = test_mesh();
  hello.reconciliation.data[15] = 9;
  codec::encode_frame(hello, said);
  rig_.input(0, mesh::StreamBytes{link, std::move(said)});
  REQUIRE(wire.size() >= kPlainPreambleBytes);
  rig_.on_stray_send = nullptr;
  const std::size_t index_at = kPlainPreambleBytes - sizeof(std::uint32_t);
  const PlainEnd self{device_, index};
  const PlainEnd other{rig_.store(0).device(), read_be32(ByteView(wire).subspan(index_at))};
  REQUIRE(other.receiver_index != 0);
  sealer_.emplace(channel::CipherState(plain_datagram_key(self, other)), other.receiver_index);
  opener_.emplace(channel::CipherState(plain_datagram_key(other, self)), index);
  rig_.input(0, mesh::LinkDown{link, "closed"});
  came.clear();
  rig_.node(0).notices.clear();
}

codec::RootDatagram DatagramPeer::root() const {
  codec::RootDatagram root;
  root.root.data[0] = 1;
  root.count = 1;
  root.listen_port = 7000;
  return root;
}

Bytes DatagramPeer::sealed(const codec::DatagramBody& body) {
  return sealed_bytes(codec::datagram_type(body), codec::encode_datagram(body));
}

Bytes DatagramPeer::sealed_bytes(std::uint8_t type, ByteView plain) {
  Bytes wire;
  REQUIRE(sealer_.has_value());
  REQUIRE(sealer_->seal(type, plain, wire).ok());
  return wire;
}

void DatagramPeer::send_from(const std::string& address, Bytes bytes) {
  rig_.input(0, mesh::Datagram{address, std::move(bytes)});
}

}  // namespace ebb::tests
