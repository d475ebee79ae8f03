#include "core/host_port.h"

#include <charconv>
#include <string>
#include <system_error>
#include <utility>

#include "core/limits.h"

namespace ebb {
namespace {

Error bad_address(std::string_view text) {
  std::string message = "\"";
  message.append(text).append("\" is not of the form host:port");
  return {ErrorCode::kInvalidArgument, "address", std::move(message)};
}

}  // namespace

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
