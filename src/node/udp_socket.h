// UdpSocket: the gossip datagrams of a node. Sends as the socket takes them and drops the rest,
// also what goes to a name that is not looked up yet: gossip is repeated.
//
// Ownership: `feed` and `resolver` must outlive it.
// Threads:   not thread-safe; call on the loop thread.
// Errors:    bind: kBusy (port in use), kPermission, kIo.
#pragma once

#include <functional>
#include <string>

#include "mesh/types.h"
#include "node/resolver.h"
#include "node/uv_handles.h"

namespace ebb::node {

class UdpSocket {
 public:
  using Feed = std::function<void(mesh::Input)>;
  UdpSocket(uv_loop_t* loop, Resolver& resolver, Feed feed);
  UdpSocket(const UdpSocket&) = delete;
  UdpSocket& operator=(const UdpSocket&) = delete;

  Status bind(const Endpoint& endpoint);
  void close() { udp_.reset(); }
  void send(const std::string& to, Bytes bytes);

 private:
  void send_to(const Endpoint& endpoint, Bytes& bytes);
  void on_datagram(ssize_t size, const uv_buf_t* buffer, const sockaddr* from, unsigned flags);

  uv_loop_t* loop_;
  Resolver& resolver_;
  Feed feed_;
  Bytes read_buffer_;
  HandlePtr<uv_udp_t> udp_;
};

}  // namespace ebb::node
