// Dialer: which address is dialled when. While overlay slots are to be filled, any that is due, at
// random; configured ones that nobody answered at yet, and always one of them, whatever the number
// of links; and whoever gossip showed to differ. Configured addresses are tried for ever. A device
// that has a link is not dialled again.
//
// Model:     back-off with full jitter: uniform below min(max, min * 2^failures). A link that was
//            settled resets it; one that was refused or at fault jumps to about a minute, and one
//            where our own key answers, this node or another, to more than ten.
// Threads:   not thread-safe; part of the engine.
// Limits:    those of overlay.h and peers.h. For gossip alone limits::kUrgentDials at once, those
//            that are due first.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mesh/context.h"

namespace ebb::mesh {

// Null when the address is none, or the passive view is full of better ones.
Target* add_target(Context& ctx, const std::string& address, std::optional<DeviceId> device,
                   bool configured, bool first_hand);
// Gossip showed a difference: dial within the shortest back-off.
void dial_soon(Context& ctx, Target& target);
// Somebody has said there that he listens: dialled within the shortest back-off, if links are
// wanted, and if it is not known to lead to a device that has one.
void heard_nearby(Context& ctx, const std::string& address);
// Who was not admitted, here or there, while a certificate was lacking, and has one now as this
// device has, is dialled soon.
void dial_certified(Context& ctx);
// Whatever the number of links, but no sooner than its back-off allows.
void dial_when_due(Context& ctx, const std::string& address);

// A random time below what so many failures in a row give.
Duration dial_backoff(Context& ctx, std::uint32_t failures);

void run_dialer(Context& ctx);
void plan_dials(Context& ctx);  // computes Context::dial_at

// Behind the first record that opens: until then nobody there has shown that he knows the secret.
void dialer_found_device(Context& ctx, const Link& link);
// The address leads back to this node: it is not dialled for a while, which is told.
void dialer_found_self(Context& ctx, const Link& link);
bool leads_back(const Context& ctx, const Target& target);
void dialer_link_closed(Context& ctx, const Link& link, const std::string& reason);

// The device has a link that is up or on its way up.
bool is_linked(Context& ctx, const DeviceId& device);

}  // namespace ebb::mesh
