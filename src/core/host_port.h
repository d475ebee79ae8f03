// HostPort: an address as people write it and nodes tell it, "host:port". IPv6 hosts stand in
// brackets there.
//
// Model:   one grammar for what is configured, told by peers and taken by the API. A host is
//          printable ASCII without spaces, commas and brackets; whether it exists is found out by
//          asking.
// Errors:  kInvalidArgument; detail names the text.
// Limits:  limits::kAddressBytes.
// Threads: values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace ebb {

struct HostPort {
  std::string host;  // without brackets
  std::uint16_t port = 0;
};

// Port 0 is taken: it means any port to who listens.
Result<HostPort> parse_host_port(std::string_view text);
// The same for who is dialled: a port above 0.
Result<HostPort> parse_peer_address(std::string_view text);
std::string host_port_text(const HostPort& address);
// What one host may have all addresses and ports of: the host, of an IPv6 number its first 56 bits
// unless it is link-local, where all hosts of a wire have the same. Of a text that is no address,
// the text.
std::string network_of(std::string_view address);
// Whether a host, without brackets, is a number that names no one other machine wherever it is
// read: loopback, link-local, unspecified, multicast; or "localhost"; or a number that is written
// as only some resolvers read it ("127.1"). Other names are not looked up.
bool is_local_host(std::string_view host);
// Whether an address leads over one wire of this machine: IPv6 link-local, or with a zone
// ("%eth0"). On another machine it means nothing, or somebody else.
bool is_link_scoped(std::string_view address);

}  // namespace ebb
