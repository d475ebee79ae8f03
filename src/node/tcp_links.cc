#include "node/tcp_links.h"

#include <sys/resource.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "core/error_words.h"
#include "core/limits.h"
#include "node/log.h"

namespace ebb::node {
namespace {

constexpr std::size_t kReadBufferBytes = std::size_t{256} << 10;
constexpr std::size_t kConnectionsMin = 8;
constexpr std::size_t kConnectionsWanted =
    limits::kLinks + limits::kNewcomers + limits::kHalfOpen + limits::kDialRoom;
constexpr int kBacklog = 512;  // a crowd waits there, as few are accepted at once

std::size_t open_files_max() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY) {
    return std::numeric_limits<std::size_t>::max();
  }
  return files.rlim_cur;
}

}  // namespace

ConnectionRoom connection_room(std::size_t open_files_max) {
  constexpr std::size_t kReserved = limits::kReservedDescriptors;
  const std::size_t left = open_files_max > kReserved ? open_files_max - kReserved : 0;
  ConnectionRoom room;
  room.all = std::clamp(left, kConnectionsMin, kConnectionsWanted);
  room.inbound = room.all - std::min(room.all / 4, limits::kDialRoom);
  room.half_open = std::clamp(room.inbound / 2, limits::kHalfOpenMin, limits::kHalfOpen);
  return room;
}

TcpLinks::TcpLinks(uv_loop_t* loop, Resolver& resolver, Feed feed)
    : loop_(loop),
      resolver_(resolver),
      feed_(std::move(feed)),
      read_buffer_(kReadBufferBytes),
      room_(connection_room(open_files_max())),
      next_turn_(loop, [this] { begin_turn(); }) {}

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

bool TcpLinks::has_room(bool dialled) const {
  if (links_.size() + finishing_.size() >= room_.all) return false;
  if (dialled) return true;
  // Their ids are behind those of all dials.
  const auto inbound = [](const Connections& all) {
    return static_cast<std::size_t>(
        std::distance(all.lower_bound(mesh::LinkId{mesh::kInboundBit}), all.end()));
  };
  return inbound(links_) + inbound(finishing_) < room_.inbound;
}

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
  if (accepted_ == limits::kAcceptsAtOnce) {
    one_waits_ = true;
    return;
  }
  if (accepted_++ == 0) next_turn_.start(Duration{});
  const mesh::LinkId link{mesh::kInboundBit | next_inbound_++};
  auto connection = make_connection(link);
  const Status accepted = connection->accept(reinterpret_cast<uv_stream_t*>(&listener_->handle));
  if (!accepted.ok() || !has_room(false)) {
    log_limited(LogLevel::kWarn, "connection_refused",
                {{"reason", accepted.ok() ? "too many connections" : accepted.error().message()}});
    return;
  }
  const std::string remote = connection->remote();
  links_.emplace(link, std::move(connection));
  feed_(mesh::LinkUp{link, false, remote});
}

void TcpLinks::begin_turn() {
  accepted_ = 0;
  if (std::exchange(one_waits_, false) && listener_ != nullptr) on_incoming(0);
}

void TcpLinks::dial(mesh::LinkId link, const std::string& address) {
  if (!has_room(true)) return connection_ended(link, "too many connections");
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
