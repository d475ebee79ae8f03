// Where there may be an issuer, for who asks for a certificate and finds none.
#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "mesh/dialer.h"
#include "mesh/outbox.h"
#include "mesh/peers.h"

namespace ebb::mesh {

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

}  // namespace ebb::mesh
