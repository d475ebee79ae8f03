// MeshDriver: runs the engine on this machine: sockets and a timer bring it inputs, and what it
// wants done is done.
//
// Model:     feed() takes one input after the other, also when called from within, so the engine is
//            never entered twice. One timer stands for the engine's next deadline.
// Ownership: owns engine and sockets; `ports` is called on the loop and must stay valid.
// Threads:   not thread-safe; call on the loop thread.
// Errors:    bind: kBusy (port in use), kInvalidArgument, kIo.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "mesh/engine.h"
#include "mesh/types.h"
#include "node/resolver.h"
#include "node/tcp_links.h"
#include "node/udp_socket.h"
#include "node/uv_handles.h"

namespace ebb::node {

class MeshDriver {
 public:
  struct Ports {
    std::function<void(mesh::Commit)> commit;
    std::function<void(mesh::Read)> read;  // answered by feed(ReadDone)
    std::function<void()> rollback_found;  // answered by feed(IncarnationBegun)
    std::function<void()> set_back_found;  // answered by feed(EpochTaken)
    std::function<void(std::optional<PeerClock>)> clock_moved;
    std::function<void(mesh::WriteRecord)> write_record;       // answered by feed(Committed)
    std::function<void(const mesh::InviteUsed&)> invite_used;  // to be kept when it returns
    std::function<void(mesh::Issued)> issued;
    std::function<void()> link_ended;  // idle() may have become true
  };
  MeshDriver(uv_loop_t* loop, Ports ports);
  MeshDriver(const MeshDriver&) = delete;
  MeshDriver& operator=(const MeshDriver&) = delete;

  // TCP and UDP on one port. With `next_free` the following ports are tried too when it is in use.
  Result<Endpoint> bind(const std::string& listen, bool next_free);
  // Once, before anything is fed; `config` says where bind() has put us.
  void start(mesh::Config config, Rng rng);
  void feed(mesh::Input input);
  // BYE to everyone; sockets are closed when what waits is sent.
  void shut_down();
  // No connection is left.
  bool idle() const { return links_.idle(); }
  const mesh::Engine& engine() const { return *engine_; }
  // start() was called.
  bool running() const { return engine_ != nullptr; }

 private:
  Status bind_both(const Endpoint& endpoint, Endpoint& bound);
  void apply(mesh::Effects& effects);
  void apply_notice(const mesh::Notice& notice);
  void arm_timer();
  void tell_time();

  Ports ports_;
  Resolver resolver_;
  TcpLinks links_;
  UdpSocket udp_;
  Timer deadline_;
  Timer minute_;  // runs where the hour matters
  std::optional<Instant> armed_for_;
  std::unique_ptr<mesh::Engine> engine_;
  std::deque<mesh::Input> inputs_;
  bool feeding_ = false;
};

}  // namespace ebb::node
