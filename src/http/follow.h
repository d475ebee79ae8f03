// Followers: clients that are sent events as they are committed.
//
// Model:     a follower reads pages from the store on workers, woken by commits, and no faster than
//            its client takes them; so what was missed while the client was slow is read later, not
//            kept. `positions` is what it has read, `heads` what there is.
// Ownership: lives as long as its connection.
// Threads:   call on the loop thread.
// Limits:    kHttpFollowers; kHttpFollowBytes are kept; a client that takes nothing of what waits
//            for kHttpFollowMs gets "event: dropped" and the end.
// Spec:      docs/api.md
#pragma once

#include "http/event_query.h"
#include "http/request.h"

namespace ebb::http {

void follow_events(const RequestPtr& request, EventQuery query);

}  // namespace ebb::http
