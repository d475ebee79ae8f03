#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>

#include "core/unique_fd.h"
#include "tests/rig/flood/flood.h"

namespace ebb::tests {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kOpenMax = 8000;
constexpr int kWaitMs = 1;
constexpr std::chrono::seconds kLastWait(12);  // a node gives a handshake ten

struct Connection {
  UniqueFd fd;
  const Bytes* message = nullptr;
  bool has_mac = false;
  bool said = false;
};

class Flood {
 public:
  explicit Flood(const HandshakeFlood& flood)
      : flood_(flood), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    require(epoll_.is_open(), "epoll_create1");
  }

  HandshakesSent run() {
    const Clock::time_point begin = Clock::now();
    double spent = 0;
    std::uint64_t begun = 0;
    while (spent < flood_.seconds) {
      const auto due = static_cast<std::uint64_t>(spent * static_cast<double>(flood_.per_second));
      for (; begun < due; ++begun)
        open(begun);
      poll();
      spent = std::chrono::duration<double>(Clock::now() - begin).count();
    }
    result_.seconds = spent;
    const Clock::time_point end = Clock::now() + kLastWait;
    while (!open_.empty() && Clock::now() < end)
      poll();
    return result_;
  }

 private:
  void open(std::uint64_t number) {
    if (open_.size() >= kOpenMax) {
      ++result_.beyond;
      return;
    }
    Connection made;
    made.fd = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int fd = made.fd.get();
    require(made.fd.is_open(), "socket");
    const int on = 1;
    require(::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) == 0,
            "setsockopt");
    // Its end is a reset: nothing of it waits in the system, at neither end.
    const linger no_wait{1, 0};
    require(::setsockopt(fd, SOL_SOCKET, SO_LINGER, &no_wait, sizeof no_wait) == 0, "setsockopt");
    const sockaddr_in from = source_address(number % flood_.sources);
    require(::bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof from) == 0, "bind");
    const int code =
        ::connect(fd, reinterpret_cast<const sockaddr*>(&flood_.target), sizeof flood_.target);
    require(code == 0 || errno == EINPROGRESS, "connect");
    // In pairs over the sources, so that each source has both kinds.
    made.has_mac = (number + number / flood_.sources) % 2 == 0;
    const std::vector<Bytes>& messages = made.has_mac ? flood_.with_mac : flood_.without_mac;
    made.message = &messages[number / 2 % messages.size()];
    epoll_event event{};
    event.events = EPOLLOUT;
    event.data.fd = fd;
    require(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
    open_.emplace(fd, std::move(made));
  }

  void poll() {
    std::array<epoll_event, 256> events{};
    const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), kWaitMs);
    require(count >= 0, "epoll_wait");
    for (int i = 0; i < count; ++i) {
      const auto at = open_.find(events[static_cast<std::size_t>(i)].data.fd);
      if (at->second.said ? hear(at->second) : say(at->second)) open_.erase(at);
    }
  }

  // True once the connection is to be left; also below.
  bool say(Connection& connection) {
    const Bytes& message = *connection.message;
    const ssize_t sent = ::send(connection.fd.get(), message.data(), message.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(message.size())) {
      ++result_.not_reached;
      return true;
    }
    connection.said = true;
    ++result_.sent;
    if (connection.has_mac) ++result_.with_mac;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = connection.fd.get();
    require(::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection.fd.get(), &event) == 0,
            "epoll_ctl");
    return false;
  }

  bool hear(const Connection& connection) {
    std::array<std::uint8_t, 4096> buffer{};
    const ssize_t size = ::recv(connection.fd.get(), buffer.data(), buffer.size(), 0);
    if (size > 0 && connection.has_mac) ++result_.answered;
    if (size > 0 && !connection.has_mac) result_.bytes_back += static_cast<std::uint64_t>(size);
    return true;
  }

  const HandshakeFlood& flood_;
  UniqueFd epoll_;
  std::map<int, Connection> open_;
  HandshakesSent result_;
};

}  // namespace

HandshakesSent send_handshakes(const HandshakeFlood& flood) { return Flood(flood).run(); }

}  // namespace ebb::tests
