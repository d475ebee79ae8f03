#include "node/resolver.h"

#include <netdb.h>

#include <optional>
#include <utility>

namespace ebb::node {
namespace {

struct Request {
  uv_getaddrinfo_t handle{};
  std::string address;
  std::uint16_t port = 0;
  Resolver::Done done;
  std::shared_ptr<bool> alive;
};

addrinfo hints() {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  return wanted;
}

// The first usable of the addresses that a name stands for; frees them.
Result<Endpoint> choose(int code, addrinfo* found, const std::string& address, std::uint16_t port) {
  if (code != 0) return uv_error(code, "name", address);
  std::optional<Endpoint> refused;
  std::optional<Endpoint> chosen;
  for (const addrinfo* entry = found; entry != nullptr && !chosen; entry = entry->ai_next) {
    std::optional<Endpoint> endpoint = endpoint_of(entry->ai_addr);
    if (!endpoint) continue;
    endpoint->set_port(port);
    (require_allowed(*endpoint).ok() ? chosen : refused) = endpoint;
  }
  uv_freeaddrinfo(found);
  if (chosen) return *chosen;
  if (refused) return require_allowed(*refused).error();
  return Error{ErrorCode::kInvalidArgument, "name", address + " has no address"};
}

Result<Endpoint> allowed(const Endpoint& endpoint) {
  EBB_RETURN_IF_ERROR(require_allowed(endpoint));
  return endpoint;
}

}  // namespace

void Resolver::resolve(const std::string& address, Done done) {
  const Result<HostPort> parsed = parse_host_port(address);
  if (!parsed.ok()) return done(parsed.error());
  if (const std::optional<Endpoint> literal = literal_endpoint(*parsed)) {
    return done(allowed(*literal));
  }
  auto request = std::make_unique<Request>();
  request->address = address;
  request->port = parsed->port;
  request->done = std::move(done);
  request->alive = alive_;
  request->handle.data = request.get();
  const addrinfo wanted = hints();
  const int code = uv_getaddrinfo(
      loop_, &request->handle,
      [](uv_getaddrinfo_t* handle, int status, addrinfo* found) noexcept {
        const std::unique_ptr<Request> owned(static_cast<Request*>(handle->data));
        Result<Endpoint> endpoint = choose(status, found, owned->address, owned->port);
        if (*owned->alive) owned->done(std::move(endpoint));
      },
      parsed->host.c_str(), nullptr, &wanted);
  if (code != 0) return request->done(uv_error(code, "name", address));
  // Its callback owns it now.
  static_cast<void>(request.release());
}

Result<Endpoint> Resolver::resolve_now(uv_loop_t* loop, const std::string& address) {
  EBB_ASSIGN(const HostPort parsed, parse_host_port(address));
  if (const std::optional<Endpoint> literal = literal_endpoint(parsed)) return allowed(*literal);
  uv_getaddrinfo_t handle{};
  const addrinfo wanted = hints();
  const int code = uv_getaddrinfo(loop, &handle, nullptr, parsed.host.c_str(), nullptr, &wanted);
  return choose(code, code == 0 ? handle.addrinfo : nullptr, address, parsed.port);
}

}  // namespace ebb::node
