#include "node/udp_socket.h"

#include <optional>
#include <utility>

#include "node/log.h"

namespace ebb::node {
namespace {

// libuv cuts it into pieces of 64 KiB, one a datagram of a burst.
constexpr std::size_t kReadBufferBytes = std::size_t{8} * 64 * 1024;

UdpSocket* owner_of(const void* data) {
  const auto* box = static_cast<const HandleBox<uv_udp_t>*>(data);
  return box->open ? static_cast<UdpSocket*>(box->owner) : nullptr;
}

}  // namespace

UdpSocket::UdpSocket(uv_loop_t* loop, Resolver& resolver, Feed feed)
    : loop_(loop), resolver_(resolver), feed_(std::move(feed)), read_buffer_(kReadBufferBytes) {}

Status UdpSocket::bind(const Endpoint& endpoint) {
  uv_loop_t* loop = loop_;
  HandlePtr<uv_udp_t> udp = make_handle<uv_udp_t>(
      [loop](uv_udp_t* h) { return uv_udp_init_ex(loop, h, AF_UNSPEC | UV_UDP_RECVMMSG); });
  udp->owner = this;
  int code = uv_udp_bind(&udp->handle, endpoint.address(), 0);
  if (code == UV_EADDRINUSE) return Error{ErrorCode::kBusy, "port in use", endpoint.text()};
  if (code != 0) return uv_error(code, "bind", endpoint.text());
  code = uv_udp_recv_start(
      &udp->handle,
      [](uv_handle_t* handle, size_t, uv_buf_t* buffer) noexcept {
        UdpSocket* self = owner_of(handle->data);
        *buffer = self == nullptr ? uv_buf_init(nullptr, 0)
                                  : uv_buf_init(reinterpret_cast<char*>(self->read_buffer_.data()),
                                                static_cast<unsigned>(self->read_buffer_.size()));
      },
      [](uv_udp_t* handle, ssize_t size, const uv_buf_t* buffer, const sockaddr* from,
         unsigned flags) noexcept {
        UdpSocket* self = owner_of(handle->data);
        if (self != nullptr) self->on_datagram(size, buffer, from, flags);
      });
  if (code != 0) return uv_error(code, "receive", endpoint.text());
  udp_ = std::move(udp);
  return {};
}

void UdpSocket::on_datagram(ssize_t size, const uv_buf_t* buffer, const sockaddr* from,
                            unsigned flags) {
  // Without a sender: nothing was there to read, an error of an earlier send, or the end of a
  // burst's buffer.
  if (size <= 0 || from == nullptr || (flags & UV_UDP_MMSG_FREE) != 0) return;
  const std::optional<Endpoint> sender = endpoint_of(from);
  if (!sender) return;
  const ByteView bytes = as_bytes({buffer->base, static_cast<std::size_t>(size)});
  feed_(mesh::Datagram{sender->text(), to_bytes(bytes)});
}

void UdpSocket::send(const std::string& to, Bytes bytes) {
  if (const std::optional<Endpoint> endpoint = resolver_.known(to)) send_to(*endpoint, bytes);
}

void UdpSocket::send_to(const Endpoint& endpoint, Bytes& bytes) {
  if (udp_ == nullptr) return;
  const uv_buf_t buffer =
      uv_buf_init(reinterpret_cast<char*>(bytes.data()), static_cast<unsigned>(bytes.size()));
  const int code = uv_udp_try_send(&udp_->handle, &buffer, 1, endpoint.address());
  if (code < 0) {
    log_limited(LogLevel::kDebug, "datagram_not_sent",
                {{"to", endpoint.text()}, {"reason", uv_strerror(code)}});
  }
}

}  // namespace ebb::node
