// TimeRecords: an issuer signs that it is that late when nothing else that it signs says so, and so
// moves the floor of time at every node (trust/time_floor.h).
//
// Model:     looked at when links are judged, each minute at least. One is due when the floor is 30
//            days behind the own clock, the issuer's last record is as old, and two peers' clocks
//            agree with the own one, for without these it would move no floor here either. It is
//            signed at random within the day that follows, for a mesh has several issuers, and one
//            is enough.
// Threads:   not thread-safe; part of the engine.
// Spec:      docs/wire_format.md section 13, docs/decisions/0031-membership.md
#pragma once

#include <vector>

#include "mesh/context.h"

namespace ebb::mesh {

// `clocks`: of peers, now.
void record_time(Context& ctx, const std::vector<HeardClock>& clocks);
// Whether one that waits to be signed is wanted still.
bool wants_time_record(const Context& ctx);

}  // namespace ebb::mesh
