#include "node/tcp_connection.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <memory>
#include <utility>

#include "core/error_words.h"
#include "core/limits.h"

namespace ebb::node {
namespace {

constexpr Duration kConnectTimeout = seconds(10);
constexpr Duration kFinishTimeout = seconds(1);
// A peer whose machine is gone answers nothing; the kernel gives up after this.
constexpr unsigned kUserTimeoutMs = 45000;
constexpr int kNotSentBytes = 64 << 10;

using TcpBox = HandleBox<uv_tcp_t>;

// One write in flight and the bytes it refers to; the connection may be gone when it ends.
struct WriteRequest {
  uv_write_t request{};
  Bytes bytes;
  std::size_t rest = 0;
};

template <class Handle>
uv_stream_t* as_stream(Handle* handle) {
  return reinterpret_cast<uv_stream_t*>(handle);
}

uv_buf_t as_buffer(Bytes& bytes, std::size_t from) {
  return uv_buf_init(reinterpret_cast<char*>(bytes.data() + from),
                     static_cast<unsigned>(bytes.size() - from));
}

// The connection behind a handle, or null when it has let go of it.
TcpConnection* owner_of(const void* data) {
  const auto* box = static_cast<const TcpBox*>(data);
  return box->open ? static_cast<TcpConnection*>(box->owner) : nullptr;
}

}  // namespace

TcpConnection::TcpConnection(uv_loop_t* loop, TcpOwner& owner, mesh::LinkId link,
                             Bytes& read_buffer)
    : owner_(owner),
      link_(link),
      read_buffer_(read_buffer),
      tcp_(make_handle<uv_tcp_t>([loop](uv_tcp_t* h) { return uv_tcp_init(loop, h); })),
      timer_(loop, [this] { on_timer(); }) {
  tcp_->owner = this;
}

void TcpConnection::connect(const Endpoint& endpoint) {
  state_ = State::kConnecting;
  timer_.start(kConnectTimeout);
  auto request = std::make_unique<uv_connect_t>();
  const int code = uv_tcp_connect(request.get(), &tcp_->handle, endpoint.address(),
                                  [](uv_connect_t* r, int status) noexcept {
                                    const std::unique_ptr<uv_connect_t> owned(r);
                                    TcpConnection* self = owner_of(r->handle->data);
                                    if (self != nullptr) self->on_connect(status);
                                  });
  if (code != 0) return end(uv_strerror(code));
  // Its callback owns it now.
  static_cast<void>(request.release());
}

Status TcpConnection::accept(uv_stream_t* listener) {
  if (const int code = uv_accept(listener, as_stream(&tcp_->handle)); code != 0) {
    return uv_error(code, "accept");
  }
  state_ = State::kOpen;
  set_options();
  return start_reading();
}

void TcpConnection::set_options() {
  uv_tcp_nodelay(&tcp_->handle, 1);
  int fd = -1;
  if (uv_fileno(reinterpret_cast<uv_handle_t*>(&tcp_->handle), &fd) != 0) return;
  // Without it a dead peer is noticed later, by the engine's own timer.
  ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &kUserTimeoutMs, sizeof kUserTimeoutMs);
  // Without it what is urgent stands behind megabytes that the kernel took and has not sent.
  ::setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kNotSentBytes, sizeof kNotSentBytes);
}

Status TcpConnection::start_reading() {
  const int code = uv_read_start(
      as_stream(&tcp_->handle),
      [](uv_handle_t* handle, size_t, uv_buf_t* buffer) noexcept {
        TcpConnection* self = owner_of(handle->data);
        *buffer = self == nullptr ? uv_buf_init(nullptr, 0) : as_buffer(self->read_buffer_, 0);
      },
      [](uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer) noexcept {
        TcpConnection* self = owner_of(stream->data);
        if (self != nullptr) self->on_read(size, buffer);
      });
  return code == 0 ? Status{} : uv_error(code, "read");
}

void TcpConnection::on_connect(int status) {
  if (state_ != State::kConnecting) return;
  if (status != 0) return end(uv_strerror(status));
  timer_.stop();
  state_ = State::kOpen;
  set_options();
  if (const Status reading = start_reading(); !reading.ok())
    return end(error_words(reading.error()));
  owner_.connection_open(link_);
}

