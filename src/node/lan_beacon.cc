#include "node/lan_beacon.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "node/log.h"
#include "trust/hash.h"

namespace ebb::node {
namespace {

constexpr Duration kFirst = milliseconds(1000);
constexpr std::uint64_t kMinuteMs = 60000;
constexpr std::uint64_t kLookPauseMs = 1000;  // between two looks for the sake of who was heard
constexpr std::size_t kOwnRemembered = 8;

LanBeacon* owner_of(const void* data) {
  const auto* box = static_cast<const HandleBox<uv_udp_t>*>(data);
  return box->open ? static_cast<LanBeacon*>(box->owner) : nullptr;
}

}  // namespace

LanBeacon::LanBeacon(uv_loop_t* loop, Setup setup, Rng rng)
    : loop_(loop), setup_(std::move(setup)), rng_(rng), timer_(loop, [this] { tell(); }) {
  v6_.wanted = setup_.bound.storage.ss_family == AF_INET6;
  v4_.wanted = !v6_.wanted || setup_.bound.is_any();
}

Result<HandlePtr<uv_udp_t>> LanBeacon::open(const Endpoint& at, unsigned flags) {
  uv_loop_t* loop = loop_;
  HandlePtr<uv_udp_t> udp =
      make_handle<uv_udp_t>([loop](uv_udp_t* handle) { return uv_udp_init(loop, handle); });
  udp->owner = this;
  int code = uv_udp_bind(&udp->handle, at.address(), flags | UV_UDP_REUSEADDR);
  if (code == UV_EADDRINUSE) return Error{ErrorCode::kBusy, "port in use", at.text()};
  if (code != 0) return uv_error(code, "bind", at.text());
  if (at.storage.ss_family == AF_INET) code = uv_udp_set_broadcast(&udp->handle, 1);
  if (code != 0) return uv_error(code, "broadcast", at.text());
  code = uv_udp_recv_start(
      &udp->handle,
      [](uv_handle_t* handle, size_t, uv_buf_t* buffer) noexcept {
        LanBeacon* self = owner_of(handle->data);
        *buffer = self == nullptr ? uv_buf_init(nullptr, 0)
                                  : uv_buf_init(self->buffer_.data(),
                                                static_cast<unsigned>(self->buffer_.size()));
      },
      [](uv_udp_t* handle, ssize_t size, const uv_buf_t* buffer, const sockaddr* from,
         unsigned) noexcept {
        LanBeacon* self = owner_of(handle->data);
        if (self == nullptr || size <= 0 || from == nullptr) return;
        self->on_datagram(as_bytes({buffer->base, static_cast<std::size_t>(size)}), from);
      });
  if (code != 0) return uv_error(code, "receive", at.text());
  return udp;
}

// The error when it is wanted and still is not there.
std::optional<Error> LanBeacon::open_missing(Socket& socket) {
  if (!socket.wanted || socket.udp != nullptr) return std::nullopt;
  const bool v6 = &socket == &v6_;
  auto opened = open(*literal_endpoint({v6 ? "::" : "0.0.0.0", setup_.port}),
                     v6 ? static_cast<unsigned>(UV_UDP_IPV6ONLY) : 0U);
  if (!opened.ok()) return opened.error();
  socket.udp = std::move(*opened);
  if (v6) joined_.clear();
  if (std::exchange(socket.told, false)) {
    log(LogLevel::kInfo, "beacon_socket_opened", {{"family", socket.family}});
  }
  return std::nullopt;
}

void LanBeacon::say_missing(Socket& socket, const std::optional<Error>& error) {
  if (!error || std::exchange(socket.told, true)) return;
  log_limited(LogLevel::kWarn, "beacon_socket_missing",
              {{"family", socket.family}, {"error", error->message()}});
}

Status LanBeacon::start() {
  const std::optional<Error> no_v4 = open_missing(v4_);
  const std::optional<Error> no_v6 = open_missing(v6_);
  timer_.start(kFirst + milliseconds(static_cast<std::int64_t>(rng_.below(1000))));
  look_around();
  if (v4_.udp == nullptr && v6_.udp == nullptr) {
    // Who is told of it here says it.
    v4_.told = v6_.told = true;
    return no_v4 ? *no_v4 : *no_v6;
  }
  say_missing(v4_, no_v4);
  say_missing(v6_, no_v6);
  return {};
}

void LanBeacon::stop() {
  timer_.stop();
  v4_.udp.reset();
  v6_.udp.reset();
}

// Interfaces come and go. The group is left where one went: with a number that comes again the
// system would take it for joined still.
void LanBeacon::look_around() {
  networks_ = setup_.networks();
  looked_at_ = uv_now(loop_);
  if (v6_.udp == nullptr) return;
  const std::set<unsigned> wires = beacon_wires(networks_);
  std::erase_if(joined_, [&](unsigned wire) {
    return !wires.contains(wire) && join_or_leave(wire, IPV6_LEAVE_GROUP);
  });
  for (const unsigned wire : wires) {
    if (!joined_.contains(wire) && join_or_leave(wire, IPV6_JOIN_GROUP)) joined_.insert(wire);
  }
}

// libuv takes the name of the interface, which may be another one's by now.
bool LanBeacon::join_or_leave(unsigned wire, int what) {
  uv_os_fd_t fd = -1;
  if (uv_fileno(reinterpret_cast<const uv_handle_t*>(&v6_.udp->handle), &fd) != 0) return false;
  ipv6_mreq wanted{};
  const Endpoint group = beacon_group(setup_.port);
  wanted.ipv6mr_multiaddr = reinterpret_cast<const sockaddr_in6&>(group.storage).sin6_addr;
  wanted.ipv6mr_interface = wire;
  if (::setsockopt(fd, IPPROTO_IPV6, what, &wanted, sizeof wanted) == 0) return true;
  // Nothing is left of one whose interface is gone.
  if (what == IPV6_LEAVE_GROUP || errno == EADDRINUSE) return true;
  log_limited(LogLevel::kDebug, "beacon_not_joined",
              {{"interface", std::to_string(wire)}, {"reason", std::strerror(errno)}});
  return false;
}

void LanBeacon::tell() {
  say_missing(v4_, open_missing(v4_));
  say_missing(v6_, open_missing(v6_));
  look_around();
  channel::Beacon beacon;
  trust::random_bytes(beacon.nonce.data.data(), channel::BeaconNonce::kSize);
  beacon.port = setup_.bound.port();
  if (own_.size() >= kOwnRemembered) own_.clear();
  own_.insert(beacon.nonce);
  Bytes bytes = write_beacon(setup_.key, beacon);
  for (const BeaconRoute& route : beacon_routes(networks_, setup_.bound, setup_.port))
    send(route, bytes);
  const auto half = static_cast<std::uint64_t>(std::max<std::int64_t>(setup_.pause.us / 2, 1));
  timer_.start(setup_.pause - microseconds(static_cast<std::int64_t>(rng_.below(half))));
}

void LanBeacon::send(const BeaconRoute& route, Bytes& bytes) {
  const Socket& socket = route.to.storage.ss_family == AF_INET6 ? v6_ : v4_;
  if (socket.udp == nullptr) return;
  const uv_buf_t buffer =
      uv_buf_init(reinterpret_cast<char*>(bytes.data()), static_cast<unsigned>(bytes.size()));
  const int code = uv_udp_try_send(&socket.udp->handle, &buffer, 1, route.to.address());
  if (code >= 0) {
    ++setup_.counters.sent;
    return;
  }
  log_limited(LogLevel::kDebug, "beacon_not_sent",
              {{"interface", route.interface}, {"reason", uv_strerror(code)}});
}

void LanBeacon::on_datagram(ByteView bytes, const sockaddr* from) {
  const Result<channel::Beacon> beacon = read_beacon(setup_.key, bytes);
  if (beacon.ok() && own_.contains(beacon->nonce)) return;
  std::optional<Endpoint> sender = endpoint_of(from);
  if (!beacon.ok() || !sender || !comes_from_near(*sender)) {
    ++setup_.counters.refused;
    return;
  }
  sender->set_port(beacon->port);
  std::string address = sender->text();
  if (!is_news(address)) return;
  ++setup_.counters.heard;
  setup_.heard(std::move(address));
}

// Anybody can send what was heard elsewhere from anywhere: it would be dialled there.
bool LanBeacon::comes_from_near(const Endpoint& sender) {
  if (uv_now(loop_) - looked_at_ >= kLookPauseMs) look_around();
  return is_neighbour(networks_, joined_, sender);
}

// Once a minute each, and not more of them than that a flood of old ones stays harmless.
bool LanBeacon::is_news(const std::string& address) {
  const std::uint64_t now = uv_now(loop_);
  if (now >= forget_at_) {
    handed_over_.clear();
    forget_at_ = now + kMinuteMs;
  }
  if (handed_over_.size() >= limits::kBeaconsHeard) return false;
  return handed_over_.insert(address).second;
}

}  // namespace ebb::node
