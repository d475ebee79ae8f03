#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <map>

#include "core/unique_fd.h"
#include "tests/rig/flood/flood.h"

namespace ebb::tests {
namespace {

void watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  require(::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
}

UniqueFd listen_anywhere() {
  constexpr int kBacklog = 128;  // as a node's
  UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  require(::bind(listener.get(), any, size) == 0, "bind");
  require(::listen(listener.get(), kBacklog) == 0, "listen");
  require(::getsockname(listener.get(), any, &size) == 0, "getsockname");
  std::printf("127.0.0.1:%d\n", ntohs(address.sin_port));
  require(std::fflush(stdout) == 0, "fflush");
  return listener;
}

}  // namespace

void run_sink() {
  const UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  const UniqueFd listener = listen_anywhere();
  watch(epoll.get(), STDIN_FILENO);
  watch(epoll.get(), listener.get());
  std::map<int, UniqueFd> open;
  std::array<epoll_event, 64> events{};
  std::array<std::uint8_t, 4096> buffer{};
  for (;;) {
    const int count = ::epoll_wait(epoll.get(), events.data(), events.size(), -1);
    require(count >= 0, "epoll_wait");
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == STDIN_FILENO) return;
      if (fd != listener.get()) {
        // All that it says is thrown away, and then it is closed.
        static_cast<void>(::recv(fd, buffer.data(), buffer.size(), 0));
        open.erase(fd);
        continue;
      }
      UniqueFd made(::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (!made.is_open()) continue;
      watch(epoll.get(), made.get());
      const int key = made.get();
      open.emplace(key, std::move(made));
    }
  }
}

}  // namespace ebb::tests
