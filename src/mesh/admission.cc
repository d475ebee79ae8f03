#include "mesh/admission.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/planted.h"
#include "mesh/authority_talk.h"
#include "mesh/certify.h"
#include "mesh/dialer.h"
#include "mesh/greeting.h"
#include "mesh/issuer_dial.h"
#include "mesh/time_records.h"
#include "mesh/want.h"

namespace ebb::mesh {
namespace {

using codec::GrantedAccess;

std::string_view standing_text(trust::Standing standing) {
  switch (standing) {
    case trust::Standing::kCertified:
    case trust::Standing::kNotYetValid:
    case trust::Standing::kIssuerNotYetValid:
      return "its certificate is for another link key";
    case trust::Standing::kExpired:
      return "its certificate has expired";
    case trust::Standing::kIssuerExpired:
      return "the certificate of its issuer has expired";
    case trust::Standing::kIssuerForked:
    case trust::Standing::kIssuerFull:
    case trust::Standing::kIssuerEnded:
      return "the log of its issuer has stopped";
    case trust::Standing::kUnknownIssuer:
      return "its issuer is not known";
    case trust::Standing::kUnknown:
      return "no certificate";
    case trust::Standing::kRetired:
      return "retired";
    case trust::Standing::kRevoked:
      return "revoked";
    case trust::Standing::kSuspended:
      return "all are suspended until the root has spoken";
  }
  return "no certificate";
}

trust::Access access_on(const Link& link, const trust::Verdict& verdict) {
  const trust::Access access = verdict.access();
  const bool other_key =
      verdict.certificate && verdict.certificate->link_key != link.channel->peer()->link_key;
  return other_key ? std::min(access, trust::Access::kRestricted) : access;
}

GrantedAccess granted(trust::Access access) {
  switch (access) {
    case trust::Access::kFull:
      return GrantedAccess::kFull;
    case trust::Access::kRestricted:
      return GrantedAccess::kRestricted;
    case trust::Access::kLogs:
    case trust::Access::kRootLog:
      break;
  }
  return GrantedAccess::kRecords;
}

bool is_enough(const std::optional<GrantedAccess>& access) {
  return access && *access >= GrantedAccess::kRestricted;
}

bool relays(const std::optional<GrantedAccess>& access, std::uint64_t roles) {
  return access == GrantedAccess::kFull && (roles & trust::roles::kRelay) != 0;
}

void greet_when_admitted(Context& ctx, Link& link) {
  LinkAdmission& admission = link.admission;
  if (admission.hello_sent || !is_enough(admission.given) || !is_enough(admission.granted)) return;
  admission.hello_sent = true;
  link.takes_others = relays(admission.given, admission.given_roles);
  link.tells_others = relays(admission.granted, admission.granted_roles);
  const bool reads = (admission.given_roles & admission.granted_roles & trust::roles::kReader) != 0;
  link.is_limited = !link.takes_others || !link.tells_others || !reads;
  send_hello(ctx, link);
}

void turn_away(Context& ctx, Link& link, trust::Standing standing) {
  const std::string_view why = standing_text(standing);
  ++ctx.counters.peers_not_admitted;
  notice(ctx, link, NoticeKind::kNotAdmitted, "not admitted here: " + std::string(why));
  link.refusal = why;
  link.misbehaved = !link.admission.later;
  link.unadmitted = true;
  say_bye(ctx, link, codec::ByeCode::kNotAdmitted, std::string(why));
  close_link(ctx, link, "not admitted: " + std::string(why));
}

// Whether a certificate may still come of it, here or there.
bool is_hopeful(const Context& ctx, const Link& link) {
  const Membership& membership = *ctx.membership;
  if (link.admission.asks) return true;
  if (link.admission.was_refused) return false;
  return membership.wants_certificate() || membership.can_issue() ||
         membership.authority().admit(membership.floor()) == trust::Admit::kSecret;
}

// Whoever of the two is no full member to the other has no keys for datagrams either.
void forget_keys_unless_full(Context& ctx, const Link& link, GrantedAccess access) {
  if (access != GrantedAccess::kFull) ctx.sessions.forget(*link.peer);
}

// The link begins anew, as what it may carry has changed.
void begin_anew(Context& ctx, Link& link) {
  say_bye(ctx, link, codec::ByeCode::kShutdown, "access has changed");
  close_link(ctx, link, "access has changed");
}

// Judges who is there, and says so where that is news.
void settle_access(Context& ctx, Link& link) {
  LinkAdmission& admission = link.admission;
  const trust::Verdict verdict = verdict_of(ctx, link);
  if (verdict.telling() > admission.telling) tell_lacking(ctx, link, verdict.telling());
  const GrantedAccess access = granted(access_on(link, verdict));
  const std::uint64_t roles =
      access == GrantedAccess::kFull && verdict.certificate ? verdict.certificate->roles : 0;
  const bool same = admission.given == access && admission.given_roles == roles;
  forget_keys_unless_full(ctx, link, access);
  if (!same && admission.hello_sent) {
    if (access >= GrantedAccess::kRestricted) return begin_anew(ctx, link);
    return turn_away(ctx, link, verdict.standing);
  }
  if (!same) {
    admission.given = access;
    admission.given_roles = roles;
    const bool is_full = access == GrantedAccess::kFull;
    send(ctx, link,
         codec::AuthGrant{access, roles,
                          is_full ? "" : std::string(standing_text(verdict.standing))});
    greet_when_admitted(ctx, link);
  }
  if (access < GrantedAccess::kRestricted && !is_hopeful(ctx, link)) {
    turn_away(ctx, link, verdict.standing);
  }
}

// What was not taken of authors who may write now is asked for again.
void reconsider_authors(Context& ctx) {
  Membership& membership = *ctx.membership;
  if (membership.refused.empty()) return;
  for (const LogId& log : std::exchange(membership.refused, {})) {
    LogEntry* entry = ctx.heads.find(log);
    if (entry == nullptr || !entry->has_key) continue;
    if (!membership.may_store(entry->key, log)) {
      membership.refused.insert(log);
      continue;
    }
    for (const Link* link : ctx.slots) {
      if (link != nullptr) entry->peer(link->slot).refused = false;
    }
    ask_now(ctx, *entry);
  }
}

void judge_links(Context& ctx) {
  Membership& membership = *ctx.membership;
  const std::vector<HeardClock> clocks = heard_clocks(ctx);
  if (membership.judge_time(ctx.wall, ctx.config.clock_suspect, ctx.config.built, clocks)) {
    const bool overruled = membership.clock_overruled();
    ctx.out->notices.push_back({NoticeKind::kTrustClock, LinkId{}, std::nullopt,
                                overruled ? "certificates are judged by the clocks of peers"
                                          : "certificates are judged by the own clock again"});
  }
  membership.move_floor(ctx.wall, clocks);
  membership.links_judged = membership.revision();
  membership.judge_at = ctx.now + milliseconds(limits::kAuthJudgeMs);
  for (Link& link : ctx.links) {
    const LinkAdmission& admission = link.admission;
    if (link.closed || !admission.on || !admission.heard || admission.joins) continue;
    settle_access(ctx, link);
    if (link.closed) continue;
    tell_clock(ctx, link);
    ask_for_certificate(ctx, link);
  }
  certify_self(ctx);
  record_time(ctx, clocks);
  reconsider_authors(ctx);
  dial_certified(ctx);
  dial_issuer(ctx);
  if (const auto again = ask_later_at(ctx); again && *again > ctx.now) {
    membership.judge_at = std::min(*membership.judge_at, *again);
  }
}

// The links that something was said of, and no others: what is said must not cost a look at all.
void judge_marked(Context& ctx) {
  for (Link& link : ctx.links) {
    if (!std::exchange(link.admission.judge, false) || link.closed) continue;
    if (link.admission.heard && !link.admission.joins) settle_access(ctx, link);
    if (link.closed || !link.admission.later) continue;
    if (const auto again = ask_later_at(ctx); again && *again > ctx.now) {
      ctx.membership->judge_at = std::min(ctx.membership->judge_at.value_or(*again), *again);
    }
  }
}

// Whom it lets in is told all that a member holds.
void note_member(Context& ctx, Link& link) {
  const LinkAdmission& admission = link.admission;
  if (!admission.heard || !is_enough(admission.granted)) return;
  Membership& membership = *ctx.membership;
  membership.member_heard =
      membership.member_heard || verdict_of(ctx, link).certificate.has_value();
}

// Records of a peer as far as it may bring them. False after a fault.
bool take_records(Context& ctx, Link& link, const std::vector<ByteView>& records) {
  if (records.empty()) return true;
  Membership& membership = *ctx.membership;
  trust::Access access = verdict_of(ctx, link).access();
  for (const ByteView record : records) {
    const auto taken = membership.take(record, access, link.id);
    if (taken.ok()) {
      if (!taken->news) continue;
      ++ctx.counters.authority_records;
      // Who is an issuer, or what has ended, may be known since.
      if (taken->by_root) access = verdict_of(ctx, link).access();
      continue;
    }
    const ErrorCode code = taken.error().code;
    if (code != ErrorCode::kNotFound && code != ErrorCode::kPermission) {
      const bool forged = code == ErrorCode::kBadSignature;
      fault(ctx, link, forged ? "bad_signature" : "malformed_record", taken.error().message());
      return false;
    }
    ++ctx.counters.authority_refused;
  }
  return true;
}

}  // namespace

void load_membership(Context& ctx) {
  if (!ctx.config.membership) return;
  ctx.membership = std::make_unique<Membership>(std::move(*ctx.config.membership), ctx.config.mesh,
                                                ctx.config.self, signatures(ctx));
  ctx.config.membership.reset();
  ctx.membership->judge_at = Instant{};
}

ChannelClaim own_claim(const Context& ctx) {
  if (ctx.membership == nullptr) return {};
  const trust::Authority& authority = ctx.membership->authority();
  return {0, authority.certificate_of(ctx.config.self),
          trust::encode_authority_heads(authority.heads())};
}

bool begin_admission(Context& ctx, Link& link) {
  // Both ends of a link to ourselves see that, and part behind HELLO.
  if (ctx.membership == nullptr || link.peer == ctx.config.self) return true;
  if (planted(Bug::kHelloBeforeRecords)) return true;
  LinkAdmission& admission = link.admission;
  const ChannelPeer& peer = *link.channel->peer();
  admission.on = true;
  admission.joins = peer.invite.has_value();
  const auto heads = trust::decode_authority_heads(peer.claim.authority_heads);
  if (heads.ok()) {
    for (const trust::AuthorityHead& head : *heads)
      admission.heads[head.authority] = head.end;
  }
  if (!admission.joins) tell_lacking(ctx, link, verdict_of(ctx, link).telling());
  return false;
}

trust::Verdict verdict_of(const Context& ctx, Link& link) {
  const Membership& membership = *ctx.membership;
  const ChannelPeer& peer = *link.channel->peer();
  const Bytes& shown = peer.claim.certificate;
  if (!shown.empty()) {
    const auto read = trust::read_certificate(ctx.config.mesh, shown);
    if (read.ok() && read->certificate.device == peer.device) {
      auto verdict = membership.authority().verdict_of_shown(shown, membership.judged(),
                                                             link.admission.shown_holds);
      if (verdict.ok()) return std::move(verdict).value();
    }
  }
  return membership.verdict(peer.device);
}

void on_auth(Context& ctx, Link& link, const codec::AuthRecords& records) {
  if (ctx.membership == nullptr || link.admission.joins) return;
  LinkAdmission& admission = link.admission;
  Membership& membership = *ctx.membership;
  const std::uint64_t before = ctx.counters.authority_records;
  const bool is_good = take_records(ctx, link, records.records);
  // It may be long until all is there.
  if (ctx.counters.authority_records != before) give_time(ctx, link);
  // Ahead of the events that rely on them, which may come with the same bytes.
  tell_news(ctx);
  if (!is_good || records.more) return;
  if (!std::exchange(admission.heard, true)) membership.judge_at = ctx.now;
  note_member(ctx, link);
  // Who is none could push out those who are.
  const trust::Verdict at_floor = membership.authority().verdict(*link.peer, membership.floor());
  if (at_floor.is_full()) note_clock(ctx, *link.peer, records.wall);
  note_digest(ctx, link, records.digest);
}

void on_auth(Context& ctx, Link& link, const codec::AuthGrant& grant) {
  if (ctx.membership == nullptr) return;
  LinkAdmission& admission = link.admission;
  const bool same = admission.granted == grant.access && admission.granted_roles == grant.roles;
  forget_keys_unless_full(ctx, link, grant.access);
  if (!same && admission.hello_sent) return begin_anew(ctx, link);
  admission.granted = grant.access;
  admission.granted_roles = grant.roles;
  if (grant.access == codec::GrantedAccess::kFull) note_believed(ctx, link);
  note_member(ctx, link);
  if (!is_enough(grant.access)) ctx.membership->last_refusal = grant.text;
  ask_for_certificate(ctx, link);
  greet_when_admitted(ctx, link);
}

bool is_full_at_both_ends(const Link& link) {
  const LinkAdmission& admission = link.admission;
  const bool is_full =
      admission.given == GrantedAccess::kFull && admission.granted == GrantedAccess::kFull;
  return !admission.on || is_full;
}

bool may_greet(const Link& link) { return !link.admission.on || link.admission.hello_sent; }

bool turn_away_late(Context& ctx, Link& link) {
  if (!link.admission.given || is_enough(link.admission.given)) return false;
  if (link.phase != Phase::kGreeting) return false;
  turn_away(ctx, link, verdict_of(ctx, link).standing);
  return true;
}

void end_admission(Context& ctx) {
  if (ctx.membership == nullptr) return;
  Membership& membership = *ctx.membership;
  tell_news(ctx);
  const bool due = membership.judge_at && *membership.judge_at <= ctx.now;
  if (due || membership.links_judged != membership.revision()) judge_links(ctx);
  sign_wishes(ctx);
  judge_marked(ctx);
  if (ctx.commits_paused_until) return;
  std::optional<AuthorityUpdate> update = membership.next_update();
  if (!update) return;
  Commit commit;
  commit.token = new_token(ctx);
  commit.authority = std::move(*update);
  membership.update_sent(commit.token);
  ctx.out->commits.push_back(std::move(commit));
}

std::optional<Instant> next_admission_deadline(const Context& ctx) {
  return ctx.membership == nullptr ? std::nullopt : ctx.membership->judge_at;
}

bool may_be_stored(const Context& ctx, const LogKey& key, const LogId& log) {
  return ctx.membership == nullptr || key.device == ctx.config.self ||
         ctx.membership->may_store(key, log);
}

void note_author_refused(Context& ctx, const LogId& log) { ctx.membership->refused.insert(log); }

bool may_gossip_with(const Context& ctx, const DeviceId& device) {
  return ctx.membership == nullptr || ctx.membership->is_full(device, 0);
}

bool may_bring(const Context& ctx, const DeviceId& from, const DeviceId& to, const LogKey& log) {
  if (ctx.membership == nullptr || log.device == from || log.device == to) return true;
  return ctx.membership->is_full(from, trust::roles::kRelay);
}

bool may_get(const Context& ctx, const DeviceId& device, const LogKey& log) {
  if (ctx.membership == nullptr || log.device == device) return true;
  const bool is_control = log.topic == kControlTopic;
  return ctx.membership->is_full(device, is_control ? 0 : trust::roles::kReader);
}

}  // namespace ebb::mesh
