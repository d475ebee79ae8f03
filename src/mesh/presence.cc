#include "mesh/presence.h"

#include <algorithm>
#include <limits>
#include <set>
#include <tuple>
#include <utility>

#include "core/host_port.h"
#include "mesh/dialer.h"

namespace ebb::mesh {
namespace {

constexpr std::size_t kLooks = 32;                    // at devices, for one that is to be tried
constexpr std::uint32_t kFailuresOfMisbehaviour = 6;  // about a minute
constexpr std::uint32_t kVainOffersMax = 20;          // more changes nothing
constexpr std::uint64_t kNumberMax = std::numeric_limits<std::int64_t>::max();

// ---- ours

std::uint64_t own_class(const Context& ctx) { return ctx.config.metered ? 1 : 0; }

// Without an address there is nothing to say, unless something else was said before.
void compare_own(Context& ctx) {
  PresenceBook& book = ctx.presence;
  if (!book.own) {
    book.differs = !book.addresses.empty();
    return;
  }
  const codec::Presence& said = book.own->said;
  book.differs = said.addresses != book.addresses || said.budget_class != own_class(ctx);
}

void set_addresses(PresenceBook& book, std::vector<std::string> addresses) {
  book.addresses.clear();
  for (std::string& address : addresses) {
    const bool fits = address.size() <= limits::kPresenceAddressBytes &&
                      book.addresses.size() < limits::kPresenceAddresses;
    if (fits && parse_peer_address(address).ok()) book.addresses.push_back(std::move(address));
  }
}

// The pause runs from the stamp of the last record, as far as that can be right.
void pace(Context& ctx) {
  PresenceBook& book = ctx.presence;
  book.paced = true;
  if (!book.own) return;
  const std::int64_t over_ms = book.own->hlc.wall().ms + limits::kPresencePauseMs - ctx.wall.ms;
  const std::int64_t wait_ms = std::clamp(over_ms, std::int64_t{0}, limits::kPresencePauseMs);
  book.write_from = std::max(book.write_from, ctx.now + milliseconds(wait_ms));
}

bool may_write(const Context& ctx) {
  if (ctx.own_blocked) return false;
  bool linked = false;
  for (const Link* link : ctx.slots) {
    if (link == nullptr) continue;
    if (!link->settled) return false;
    linked = true;
  }
  return linked;
}

void write_own(Context& ctx) {
  PresenceBook& book = ctx.presence;
  codec::Presence said;
  said.addresses = book.addresses;
  said.budget_class = own_class(ctx);
  if (book.own) {
    // Nothing can come behind it any more.
    if (book.own->said.number >= kNumberMax) {
      book.differs = false;
      return;
    }
    said.number = book.own->said.number + 1;
  }
  ctx.out->records.push_back({codec::kPresenceType, codec::encode_presence(said)});
  ++ctx.counters.presences_written;
  // If it is not stored, it is tried again then.
  book.write_from = ctx.now + milliseconds(limits::kPresencePauseMs);
}

// ---- others'

void hear(Context& ctx, const HeldPresence& held) {
  PresenceBook& book = ctx.presence;
  const auto order = [](const HeldPresence& one) {
    return std::make_tuple(one.said.number, one.hlc);
  };
  if (held.device == ctx.config.self) {
    if (book.own && order(held) <= order(*book.own)) return;
    book.own = held;
    compare_own(ctx);
    book.paced = false;
    return;
  }
  const auto known = book.others.find(held.device);
  if (known != book.others.end() && order(held) <= order(known->second.held)) return;
  if (known == book.others.end() && book.others.size() >= limits::kPresences) {
    // As in the store: somebody makes room.
    auto victim = book.others.lower_bound(DeviceId{});
    std::advance(victim, static_cast<std::ptrdiff_t>(ctx.rng.below(book.others.size())));
    book.others.erase(victim);
  }
  HeardPresence heard{held, 0, 0, {}};
  std::vector<std::string>& addresses = heard.held.said.addresses;
  std::set<std::string> seen;
  std::erase_if(addresses, [&seen](const std::string& address) {
    return !parse_peer_address(address).ok() || !seen.insert(address).second;
  });
  book.others.insert_or_assign(held.device, std::move(heard));
  book.offers_in_vain = 0;
}

// The address to try next; nullopt when all are ours or known otherwise.
std::optional<std::string> usable_address(const Context& ctx, const HeardPresence& heard) {
  const std::vector<std::string>& addresses = heard.held.said.addresses;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const std::string& address = addresses[(heard.next_address + i) % addresses.size()];
    const std::vector<std::string>& own = ctx.presence.addresses;
    const bool ours =
        address == ctx.config.advertise || std::find(own.begin(), own.end(), address) != own.end();
    if (!ours && !ctx.targets.contains(address)) return address;
  }
  return std::nullopt;
}

// Whom configuration or a link told, and who answers or was not asked yet, needs no presence.
bool is_told_otherwise(const Context& ctx, const DeviceId& device) {
  return std::any_of(ctx.targets.begin(), ctx.targets.end(), [&device](const auto& entry) {
    const Target& target = entry.second;
    return target.device == device && (target.failures == 0 || target.link);
  });
}

// Those that pay for bytes come last.
std::optional<PartnerKey> draw(Context& ctx) {
  const auto& others = ctx.presence.others;
  DeviceId key;
  for (std::uint8_t& byte : key.data)
    byte = static_cast<std::uint8_t>(ctx.rng.below(256));
  auto at = others.lower_bound(key);
  std::optional<PartnerKey> metered;
  for (std::size_t i = 0; i < std::min(kLooks, others.size()); ++i, ++at) {
    if (at == others.end()) at = others.begin();
    const auto& [device, heard] = *at;
    if (heard.next > ctx.now || is_linked(ctx, device) || is_told_otherwise(ctx, device)) continue;
    const std::optional<std::string> address = usable_address(ctx, heard);
    if (!address) continue;
    if (heard.held.said.budget_class == 0) return PartnerKey{device, *address};
    if (!metered) metered = PartnerKey{device, *address};
  }
  return metered;
}

bool is_needed(Context& ctx) {
  std::size_t announced = 0;
  const Instant soon = ctx.now + ctx.config.dial_backoff_min;
  for (const auto& [address, target] : ctx.targets) {
    if (target.announced) ++announced;
    const bool linked = target.link || (target.device && is_linked(ctx, *target.device));
    const bool good = target.failures == 0 && target.next <= soon;
    if (!target.announced && !target.self && !linked && good) return false;
  }
  return announced < limits::kPresencesTried;
}

Duration offer_pause(const Context& ctx) {
  Duration pause = ctx.config.dial_backoff_min;
  for (std::uint32_t i = 0; i < ctx.presence.offers_in_vain; ++i)
    pause = std::min(pause * 2, ctx.config.dial_backoff_max);
  return pause;
}

void offer(Context& ctx) {
  PresenceBook& book = ctx.presence;
  const std::optional<PartnerKey> found = is_needed(ctx) ? draw(ctx) : std::nullopt;
  Target* target = found ? add_target(ctx, found->address, found->device, false, false) : nullptr;
  if (target == nullptr) {
    book.offers_in_vain = std::min(book.offers_in_vain + 1, kVainOffersMax);
  } else {
    target->announced = true;
    target->stored = true;  // the log has it
    book.offers_in_vain = 0;
  }
  book.offer_at = ctx.now + offer_pause(ctx);
}

}  // namespace

