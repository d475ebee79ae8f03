#include "tests/rig/router/net_namespace.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace ebb::tests {
namespace {

constexpr std::string_view kDevice = "ebb0";
constexpr const char* kOwnNamespace = "/proc/thread-self/ns/net";
constexpr std::array<std::uint8_t, 4> kMask = {255, 255, 255, 0};

Error last_error(const std::string& call) {
  const int code = errno;
  const std::string detail = call + ": " + std::strerror(code);
  if (code == EPERM || code == EACCES) return {ErrorCode::kPermission, "namespace", detail};
  if (code == ENOENT || code == ENODEV || code == ENXIO || code == ENOSYS) {
    return {ErrorCode::kNotFound, "namespace", detail};
  }
  return {ErrorCode::kIo, "namespace", detail};
}

Result<UniqueFd> open_file(const char* path, int flags) {
  UniqueFd fd(::open(path, flags | O_CLOEXEC));
  if (!fd.is_open()) return last_error(path);
  return fd;
}

ifreq request_for(std::string_view device) {
  ifreq request{};
  std::memcpy(request.ifr_name, device.data(), device.size());
  return request;
}

void put_address(ifreq& request, const std::array<std::uint8_t, 4>& address) {
  sockaddr_in value{};
  value.sin_family = AF_INET;
  std::memcpy(&value.sin_addr, address.data(), address.size());
  std::memcpy(&request.ifr_addr, &value, sizeof value);
}

Status bring_up(int socket, std::string_view device) {
  ifreq request = request_for(device);
  // All that the device is: for groups too, and without hardware addresses to ask for.
  request.ifr_flags = IFF_UP | IFF_RUNNING | IFF_MULTICAST | IFF_NOARP;
  if (::ioctl(socket, SIOCSIFFLAGS, &request) != 0) return last_error("SIOCSIFFLAGS");
  return {};
}

Status configure(const std::array<std::uint8_t, 4>& address) {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return last_error("socket");
  ifreq request = request_for(kDevice);
  put_address(request, address);
  if (::ioctl(socket.get(), SIOCSIFADDR, &request) != 0) return last_error("SIOCSIFADDR");
  put_address(request, kMask);
  if (::ioctl(socket.get(), SIOCSIFNETMASK, &request) != 0) return last_error("SIOCSIFNETMASK");
  EBB_RETURN_IF_ERROR(bring_up(socket.get(), "lo"));
  return bring_up(socket.get(), kDevice);
}

// Inside the new namespace.
Result<NetNamespace> fill(const std::array<std::uint8_t, 4>& address) {
  NetNamespace made;
  EBB_ASSIGN(made.handle, open_file(kOwnNamespace, O_RDONLY));
  EBB_ASSIGN(made.tun, open_file("/dev/net/tun", O_RDWR | O_NONBLOCK));
  ifreq request = request_for(kDevice);
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  if (::ioctl(made.tun.get(), TUNSETIFF, &request) != 0) return last_error("TUNSETIFF");
  EBB_RETURN_IF_ERROR(configure(address));
  return made;
}

}  // namespace

Result<NetNamespace> NetNamespace::make(std::array<std::uint8_t, 4> address) {
  EBB_ASSIGN(const UniqueFd before, open_file(kOwnNamespace, O_RDONLY));
  if (::unshare(CLONE_NEWNET) != 0) return last_error("unshare(CLONE_NEWNET)");
  Result<NetNamespace> made = fill(address);
  if (::setns(before.get(), CLONE_NEWNET) != 0) return last_error("setns");
  return made;
}

}  // namespace ebb::tests
