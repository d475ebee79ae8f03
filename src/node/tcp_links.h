// TcpLinks: the engine's links as TCP connections: listens, dials, sends, closes, and says what
// happened as the engine's inputs.
//
// Model:     a link id names one connection, given by the engine for those it dials and here for
//            those that come in. A closed link is gone for the engine at once; its socket may take
//            a moment longer to send what waits.
// Ownership: `feed` and `resolver` must outlive it.
// Threads:   not thread-safe; call on the loop thread. `feed` may be called inside any call.
// Errors:    listen: kBusy (port in use), kPermission, kIo.
// Limits:    ConnectionRoom: beyond it what comes in is closed at once, and a dial fails. At most
//            limits::kAcceptsAtOnce connections are accepted in a turn of the loop, so that others
//            are served between them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "mesh/types.h"
#include "node/resolver.h"
#include "node/tcp_connection.h"
#include "node/uv_handles.h"

namespace ebb::node {

// Connections: fewer than there might be where the process may open few files, of which
// limits::kReservedDescriptors are left.
struct ConnectionRoom {
  std::size_t all = 0;
  std::size_t inbound = 0;    // of them; the others are for dials alone
  std::size_t half_open = 0;  // of `inbound`, before they are links
};
ConnectionRoom connection_room(std::size_t open_files_max);

class TcpLinks : private TcpOwner {
 public:
  using Feed = std::function<void(mesh::Input)>;
  TcpLinks(uv_loop_t* loop, Resolver& resolver, Feed feed);
  TcpLinks(const TcpLinks&) = delete;
  TcpLinks& operator=(const TcpLinks&) = delete;

  // Answers with the address as bound (port 0 asks for any).
  Result<Endpoint> listen(const Endpoint& endpoint);
  void stop_listening() { listener_.reset(); }

  void dial(mesh::LinkId link, const std::string& address);
  // `report`: SendProgress follows even if nothing waits.
  void send(mesh::LinkId link, Bytes bytes, bool report = false);
  // The engine hears LinkDown for it.
  void close(mesh::LinkId link, const std::string& reason);
  void close_all(const std::string& reason);

  const ConnectionRoom& room() const { return room_; }
  // No connection is left, not even one that is being finished.
  bool idle() const { return links_.empty() && finishing_.empty(); }
  // Called whenever a connection is gone.
  void on_ended(std::function<void()> ended) { ended_ = std::move(ended); }

 private:
  using Connections = std::map<mesh::LinkId, std::unique_ptr<TcpConnection>>;

  void connection_open(mesh::LinkId link) override;
  void connection_bytes(mesh::LinkId link, ByteView bytes) override;
  void connection_waiting(mesh::LinkId link, std::size_t bytes) override;
  void connection_ended(mesh::LinkId link, std::string reason) override;
  void on_incoming(int status);
  void begin_turn();
  bool has_room(bool dialled) const;
  std::unique_ptr<TcpConnection> make_connection(mesh::LinkId link);

  uv_loop_t* loop_;
  Resolver& resolver_;
  Feed feed_;
  std::function<void()> ended_;
  Bytes read_buffer_;
  const ConnectionRoom room_;
  std::uint64_t next_inbound_ = 1;
  HandlePtr<uv_tcp_t> listener_;
  std::size_t accepted_ = 0;  // in this turn of the loop
  bool one_waits_ = false;    // libuv has it, and no other before it is accepted
  Timer next_turn_;
  Connections links_;
  Connections finishing_;
};

}  // namespace ebb::node
