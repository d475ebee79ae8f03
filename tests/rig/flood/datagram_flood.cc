#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "core/limits.h"
#include "core/unique_fd.h"
#include "tests/rig/flood/flood.h"

namespace ebb::tests {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kSockets = 64;
constexpr std::size_t kBurst = 64;  // datagrams of one call
constexpr std::size_t kHeaderBytes = 16;

std::vector<UniqueFd> open_sockets(const sockaddr_in& target) {
  std::vector<UniqueFd> sockets;
  for (std::size_t i = 0; i < kSockets; ++i) {
    UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    require(fd.is_open(), "socket");
    const sockaddr_in from = source_address(i);
    require(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&from), sizeof from) == 0, "bind");
    require(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&target), sizeof target) == 0,
            "connect");
    sockets.push_back(std::move(fd));
  }
  return sockets;
}

// A header as wire_format.md section 12 has it, with any type, index and counter.
Bytes with_header(Rng& rng) {
  Bytes bytes = random_bytes(rng, rng.between(32, limits::kDatagramBytes));
  bytes[0] = static_cast<std::uint8_t>(rng.between(1, 4));
  bytes[1] = 1;
  bytes[2] = bytes[3] = 0;
  // Small counters: those that a session would take next.
  for (std::size_t i = 8; i < kHeaderBytes - 1; ++i)
    bytes[i] = 0;
  return bytes;
}

Bytes make_datagram(const DatagramFlood& flood, Rng& rng, std::uint64_t number,
                    DatagramsSent& result) {
  const std::uint64_t kind = number % (flood.captured.empty() ? 2 : 5);
  if (kind == 0) return random_bytes(rng, rng.between(1, limits::kDatagramBytes));
  if (kind == 1) return with_header(rng);
  Bytes bytes = flood.captured[rng.below(flood.captured.size())];
  if (kind == 2) {
    ++result.captured;
    return bytes;
  }
  // A number that was not taken yet: only the tag tells it from what the device would send next.
  if (kind == 3)
    bytes[kHeaderBytes - 3] ^= static_cast<std::uint8_t>(rng.between(1, 255));
  else
    bytes[rng.below(bytes.size())] ^= static_cast<std::uint8_t>(1U << rng.below(8));
  return bytes;
}

void send_burst(int fd, std::vector<Bytes>& burst) {
  std::array<iovec, kBurst> parts{};
  std::array<mmsghdr, kBurst> messages{};
  for (std::size_t i = 0; i < burst.size(); ++i) {
    parts[i] = {burst[i].data(), burst[i].size()};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  std::size_t sent = 0;
  while (sent < burst.size()) {
    const int taken =
        ::sendmmsg(fd, &messages[sent], static_cast<unsigned>(burst.size() - sent), 0);
    require(taken > 0, "sendmmsg");
    sent += static_cast<std::size_t>(taken);
  }
}

std::uint64_t answers_at(int fd) {
  std::array<std::uint8_t, 2048> buffer{};
  std::uint64_t answers = 0;
  while (::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT) >= 0)
    ++answers;
  // Anything else, as a port at which nobody listens, would be no silence.
  require(errno == EAGAIN, "recv");
  return answers;
}

// Answers that come by then.
std::uint64_t answers_until(int fd, Clock::time_point due) {
  std::uint64_t answers = 0;
  for (Clock::duration left = due - Clock::now(); left.count() > 0; left = due - Clock::now()) {
    const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(left).count();
    const timespec timeout{nanoseconds / 1000000000, nanoseconds % 1000000000};
    pollfd wanted{fd, POLLIN, 0};
    const int ready = ::ppoll(&wanted, 1, &timeout, nullptr);
    require(ready >= 0, "ppoll");
    if (ready > 0) answers += answers_at(fd);
  }
  return answers;
}

}  // namespace

DatagramsSent send_datagrams(const DatagramFlood& flood) {
  const std::vector<UniqueFd> sockets = open_sockets(flood.target);
  Rng rng(flood.seed);
  DatagramsSent result;
  const Clock::time_point begin = Clock::now();
  std::vector<Bytes> burst;
  for (std::size_t turn = 0; result.sent < flood.count; ++turn) {
    burst.clear();
    const std::uint64_t size = std::min<std::uint64_t>(kBurst, flood.count - result.sent);
    for (std::uint64_t i = 0; i < size; ++i)
      burst.push_back(make_datagram(flood, rng, result.sent + i, result));
    const std::chrono::duration<double> due(static_cast<double>(result.sent) /
                                            static_cast<double>(flood.per_second));
    const int fd = sockets[turn % kSockets].get();
    result.answers += answers_until(fd, begin + std::chrono::duration_cast<Clock::duration>(due));
    send_burst(fd, burst);
    result.sent += size;
  }
  result.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  for (const UniqueFd& fd : sockets)
    result.answers += answers_at(fd.get());
  return result;
}

}  // namespace ebb::tests