void TcpConnection::on_read(ssize_t size, const uv_buf_t* buffer) {
  if (size == 0 || state_ == State::kEnded) return;
  if (size < 0) {
    return end(size == UV_EOF ? "closed by the peer" : uv_strerror(static_cast<int>(size)));
  }
  // What comes after the end of our side is read only to keep the other side from a reset.
  if (state_ == State::kFinishing) return;
  owner_.connection_bytes(link_, as_bytes({buffer->base, static_cast<std::size_t>(size)}));
}

void TcpConnection::send(Bytes bytes) {
  if (state_ != State::kOpen) return;
  std::size_t written = 0;
  if (waiting_bytes() == 0) {
    const uv_buf_t buffer = as_buffer(bytes, 0);
    const int code = uv_try_write(as_stream(&tcp_->handle), &buffer, 1);
    if (code < 0 && code != UV_EAGAIN) return end(uv_strerror(code));
    written = code < 0 ? 0 : static_cast<std::size_t>(code);
  }
  drained_bytes_ += written;
  if (written == bytes.size()) return;
  auto request = std::make_unique<WriteRequest>();
  request->bytes = std::move(bytes);
  request->rest = request->bytes.size() - written;
  request->request.data = request.get();
  const uv_buf_t rest = as_buffer(request->bytes, written);
  const int code =
      uv_write(&request->request, as_stream(&tcp_->handle), &rest, 1,
               [](uv_write_t* r, int status) noexcept {
                 const std::unique_ptr<WriteRequest> owned(static_cast<WriteRequest*>(r->data));
                 TcpConnection* self = owner_of(r->handle->data);
                 if (self != nullptr) self->on_written(owned->rest, status);
               });
  if (code != 0) return end(uv_strerror(code));
  // Its callback owns it now.
  static_cast<void>(request.release());
  if (waiting_bytes() > limits::kLinkWaitingBytes) return end("the peer reads too slowly");
  watch_progress();
  owner_.connection_waiting(link_, waiting_bytes());
}

void TcpConnection::on_written(std::size_t bytes, int status) {
  if (state_ != State::kOpen) return;
  if (status != 0) return end(uv_strerror(status));
  drained_bytes_ += bytes;
  watch_progress();
  owner_.connection_waiting(link_, waiting_bytes());
}

// The timer runs while something waits.
void TcpConnection::watch_progress() {
  if (waiting_bytes() == 0) {
    timer_.stop();
    watching_ = false;
  } else if (!watching_) {
    watching_ = true;
    drained_at_start_ = drained_bytes_;
    timer_.start(milliseconds(limits::kSlowestLinkMs));
  }
}

void TcpConnection::on_timer() {
  if (state_ == State::kConnecting) return end("no connection in time");
  if (state_ == State::kFinishing) return end("closed");
  if (state_ != State::kOpen || !watching_) return;
  if (drained_bytes_ - drained_at_start_ < limits::kSlowestLinkBytes) {
    return end("the peer reads too slowly");
  }
  watching_ = false;
  watch_progress();
}

void TcpConnection::finish() {
  if (state_ == State::kEnded || state_ == State::kFinishing) return;
  if (state_ != State::kOpen) return end("closed");
  state_ = State::kFinishing;
  watching_ = false;
  timer_.start(kFinishTimeout);
  auto request = std::make_unique<uv_shutdown_t>();
  const int code = uv_shutdown(
      request.get(), as_stream(&tcp_->handle),
      [](uv_shutdown_t* r, int) noexcept { const std::unique_ptr<uv_shutdown_t> owned(r); });
  if (code != 0) return end("closed");
  static_cast<void>(request.release());
}

std::size_t TcpConnection::waiting_bytes() const {
  return uv_stream_get_write_queue_size(reinterpret_cast<const uv_stream_t*>(&tcp_->handle));
}

std::string TcpConnection::remote() const {
  sockaddr_storage storage{};
  int size = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  if (uv_tcp_getpeername(&tcp_->handle, address, &size) != 0) return "";
  const std::optional<Endpoint> endpoint = endpoint_of(address);
  return endpoint ? endpoint->text() : "";
}

void TcpConnection::end(std::string reason) {
  if (state_ == State::kEnded) return;
  state_ = State::kEnded;
  timer_.stop();
  owner_.connection_ended(link_, std::move(reason));
}

}  // namespace ebb::node
