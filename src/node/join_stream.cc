#include "node/join_stream.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "node/clocks.h"

namespace ebb::node {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{16} * 1024;

Error failed(int code) {
  const bool nobody = code == ECONNREFUSED;
  const bool silent = code == ETIMEDOUT;
  return {nobody   ? ErrorCode::kNotFound
          : silent ? ErrorCode::kBusy
                   : ErrorCode::kIo,
          "connection", std::generic_category().message(code)};
}

// Who closes without having read what was sent resets the connection: it has ended all the same.
bool has_ended(int code) { return code == ECONNRESET || code == EPIPE; }

Status wait_for(int fd, short events, Instant deadline) {
  while (true) {
    const std::int64_t left = (deadline - monotonic_now()).ms();
    if (left <= 0) return Error{ErrorCode::kBusy, "connection", "no answer in time"};
    pollfd wanted{fd, events, 0};
    const int ready = ::poll(&wanted, 1, static_cast<int>(std::min<std::int64_t>(left, 60000)));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return failed(errno);
  }
}

}  // namespace

Result<JoinStream> JoinStream::connect(const Endpoint& to, Instant deadline) {
  const int family = to.storage.ss_family;
  UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) return failed(errno);
  const socklen_t size = family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  if (::connect(fd.get(), to.address(), size) != 0) {
    if (errno != EINPROGRESS) return failed(errno);
    EBB_RETURN_IF_ERROR(wait_for(fd.get(), POLLOUT, deadline));
    int code = 0;
    socklen_t code_size = sizeof code;
    if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &code, &code_size) != 0) return failed(errno);
    if (code != 0) return failed(code);
  }
  return JoinStream(std::move(fd));
}

// A descriptor below 0 is never ready, and is only waited for.
void JoinStream::wait_until(Instant when) { static_cast<void>(wait_for(-1, 0, when)); }

Status JoinStream::send(ByteView bytes, Instant deadline) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      EBB_RETURN_IF_ERROR(wait_for(fd_.get(), POLLOUT, deadline));
    } else if (has_ended(errno)) {
      return {};  // which whoever waits for the answer is told
    } else if (errno != EINTR) {
      return failed(errno);
    }
  }
  return {};
}

Result<Bytes> JoinStream::receive(Instant deadline) {
  Bytes piece(kPieceBytes);
  while (true) {
    const ssize_t got = ::recv(fd_.get(), piece.data(), piece.size(), 0);
    if (got >= 0) {
      piece.resize(static_cast<std::size_t>(got));
      return piece;
    }
    if (errno == EAGAIN) {
      EBB_RETURN_IF_ERROR(wait_for(fd_.get(), POLLIN, deadline));
    } else if (has_ended(errno)) {
      return Bytes();
    } else if (errno != EINTR) {
      return failed(errno);
    }
  }
}

}  // namespace ebb::node
