#include "tests/node/relay.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>

#include "core/check.h"

namespace ebb::tests {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

const sockaddr* as_any(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

void send_all(int socket, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
}

}  // namespace

int connect_to(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  EBB_CHECK(address.substr(0, colon) == "127.0.0.1");
  const int end = ::socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in to =
      loopback(static_cast<std::uint16_t>(std::stoul(address.substr(colon + 1))));
  EBB_CHECK(::connect(end, as_any(to), sizeof to) == 0);
  return end;
}

Relay::Relay(const std::string& target, std::optional<Flip> flip) : target_(target), flip_(flip) {
  listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in any = loopback(0);
  EBB_CHECK(::bind(listener_, as_any(any), sizeof any) == 0);
  EBB_CHECK(::listen(listener_, 16) == 0);
  EBB_CHECK(::pipe(wake_) == 0);
  thread_ = std::thread([this] { main(); });
}

Relay::~Relay() {
  EBB_CHECK(::write(wake_[1], "", 1) == 1);
  thread_.join();
  for (const Pair& pair : pairs_) {
    ::close(pair.near);
    ::close(pair.far);
  }
  for (const int end : {listener_, wake_[0], wake_[1]})
    ::close(end);
}

std::string Relay::address() const {
  sockaddr_in bound{};
  socklen_t size = sizeof bound;
  EBB_CHECK(::getsockname(listener_, reinterpret_cast<sockaddr*>(&bound), &size) == 0);
  return "127.0.0.1:" + std::to_string(ntohs(bound.sin_port));
}

Bytes Relay::passed(Way way) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return way == Way::kOut ? out_ : back_;
}

std::size_t Relay::connections() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return connections_;
}

bool Relay::flipped() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return flipped_;
}

void Relay::main() {
  for (;;) {
    std::vector<pollfd> polled{{wake_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const Pair& pair : pairs_) {
      polled.push_back({pair.near, POLLIN, 0});
      polled.push_back({pair.far, POLLIN, 0});
    }
    if (::poll(polled.data(), polled.size(), -1) < 0) continue;
    if (polled[0].revents != 0) return;
    for (std::size_t i = pairs_.size(); i-- > 0;) {
      Pair& pair = pairs_[i];
      bool goes_on = polled[2 + 2 * i].revents == 0 || pump(pair, Way::kOut);
      if (goes_on && polled[3 + 2 * i].revents != 0) goes_on = pump(pair, Way::kBack);
      if (goes_on) continue;
      ::close(pair.near);
      ::close(pair.far);
      pairs_.erase(pairs_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (polled[1].revents != 0) accept_one();
  }
}

void Relay::accept_one() {
  const int near = ::accept(listener_, nullptr, nullptr);
  if (near < 0) return;
  pairs_.push_back({near, connect_to(target_)});
  const std::lock_guard<std::mutex> lock(mutex_);
  ++connections_;
}

bool Relay::pump(Pair& pair, Way way) {
  const bool outward = way == Way::kOut;
  std::array<std::uint8_t, 65536> buffer;
  const ssize_t size = ::recv(outward ? pair.near : pair.far, buffer.data(), buffer.size(), 0);
  if (size <= 0) return false;
  const auto count = static_cast<std::size_t>(size);
  std::size_t& before = outward ? pair.passed_out : pair.passed_back;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    append(outward ? out_ : back_, ByteView(buffer.data(), count));
    const bool meant = flip_ && !flipped_ && flip_->way == way && flip_->at >= before &&
                       flip_->at < before + count;
    if (meant) {
      buffer[flip_->at - before] ^= 1;
      flipped_ = true;
    }
  }
  before += count;
  send_all(outward ? pair.far : pair.near, ByteView(buffer.data(), count));
  return true;
}

}  // namespace ebb::tests
