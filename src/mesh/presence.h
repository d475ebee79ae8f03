// Presence: each device's own word, in `_ebb`, of where it can be reached. Writes ours when it has
// changed, and makes of others' a last source of addresses for dials and gossip.
//
// Model:     a record of ours is written while links are there and the own logs of all that have
//            greeted are settled.
//            Rationale: a device whose store was set back must learn that before it writes, and
//            without a link nobody would read it.
//            An address that only a presence names becomes a target (`announced`) when links are
//            wanted and no address that configuration or links told is free and good; it goes
//            when its dial fails, and the device is tried again after a back-off of its own, over
//            further records too: only other addresses shorten it, once in 10 min. An address that
//            failed rests, whoever names it (failed_addresses.h).
//            Local hosts (core/host_port.h) are told and taken only where the build reaches no
//            others, and all addresses that are listened on are such.
// Threads:   not thread-safe; part of the engine.
// Errors:    none: what a record says that can be no address is left out.
// Limits:    limits::kPresences devices, kPresencesTried targets, one more a second at most.
// Spec:      docs/wire_format.md section 10
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "mesh/context.h"

namespace ebb::mesh {

// At start: what the store remembers.
void load_presences(Context& ctx);
void hear_presences(Context& ctx, const std::vector<HeldPresence>& news);
void change_addresses(Context& ctx, const std::vector<std::string>& addresses);

// Writes our record and looks for whom to dial, where it is time.
void run_presence(Context& ctx);
// When our record may be written: at the end of each step.
void plan_presence(Context& ctx);
// Whether addresses are looked for: when that may have changed.
void plan_offers(Context& ctx, bool links_wanted);
std::optional<Instant> next_presence_deadline(const Context& ctx);

struct KnownAddress {
  DeviceId device;
  std::string address;
};
// Whom to compare with: a random device without link and without an address that is told otherwise,
// where it says it is. None that is chosen already.
std::optional<KnownAddress> draw_presence(Context& ctx);
// Where a device of those says that it is that has no link: a random one of them, at an address
// that does not rest, whatever else was told of either. Rather one that costs nothing, as far as it
// says and the budget of the day goes.
std::optional<KnownAddress> presence_of(Context& ctx,
                                        const std::function<bool(const DeviceId&)>& wanted);
// Makes it a target. Null: there are enough of these, or the address is none.
Target* announce_target(Context& ctx, const KnownAddress& known);
// A dial has found that the device is not there, or not to be dealt with.
void presence_failed(Context& ctx, const DeviceId& device, const std::string& address,
                     bool misbehaved);
// Somebody answers there.
void presence_answered(Context& ctx, const std::string& address);

// Whether the address leads back to this node, as far as it is known without trying.
bool is_own_address(const Context& ctx, const std::string& address);

// What devices say, where addresses of peers are shown: beside those that `list` names already, and
// in rows of their own.
void add_presences(const Context& ctx, std::vector<KnownPeer>& list);

}  // namespace ebb::mesh
