#include "tests/rig/router/packet_switch.h"

#include <utility>

#include "core/check.h"

namespace ebb::tests {
namespace {

constexpr std::array<std::uint8_t, 3> kNetwork = {10, 77, 0};
constexpr std::size_t kIpv4HeaderBytes = 20;
constexpr std::size_t kProtocolAt = 9;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kBroadcast = 255;
constexpr std::size_t kDestinationAt = 16;
constexpr std::size_t kIpv6HeaderBytes = 40;
constexpr std::size_t kProtocolAtV6 = 6;
constexpr std::size_t kSourceAtV6 = 8;
constexpr std::size_t kDestinationAtV6 = 24;
constexpr std::size_t kAddressBytesV6 = 16;
constexpr std::uint8_t kGroups = 0xff;

bool is_v6(ByteView packet) { return packet.size() >= kIpv6HeaderBytes && packet[0] >> 4 == 6; }

bool is_link_local(ByteView address) { return address[0] == 0xfe && (address[1] & 0xc0) == 0x80; }

}  // namespace

PacketSwitch::PacketSwitch(HostIndex hosts, Rng rng, Deliver deliver)
    : hosts_(hosts),
      rng_(rng),
      deliver_(std::move(deliver)),
      lanes_(std::size_t{hosts} * std::size_t{hosts}) {
  EBB_CHECK(hosts > 0 && hosts <= kHostsMax);
}

std::array<std::uint8_t, 4> PacketSwitch::address(HostIndex host) {
  return {kNetwork[0], kNetwork[1], kNetwork[2], static_cast<std::uint8_t>(host + 1)};
}

std::string PacketSwitch::address_text(HostIndex host) {
  std::string text;
  for (const std::uint8_t part : address(host))
    text += (text.empty() ? "" : ".") + std::to_string(part);
  return text;
}

PacketSwitch::Lane& PacketSwitch::lane(HostIndex from, HostIndex to) {
  EBB_CHECK(from < hosts_ && to < hosts_);
  return lanes_[std::size_t{from} * hosts_ + to];
}

void PacketSwitch::set_path(HostIndex from, HostIndex to, const sim::PathOptions& options) {
  lane(from, to).options = options;
}

void PacketSwitch::set_passing(HostIndex from, HostIndex to, Passing passing) {
  lane(from, to).passing = passing;
}

bool PacketSwitch::passes(const Lane& lane, ByteView packet) {
  if (lane.passing == Passing::kDatagrams) {
    return packet[is_v6(packet) ? kProtocolAtV6 : kProtocolAt] == kUdp;
  }
  return lane.passing == Passing::kAll;
}

std::optional<std::uint8_t> PacketSwitch::number(ByteView packet) const {
  if (packet.size() < kIpv4HeaderBytes || packet[0] >> 4 != 4) return std::nullopt;
  for (std::size_t i = 0; i < kNetwork.size(); ++i) {
    if (packet[kDestinationAt + i] != kNetwork[i]) return std::nullopt;
  }
  return packet[kDestinationAt + kNetwork.size()];
}

void PacketSwitch::take(Instant now, HostIndex from, ByteView packet) {
  ++counts_.taken;
  if (wire_ && is_v6(packet)) return take_v6(now, from, packet);
  const std::optional<std::uint8_t> last = number(packet);
  if (last && *last > 0 && *last <= hosts_) return carry(now, from, HostIndex{*last} - 1, packet);
  if (last != kBroadcast || !broadcasts_) {
    ++counts_.not_for_us;
    return;
  }
  carry_to_others(now, from, packet);
}

void PacketSwitch::take_v6(Instant now, HostIndex from, ByteView packet) {
  const ByteView source = packet.subspan(kSourceAtV6, kAddressBytesV6);
  const ByteView destination = packet.subspan(kDestinationAtV6, kAddressBytesV6);
  if (is_link_local(source) && learnt_.size() < kAddressesLearnt) {
    learnt_.insert_or_assign(*AddressV6::from(source), from);
  }
  if (destination[0] == kGroups) return carry_to_others(now, from, packet);
  const auto known = learnt_.find(*AddressV6::from(destination));
  if (known == learnt_.end() || known->second == from) {
    ++counts_.not_for_us;
    return;
  }
  carry(now, from, known->second, packet);
}

void PacketSwitch::carry_to_others(Instant now, HostIndex from, ByteView packet) {
  for (HostIndex to = 0; to < hosts_; ++to) {
    if (to != from) carry(now, from, to, packet);
  }
}

void PacketSwitch::carry(Instant now, HostIndex from, HostIndex to, ByteView packet) {
  Lane& way = lane(from, to);
  if (!passes(way, packet)) {
    ++counts_.blocked;
    return;
  }
  const sim::Passage passage = way.path.carry(way.options, now, packet.size(), rng_);
  if (passage.fate == sim::Fate::kLost) {
    ++counts_.lost;
  } else if (passage.fate == sim::Fate::kNoRoom || waiting_.size() >= kPacketsWaiting) {
    ++counts_.no_room;
  } else {
    waiting_.emplace(passage.due, Packet{from, to, to_bytes(packet)});
  }
}

void PacketSwitch::run(Instant now) {
  while (!waiting_.empty() && waiting_.begin()->first <= now) {
    const Packet packet = std::move(waiting_.begin()->second);
    waiting_.erase(waiting_.begin());
    if (!passes(lane(packet.from, packet.to), packet.bytes)) {
      ++counts_.blocked;
      continue;
    }
    ++counts_.delivered;
    counts_.delivered_bytes += packet.bytes.size();
    deliver_(packet.to, packet.bytes);
  }
}

std::optional<Instant> PacketSwitch::next_due() const {
  if (waiting_.empty()) return std::nullopt;
  return waiting_.begin()->first;
}

}  // namespace ebb::tests
