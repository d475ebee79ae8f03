#include "mesh/stream.h"

#include <string>
#include <utility>

#include "core/host_port.h"
#include "core/limits.h"
#include "mesh/bounds.h"
#include "mesh/greeting.h"
#include "mesh/outbox.h"

namespace ebb::mesh {
namespace {

// False: it is closed.
bool pass_gate(Context& ctx, const LinkUp& up, std::optional<channel::HandshakeGate::Ticket>& out) {
  const channel::HandshakeGate::Entry entry = ctx.gate.enter(ctx.now, network_of(up.remote));
  if (entry.ousted) {
    const auto found = ctx.half_open.find(*entry.ousted);
    Link* link = found == ctx.half_open.end() ? nullptr : find_link(ctx, found->second);
    if (link != nullptr) abandon_link(ctx, *link, "another took its place");
  }
  if (!entry.ticket) {
    ++ctx.counters.handshakes_refused;
    ctx.out->closes.push_back({up.link, "too many handshakes"});
    return false;
  }
  ctx.half_open.emplace(*entry.ticket, up.link);
  out = entry.ticket;
  return true;
}

Link* admit(Context& ctx, const LinkUp& up) {
  Link* link = find_link(ctx, up.link);
  if (up.dialled ? link == nullptr : ctx.links.contains(up.link)) {
    if (up.dialled) ctx.out->closes.push_back({up.link, "given up"});
    return nullptr;
  }
  if (link != nullptr) return link->phase == Phase::kConnecting ? link : nullptr;
  // Half open ones have a bound of their own, and make room for each other.
  if (ctx.links.size() - ctx.half_open.size() >= limits::kLinks + limits::kHalfOpen) {
    ctx.out->closes.push_back({up.link, "too many connections"});
    return nullptr;
  }
  std::optional<channel::HandshakeGate::Ticket> ticket;
  if (!pass_gate(ctx, up, ticket)) return nullptr;
  link = &ctx.links[up.link];
  link->id = up.link;
  link->ticket = ticket;
  return link;
}

struct FaultWords {
  std::string_view reason;
  bool provable;  // nobody but the other end can have done that
};

FaultWords words_of(ChannelFault kind) {
  switch (kind) {
    case ChannelFault::kNoAccess:
      return {"no_access", false};
    case ChannelFault::kBadProof:
      return {"bad_proof", true};
    case ChannelFault::kBroken:
    case ChannelFault::kNoCommonVersion:
      break;
  }
  return {"bad_channel", false};
}

// Without a word: in the handshake because nobody is known there, behind it because who is has not
// said what came.
void end_channel(Context& ctx, Link& link, const ChannelFailure& failure) {
  if (failure.fault == ChannelFault::kNoCommonVersion) {
    link.refusal = "no common wire version";
    link.misbehaved = true;
    notice(ctx, link, NoticeKind::kRefused, failure.detail);
    abandon_link(ctx, link, failure.detail);
    return;
  }
  const FaultWords words = words_of(failure.fault);
  ++ctx.counters.faults[words.reason];
  ctx.out->faults.push_back({link.id, link.peer, words.reason, failure.detail});
  link.misbehaved = words.provable;
  abandon_link(ctx, link, std::string(words.reason));
}

void take_plain(Context& ctx, Link& link, const Bytes& plain,
                void (*on_frame)(Context& ctx, Link& link, ByteView frame)) {
  link.splitter.push(plain);
  while (!link.closed) {
    const Result<ByteView> frame = link.splitter.next();
    if (!frame.ok()) {
      const bool too_large = frame.error().code == ErrorCode::kTooLarge;
      fault(ctx, link, too_large ? "too_large" : "malformed_frame", frame.error().message());
    } else if (frame->empty()) {
      count_begun(ctx, link);
      return;
    } else {
      on_frame(ctx, link, *frame);
    }
  }
}

}  // namespace

void on_link_up(Context& ctx, const LinkUp& up) {
  Link* link = admit(ctx, up);
  if (link == nullptr) return;
  link->dialled = up.dialled;
  link->remote = up.remote;
  link->link_class = ctx.budget.class_of(up.dialled ? link->address : up.remote);
  link->phase = Phase::kChannel;
  link->since = ctx.now;
  link->last_received = ctx.now;
  link->greeting_deadline = ctx.now + ctx.config.handshake_timeout;
  touch(ctx, *link);
  link->credit = ctx.config.tuning.credit_bytes;
  link->channel = ctx.config.channels->make(up.dialled);
  Bytes wire;
  link->channel->start(wire);
  send_wire(ctx, *link, std::move(wire));
}

void on_link_down(Context& ctx, const LinkDown& down) {
  Link* link = find_link(ctx, down.link);
  if (link == nullptr) return;
  const bool cut =
      link->channel != nullptr && link->channel->established() && !link->channel->ended();
  drop_link(ctx, *link, cut ? "cut off: " + down.reason : down.reason);
}

void on_stream_bytes(Context& ctx, StreamBytes& stream,
                     void (*on_frame)(Context& ctx, Link& link, ByteView frame)) {
  Link* link = find_link(ctx, stream.link);
  if (link == nullptr || link->channel == nullptr) return;
  link->bytes_in += stream.bytes.size();
  ctx.budget.spend(link->link_class, stream.bytes.size());
  touch(ctx, *link);
  Bytes plain;
  Bytes answer;
  const std::optional<ChannelFailure> failure =
      link->channel->receive(std::move(stream.bytes), plain, answer);
  send_wire(ctx, *link, std::move(answer));
  if (link->ticket && link->channel->admitted()) ctx.gate.prove(*link->ticket);
  if (link->phase == Phase::kChannel && link->channel->established()) {
    leave_gate(ctx, *link);
    on_established(ctx, *link);
  }
  if (!link->closed && !plain.empty()) {
    link->last_received = ctx.now;
    take_plain(ctx, *link, plain, on_frame);
  }
  if (link->closed) return;
  if (failure) return end_channel(ctx, *link, *failure);
  if (link->channel->ended()) close_link(ctx, *link, "ended by the peer");
}

void run_half_open(Context& ctx) {
  for (const channel::HandshakeGate::Ticket ticket : ctx.gate.expire(ctx.now)) {
    const auto found = ctx.half_open.find(ticket);
    Link* link = found == ctx.half_open.end() ? nullptr : find_link(ctx, found->second);
    if (link != nullptr) abandon_link(ctx, *link, "handshake took too long");
  }
}

void leave_gate(Context& ctx, Link& link) {
  if (!link.ticket) return;
  ctx.gate.leave(*link.ticket);
  ctx.half_open.erase(*link.ticket);
  link.ticket.reset();
}

}  // namespace ebb::mesh
