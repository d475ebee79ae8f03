#include "node/lan_beacon.h"

#include <arpa/inet.h>
#include <net/if.h>

#include <cstring>
#include <optional>
#include <utility>

#include "node/log.h"
#include "trust/hash.h"

namespace ebb::node {
namespace {

constexpr const char* kGroup = "ff12::ebb";  // link-local, of no registry
constexpr Duration kFirst = milliseconds(1000);
constexpr std::uint64_t kMinuteMs = 60000;
constexpr std::size_t kOwnRemembered = 8;

const sockaddr_in& v4_of(const Endpoint& endpoint) {
  return reinterpret_cast<const sockaddr_in&>(endpoint.storage);
}
sockaddr_in6& v6_of(Endpoint& endpoint) {
  return reinterpret_cast<sockaddr_in6&>(endpoint.storage);
}

LanBeacon* owner_of(const void* data) {
  const auto* box = static_cast<const HandleBox<uv_udp_t>*>(data);
  return box->open ? static_cast<LanBeacon*>(box->owner) : nullptr;
}

std::optional<BeaconRoute> route_over(const uv_interface_address_t& each, const Endpoint& bound,
                                      std::uint16_t port) {
  if (each.is_internal != 0) return std::nullopt;
  std::optional<Endpoint> own = endpoint_of(reinterpret_cast<const sockaddr*>(&each.address));
  if (!own) return std::nullopt;
  own->set_port(bound.port());
  const bool v6 = own->storage.ss_family == AF_INET6;
  if (v6 && bound.storage.ss_family != AF_INET6) return std::nullopt;
  if (!bound.is_any() && own->text() != bound.text()) return std::nullopt;
  std::optional<Endpoint> to = literal_endpoint({v6 ? kGroup : "0.0.0.0", port});
  if (v6) {
    v6_of(*to).sin6_scope_id = ::if_nametoindex(each.name);
    return BeaconRoute{each.name, *to};
  }
  const std::uint32_t mask = each.netmask.netmask4.sin_addr.s_addr;
  const std::uint32_t host = ~ntohl(mask);
  if (host <= 1) return std::nullopt;  // a line between two: it has no broadcast
  reinterpret_cast<sockaddr_in&>(to->storage).sin_addr.s_addr =
      (v4_of(*own).sin_addr.s_addr & mask) | ~mask;
  return BeaconRoute{each.name, *to};
}

// Its port replaced; of a link-local one with the interface.
std::optional<std::string> address_of(const sockaddr* from, std::uint16_t port) {
  std::optional<Endpoint> sender = endpoint_of(from);
  if (!sender) return std::nullopt;
  sender->set_port(port);
  if (sender->storage.ss_family != AF_INET6) return sender->text();
  const sockaddr_in6& v6 = v6_of(*sender);
  std::array<char, IF_NAMESIZE> name{};
  if (v6.sin6_scope_id == 0 || !IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr)) return sender->text();
  if (::if_indextoname(v6.sin6_scope_id, name.data()) == nullptr) return std::nullopt;
  std::array<char, INET6_ADDRSTRLEN> host{};
  if (::inet_ntop(AF_INET6, &v6.sin6_addr, host.data(), host.size()) == nullptr) {
    return std::nullopt;
  }
  return host_port_text({std::string(host.data()) + "%" + name.data(), port});
}

}  // namespace

std::vector<BeaconRoute> beacon_routes(const Endpoint& bound, std::uint16_t beacon_port) {
  uv_interface_address_t* interfaces = nullptr;
  int count = 0;
  if (uv_interface_addresses(&interfaces, &count) != 0) return {};
  std::vector<BeaconRoute> routes;
  std::set<std::string> seen;
  for (int i = 0; i < count; ++i) {
    auto route = route_over(interfaces[i], bound, beacon_port);
    if (route && seen.insert(route->key()).second) routes.push_back(std::move(*route));
  }
  uv_free_interface_addresses(interfaces, count);
  return routes;
}

