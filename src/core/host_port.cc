#include "core/host_port.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "core/limits.h"

namespace ebb {
namespace {

Error bad_address(std::string_view text) {
  std::string message = "\"";
  message.append(text).append("\" is not of the form host:port");
  return {ErrorCode::kInvalidArgument, "address", std::move(message)};
}

// The groups of an IPv6 number before, or after, its "::".
std::vector<std::string_view> groups_of(std::string_view text) {
  std::vector<std::string_view> groups;
  while (!text.empty()) {
    const std::size_t colon = std::min(text.find(':'), text.size());
    groups.push_back(text.substr(0, colon));
    text.remove_prefix(std::min(colon + 1, text.size()));
  }
  return groups;
}

// The first four groups of an IPv6 number.
std::string network_v6(std::string_view host) {
  constexpr std::size_t kGroups = 8;
  const std::size_t gap = host.find("::");
  std::vector<std::string_view> groups = groups_of(host.substr(0, gap));
  if (gap != std::string_view::npos) {
    const std::vector<std::string_view> behind = groups_of(host.substr(gap + 2));
    while (groups.size() + behind.size() < kGroups)
      groups.emplace_back("0");
    groups.insert(groups.end(), behind.begin(), behind.end());
  }
  std::string network;
  for (std::size_t i = 0; i < groups.size() && i < kGroups / 2; ++i)
    network.append(groups[i]).append(":");
  return network;
}

bool is_local_v4(std::uint8_t first, std::uint8_t second) {
  constexpr std::uint8_t kLoopback = 127;
  constexpr std::uint8_t kMulticast = 224;  // and all above it is nobody's
  return first == 0 || first == kLoopback || first >= kMulticast || (first == 169 && second == 254);
}

bool is_local_v6(const in6_addr& address) {
  const auto* bytes = static_cast<const std::uint8_t*>(address.s6_addr);
  const bool v4 = IN6_IS_ADDR_V4MAPPED(&address) || IN6_IS_ADDR_V4COMPAT(&address);
  if (v4) return is_local_v4(bytes[12], bytes[13]);
  return IN6_IS_ADDR_LOOPBACK(&address) || IN6_IS_ADDR_UNSPECIFIED(&address) ||
         IN6_IS_ADDR_LINKLOCAL(&address) || IN6_IS_ADDR_MULTICAST(&address);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// No name of the DNS ends like this.
bool ends_in_number(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  const std::string_view last = host.substr(host.rfind('.') + 1);
  const bool digits = !last.empty() && std::all_of(last.begin(), last.end(), is_digit);
  return digits || last.starts_with("0x") || last.starts_with("0X");
}

bool is_localhost(std::string_view host) {
  constexpr std::string_view kName = "localhost";
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.size() < kName.size()) return false;
  const std::string_view before = host.substr(0, host.size() - kName.size());
  const std::string_view end = host.substr(before.size());
  const bool same = std::equal(end.begin(), end.end(), kName.begin(),
                               [](char a, char b) { return (a | 0x20) == b; });
  return same && (before.empty() || before.ends_with('.'));
}

}  // namespace

bool is_local_host(std::string_view host) {
  const std::string number(host.substr(0, host.find('%')));  // without a zone
  in_addr v4{};
  if (::inet_pton(AF_INET, number.c_str(), &v4) == 1) {
    const std::uint32_t value = ntohl(v4.s_addr);
    return is_local_v4(static_cast<std::uint8_t>(value >> 24),
                       static_cast<std::uint8_t>(value >> 16));
  }
  in6_addr v6{};
  if (::inet_pton(AF_INET6, number.c_str(), &v6) == 1) return is_local_v6(v6);
  return is_localhost(host) || ends_in_number(host);
}

std::string network_of(std::string_view address) {
  const Result<HostPort> parsed = parse_host_port(address);
  if (!parsed.ok()) return std::string(address);
  const bool number_v6 = parsed->host.find(':') != std::string::npos;
  // One that ends in an IPv4 number stands for that.
  if (!number_v6 || parsed->host.find('.') != std::string::npos) return parsed->host;
  return network_v6(parsed->host);
}

Result<HostPort> parse_host_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || text.size() > limits::kAddressBytes) {
    return bad_address(text);
  }
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  const bool has_colon = host.find(':') != std::string_view::npos;
  if (host.empty() || has_colon != bracketed) return bad_address(text);
  for (const char c : host) {
    if (c <= ' ' || c > '~' || c == ',' || c == '[' || c == ']') return bad_address(text);
  }
  HostPort address;
  address.host = std::string(host);
  const char* end = port.data() + port.size();
  const std::from_chars_result parsed = std::from_chars(port.data(), end, address.port);
  if (port.empty() || parsed.ec != std::errc() || parsed.ptr != end) return bad_address(text);
  return address;
}

std::string host_port_text(const HostPort& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  const std::string host = v6 ? "[" + address.host + "]" : address.host;
  return host + ":" + std::to_string(address.port);
}

Result<HostPort> parse_peer_address(std::string_view text) {
  EBB_ASSIGN(HostPort address, parse_host_port(text));
  if (address.port == 0) return bad_address(text);
  return address;
}

}  // namespace ebb
