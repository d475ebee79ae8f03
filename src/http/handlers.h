// The handlers of the local API, by the journey they belong to. Each answers its request, at once
// or later; none blocks.
//
// Threads: call on the loop thread.
// Errors:  told to the client as docs/api.md says.
// Spec:    docs/api.md
#pragma once

#include "http/request.h"

namespace ebb::http {

// Append.
void begin_append(const RequestPtr& request);   // a stream of NDJSON gets its sink
void append_events(const RequestPtr& request);  // an object or an array
void add_to_counter(const RequestPtr& request);
void change_set(const RequestPtr& request);

// Read.
void get_events(const RequestPtr& request);  // also follow=sse
void get_counter(const RequestPtr& request);
void get_set(const RequestPtr& request);
void list_views(const RequestPtr& request);
void get_view(const RequestPtr& request);
void get_digest(const RequestPtr& request);
void run_sql(const RequestPtr& request);

// The node itself.
void get_status(const RequestPtr& request);
void list_links(const RequestPtr& request);
void list_peers(const RequestPtr& request);
void add_peer(const RequestPtr& request);
// Who may join.
void make_invite(const RequestPtr& request);
void list_invites(const RequestPtr& request);
void end_invite(const RequestPtr& request);
void certify(const RequestPtr& request);
void set_admit(const RequestPtr& request);

void list_heads(const RequestPtr& request);
void list_reconciliations(const RequestPtr& request);
void get_metrics(const RequestPtr& request);
void get_livez(const RequestPtr& request);
void get_readyz(const RequestPtr& request);
void shut_down(const RequestPtr& request);

}  // namespace ebb::http
