#include "core/host_port.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <sstream>
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

bool is_digit(char c) { return c >= '0' && c <= '9'; }

template <class Number>
std::optional<Number> number_of(std::string_view digits, int base, std::size_t digits_max) {
  Number number = 0;
  const char* end = digits.data() + digits.size();
  const std::from_chars_result parsed = std::from_chars(digits.data(), end, number, base);
  const bool whole = !digits.empty() && digits.size() <= digits_max && parsed.ptr == end;
  if (!whole || parsed.ec != std::errc()) return std::nullopt;
  return number;
}

// Four decimal numbers, none with a zero before it.
std::optional<std::array<std::uint8_t, 4>> parse_v4(std::string_view text) {
  std::array<std::uint8_t, 4> out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t dot = i + 1 < out.size() ? text.find('.') : text.size();
    if (dot == std::string_view::npos) return std::nullopt;
    const std::string_view part = text.substr(0, dot);
    const auto number = number_of<std::uint8_t>(part, 10, 3);
    if (!number || (part.size() > 1 && part.front() == '0')) return std::nullopt;
    out.at(i) = *number;
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return out;
}

using GroupsV6 = std::array<std::uint16_t, 8>;

// Appends groups; the last of a whole number may be an IPv4 one.
bool append_groups(std::string_view text, std::vector<std::uint16_t>& out) {
  if (text.ends_with(':')) return false;
  for (const std::string_view group : groups_of(text)) {
    const bool last = group.data() + group.size() == text.data() + text.size();
    if (const auto v4 = last ? parse_v4(group) : std::nullopt) {
      out.push_back(static_cast<std::uint16_t>((*v4)[0] << 8 | (*v4)[1]));
      out.push_back(static_cast<std::uint16_t>((*v4)[2] << 8 | (*v4)[3]));
      continue;
    }
    const auto number = number_of<std::uint16_t>(group, 16, 4);
    if (!number) return false;
    out.push_back(*number);
  }
  return true;
}

std::optional<GroupsV6> parse_v6(std::string_view text) {
  const std::size_t gap = text.find("::");
  std::vector<std::uint16_t> before;
  std::vector<std::uint16_t> behind;
  if (!append_groups(text.substr(0, gap), before)) return std::nullopt;
  GroupsV6 out{};
  if (gap != std::string_view::npos) {
    if (!append_groups(text.substr(gap + 2), behind)) return std::nullopt;
    if (before.size() + behind.size() >= out.size()) return std::nullopt;
  } else if (before.size() != out.size()) {
    return std::nullopt;
  }
  std::copy(before.begin(), before.end(), out.begin());
  std::copy_backward(behind.begin(), behind.end(), out.end());
  return out;
}

bool is_local_v4(std::uint32_t first, std::uint32_t second) {
  constexpr std::uint32_t kLoopback = 127;
  constexpr std::uint32_t kMulticast = 224;  // and all above it is nobody's
  return first == 0 || first == kLoopback || first >= kMulticast || (first == 169 && second == 254);
}

// What one customer of a network has, as a rule, or a part of it: one who has a /48 is 256 of them,
// and fewer than are remembered.
std::string network_v6(const GroupsV6& groups) {
  constexpr std::uint16_t kUpper = 0xff00;
  std::ostringstream text;
  text << std::hex << groups[0] << ':' << groups[1] << ':' << groups[2] << ':'
       << (groups[3] & kUpper) << "::/56";
  return text.str();
}

bool is_link_local(const GroupsV6& groups) { return (groups[0] & 0xffc0) == 0xfe80; }

bool is_local_v6(const GroupsV6& groups) {
  // IPv4 numbers in both of their forms, the unspecified one and loopback.
  const bool zeros = std::all_of(groups.begin(), groups.begin() + 5, [](auto g) { return g == 0; });
  if (zeros && (groups[5] == 0 || groups[5] == 0xffff)) {
    return is_local_v4(groups[6] >> 8, groups[6] & 0xff);
  }
  const bool multicast = (groups[0] & 0xff00) == 0xff00;
  return is_link_local(groups) || multicast;
}

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
  const std::string_view number = host.substr(0, host.find('%'));  // without a zone
  if (const auto v4 = parse_v4(number)) return is_local_v4((*v4)[0], (*v4)[1]);
  if (const auto v6 = parse_v6(number)) return is_local_v6(*v6);
  return is_localhost(host) || ends_in_number(host);
}

bool is_link_scoped(std::string_view address) {
  const std::string_view port = address.substr(std::min(address.rfind(':'), address.size()));
  std::string_view host = address.substr(0, address.size() - port.size());
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.find('%') != std::string_view::npos) return true;
  const auto number = parse_v6(host);
  return number && is_link_local(*number);
}

std::string network_of(std::string_view address) {
  const Result<HostPort> parsed = parse_host_port(address);
  if (!parsed.ok()) return std::string(address);
  const bool number_v6 = parsed->host.find(':') != std::string::npos;
  // One that ends in an IPv4 number stands for that.
  if (!number_v6 || parsed->host.find('.') != std::string::npos) return parsed->host;
  const auto number = parse_v6(std::string_view(parsed->host).substr(0, parsed->host.find('%')));
  if (!number || is_link_local(*number)) return parsed->host;
  return network_v6(*number);
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
  if (parsed.ec == std::errc::result_out_of_range && parsed.ptr == end) {
    return Error{ErrorCode::kInvalidArgument, "address",
                 "\"" + std::string(text) + "\": the port is too large, it ends at 65535"};
  }
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
