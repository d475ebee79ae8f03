// Peers: who listens where. Keeps the passive view (learnt addresses without a link) and tells
// addresses to neighbours: our own, news at first hand, lists for newcomers, shuffles.
//
// Model:     Context::targets by address. What a third party says never replaces what is known at
//            first hand. A full view makes room at random, so that its content keeps moving.
//            Addresses of one wire (is_link_scoped) are told to nobody, and taken from nobody but
//            beacons and the configuration; a device may have one beside another address.
// Threads:   not thread-safe; part of the engine.
// Limits:    limits::kPassiveView learnt addresses without a link; kPeersForNewcomer and
//            kPeersShuffled a message.
// Spec:      docs/wire_format.md section 7
#pragma once

#include <map>
#include <string>
#include <vector>

#include "mesh/context.h"

namespace ebb::mesh {

// At start: what the store remembers.
void load_peers(Context& ctx);
// The device listens there; `first_hand` when it said so itself or was dialled there. Null when it
// is of no use: ourselves, malformed, known better, or the view is full of better ones.
Target* learn_peer(Context& ctx, const DeviceId& device, const std::string& address,
                   bool first_hand);
// Throws a random learnt address out when the view is full; false when all must stay.
bool make_room(Context& ctx, bool first_hand);

// A link was greeted.
void meet_peer(Context& ctx, Link& link);
// The last greeted link with its device has ended.
void part_from_peer(Context& ctx, const Link& link);
// Sends what the peer is to be told, if anything.
void tell_peers(Context& ctx, Link& link);
void on_peers(Context& ctx, Link& link, const codec::Peers& peers);
void run_shuffle(Context& ctx);
// To who looks for a certificate, where the mesh's secret lets in: who may have an issuer.
void tell_issuers(Context& ctx, Link& link);
// Who was asked names issuers. They are learnt as any hearsay, by who is told all records only
// those that these name, and once an hour for each teller dialled soon.
void take_issuers(Context& ctx, const Link& link, const codec::Peers& peers);

// Whether there are so many devices with an address that more than a presence tells, ourselves not
// counted.
bool knows_devices(const Context& ctx, std::size_t at_least);
// Some learnt address other than this link's may be worth a dial.
bool knows_others(Context& ctx, const Link& link);
std::vector<KnownPeer> known_peers(const Context& ctx);

// When a link with a device was heard last, whoever dialled, and whether it stands.
struct Linked {
  bool stands = false;
  Instant heard;
};
using LinkedTimes = std::map<DeviceId, Linked>;
// Of links that have ended as far as the store remembers, by the wall clock.
LinkedTimes linked_times(const Context& ctx);
void tell_linked(const LinkedTimes& times, KnownPeer& peer);

}  // namespace ebb::mesh
