// Where there may be an issuer, for who asks for a certificate and finds none: told and heard.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "core/host_port.h"
#include "core/limits.h"
#include "mesh/certify.h"
#include "mesh/dialer.h"
#include "mesh/outbox.h"
#include "mesh/peers.h"

namespace ebb::mesh {
namespace {

constexpr Duration kHurryPause = seconds(3600);

// What a device names may be wrong, and then each time that it is asked.
bool may_hurry(Context& ctx, const DeviceId& teller) {
  auto& hurried = ctx.membership->hurried;
  std::erase_if(hurried, [&ctx](const auto& each) { return ctx.now - each.second >= kHurryPause; });
  return hurried.size() < limits::kDevicesAsked && hurried.emplace(teller, ctx.now).second;
}

// The records say who is an issuer, to who is told all of them.
bool is_believed(const Membership& membership, const DeviceId& device) {
  return membership.own().telling() != trust::Telling::kAll ||
         membership.verdict(device).may(trust::roles::kIssuer);
}

}  // namespace

void tell_issuers(Context& ctx, Link& link) {
  const Membership& membership = *ctx.membership;
  const bool open = membership.authority().admit(membership.floor()) == trust::Admit::kSecret;
  if (!open && link.admission.given < codec::GrantedAccess::kRestricted) return;
  // What was not reached of late may be the only one, and is perhaps within the reach of others.
  using Known = std::pair<std::uint32_t, codec::PeerAddress>;
  std::vector<Known> issuers;
  for (const auto& [address, target] : ctx.targets) {
    if (!target.device || leads_back(ctx, target) || target.device == link.peer) continue;
    if (target.link_scoped) continue;
    if (membership.verdict(*target.device).may(trust::roles::kIssuer)) {
      issuers.emplace_back(target.failures, codec::PeerAddress{*target.device, address});
    }
  }
  std::stable_sort(issuers.begin(), issuers.end(),
                   [](const Known& one, const Known& other) { return one.first < other.first; });
  issuers.resize(std::min(issuers.size(), limits::kPeersForNewcomer));
  codec::Peers message;
  for (Known& each : issuers)
    message.peers.push_back(std::move(each.second));
  if (!message.peers.empty()) send(ctx, link, message);
}

void take_issuers(Context& ctx, const Link& link, const codec::Peers& peers) {
  const Membership& membership = *ctx.membership;
  if (!lacks_certificate(ctx, link)) return;
  std::optional<bool> hurries;
  for (const codec::PeerAddress& peer : peers.peers) {
    if (peer.device == ctx.config.self || is_linked(ctx, peer.device)) continue;
    if (!is_believed(membership, peer.device)) continue;
    if (!parse_peer_address(peer.address).ok() || is_link_scoped(peer.address)) continue;
    Target* target = learn_peer(ctx, peer.device, peer.address, false);
    if (target == nullptr) continue;
    if (!hurries) hurries = may_hurry(ctx, *link.peer);
    if (*hurries) dial_soon(ctx, *target);
  }
}

}  // namespace ebb::mesh