void load_presences(Context& ctx) {
  std::vector<std::string> addresses = std::move(ctx.config.addresses);
  if (addresses.empty() && !ctx.config.advertise.empty()) addresses = {ctx.config.advertise};
  set_addresses(ctx.presence, std::move(addresses));
  for (const HeldPresence& held : std::exchange(ctx.config.presences, {}))
    hear(ctx, held);
  compare_own(ctx);
}

void hear_presences(Context& ctx, const std::vector<HeldPresence>& news) {
  for (const HeldPresence& held : news) {
    if (held.device != ctx.config.self) ++ctx.counters.presences_heard;
    hear(ctx, held);
  }
  if (!news.empty()) ctx.dials_changed = true;
}

void change_addresses(Context& ctx, std::vector<std::string> addresses) {
  PresenceBook& book = ctx.presence;
  const std::vector<std::string> before = book.addresses;
  set_addresses(book, std::move(addresses));
  if (book.addresses == before) return;
  ctx.config.advertise = book.addresses.empty() ? "" : book.addresses.front();
  compare_own(ctx);
  book.write_from = std::max(book.write_from, ctx.now + ctx.config.presence_stands);
}

void run_presence(Context& ctx) {
  PresenceBook& book = ctx.presence;
  if (book.write_at && *book.write_at <= ctx.now) write_own(ctx);
  if (book.offer_at && *book.offer_at <= ctx.now) offer(ctx);
}

void plan_presence(Context& ctx) {
  PresenceBook& book = ctx.presence;
  if (!std::exchange(book.begun, true)) book.write_from = ctx.now + ctx.config.presence_stands;
  if (!book.paced) pace(ctx);
  book.write_at.reset();
  if (book.differs && may_write(ctx)) book.write_at = std::max(book.write_from, ctx.now);
}

void plan_offers(Context& ctx, bool links_wanted) {
  PresenceBook& book = ctx.presence;
  if (!links_wanted || book.others.empty()) {
    book.offer_at.reset();
  } else if (const Instant next = ctx.now + offer_pause(ctx);
             !book.offer_at || *book.offer_at > next) {
    book.offer_at = next;
  }
}

std::optional<Instant> next_presence_deadline(const Context& ctx) {
  const PresenceBook& book = ctx.presence;
  if (!book.write_at || !book.offer_at) return book.write_at ? book.write_at : book.offer_at;
  return std::min(*book.write_at, *book.offer_at);
}

std::optional<PartnerKey> draw_presence(Context& ctx) {
  return ctx.presence.others.empty() ? std::nullopt : draw(ctx);
}

void presence_failed(Context& ctx, const DeviceId& device, bool misbehaved) {
  const auto found = ctx.presence.others.find(device);
  if (found == ctx.presence.others.end()) return;
  HeardPresence& heard = found->second;
  heard.failures = std::min(heard.failures + 1, kVainOffersMax);
  if (misbehaved) heard.failures = std::max(heard.failures, kFailuresOfMisbehaviour);
  ++heard.next_address;
  heard.next = ctx.now + dial_backoff(ctx, heard.failures);
}

void add_presences(const Context& ctx, std::vector<KnownPeer>& list) {
  std::set<DeviceId> listed;
  for (KnownPeer& peer : list) {
    if (!peer.device) continue;
    listed.insert(*peer.device);
    const auto found = ctx.presence.others.find(*peer.device);
    if (found == ctx.presence.others.end()) continue;
    peer.announced = found->second.held.said.addresses;
    peer.metered = found->second.held.said.budget_class != 0;
  }
  std::size_t rows = 0;
  for (const auto& [device, heard] : ctx.presence.others) {
    if (heard.held.said.addresses.empty() || listed.contains(device)) continue;
    if (++rows > limits::kPresencesListed) return;
    KnownPeer peer;
    peer.device = device;
    peer.address = heard.held.said.addresses.front();
    peer.state = "never";
    peer.announced = heard.held.said.addresses;
    peer.metered = heard.held.said.budget_class != 0;
    list.push_back(std::move(peer));
  }
}

}  // namespace ebb::mesh
