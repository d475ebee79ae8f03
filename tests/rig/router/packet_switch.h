// PacketSwitch: IPv4 packets from host to host by their destination, each
// ordered pair of hosts over a path of its own. IPv6 only as on one wire, when
// that is wanted. It is no IP router: it touches no packet and sends no errors.
//
// Model:     take() hands a packet over, run() delivers what has arrived by
// then. What meets a
//            blocked path, on its way in or out, is gone without a word, as in
//            a black hole.
// Ownership: what `deliver` refers to must outlive the switch.
// Threads:   not thread-safe; owned by one run.
// Determinism: draws from its own generator only, in the order of take().
// Limits:    kPacketsWaiting under way; what comes beyond them is dropped and
// counted.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/rng.h"
#include "core/time.h"
#include "sim/options.h"
#include "sim/path.h"

namespace ebb::tests {

using sim::HostIndex;

class PacketSwitch {
 public:
  static constexpr std::size_t kPacketsWaiting = 65536;
  static constexpr HostIndex kHostsMax = 250;

  // What a path lets through.
  enum class Passing : std::uint8_t { kAll, kDatagrams, kNothing };

  struct Counts {
    std::uint64_t taken = 0, delivered = 0, delivered_bytes = 0;
    std::uint64_t lost = 0, no_room = 0, blocked = 0;
    std::uint64_t not_for_us = 0;  // of no kind that passes, or to an address that no host has
  };
  using Deliver = std::function<void(HostIndex to, ByteView packet)>;

  // At most kHostsMax hosts.
  PacketSwitch(HostIndex hosts, Rng rng, Deliver deliver);

  // 10.77.0.1 is host 0.
  static std::array<std::uint8_t, 4> address(HostIndex host);
  static std::string address_text(HostIndex host);

  HostIndex hosts() const { return hosts_; }
  void set_path(HostIndex from, HostIndex to, const sim::PathOptions& options);
  void set_passing(HostIndex from, HostIndex to, Passing passing);

  // Whether what goes to 10.77.0.255 reaches all others, as on one local network. At first not.
  void pass_broadcasts(bool on) { broadcasts_ = on; }
  // Whether IPv6 passes as on one wire: what goes to a group reaches all others, what goes to a
  // link-local address the host that has sent from it before. At first not.
  void pass_wire(bool on) { wire_ = on; }

  void take(Instant now, HostIndex from, ByteView packet);
  void run(Instant now);
  std::optional<Instant> next_due() const;
  const Counts& counts() const { return counts_; }

 private:
  struct Lane {
    sim::PathOptions options;
    sim::Path path;
    Passing passing = Passing::kAll;
  };
  struct Packet {
    HostIndex from = 0, to = 0;
    Bytes bytes;
  };

  Lane& lane(HostIndex from, HostIndex to);
  using AddressV6 = FixedBytes<16, struct AddressV6Tag>;
  static constexpr std::size_t kAddressesLearnt = 4096;

  static bool passes(const Lane& lane, ByteView packet);
  void take_v6(Instant now, HostIndex from, ByteView packet);
  void carry_to_others(Instant now, HostIndex from, ByteView packet);
  std::optional<std::uint8_t> number(ByteView packet) const;  // of the destination, in the network
  void carry(Instant now, HostIndex from, HostIndex to, ByteView packet);

  HostIndex hosts_;
  Rng rng_;
  Deliver deliver_;
  std::vector<Lane> lanes_;
  std::multimap<Instant, Packet> waiting_;  // those of one instant in order of take()
  Counts counts_;
  bool broadcasts_ = false;
  bool wire_ = false;
  std::map<AddressV6, HostIndex> learnt_;  // link-local addresses
};

}  // namespace ebb::tests