LanBeacon::LanBeacon(uv_loop_t* loop, Setup setup, Rng rng)
    : loop_(loop), setup_(std::move(setup)), rng_(rng), timer_(loop, [this] { tell(); }) {}

Result<HandlePtr<uv_udp_t>> LanBeacon::open(const Endpoint& at, unsigned flags) {
  uv_loop_t* loop = loop_;
  const auto family = static_cast<unsigned>(at.storage.ss_family);
  HandlePtr<uv_udp_t> udp = make_handle<uv_udp_t>(
      [loop, family](uv_udp_t* h) { return uv_udp_init_ex(loop, h, family); });
  udp->owner = this;
  int code = uv_udp_bind(&udp->handle, at.address(), flags | UV_UDP_REUSEADDR);
  if (code == UV_EADDRINUSE) return Error{ErrorCode::kBusy, "port in use", at.text()};
  if (code != 0) return uv_error(code, "bind", at.text());
  if (family == AF_INET) code = uv_udp_set_broadcast(&udp->handle, 1);
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

Status LanBeacon::start() {
  const bool specific = !setup_.bound.is_any();
  const bool v6 = setup_.bound.storage.ss_family == AF_INET6;
  if (!v6 || !specific) {
    EBB_ASSIGN(v4_, open(*literal_endpoint({"0.0.0.0", setup_.port}), 0));
  }
  if (v6) {
    // A machine without IPv6 has the other one.
    auto opened = open(*literal_endpoint({"::", setup_.port}), UV_UDP_IPV6ONLY);
    if (!opened.ok() && v4_ == nullptr) return opened.error();
    if (opened.ok()) v6_ = std::move(*opened);
  }
  timer_.start(kFirst + milliseconds(static_cast<std::int64_t>(rng_.below(1000))));
  return {};
}

void LanBeacon::stop() {
  timer_.stop();
  v4_.reset();
  v6_.reset();
}

void LanBeacon::tell() {
  channel::Beacon beacon;
  trust::random_bytes(beacon.nonce.data.data(), channel::BeaconNonce::kSize);
  beacon.port = setup_.bound.port();
  if (own_.size() >= kOwnRemembered) own_.clear();
  own_.insert(beacon.nonce);
  Bytes bytes = write_beacon(setup_.key, beacon);
  for (const BeaconRoute& route : setup_.routes())
    send(route, bytes);
  const auto jitter = static_cast<std::int64_t>(rng_.below(limits::kBeaconMs / 2));
  timer_.start(milliseconds(limits::kBeaconMs - jitter));
}

void LanBeacon::send(const BeaconRoute& route, Bytes& bytes) {
  const bool v6 = route.to.storage.ss_family == AF_INET6;
  uv_udp_t* udp = v6 ? (v6_ ? &v6_->handle : nullptr) : (v4_ ? &v4_->handle : nullptr);
  if (udp == nullptr) return;
  int code = 0;
  if (v6 && joined_.insert(route.interface).second) {
    const std::string over = "::%" + route.interface;
    code = uv_udp_set_membership(udp, kGroup, over.c_str(), UV_JOIN_GROUP);
    if (code != 0 && code != UV_EADDRINUSE) joined_.erase(route.interface);
  }
  const uv_buf_t buffer =
      uv_buf_init(reinterpret_cast<char*>(bytes.data()), static_cast<unsigned>(bytes.size()));
  code = uv_udp_try_send(udp, &buffer, 1, route.to.address());
  if (code >= 0) {
    ++setup_.counters.sent;
    return;
  }
  log_limited(LogLevel::kDebug, "beacon_not_sent",
              {{"interface", route.interface}, {"reason", uv_strerror(code)}});
}

void LanBeacon::on_datagram(ByteView bytes, const sockaddr* from) {
  const Result<channel::Beacon> beacon = read_beacon(setup_.key, bytes);
  if (!beacon.ok()) {
    ++setup_.counters.refused;
    return;
  }
  if (own_.contains(beacon->nonce)) return;
  const std::optional<std::string> address = address_of(from, beacon->port);
  if (!address || !is_news(*address)) return;
  ++setup_.counters.heard;
  setup_.heard(*address);
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
