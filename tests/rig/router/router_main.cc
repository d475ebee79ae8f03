// The router of the rig tests: makes one network namespace a host and carries
// packets between them.
//
//   netns_router HOSTS SEED
//
// On standard output first `ready PID FD FD ...`: /proc/PID/fd/FD is the
// namespace of each host, whose address is 10.77.0.(number + 1). Then one line
// for each line of standard input:
//
//   path FROM TO LATENCY_US JITTER_US RATE LOSS_PERMILLE QUEUE_BYTES   -> ok
//   block FROM TO | open FROM TO | datagrams FROM TO (UDP alone)        -> ok
//   broadcasts pass: what goes to 10.77.0.255 reaches all from now on  -> ok
//   wire pass: IPv6 to groups and link-local addresses passes from now on -> ok
//   counts                                                             ->
//   {"taken":...}
//
// FROM and TO are numbers or `*`, all of them. It ends, and the namespaces with
// it, when standard input does. Exit code 1: wrong use or a failure; 3:
// namespaces or TUN devices are not to be had.
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/rng.h"
#include "core/time.h"
#include "tests/rig/router/net_namespace.h"
#include "tests/rig/router/packet_switch.h"
#include "tests/rig/router/router_commands.h"

namespace {

using ebb::Bytes;
using ebb::ByteView;
using ebb::Instant;
using ebb::Result;
using ebb::UniqueFd;
using ebb::sim::HostIndex;
using ebb::tests::NetNamespace;
using ebb::tests::PacketSwitch;

constexpr int kFailed = 1;
constexpr int kNotAvailable = 3;
constexpr std::size_t kPacketBytes = 65536;
constexpr int kPacketsAtOnce = 64;  // of one host, before the others have their turn
constexpr std::size_t kCommandBytes = 4096;

Instant now() {
  const auto since_boot = std::chrono::steady_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(since_boot).count()};
}

class Router {
 public:
  Router(std::vector<NetNamespace> hosts, std::uint64_t seed)
      : hosts_(std::move(hosts)),
        switch_(static_cast<HostIndex>(hosts_.size()), ebb::Rng(seed),
                [this](HostIndex to, ByteView packet) { write_packet(to, packet); }),
        poll_(::epoll_create1(EPOLL_CLOEXEC)),
        buffer_(kPacketBytes) {}

  int run();

 private:
  bool watch(int fd, std::uint32_t key) const;
  void announce() const;
  void read_packets(HostIndex from);
  void write_packet(HostIndex to, ByteView packet) const;
  // False when there will be no more.
  bool read_commands();
  int wait_ms() const;

  std::vector<NetNamespace> hosts_;
  PacketSwitch switch_;
  UniqueFd poll_;
  Bytes buffer_;
  std::string commands_;  // without a line end yet
};

bool Router::watch(int fd, std::uint32_t key) const {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = key;
  return ::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void Router::announce() const {
  std::string line = "ready " + std::to_string(::getpid());
  for (const NetNamespace& host : hosts_)
    line += " " + std::to_string(host.handle.get());
  std::puts(line.c_str());
  std::fflush(stdout);
}

void Router::read_packets(HostIndex from) {
  for (int i = 0; i < kPacketsAtOnce; ++i) {
    const ssize_t size = ::read(hosts_[from].tun.get(), buffer_.data(), buffer_.size());
    if (size <= 0) return;
    switch_.take(now(), from, ByteView(buffer_).first(static_cast<std::size_t>(size)));
  }
}

// A device whose queue is full loses the packet, as any would.
void Router::write_packet(HostIndex to, ByteView packet) const {
  static_cast<void>(!::write(hosts_[to].tun.get(), packet.data(), packet.size()));
}

bool Router::read_commands() {
  char piece[kCommandBytes];
  const ssize_t size = ::read(STDIN_FILENO, piece, sizeof piece);
  if (size < 0) return errno == EINTR || errno == EAGAIN;
  if (size == 0) return false;
  commands_.append(piece, static_cast<std::size_t>(size));
  std::size_t end = 0;
  while ((end = commands_.find('\n')) != std::string::npos) {
    const std::string answer =
        ebb::tests::run_command(switch_, std::string_view(commands_).substr(0, end));
    std::puts(answer.c_str());
    commands_.erase(0, end + 1);
  }
  std::fflush(stdout);
  return commands_.size() <= kCommandBytes;
}

// Rounded up: a packet comes up to a millisecond late rather than the loop
// turning in vain.
int Router::wait_ms() const {
  const std::optional<Instant> due = switch_.next_due();
  if (!due) return -1;
  const ebb::Duration left = *due - now();
  return left.us <= 0 ? 0 : static_cast<int>((left.us + 999) / 1000);
}

int Router::run() {
  const auto commands_key = static_cast<std::uint32_t>(hosts_.size());
  bool watching = poll_.is_open() && watch(STDIN_FILENO, commands_key);
  for (std::uint32_t host = 0; host < commands_key; ++host)
    watching = watching && watch(hosts_[host].tun.get(), host);
  if (!watching) {
    std::fprintf(stderr, "epoll: %s\n", std::strerror(errno));
    return kFailed;
  }
  announce();
  while (true) {
    epoll_event events[64];
    const int ready = ::epoll_wait(poll_.get(), events, 64, wait_ms());
    if (ready < 0 && errno != EINTR) return kFailed;
    for (int i = 0; i < ready; ++i) {
      const std::uint32_t key = events[i].data.u32;
      if (key < commands_key) {
        read_packets(key);
      } else if (!read_commands()) {
        return 0;
      }
    }
    switch_.run(now());
  }
}

std::optional<std::uint64_t> number(const char* text) {
  std::uint64_t value = 0;
  const char* end = text + std::strlen(text);
  const std::from_chars_result parsed = std::from_chars(text, end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return value;
}

}  // namespace

int main(int argc, char** argv) {
  const auto hosts = argc == 3 ? number(argv[1]) : std::nullopt;
  const auto seed = argc == 3 ? number(argv[2]) : std::nullopt;
  if (!hosts || !seed || *hosts == 0 || *hosts > PacketSwitch::kHostsMax) {
    std::fprintf(stderr, "usage: netns_router HOSTS SEED, with 1 to %u hosts\n",
                 PacketSwitch::kHostsMax);
    return kFailed;
  }
  std::vector<NetNamespace> made;
  for (HostIndex host = 0; host < *hosts; ++host) {
    Result<NetNamespace> next = NetNamespace::make(PacketSwitch::address(host));
    if (!next.ok()) {
      std::fprintf(stderr, "%s\n", next.error().message().c_str());
      return kNotAvailable;
    }
    made.push_back(std::move(next).value());
  }
  return Router(std::move(made), *seed).run();
}
