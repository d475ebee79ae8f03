#include "mesh/certify.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

#include "core/limits.h"
#include "mesh/admission.h"
#include "mesh/authority_talk.h"
#include "mesh/certificate_validity.h"
#include "mesh/dialer.h"
#include "mesh/invite_end.h"
#include "mesh/peers.h"
#include "mesh/time_records.h"

namespace ebb::mesh {
namespace {

using codec::AuthRefusal;

void refuse(Context& ctx, Link& link, AuthRefusal code, std::string text) {
  send(ctx, link, codec::AuthRefused{code, text});
  link.admission.asks = false;
  link.admission.later = code == AuthRefusal::kLater;
  link.admission.was_refused = !link.admission.later;
  if (link.admission.joins) {
    close_link(ctx, link, "an invite was refused: " + text);
  } else {
    link.admission.judge = true;  // it may have to go
  }
}

// The own clock is no measure of anything now.
bool clock_is_wrong(const Context& ctx) {
  const Membership& membership = *ctx.membership;
  return ctx.config.clock_suspect ||
         std::abs(ctx.wall.ms - membership.judged().ms) > limits::kTimeFloorMs;
}

// The certificate that a device of this standing is given by an issuer, if any.
std::optional<trust::Certificate> renewed(const Context& ctx, const trust::Verdict& verdict,
                                          const trust::LinkKey& link_key) {
  if (!verdict.certificate || verdict.standing == trust::Standing::kIssuerExpired) {
    return std::nullopt;
  }
  trust::Certificate next = *verdict.certificate;
  next.serial += 1;
  next.link_key = link_key;
  const WallTime before = next.validity.not_before;
  next.validity = validity_of(ctx.wall, length_of(next));
  next.validity.not_before = std::max(next.validity.not_before, WallTime{before.ms + 1});
  return next;
}

trust::Certificate new_certificate(const Context& ctx, const Link& link, const std::string& label,
                                   const trust::Terms& terms = {}) {
  trust::Certificate next;
  next.device = *link.peer;
  next.link_key = link.channel->peer()->link_key;
  next.label = label;
  next.roles = terms.roles;
  next.prefixes = terms.prefixes;
  next.validity = validity_of(ctx.wall, terms.lasts());
  return next;
}

// What speaks against any answer but a refusal.
std::optional<codec::AuthRefused> objection(const Context& ctx, trust::Standing standing) {
  const Membership& membership = *ctx.membership;
  if (!membership.can_issue()) return {{AuthRefusal::kNoIssuer, "no issuer here"}};
  if (trust::is_taken_off(standing)) {
    return {{AuthRefusal::kTakenOff, "this device was taken off: it needs a new key"}};
  }
  if (clock_is_wrong(ctx)) return {{AuthRefusal::kClock, "the clock of the issuer is wrong"}};
  if (membership.waits_for_member()) {
    return {{AuthRefusal::kLater, "the issuer was set back and waits for a member"}};
  }
  return std::nullopt;
}

// Nothing more is to be signed for the device under this link key.
bool has_all(const trust::Verdict& verdict, const trust::LinkKey& link_key) {
  return verdict.is_full() && !verdict.renewal_due && verdict.certificate->link_key == link_key;
}

// What else speaks against a certificate for a device that asks: with an invite it need not be one
// of the mesh.
std::optional<codec::AuthRefused> policy_against(const Context& ctx, const trust::Verdict& verdict,
                                                 const DeviceId& device,
                                                 const trust::LinkKey& link_key, bool invited) {
  const Membership& membership = *ctx.membership;
  if (membership.was_certified_often(device, ctx.now)) {
    return {{AuthRefusal::kNotByPolicy, "it was certified often: again tomorrow"}};
  }
  if (invited) return std::nullopt;
  if (has_all(verdict, link_key)) {
    return {{AuthRefusal::kNotByPolicy, "its certificate is not due yet"}};
  }
  const bool admits = membership.authority().admit(membership.floor()) == trust::Admit::kSecret;
  if (!admits && !renewed(ctx, verdict, link_key)) {
    return {{AuthRefusal::kNotByPolicy, "this mesh lets in by invite alone"}};
  }
  // Whoever has the secret makes as many devices as he likes, and what is signed is kept for ever.
  const bool is_known = verdict.certificate.has_value();
  if (!is_known && membership.authority().is_half_full()) {
    return {{AuthRefusal::kNotByPolicy,
             "the records of this mesh are half full: by the secret nobody new is let in"}};
  }
  return std::nullopt;
}

void want(Context& ctx, Link& link, trust::Certificate certificate,
          std::optional<InviteId> invite = std::nullopt) {
  if (!ctx.membership->issued.take(ctx.now)) {
    return refuse(ctx, link, AuthRefusal::kLater, "too many ask at once");
  }
  if (!ctx.membership->wish({std::nullopt, link.id, invite, {}, std::move(certificate)})) {
    return refuse(ctx, link, AuthRefusal::kLater, "too many wait");
  }
  link.admission.asks = true;
}

void ask_by_invite(Context& ctx, Link& link, const codec::AuthAsk& ask,
                   const trust::Verdict& verdict) {
  const ChannelPeer& peer = *link.channel->peer();
  // It was let in already, and has not heard the answer.
  const bool has_one =
      verdict.is_full() && verdict.certificate && verdict.certificate->link_key == peer.link_key;
  if (has_one) return let_in(ctx, link);
  if (const auto no = policy_against(ctx, verdict, peer.device, peer.link_key, true)) {
    return refuse(ctx, link, no->code, no->text);
  }
  auto& invites = ctx.membership->config().invites;
  const auto invite = std::find_if(invites.begin(), invites.end(),
                                   [&](const OpenInvite& each) { return each.id == *peer.invite; });
  const bool counted = invite != invites.end() &&
                       std::find(invite->devices.begin(), invite->devices.end(), peer.device) !=
                           invite->devices.end();
  if (invite == invites.end() || (invite->uses_left == 0 && !counted)) {
    return refuse(ctx, link, AuthRefusal::kInviteUsed, "the invite was used already");
  }
  if (invite->expires <= ctx.wall && !counted) {
    const bool ended = invite->expires == kInviteEnded;
    return refuse(ctx, link, AuthRefusal::kInviteExpired,
                  ended ? std::string(kInviteEndedText) : "the invite has expired");
  }
  trust::Certificate certificate = new_certificate(ctx, link, ask.label, invite->terms);
  if (const auto again = renewed(ctx, verdict, peer.link_key)) certificate = *again;
  want(ctx, link, std::move(certificate), peer.invite);
  if (link.closed || counted) return;
  --invite->uses_left;
  invite->devices.push_back(peer.device);
  ctx.out->invites.push_back({*peer.invite, peer.device});
}

void answer(Context& ctx, const Wish& wish, Result<Bytes> record) {
  if (wish.token) ctx.out->issued.push_back({*wish.token, record});
  Link* link = wish.link ? find_link(ctx, *wish.link) : nullptr;
  if (link == nullptr) return;
  link->admission.asks = false;
  touch(ctx, *link);
  if (!record.ok()) return refuse(ctx, *link, AuthRefusal::kLater, record.error().message());
  if (link->admission.joins) let_in(ctx, *link);
}

// The turn of what a device has asked for, this one or another: others were signed meanwhile, so it
// is judged anew.
void sign_for_device(Context& ctx, Wish wish) {
  Membership& membership = *ctx.membership;
  Link* link = wish.link ? find_link(ctx, *wish.link) : nullptr;
  const DeviceId& device = wish.certificate->device;
  const trust::LinkKey link_key = wish.certificate->link_key;
  const trust::Verdict verdict =
      link != nullptr ? verdict_of(ctx, *link) : membership.verdict(device);
  // It has been given what it asked for.
  if (has_all(verdict, link_key)) return answer(ctx, wish, Bytes{});
  auto no = objection(ctx, verdict.standing);
  if (!no && wish.link) {
    no = policy_against(ctx, verdict, device, link_key, wish.invite.has_value());
  }
  if (no) {
    if (link != nullptr) refuse(ctx, *link, no->code, no->text);
    return;
  }
  if (auto next = renewed(ctx, verdict, link_key)) wish.certificate = std::move(next);
  if (const Status done = membership.sign(wish, ctx.wall); !done.ok())
    answer(ctx, wish, done.error());
}

// Where its log has stopped, whoever wants something of this issuer is told.
void sign_time(Context& ctx, const Wish& wish) {
  if (wants_time_record(ctx)) (void)ctx.membership->sign(wish, ctx.wall);
}

void sign_by_hand(Context& ctx, const Wish& wish) {
  Status done = may_sign(ctx);
  if (done.ok()) done = ctx.membership->sign(wish, ctx.wall);
  if (!done.ok()) answer(ctx, wish, done.error());
}

}  // namespace

Status may_sign(const Context& ctx) {
  const Membership& membership = *ctx.membership;
  if (!membership.can_issue()) {
    return Error{ErrorCode::kPermission, "this issuer may not certify any more"};
  }
  if (clock_is_wrong(ctx)) return Error{ErrorCode::kPermission, "the clock is not believed"};
  if (membership.waits_for_member()) {
    return Error{ErrorCode::kBusy, "set back: no member was heard yet"};
  }
  return {};
}

std::optional<Instant> ask_later_at(const Context& ctx) {
  std::optional<Instant> at;
  for (const Link& link : ctx.links) {
    if (link.closed || !link.admission.later || !link.peer) continue;
    const auto asked = ctx.membership->asked.find(*link.peer);
    if (asked == ctx.membership->asked.end()) continue;
    const Instant again = asked->second + milliseconds(limits::kAuthAskMs);
    if (!at || again < *at) at = again;
  }
  return at;
}

bool is_doubted(const Context& ctx, const Link& link) {
  const LinkAdmission& admission = link.admission;
  return admission.given == codec::GrantedAccess::kFull &&
         admission.granted == codec::GrantedAccess::kRestricted && ctx.membership->own().is_full();
}

bool lacks_certificate(const Context& ctx, const Link& link) {
  return ctx.membership->wants_certificate() || is_doubted(ctx, link);
}

void ask_for_certificate(Context& ctx, Link& link) {
  Membership& membership = *ctx.membership;
  LinkAdmission& admission = link.admission;
  if (!admission.heard || admission.joins || link.closed || !admission.granted) return;
  if (membership.ask_again_at && *membership.ask_again_at > ctx.now) return;
  if (!lacks_certificate(ctx, link) || may_sign(ctx).ok()) return;  // an issuer renews itself
  const auto asked = membership.asked.find(*link.peer);
  const Duration rest = milliseconds(limits::kAuthAskMs);
  if (asked != membership.asked.end() && ctx.now - asked->second < rest) return;
  std::erase_if(membership.asked, [&](const auto& each) { return ctx.now - each.second >= rest; });
  if (membership.asked.size() >= limits::kDevicesAsked) return;
  membership.asked[*link.peer] = ctx.now;
  membership.ask_again_at = ctx.now + ctx.config.handshake_timeout;
  admission.asked_it = true;
  admission.may_name = true;
  send(ctx, link, codec::AuthAsk{membership.config().label});
}

void on_auth(Context& ctx, Link& link, const codec::AuthRefused& refused) {
  if (ctx.membership == nullptr) return;
  if (!std::exchange(link.admission.asked_it, false)) {
    return fault(ctx, link, "unasked_answer", "a refusal of what nobody asked for");
  }
  ctx.membership->last_refusal = refused.text;
  ctx.membership->ask_again_at.reset();
  link.admission.later = refused.code == AuthRefusal::kLater;
  link.admission.may_name = false;  // what is told from now on is of anybody
  if (link.admission.later) {
    // Many that begin at once are certified one after the other. Others are asked meanwhile.
    const Duration rest = milliseconds(limits::kAuthLaterMs) + dial_backoff(ctx, 2);
    ctx.membership->asked[*link.peer] = ctx.now + rest - milliseconds(limits::kAuthAskMs);
  }
  const bool lasts =
      refused.code == AuthRefusal::kNoIssuer || refused.code == AuthRefusal::kNotByPolicy;
  if (lasts && link.greeted()) {
    // It will hardly be otherwise soon.
    ctx.membership->asked[*link.peer] = ctx.now + milliseconds(limits::kAuthCompareMaxMs);
  }
  notice(ctx, link, NoticeKind::kNotAdmitted, "not certified there: " + refused.text);
  link.admission.judge = true;
  for (Link& other : ctx.links) {
    if (!other.closed && other.id != link.id) ask_for_certificate(ctx, other);
  }
}

// Only who joins is told, and that is no engine.
void on_auth(Context&, Link&, const codec::AuthMesh&) {}

void on_auth(Context& ctx, Link& link, const codec::AuthAsk& ask) {
  if (ctx.membership == nullptr) return;
  LinkAdmission& admission = link.admission;
  if (!admission.joins && !admission.given) {
    return fault(ctx, link, "out_of_order", "a question before it was judged");
  }
  const Duration rest = milliseconds(limits::kAuthLaterMs) / 2;
  // What is being signed is the answer.
  const bool is_answered = admission.lets_in || admission.asks;
  if (is_answered || (admission.asked && ctx.now - *admission.asked < rest)) return;
  admission.asked = ctx.now;
  const trust::Verdict verdict = verdict_of(ctx, link);
  if (const auto refused = objection(ctx, verdict.standing)) {
    if (refused->code == AuthRefusal::kNoIssuer) tell_issuers(ctx, link);
    return refuse(ctx, link, refused->code, refused->text);
  }
  if (link.admission.joins) return ask_by_invite(ctx, link, ask, verdict);
  const trust::LinkKey& link_key = link.channel->peer()->link_key;
  if (const auto no = policy_against(ctx, verdict, *link.peer, link_key, false)) {
    return refuse(ctx, link, no->code, no->text);
  }
  if (auto next = renewed(ctx, verdict, link_key)) return want(ctx, link, std::move(*next));
  want(ctx, link, new_certificate(ctx, link, ask.label));
}

void certify_self(Context& ctx) {
  Membership& membership = *ctx.membership;
  if (!may_sign(ctx).ok() || !membership.wants_certificate()) return;
  if (membership.ask_again_at && *membership.ask_again_at > ctx.now) return;
  const auto next = renewed(ctx, membership.own(), membership.config().link_key);
  if (!next) return;
  membership.ask_again_at = ctx.now + milliseconds(limits::kAuthAskMs);
  (void)membership.wish({std::nullopt, std::nullopt, std::nullopt, {}, *next});
}

void sign_wishes(Context& ctx) {
  while (std::optional<Wish> wish = ctx.membership->next_wish()) {
    if (wish->token) {
      sign_by_hand(ctx, *wish);
    } else if (!wish->certificate) {
      sign_time(ctx, *wish);
    } else {
      sign_for_device(ctx, std::move(*wish));
    }
  }
}

bool authority_committed(Context& ctx, const Committed& committed) {
  if (ctx.membership == nullptr || !ctx.membership->is_update(committed.token)) return false;
  const auto done = ctx.membership->update_ended(!committed.failed.has_value());
  if (!done) return true;
  if (done->wish.certificate) ++ctx.counters.certificates_issued;
  if (done->wish.link) ctx.membership->note_certified(done->wish.certificate->device, ctx.now);
  answer(ctx, done->wish, done->record);
  return true;
}

}  // namespace ebb::mesh
