// TcpConnection: one TCP stream of a link, from connect or accept to its end.
//
// Model:     connecting -> open -> (finishing) -> ended. Bytes are written at once as far as the
//            socket takes them; the rest waits and is reported as it drains. finish() sends what
//            waits, ends our side, and discards what still comes until the other side ends too, so
//            that a last message is not lost to a reset.
// Ownership: `owner` and `read_buffer` must outlive it; the owner destroys it when it has ended, or
//            before. It may be destroyed inside its own calls to the owner.
// Threads:   not thread-safe; call on the loop thread.
// Limits:    kLinkWaitingBytes, kSlowestLinkBytes in kSlowestLinkMs: the connection ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/bytes.h"
#include "mesh/types.h"
#include "node/address.h"
#include "node/uv_handles.h"

namespace ebb::node {

class TcpOwner {
 public:
  virtual ~TcpOwner() = default;
  virtual void connection_open(mesh::LinkId link) = 0;
  // `bytes` are valid until the call returns.
  virtual void connection_bytes(mesh::LinkId link, ByteView bytes) = 0;
  virtual void connection_waiting(mesh::LinkId link, std::size_t bytes) = 0;
  // Nothing follows.
  virtual void connection_ended(mesh::LinkId link, std::string reason) = 0;
};

class TcpConnection {
 public:
  TcpConnection(uv_loop_t* loop, TcpOwner& owner, mesh::LinkId link, Bytes& read_buffer);
  TcpConnection(const TcpConnection&) = delete;
  TcpConnection& operator=(const TcpConnection&) = delete;

  // Ends with a reason when it does not come up in time.
  void connect(const Endpoint& endpoint);
  Status accept(uv_stream_t* listener);
  void send(Bytes bytes);
  void finish();

  bool is_open() const { return state_ == State::kOpen; }
  std::size_t waiting_bytes() const;
  // Whether anything was ever handed to it.
  bool has_sent() const { return drained_bytes_ > 0 || waiting_bytes() > 0; }
  // host:port of the other side.
  std::string remote() const;

 private:
  enum class State { kNew, kConnecting, kOpen, kFinishing, kEnded };

  void set_options();
  Status start_reading();
  void on_connect(int status);
  void on_read(ssize_t size, const uv_buf_t* buffer);
  void on_written(std::size_t bytes, int status);
  void on_timer();
  void watch_progress();
  void end(std::string reason);

  TcpOwner& owner_;
  mesh::LinkId link_;
  Bytes& read_buffer_;
  HandlePtr<uv_tcp_t> tcp_;
  Timer timer_;
  State state_ = State::kNew;
  bool watching_ = false;  // the timer measures progress
  std::uint64_t drained_bytes_ = 0;
  std::uint64_t drained_at_start_ = 0;  // of the time measured
};

}  // namespace ebb::node
