// Overlay: which links carry live pushes. A node dials until it has limits::kOverlayAim links (all
// devices while it knows fewer than eight others) and takes up to kOverlayLinks.
//
// Model:     a greeted link has an overlay slot unless it is `surplus`: it came when all were
// taken.
//            A surplus link is caught up and then ended with a word, so that the peer looks
//            elsewhere. A peer that is short of links gets a slot all the same, and so does one
//            whose link brings more than the link of the least use: that loses it, of several any.
//            At most one link to a configured peer is exempt (pinned).
//            What a link brings is the number of logs whose latest news came by it. Its use is
//            that, less the logs of which its peer has news from others. So the only link to a
//            part of the mesh stays, whoever comes, and so does one that is new.
// Threads:   not thread-safe; part of the engine.
// Limits:    limits::kOverlayLinks slots; kLinks links in all.
// Spec:      docs/wire_format.md section 7, docs/decisions/0006-overlay.md
#pragma once

#include <cstddef>

#include "mesh/context.h"

namespace ebb::mesh {

// Links with a slot.
std::size_t overlay_links(const Context& ctx);
// How many links to dial for.
std::size_t overlay_aim(const Context& ctx);
// Bits of HELLO for a link to this peer.
std::uint64_t overlay_features(Context& ctx, const Link& link);
// Some link to a configured peer has a slot.
bool has_pinned(const Context& ctx);
// The peer has a full scope, says that it is a relay, and may be one by its certificate.
bool is_relay(const Link& link);
// Our scope is partial, and none of the links is to a relay.
bool wants_relay(const Context& ctx);

// The link was greeted: decides about its slot.
void overlay_joined(Context& ctx, Link& link);
// A slot was freed: the next in line takes it.
void overlay_left(Context& ctx);
// The link has brought news of the log. The entry was looked up in this step.
void note_bringer(Context& ctx, Link& link, LogEntry& entry);
// Ends the link if it is surplus and nothing is left to be caught up.
void shed_surplus(Context& ctx, Link& link);

}  // namespace ebb::mesh
