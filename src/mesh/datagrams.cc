#include "mesh/datagrams.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "trust/hash.h"

namespace ebb::mesh {

Partner* find_partner(Context& ctx, const DeviceId& device) {
  const auto it = ctx.partners.find(device);
  return it == ctx.partners.end() ? nullptr : &it->second;
}

Partner* find_or_add_partner(Context& ctx, const DeviceId& device) {
  if (Partner* partner = find_partner(ctx, device)) return partner;
  if (ctx.partners.size() >= limits::kGossipPartners) {
    auto oldest = ctx.partners.end();
    for (auto it = ctx.partners.begin(); it != ctx.partners.end(); ++it) {
      const bool busy = it->second.chosen || it->second.asked || it->second.want_at;
      if (busy) continue;
      if (oldest == ctx.partners.end() || it->second.last < oldest->second.last) oldest = it;
    }
    if (oldest == ctx.partners.end()) return nullptr;
    ctx.partners.erase(oldest);
  }
  Partner& partner = ctx.partners[device];
  partner.device = device;
  partner.since = ctx.now;
  partner.last = ctx.now;
  return &partner;
}

codec::AddressCookie cookie_for(const Context& ctx, const std::string& address) {
  const Hash hash =
      trust::hash({as_bytes("ebb-cookie-1"), ctx.config.cookie_secret.view(), as_bytes(address)});
  codec::AddressCookie cookie;
  std::memcpy(cookie.data.data(), hash.data.data(), codec::AddressCookie::kSize);
  return cookie;
}

void note_address(Context& ctx, Partner& partner, const std::string& from,
                  const codec::AddressCookie& echo) {
  partner.last = ctx.now;
  if (partner.address != from) {
    partner.address = from;
    partner.proven = false;
    partner.rtt.reset();
  }
  if (echo == cookie_for(ctx, from)) partner.proven = true;
}

void send_datagram(Context& ctx, Partner& partner, codec::DatagramBody body) {
  codec::GossipDatagram datagram;
  datagram.counter = ++ctx.datagram_counter;
  datagram.mesh = ctx.config.mesh;
  datagram.device = ctx.config.self;
  datagram.echo = partner.cookie;
  datagram.body = std::move(body);
  ++ctx.counters.datagrams_out;
  ctx.out->datagrams.push_back({partner.address, codec::encode_datagram(datagram)});
}

bool spend(Partner& partner) {
  if (!partner.proven || partner.budget == 0) return false;
  --partner.budget;
  return true;
}

Duration patience(const Partner& partner) {
  const Duration trips = partner.rtt.value_or(Duration{}) * 4;
  return std::max(trips, seconds(2));
}

}  // namespace ebb::mesh
