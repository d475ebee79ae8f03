// JoinStream: one TCP connection that waits for what it does, for commands that do one thing and
// end. The daemon's are TcpLinks.
//
// Errors:    kBusy (nothing came in time), kNotFound (refused: nothing listens there), kIo.
// Ownership: the connection is closed with it.
// Threads:   not thread-safe; blocks its thread.
#pragma once

#include "core/bytes.h"
#include "core/result.h"
#include "core/time.h"
#include "core/unique_fd.h"
#include "node/address.h"

namespace ebb::node {

class JoinStream {
 public:
  // Until `deadline` of the monotonic clock (clocks.h), as below.
  static Result<JoinStream> connect(const Endpoint& to, Instant deadline);
  // Before another is tried.
  static void wait_until(Instant when);
  Status send(ByteView bytes, Instant deadline);
  // What has come, at least a byte; empty: the other end has closed.
  Result<Bytes> receive(Instant deadline);

 private:
  explicit JoinStream(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace ebb::node
