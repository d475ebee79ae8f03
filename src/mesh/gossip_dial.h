// GossipDial: whether a partner of gossip is dialled, and how often.
//
// Model:     only who was chosen here is ever dialled for gossip: whoever else speaks to us may
//            dial us, and must not be able to make us dial.
//            A difference is a reason to dial at once. While the roots that differ stay the same,
//            or the last link left something out and nothing else is missing, nothing will come
//            of another link: the next is kDifferPauseMin away, then twice that, up to
//            kDifferPauseMax, until the roots agree. Other roots that differ wait for
//            kDifferPauseMin only; but not where the last link might not carry everything, for
//            then they differ whatever comes.
// Threads:   not thread-safe; part of the engine.
// Limits:    limits::kUrgentDials addresses at once (dialer.h).
#pragma once

#include "mesh/context.h"

namespace ebb::mesh {

inline constexpr Duration kDifferPauseMin = seconds(60);
inline constexpr Duration kDifferPauseMax = seconds(600);

void dial_for_difference(Context& ctx, const Partner& partner);
// It answers no datagram: whatever the number of links, but no sooner than its back-off allows.
void dial_for_silence(Context& ctx, const Partner& partner);
// The roots are equal: the next difference is news.
void differences_are_over(Context& ctx, const Partner& partner);

}  // namespace ebb::mesh
