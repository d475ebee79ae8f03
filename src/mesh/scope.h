// Scopes of nodes that have not all logs: who takes part in what, and how both ends of a link come
// to know it.
//
// Model:   HELLO names the sender's scope by its hash, and the peer's as the sender remembers it. A
//          node whose scope the peer names wrongly tells it (SCOPE), and then both tell the root
//          of what is in both. Until that is done nothing is compared and nothing goes out.
//          Scopes are remembered while the process runs. A scope never changes while it does; a
//          start with another one makes another store epoch, so cursors say nothing any more.
// Threads: not thread-safe; part of the engine.
// Errors:  a scope that is not the one of the peer's HELLO, and what nobody asked for, are faults.
// Limits:  limits::kStoredPeers scopes of others.
// Spec:    docs/wire_format.md section 11
#pragma once

#include "mesh/context.h"

namespace ebb::mesh {

void load_scope(Context& ctx);

// Before our HELLO: what is in both scopes as far as we know.
void expect_scope(Context& ctx, Link& link);
// Its HELLO came. Tells what the peer does not know; sets Link::scopes_known when that is nothing.
void greet_scope(Context& ctx, Link& link);
void on_scope(Context& ctx, Link& link, const codec::ScopeTold& told);
void on_scope(Context& ctx, Link& link, const codec::ScopeRoot& root);

// Whether we take part in the log.
bool is_in_scope(const Context& ctx, const LogKey& log);
// The same of a log that is known, perhaps not by its key: then it may be.
bool is_out_of_scope(const Context& ctx, const LogEntry& entry);
// Whether both ends do.
bool in_both_scopes(const Link& link, const LogKey& log);
// The peer has no part in the log, as far as its scope and the log's key are known: it is not asked
// for it, whatever it claims.
bool is_outside(const Context& ctx, const Link& link, const LogEntry& entry);
// Over heads that both ends take part in.
trust::FingerprintSum common_root(const Context& ctx, const Link& link);
trust::FingerprintSum common_sum(const Context& ctx, const Link& link, const IdPrefix& prefix);
// Over all heads of our own scope.
trust::FingerprintSum own_root(const Context& ctx);
// A head has moved in the table.
void move_in_views(Context& ctx, const StoredHead& head);

// What a device without a link takes part in: as a link has told, else what we do.
const Scope& scope_of(const Context& ctx, const DeviceId& device);
ScopeHash scope_hash_of(const Context& ctx, const DeviceId& device);
bool in_both_scopes_with(const Context& ctx, const DeviceId& device, const LogKey& log);
trust::FingerprintSum common_root_with(Context& ctx, const DeviceId& device);

}  // namespace ebb::mesh
