#include "mesh/context.h"

#include <utility>

#include "mesh/bounds.h"
#include "mesh/dialer.h"
#include "mesh/outbox.h"
#include "mesh/overlay.h"
#include "mesh/peers.h"
#include "mesh/reconcile.h"
#include "mesh/scope.h"
#include "mesh/stream.h"
#include "mesh/want.h"

namespace ebb::mesh {
namespace {

// What is left of control messages, and the end of the stream.
void say_end(Context& ctx, Link& link) {
  if (link.channel == nullptr || !link.channel->established()) return;
  flush_control(ctx, link);
  Bytes wire;
  link.channel->finish(wire);
  send_wire(ctx, link, std::move(wire));
}

// Takes the link out of every table; what was asked of it goes to somebody else.
void forget_link(Context& ctx, Link& link, const std::string& reason, bool liar) {
  link.closed = true;
  touch(ctx, link);
  leave_gate(ctx, link);
  ctx.sessions.link_ended(link.id, ctx.now);
  forget_bytes(ctx, link);
  interrupt_exchange(ctx, link);
  if (link.slot != kNoSlot) {
    notice(ctx, link, NoticeKind::kLinkClosed, reason);
    const int slot = link.slot;
    ctx.slots.set(static_cast<std::size_t>(slot), nullptr);
    release_wants(ctx, link, liar);
    link.slot = kNoSlot;
    overlay_left(ctx);
    // Of two links of a pair one may stay.
    if (link_of_device(ctx, *link.peer) == nullptr) {
      ctx.peer_clocks.link_ended(*link.peer, ctx.now);
      part_from_peer(ctx, link);
    }
  }
  dialer_link_closed(ctx, link, reason);
}

}  // namespace

void say_bye(Context& ctx, Link& link, codec::ByeCode code, std::string text) {
  if (text.size() > limits::kByeTextBytes) text.resize(limits::kByeTextBytes);
  send(ctx, link, codec::Bye{code, std::move(text)});
}

void fault(Context& ctx, Link& link, std::string_view reason, std::string detail) {
  if (link.closed) return;
  ++ctx.counters.faults[reason];
  ctx.out->faults.push_back({link.id, link.peer, reason, std::move(detail)});
  say_bye(ctx, link, codec::ByeCode::kProtocolError, std::string(reason));
  link.misbehaved = true;
  say_end(ctx, link);
  ctx.out->closes.push_back({link.id, std::string(reason)});
  forget_link(ctx, link, std::string(reason), true);
}

void close_link(Context& ctx, Link& link, const std::string& reason) {
  if (link.closed) return;
  say_end(ctx, link);
  ctx.out->closes.push_back({link.id, reason});
  forget_link(ctx, link, reason, false);
}

void abandon_link(Context& ctx, Link& link, const std::string& reason) {
  if (link.closed) return;
  ctx.out->closes.push_back({link.id, reason});
  forget_link(ctx, link, reason, false);
}

void drop_link(Context& ctx, Link& link, const std::string& reason) {
  if (!link.closed) forget_link(ctx, link, reason, false);
}

void notice(Context& ctx, const Link& link, NoticeKind kind, std::string text) {
  ctx.out->notices.push_back({kind, link.id, link.peer, std::move(text)});
}

Token new_token(Context& ctx) { return {ctx.next_token++}; }

Link* find_link(Context& ctx, LinkId id) {
  Link* link = ctx.links.find(id);
  return link == nullptr || link->closed ? nullptr : link;
}

Link* link_of_device(Context& ctx, const DeviceId& device) {
  for (Link* link : ctx.slots) {
    if (link != nullptr && link->peer == device) return link;
  }
  return nullptr;
}

std::size_t greeted_links(const Context& ctx) {
  std::size_t count = 0;
  for (const Link* link : ctx.slots)
    count += link != nullptr ? 1 : 0;
  return count;
}

bool is_metered(const Context& ctx, const Link& link) {
  return link.theirs.budget_class != 0 || ctx.budget.is_metered(link.link_class);
}

bool is_own(const Context& ctx, const LogEntry& entry) {
  return entry.has_key && entry.key.device == ctx.config.self;
}

bool is_current_own(const Context& ctx, const LogEntry& entry) {
  return is_own(ctx, entry) && entry.key.incarnation == ctx.config.incarnation;
}

bool is_of_an_end(const Context& ctx, const Link& link, const LogKey& log) {
  return log.device == ctx.config.self || log.device == link.peer;
}

bool may_publish(const Context& ctx, const Link& link, const LogKey& log) {
  if (!in_both_scopes(link, log)) return false;
  if (log.device != ctx.config.self) return link.tells_others || is_of_an_end(ctx, link, log);
  return link.settled && !(ctx.own_blocked && log.incarnation == ctx.config.incarnation);
}

}  // namespace ebb::mesh
