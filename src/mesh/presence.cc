#include "mesh/presence.h"

#include <algorithm>
#include <limits>
#include <set>
#include <tuple>
#include <utility>

#include "core/host_port.h"
#include "mesh/datagrams.h"
#include "mesh/dialer.h"
#include "mesh/peers.h"

namespace ebb::mesh {
namespace {

constexpr std::size_t kLooks = 32;                    // at devices, for one that is to be tried
constexpr std::uint32_t kFailuresOfMisbehaviour = 6;  // about a minute
constexpr std::uint32_t kVainOffersMax = 20;          // more changes nothing
constexpr Duration kRenewPause = seconds(600);        // between two that make failures forgotten
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

bool is_local(const std::string& address) {
  const Result<HostPort> parsed = parse_peer_address(address);
  return parsed.ok() && is_local_host(parsed->host);
}

// Whether a presence may name it: ours, or one that we act upon.
bool may_be_named(const Context& ctx, const std::string& address) {
  if (is_link_scoped(address)) return false;
  return ctx.presence.local || !is_local(address);
}

void set_addresses(Context& ctx, const std::vector<std::string>& addresses) {
  PresenceBook& book = ctx.presence;
  book.all_own.clear();
  std::vector<std::string> valid;
  for (const std::string& address : addresses) {
    if (parse_peer_address(address).ok() && book.all_own.insert(address).second)
      valid.push_back(address);
  }
  book.local = ctx.config.local_only && std::all_of(valid.begin(), valid.end(), is_local);
  book.addresses.clear();
  for (std::string& address : valid) {
    const bool fits = address.size() <= limits::kPresenceAddressBytes &&
                      book.addresses.size() < limits::kPresenceAddresses;
    if (fits && may_be_named(ctx, address)) book.addresses.push_back(std::move(address));
  }
}

std::string best_own(const Context& ctx) {
  const std::vector<std::string>& addresses = ctx.presence.addresses;
  return addresses.empty() ? "" : addresses.front();
}

auto order_of(const HeldPresence& held) { return std::make_tuple(held.said.number, held.hlc); }

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
  // A stamp of a clock that is wrong would stand in the log for good.
  if (ctx.own_blocked || ctx.config.clock_suspect) return false;
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

bool has_untried(const Context& ctx, const std::vector<std::string>& addresses) {
  return std::any_of(addresses.begin(), addresses.end(), [&ctx](const std::string& address) {
    return !ctx.presence.failed.knows(address) && !ctx.targets.contains(address) &&
           !is_own_address(ctx, address) && may_be_named(ctx, address);
  });
}

// What is known of how the device can be reached goes on, or it could have itself, or whom it
// names, dialled all the time by writing records.
void carry_over(Context& ctx, const HeardPresence& before, HeardPresence& heard) {
  heard.next_address = before.next_address;
  heard.dials = before.dials;
  heard.renewed = before.renewed;
  const std::vector<std::string>& old = before.held.said.addresses;
  const std::vector<std::string>& now = heard.held.said.addresses;
  const bool moved = std::any_of(now.begin(), now.end(), [&old](const std::string& address) {
    return std::find(old.begin(), old.end(), address) == old.end();
  });
  const bool rested = !before.renewed || ctx.now - *before.renewed >= kRenewPause;
  if (!moved || !rested) return;
  heard.next_address = 0;
  heard.dials = {};
  heard.renewed = ctx.now;
  if (has_untried(ctx, now)) ctx.presence.offers_in_vain = 0;
}

void hear_own(Context& ctx, const HeldPresence& held) {
  PresenceBook& book = ctx.presence;
  if (book.own && order_of(held) <= order_of(*book.own)) return;
  book.own = held;
  compare_own(ctx);
  book.paced = false;
}

void hear(Context& ctx, const HeldPresence& held) {
  if (held.device == ctx.config.self) return hear_own(ctx, held);
  PresenceBook& book = ctx.presence;
  const auto known = book.others.find(held.device);
  const bool is_first = known == book.others.end();
  if (!is_first && order_of(held) <= order_of(known->second.held)) return;
  HeardPresence heard;
  heard.held = held;
  std::vector<std::string>& addresses = heard.held.said.addresses;
  std::set<std::string> seen;
  std::erase_if(addresses, [&seen](const std::string& address) {
    if (!parse_peer_address(address).ok() || is_link_scoped(address)) return true;
    return !seen.insert(address).second;
  });
  if (!is_first) {
    carry_over(ctx, known->second, heard);
  } else if (has_untried(ctx, addresses)) {
    book.offers_in_vain = 0;
  }
  if (is_first && book.others.size() >= limits::kPresences) {
    // As in the store: somebody makes room.
    auto victim = book.others.begin();
    std::advance(victim, static_cast<std::ptrdiff_t>(ctx.rng.below(book.others.size())));
    book.others.erase(victim);
  }
  book.others.insert_or_assign(held.device, std::move(heard));
}

// ---- whom to try

// The address to try next; nullopt when all are ours, known otherwise or resting.
// With `of_targets` also one of which something was told already.
std::optional<std::string> usable_address(const Context& ctx, const HeardPresence& heard,
                                          bool of_targets = false) {
  const PresenceBook& book = ctx.presence;
  const auto is_usable = [&](const std::string& address) {
    const auto target = ctx.targets.find(address);
    if (target != ctx.targets.end() && (!of_targets || target->second.link)) return false;
    if (is_own_address(ctx, address)) return false;
    if (book.failed.rests(address, ctx.now)) return false;
    return may_be_named(ctx, address);
  };
  const std::vector<std::string>& addresses = heard.held.said.addresses;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const std::string& address = addresses[(heard.next_address + i) % addresses.size()];
    if (is_usable(address)) return address;
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

bool may_be_asked(const Context& ctx, const KnownAddress& known) {
  return !is_chosen(ctx, known.device) && may_gossip(ctx, known.address);
}

// Those that pay for bytes come last.
std::optional<KnownAddress> draw(Context& ctx, bool for_gossip) {
  const auto& others = ctx.presence.others;
  DeviceId key;
  for (std::uint8_t& byte : key.data)
    byte = static_cast<std::uint8_t>(ctx.rng.below(256));
  auto at = others.lower_bound(key);
  std::optional<KnownAddress> metered;
  for (std::size_t i = 0; i < std::min(kLooks, others.size()); ++i, ++at) {
    if (at == others.end()) at = others.begin();
    const auto& [device, heard] = *at;
    const bool waits = heard.dials.next > ctx.now;
    if (waits || is_linked(ctx, device) || is_told_otherwise(ctx, device)) continue;
    const std::optional<std::string> address = usable_address(ctx, heard);
    if (!address) continue;
    const KnownAddress found{device, *address};
    if (for_gossip && !may_be_asked(ctx, found)) continue;
    if (heard.held.said.budget_class == 0) return found;
    if (!metered) metered = found;
  }
  return metered;
}

void put_off(Context& ctx, Attempts& attempts, std::uint32_t least) {
  attempts.failures = std::max(std::min(attempts.failures + 1, kVainOffersMax), least);
  attempts.next = ctx.now + dial_backoff(ctx, attempts.failures);
}

bool is_needed(Context& ctx) {
  const Instant soon = ctx.now + ctx.config.dial_backoff_min;
  for (const auto& [address, target] : ctx.targets) {
    const bool linked = target.link || (target.device && is_linked(ctx, *target.device));
    const bool good = target.failures == 0 && target.next <= soon;
    if (!target.announced && !leads_back(ctx, target) && !linked && good) return false;
  }
  return true;
}

Duration offer_pause(const Context& ctx) {
  Duration pause = ctx.config.dial_backoff_min;
  for (std::uint32_t i = 0; i < ctx.presence.offers_in_vain; ++i)
    pause = std::min(pause * 2, ctx.config.dial_backoff_max);
  return pause;
}

void offer(Context& ctx) {
  PresenceBook& book = ctx.presence;
  const std::optional<KnownAddress> found = is_needed(ctx) ? draw(ctx, false) : std::nullopt;
  const bool offered = found && announce_target(ctx, *found) != nullptr;
  book.offers_in_vain = offered ? 0 : std::min(book.offers_in_vain + 1, kVainOffersMax);
  book.offer_at = ctx.now + offer_pause(ctx);
}

}  // namespace

void load_presences(Context& ctx) {
  std::vector<std::string> addresses = std::move(ctx.config.addresses);
  if (addresses.empty() && !ctx.config.advertise.empty()) addresses = {ctx.config.advertise};
  set_addresses(ctx, addresses);
  if (is_link_scoped(ctx.config.advertise)) ctx.config.advertise = best_own(ctx);
  for (const HeldPresence& held : std::exchange(ctx.config.presences, {}))
    hear(ctx, held);
  compare_own(ctx);
}

void hear_presences(Context& ctx, const std::vector<HeldPresence>& news) {
  for (const HeldPresence& held : news) {
    if (held.device != ctx.config.self) ++ctx.counters.presences_heard;
    hear(ctx, held);
  }
  if (!news.empty()) ctx.presence.news = true;
}

void change_addresses(Context& ctx, const std::vector<std::string>& addresses) {
  PresenceBook& book = ctx.presence;
  const std::vector<std::string> before = book.addresses;
  set_addresses(ctx, addresses);
  if (book.addresses == before) return;
  ctx.config.advertise = best_own(ctx);
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

Target* announce_target(Context& ctx, const KnownAddress& known) {
  const auto announced = std::count_if(ctx.targets.begin(), ctx.targets.end(),
                                       [](const auto& entry) { return entry.second.announced; });
  if (static_cast<std::size_t>(announced) >= limits::kPresencesTried) return nullptr;
  Target* target = add_target(ctx, known.address, known.device, false, false);
  if (target == nullptr) return nullptr;
  target->announced = true;
  target->stored = true;  // the log has it
  return target;
}

std::optional<KnownAddress> draw_presence(Context& ctx) {
  return ctx.presence.others.empty() ? std::nullopt : draw(ctx, true);
}

std::optional<KnownAddress> presence_of(Context& ctx,
                                        const std::function<bool(const DeviceId&)>& wanted) {
  std::vector<KnownAddress> found, metered;
  for (const auto& [device, heard] : ctx.presence.others) {
    const bool waits = heard.dials.next > ctx.now;
    if (waits || is_linked(ctx, device) || !wanted(device)) continue;
    const auto address = usable_address(ctx, heard, true);
    if (!address) continue;
    const bool costs = heard.held.said.budget_class != 0 || !may_gossip(ctx, *address);
    (costs ? metered : found).push_back({device, *address});
  }
  if (found.empty()) found = std::move(metered);
  if (found.empty()) return std::nullopt;
  return std::move(found[ctx.rng.below(found.size())]);
}

void presence_failed(Context& ctx, const DeviceId& device, const std::string& address,
                     bool misbehaved) {
  ctx.presence.failed.failed(address, ctx.now, ctx.rng);
  const auto found = ctx.presence.others.find(device);
  if (found == ctx.presence.others.end()) return;
  put_off(ctx, found->second.dials, misbehaved ? kFailuresOfMisbehaviour : 0);
  ++found->second.next_address;
}

void presence_answered(Context& ctx, const std::string& address) {
  ctx.presence.failed.answered(address);
}

bool is_own_address(const Context& ctx, const std::string& address) {
  return address == ctx.config.advertise || ctx.presence.all_own.contains(address);
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
  const LinkedTimes times = linked_times(ctx);
  for (const auto& [device, heard] : ctx.presence.others) {
    if (heard.held.said.addresses.empty() || listed.contains(device)) continue;
    if (++rows > limits::kPresencesListed) return;
    KnownPeer peer;
    peer.device = device;
    peer.address = heard.held.said.addresses.front();
    peer.state = "never";
    peer.announced = heard.held.said.addresses;
    peer.metered = heard.held.said.budget_class != 0;
    tell_linked(times, peer);
    list.push_back(std::move(peer));
  }
}

}  // namespace ebb::mesh
