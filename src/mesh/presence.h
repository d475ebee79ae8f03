// Presence: each device's own word, in `_ebb`, of where it can be reached. Writes ours when it has
// changed, and makes of others' a last source of addresses for dials and gossip.
//
// Model:     a record of ours is written while links are there and the own logs of all that have
//            greeted are settled.
//            Rationale: a device whose store was set back must learn that before it writes, and
//            without a link nobody would read it.
//            An address that only a presence names becomes a target (`announced`) when links are
//            wanted and no address that configuration or links told is free and good; it goes
//            when its dial fails, and the device is tried again after a back-off of its own.
// Threads:   not thread-safe; part of the engine.
// Errors:    none: what a record says that can be no address is left out.
// Limits:    limits::kPresences devices, kPresencesTried targets, one more a second at most.
// Spec:      docs/wire_format.md section 10
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mesh/context.h"

namespace ebb::mesh {

// At start: what the store remembers.
void load_presences(Context& ctx);
void hear_presences(Context& ctx, const std::vector<HeldPresence>& news);
void change_addresses(Context& ctx, std::vector<std::string> addresses);

// Writes our record and looks for whom to dial, where it is time.
void run_presence(Context& ctx);
// When our record may be written: at the end of each step.
void plan_presence(Context& ctx);
// Whether addresses are looked for: when that may have changed.
void plan_offers(Context& ctx, bool links_wanted);
std::optional<Instant> next_presence_deadline(const Context& ctx);

// A random device without link and without an address that is told otherwise, where it says it is.
std::optional<PartnerKey> draw_presence(Context& ctx);
// It was not there, or is not to be dealt with.
void presence_failed(Context& ctx, const DeviceId& device, bool misbehaved);

// What devices say, where addresses of peers are shown: beside those that `list` names already, and
// in rows of their own.
void add_presences(const Context& ctx, std::vector<KnownPeer>& list);

}  // namespace ebb::mesh
