#include "mesh/stream.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/host_port.h"
#include "core/limits.h"
#include "core/planted.h"
#include "mesh/admission.h"
#include "mesh/bounds.h"
#include "mesh/datagrams.h"
#include "mesh/dialer.h"
#include "mesh/greeting.h"
#include "mesh/outbox.h"

namespace ebb::mesh {
namespace {

using Ticket = channel::HandshakeGate::Ticket;

// Closes the half open link of a ticket that has left the gate.
void end_half_open(Context& ctx, Ticket ticket, std::string_view reason, const std::string& text) {
  const auto found = ctx.half_open.find(ticket);
  Link* link = found == ctx.half_open.end() ? nullptr : find_link(ctx, found->second);
  if (link == nullptr) return;
  ++ctx.counters.handshakes_refused[reason];
  abandon_link(ctx, *link, text);
}

void end_ousted(Context& ctx, const std::optional<Ticket>& ticket) {
  if (ticket) end_half_open(ctx, *ticket, "ousted", "another took its place");
}

// nullopt: it is closed.
std::optional<Ticket> pass_gate(Context& ctx, const LinkUp& up) {
  const channel::HandshakeGate::Entry entry = ctx.gate.enter(ctx.now, network_of(up.remote));
  end_ousted(ctx, entry.ousted);
  if (!entry.ticket) {
    ++ctx.counters.handshakes_refused["no_place"];
    ctx.out->closes.push_back({up.link, "too many handshakes"});
    return std::nullopt;
  }
  ctx.half_open.emplace(*entry.ticket, up.link);
  return entry.ticket;
}

bool may_answer(Context& ctx, Ticket ticket) {
  const channel::HandshakeGate::Proof proof = ctx.gate.prove(ctx.now, ticket);
  end_ousted(ctx, proof.ousted);
  return proof.may_answer;
}

std::unique_ptr<Channel> make_channel(Context& ctx, Link& link) {
  link.receiver_index = draw_receiver_index(ctx);
  ChannelClaim own = own_claim(ctx);
  own.receiver_index = link.receiver_index;
  if (link.dialled) return ctx.config.channels->dial(std::move(own));
  return ctx.config.channels->accept(
      std::move(own), [&ctx, ticket = *link.ticket] { return may_answer(ctx, ticket); });
}

Link* admit(Context& ctx, const LinkUp& up) {
  Link* link = find_link(ctx, up.link);
  if (up.dialled ? link == nullptr : ctx.links.find(up.link) != nullptr) {
    if (up.dialled) ctx.out->closes.push_back({up.link, "given up"});
    return nullptr;
  }
  if (link != nullptr) return link->phase == Phase::kConnecting ? link : nullptr;
  // Half open ones have a bound of their own, and make room for each other; so have newcomers.
  if (ctx.links.size() - ctx.half_open.size() >=
      limits::kLinks + limits::kNewcomers + limits::kDialRoom) {
    ctx.out->closes.push_back({up.link, "too many connections"});
    return nullptr;
  }
  const std::optional<Ticket> ticket = pass_gate(ctx, up);
  if (!ticket) return nullptr;
  link = &ctx.links.add(up.link);
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
    case ChannelFault::kNotAnswered:
      return {"not_answered", false};
    case ChannelFault::kBadProof:
      return {"bad_proof", true};
    case ChannelFault::kNoCommonVersion:
      return {"no_common_version", false};
    case ChannelFault::kBroken:
      break;
  }
  return {"bad_channel", false};
}

// Without a word: in the handshake because nobody is known there, behind it because who is has not
// said what came.
void end_channel(Context& ctx, Link& link, const ChannelFailure& failure) {
  const FaultWords words = words_of(failure.fault);
  if (link.phase == Phase::kChannel) ++ctx.counters.handshakes_refused[words.reason];
  if (failure.fault == ChannelFault::kNotAnswered) {
    abandon_link(ctx, link, "too many handshakes");
    return;
  }
  if (failure.fault == ChannelFault::kNoCommonVersion) {
    link.refusal = "no common wire version";
    link.misbehaved = !link.dialled;
    notice(ctx, link, NoticeKind::kRefused, failure.detail);
    abandon_link(ctx, link, failure.detail);
    return;
  }
  ++ctx.counters.faults[words.reason];
  ctx.out->faults.push_back({link.id, link.peer, words.reason, failure.detail});
  // Whoever answered a dial has shown nothing yet but that he knows the mesh.
  link.misbehaved = words.provable && !link.dialled;
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
  link->channel = make_channel(ctx, *link);
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
  spend(ctx, *link, stream.bytes.size());
  touch(ctx, *link);
  Bytes plain;
  Bytes answer;
  const std::optional<ChannelFailure> failure =
      link->channel->receive(std::move(stream.bytes), plain, answer);
  send_wire(ctx, *link, std::move(answer));
  if (link->phase == Phase::kChannel && link->channel->established()) {
    leave_gate(ctx, *link);
    ctx.budget.spend(link->link_class, std::exchange(link->unspent_bytes, 0));
    on_established(ctx, *link);
    if (planted(Bug::kBelieveAnswer)) dialer_found_device(ctx, *link);
  }
  if (!link->closed && !plain.empty()) {
    link->last_received = ctx.now;
    if (!std::exchange(link->heard, true)) dialer_found_device(ctx, *link);
    take_plain(ctx, *link, plain, on_frame);
  }
  if (link->closed) return;
  if (failure) return end_channel(ctx, *link, *failure);
  if (link->channel->ended()) close_link(ctx, *link, "ended by the peer");
}

void run_half_open(Context& ctx) {
  for (const Ticket ticket : ctx.gate.expire(ctx.now))
    end_half_open(ctx, ticket, "too_slow", "handshake took too long");
}

void leave_gate(Context& ctx, Link& link) {
  if (!link.ticket) return;
  ctx.gate.leave(*link.ticket);
  ctx.half_open.erase(*link.ticket);
  link.ticket.reset();
}

}  // namespace ebb::mesh
