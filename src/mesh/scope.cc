#include "mesh/scope.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "core/limits.h"
#include "core/planted.h"
#include "mesh/reconcile.h"
#include "trust/scope_hash.h"

namespace ebb::mesh {
namespace {

ScopeOwner own(const Context& ctx) { return {ctx.config.scope, ctx.config.self, false}; }

// What an end takes part in on a link on which it has this access.
ScopeOwner limited(ScopeOwner end, const std::optional<codec::GrantedAccess>& access,
                   std::uint64_t roles) {
  if (!access) return end;
  if (*access < codec::GrantedAccess::kFull) {
    end.own_only = true;
  } else if ((roles & trust::roles::kReader) == 0 && !planted(Bug::kTellTheBlind)) {
    end.scope = Scope{ScopeKind::kLeaf, {}, {}};
  }
  return end;
}

void set_view(Context& ctx, Link& link, const Scope& theirs) {
  link.scope = theirs;
  link.view.reset();
  const LinkAdmission& admission = link.admission;
  ScopeOwner here = limited(own(ctx), admission.granted, admission.granted_roles);
  ScopeOwner there =
      limited(ScopeOwner{theirs, *link.peer}, admission.given, admission.given_roles);
  if (here.is_full() && there.is_full()) return;
  link.view = std::make_unique<ScopeView>(ctx.heads, std::move(here), std::move(there));
  ctx.views_made = true;
}

// Of full ones nothing has to be remembered by those that are full.
void remember_scope(Context& ctx, const Link& link) {
  const DeviceId& device = *link.peer;
  if (ctx.config.scope.is_full() && link.scope->is_full()) {
    ctx.scopes.erase(device);
    return;
  }
  if (!ctx.scopes.contains(device) && ctx.scopes.size() >= limits::kStoredPeers) {
    ctx.scopes.erase(std::min_element(
        ctx.scopes.begin(), ctx.scopes.end(),
        [](const auto& a, const auto& b) { return a.second.heard < b.second.heard; }));
  }
  ctx.scopes[device] = {*link.scope, trust::scope_hash(*link.scope), ++ctx.hellos};
}

void agree_when_told(Context& ctx, Link& link) {
  if (!link.root_told || !link.root_heard) return;
  link.scopes_known = true;
  scopes_agreed(ctx, link);
}

void tell_root(Context& ctx, Link& link) {
  const trust::FingerprintSum root = common_root(ctx, link);
  link.mine.root = root.fingerprint();
  link.mine.count = root.count();
  link.root_told = true;
  send(ctx, link, codec::ScopeRoot{link.mine.root, link.mine.count});
  agree_when_told(ctx, link);
}

}  // namespace

void load_scope(Context& ctx) {
  ctx.scope_hash = trust::scope_hash(ctx.config.scope);
  if (ctx.config.scope.is_full()) return;
  ctx.own_view =
      std::make_unique<ScopeView>(ctx.heads, own(ctx), ScopeOwner{Scope{}, ctx.config.self});
  ctx.views_made = true;
}

void expect_scope(Context& ctx, Link& link) { set_view(ctx, link, scope_of(ctx, *link.peer)); }

void greet_scope(Context& ctx, Link& link) {
  const bool told = link.theirs.your_scope == ctx.scope_hash;
  const bool right = link.mine.your_scope == link.theirs.my_scope;
  if (told && right) {
    link.scopes_known = true;
    remember_scope(ctx, link);
    return;
  }
  if (!told) send(ctx, link, codec::ScopeTold{ctx.config.scope});
  if (!right) {
    link.scope.reset();
    link.view.reset();
    if (link.theirs.my_scope != ScopeHash{}) return;  // it will tell
    set_view(ctx, link, Scope{});
  }
  remember_scope(ctx, link);
  tell_root(ctx, link);
}

void on_scope(Context& ctx, Link& link, const codec::ScopeTold& told) {
  const bool due = link.greeted() && !link.scopes_known;
  if (!due || trust::scope_hash(told.scope) != link.theirs.my_scope) {
    fault(ctx, link, due ? "malformed_scope" : "out_of_order", "scope");
    return;
  }
  if (link.scope) return;  // it needed no telling
  set_view(ctx, link, told.scope);
  remember_scope(ctx, link);
  tell_root(ctx, link);
}

void on_scope(Context& ctx, Link& link, const codec::ScopeRoot& root) {
  if (!link.greeted() || link.scopes_known || link.root_heard) {
    fault(ctx, link, "out_of_order", "scope");
    return;
  }
  link.theirs.root = root.root;
  link.theirs.count = root.count;
  link.root_heard = true;
  agree_when_told(ctx, link);
}

bool is_in_scope(const Context& ctx, const LogKey& log) {
  if (planted(Bug::kIgnoreScope)) return true;
  return ctx.config.scope.is_full() || covers(ctx.config.scope, ctx.config.self, log);
}

bool is_out_of_scope(const Context& ctx, const LogEntry& entry) {
  return entry.has_key && !is_in_scope(ctx, entry.key);
}

bool in_both_scopes(const Link& link, const LogKey& log) {
  if (link.view == nullptr || planted(Bug::kIgnoreScope)) return link.scope.has_value();
  return link.view->covers(log);
}

bool is_outside(const Context& ctx, const Link& link, const LogEntry& entry) {
  if (!entry.has_key) return false;
  if (!link.takes_others && !is_of_an_end(ctx, link, entry.key)) return true;
  return link.scope && !in_both_scopes(link, entry.key);
}

trust::FingerprintSum common_root(const Context& ctx, const Link& link) {
  return link.view == nullptr ? ctx.heads.root() : link.view->whole();
}

trust::FingerprintSum common_sum(const Context& ctx, const Link& link, const IdPrefix& prefix) {
  return link.view == nullptr ? ctx.heads.held().sum(prefix) : link.view->sum(prefix);
}

trust::FingerprintSum own_root(const Context& ctx) {
  return ctx.own_view == nullptr ? ctx.heads.root() : ctx.own_view->whole();
}

void move_in_views(Context& ctx, const StoredHead& head) {
  if (!ctx.views_made) return;
  if (ctx.own_view != nullptr) ctx.own_view->moved(head);
  for (Link& link : ctx.links) {
    if (link.view != nullptr) link.view->moved(head);
  }
}

const Scope& scope_of(const Context& ctx, const DeviceId& device) {
  const auto it = ctx.scopes.find(device);
  return it == ctx.scopes.end() ? ctx.config.scope : it->second.scope;
}

ScopeHash scope_hash_of(const Context& ctx, const DeviceId& device) {
  const auto it = ctx.scopes.find(device);
  return it == ctx.scopes.end() ? ctx.scope_hash : it->second.hash;
}

bool in_both_scopes_with(const Context& ctx, const DeviceId& device, const LogKey& log) {
  return is_in_scope(ctx, log) && covers(scope_of(ctx, device), device, log);
}

trust::FingerprintSum common_root_with(Context& ctx, const DeviceId& device) {
  const Scope& theirs = scope_of(ctx, device);
  if (ctx.config.scope.is_full() && theirs.is_full()) return ctx.heads.root();
  return ScopeView(ctx.heads, own(ctx), {theirs, device}).whole();
}

}  // namespace ebb::mesh
