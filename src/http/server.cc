#include "http/server.h"

#include <microhttpd.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <set>
#include <utility>

#include "core/limits.h"
#include "http/connection.h"
#include "http/listen_socket.h"

namespace ebb::http {
namespace {

// How often one turn of the loop lets the server work before others have theirs.
constexpr int kRunsPerTurn = 4;
// How long the end waits for answers that are on their way out.
constexpr int kFarewellMs = 1000;
constexpr int kFarewellSteps = 100;

}  // namespace

struct Server::Impl {
  Impl(node::Node& the_node, ListenSocket the_socket, const ServerOptions& options)
      : context{.node = the_node,
                .started = the_node.wall(),
                .follow_patience = options.follow_patience},
        socket(std::move(the_socket)) {}
  ~Impl();

  Status start();
  // Lets libmicrohttpd do what there is to do; may be called at any time on the loop thread.
  void run();
  void arm(Duration delay);

  Context context;
  ListenSocket socket;
  ConnectionSet connections;  // of requests that are not over
  MHD_Daemon* daemon = nullptr;
  int epoll_fd = -1;
  bool running = false;
  std::unique_ptr<node::Node::Watch> readable;
  std::unique_ptr<node::Node::Watch> timer;
  Instant timer_due{};
};

Status Server::Impl::start() {
  connections.context = &context;
  connections.on_resumed = [this] {
    if (!running) arm(microseconds(0));
  };
  daemon = MHD_start_daemon(
      MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, nullptr, nullptr, &on_request, &connections,
      MHD_OPTION_LISTEN_SOCKET, socket.fd(), MHD_OPTION_URI_LOG_CALLBACK, &on_target, &connections,
      MHD_OPTION_NOTIFY_COMPLETED, &on_completed, &connections, MHD_OPTION_CONNECTION_LIMIT,
      static_cast<unsigned>(limits::kHttpConnections), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
      limits::kHttpConnectionBytes, MHD_OPTION_CONNECTION_TIMEOUT,
      static_cast<unsigned>(limits::kHttpIdleMs / 1000), MHD_OPTION_END);
  if (daemon == nullptr) return Error{ErrorCode::kIo, "local API: the server does not start"};
  socket.release_fd();  // closed with the daemon from here on
  const MHD_DaemonInfo* info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
  if (info == nullptr) return Error{ErrorCode::kInternal, "local API: no epoll descriptor"};
  epoll_fd = info->epoll_fd;
  readable = context.node.watch_readable(epoll_fd, [this] { run(); });
  return {};
}

void Server::Impl::run() {
  if (running) return;
  running = true;
  MHD_UNSIGNED_LONG_LONG wait_ms = 0;
  bool waits = true;
  for (int i = 0; i < kRunsPerTurn && waits && wait_ms == 0; ++i) {
    MHD_run(daemon);
    waits = MHD_get_timeout(daemon, &wait_ms) == MHD_YES;
  }
  running = false;
  if (waits) arm(milliseconds(static_cast<std::int64_t>(wait_ms)));
}

void Server::Impl::arm(Duration delay) {
  const Instant due = context.node.now() + delay;
  // A timer that fires too early does no harm, and most are never needed.
  if (timer && timer_due <= due) return;
  timer_due = due;
  timer = context.node.call_after(delay, [this] {
    timer.reset();
    run();
  });
}

// What was answered before the end still reaches its client, and followers hear that it is one;
// what waits is cut off.
Server::Impl::~Impl() {
  connections.on_resumed = {};
  readable.reset();
  timer.reset();
  if (daemon == nullptr) return;
  const MHD_socket listener = MHD_quiesce_daemon(daemon);
  connections.finish_sources();
  for (int step = 0; step < kFarewellSteps; ++step) {
    MHD_run(daemon);
    if (!connections.any_answering()) break;
    pollfd ready{epoll_fd, POLLIN, 0};
    poll(&ready, 1, kFarewellMs / kFarewellSteps);
  }
  connections.close_all();
  MHD_run(daemon);
  MHD_stop_daemon(daemon);
  if (listener >= 0) close(listener);
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::start(node::Node& node, const std::string& socket_path,
                                              const ServerOptions& options) {
  EBB_ASSIGN(ListenSocket socket, ListenSocket::open(socket_path));
  auto impl = std::make_unique<Impl>(node, std::move(socket), options);
  EBB_RETURN_IF_ERROR(impl->start());
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

}  // namespace ebb::http
