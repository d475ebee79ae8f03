#include "node/tcp_links.h"

#include <sys/resource.h>

#include <algorithm>
#include <utility>

#include "core/error_words.h"
#include "core/limits.h"
#include "node/log.h"

namespace ebb::node {
namespace {

constexpr std::size_t kReadBufferBytes = std::size_t{256} << 10;
constexpr std::size_t kConnectionsMin = 4;
constexpr int kBacklog = 128;

std::size_t connections_max() {
  constexpr std::size_t kWanted = limits::kLinks + limits::kHalfOpen;
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY) return kWanted;
  const std::size_t open_max = files.rlim_cur;
  const std::size_t left =
      open_max > limits::kReservedDescriptors ? open_max - limits::kReservedDescriptors : 0;
  return std::clamp(left, kConnectionsMin, kWanted);
}

}  // namespace

TcpLinks::TcpLinks(uv_loop_t* loop, Resolver& resolver, Feed feed)
    : loop_(loop),
      resolver_(resolver),
      feed_(std::move(feed)),
      read_buffer_(kReadBufferBytes),
      connections_max_(connections_max()) {}

Result<Endpoint> TcpLinks::listen(const Endpoint& endpoint) {
  uv_loop_t* loop = loop_;
  HandlePtr<uv_tcp_t> listener =
      make_handle<uv_tcp_t>([loop](uv_tcp_t* h) { return uv_tcp_init(loop, h); });
  listener->owner = this;
  int code = uv_tcp_bind(&listener->handle, endpoint.address(), 0);
  if (code == 0) {
    code = uv_listen(reinterpret_cast<uv_stream_t*>(&listener->handle), kBacklog,
                     [](uv_stream_t* stream, int status) noexcept {
                       const auto* box = static_cast<HandleBox<uv_tcp_t>*>(stream->data);
                       if (box->open) static_cast<TcpLinks*>(box->owner)->on_incoming(status);
                     });
  }
  if (code == UV_EADDRINUSE) return Error{ErrorCode::kBusy, "port in use", endpoint.text()};
  if (code != 0) return uv_error(code, "listen", endpoint.text());
  sockaddr_storage bound{};
  int size = sizeof bound;
  auto* address = reinterpret_cast<sockaddr*>(&bound);
  code = uv_tcp_getsockname(&listener->handle, address, &size);
  if (code != 0) return uv_error(code, "listen", endpoint.text());
  listener_ = std::move(listener);
  return endpoint_of(address).value_or(endpoint);
}

bool TcpLinks::has_room() const { return links_.size() + finishing_.size() < connections_max_; }

std::unique_ptr<TcpConnection> TcpLinks::make_connection(mesh::LinkId link) {
  TcpOwner& owner = *this;
  return std::make_unique<TcpConnection>(loop_, owner, link, read_buffer_);
}

void TcpLinks::on_incoming(int status) {
  if (status != 0) {
    // Out of descriptors: libuv has closed what waited, so the loop does not spin.
    log_limited(LogLevel::kWarn, "accept_failed", {{"reason", uv_strerror(status)}});
    return;
  }
  const mesh::LinkId link{mesh::kInboundBit | next_inbound_++};
  auto connection = make_connection(link);
  const Status accepted = connection->accept(reinterpret_cast<uv_stream_t*>(&listener_->handle));
  if (!accepted.ok() || !has_room()) {
    log_limited(LogLevel::kWarn, "connection_refused",
                {{"reason", accepted.ok() ? "too many connections" : accepted.error().message()}});
    return;
  }
  const std::string remote = connection->remote();
  links_.emplace(link, std::move(connection));
  feed_(mesh::LinkUp{link, false, remote});
}

void TcpLinks::dial(mesh::LinkId link, const std::string& address) {
  if (!has_room()) return connection_ended(link, "too many connections");
  links_.emplace(link, make_connection(link));
  resolver_.resolve(address, [this, link](const Result<Endpoint>& endpoint) {
    const auto it = links_.find(link);
    if (it == links_.end()) return;
    if (endpoint.ok()) return it->second->connect(*endpoint);
    connection_ended(link, error_words(endpoint.error()));
  });
}

void TcpLinks::send(mesh::LinkId link, Bytes bytes, bool report) {
  const auto it = links_.find(link);
  if (it == links_.end()) return;
  it->second->send(std::move(bytes));
  // It may have ended by that. What waits it has told itself.
  const auto still = links_.find(link);
  if (report && still != links_.end() && still->second->waiting_bytes() == 0) {
    connection_waiting(link, 0);
  }
}

void TcpLinks::close(mesh::LinkId link, const std::string& reason) {
  const auto it = links_.find(link);
  if (it == links_.end()) return;
  std::unique_ptr<TcpConnection> connection = std::move(it->second);
  links_.erase(it);
  // Who was told nothing has nothing to wait for, and a stranger is one of them: what he does not
  // close must not take the room of others.
  const bool has_last_words = connection->is_open() && connection->has_sent();
  if (has_last_words && finishing_.size() < limits::kHalfOpen) {
    TcpConnection& last = *connection;
    finishing_.emplace(link, std::move(connection));
    last.finish();
  } else {
    connection.reset();
    if (ended_) ended_();
  }
  feed_(mesh::LinkDown{link, reason});
}

void TcpLinks::close_all(const std::string& reason) {
  while (!links_.empty())
    close(links_.begin()->first, reason);
}

void TcpLinks::connection_open(mesh::LinkId link) {
  feed_(mesh::LinkUp{link, true, links_.at(link)->remote()});
}

void TcpLinks::connection_bytes(mesh::LinkId link, ByteView bytes) {
  feed_(mesh::StreamBytes{link, to_bytes(bytes)});
}

void TcpLinks::connection_waiting(mesh::LinkId link, std::size_t bytes) {
  feed_(mesh::SendProgress{link, bytes});
}

void TcpLinks::connection_ended(mesh::LinkId link, std::string reason) {
  const bool was_finishing = finishing_.erase(link) > 0;
  links_.erase(link);
  // For the engine a link that is being finished was gone before.
  if (!was_finishing) feed_(mesh::LinkDown{link, std::move(reason)});
  if (ended_) ended_();
}

}  // namespace ebb::node
