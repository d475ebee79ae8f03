// Server: the local API on a Unix socket, served by libmicrohttpd inside the node's loop.
//
// Model:     requests that wait (a commit, a query, news) are suspended and resumed; the loop never
//            blocks. Bodies are bounded; streams of NDJSON are appended in parts as they come and
//            read no faster than the append queue takes them.
// Ownership: `node` must outlive the server.
// Threads:   not thread-safe; call on the loop thread.
// Errors:    start: kExists (a live node answers on the socket), kIo.
// Limits:    kHttpConnections, kHttpBodyBytes, kHttpLineBytes.
// Spec:      docs/api.md
#pragma once

#include <memory>
#include <string>

#include "core/limits.h"
#include "core/result.h"
#include "node/node.h"

namespace ebb::http {

// Tests shorten what takes long.
struct ServerOptions {
  Duration follow_patience = milliseconds(limits::kHttpFollowMs);
};

class Server {
 public:
  // A socket file left by a dead node is replaced.
  static Result<std::unique_ptr<Server>> start(node::Node& node, const std::string& socket_path,
                                               const ServerOptions& options = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ebb::http
