// What an Authority answers about devices.
#include <algorithm>

#include "core/check.h"
#include "core/planted.h"
#include "trust/authority.h"

namespace ebb::trust {

std::string_view standing_name(Standing standing) {
  constexpr std::string_view kNames[] = {"certified",   "not_yet_valid",  "issuer_not_yet_valid",
                                         "expired",     "issuer_expired", "issuer_forked",
                                         "issuer_full", "issuer_ended",   "unknown_issuer",
                                         "unknown",     "retired",        "revoked",
                                         "suspended"};
  return kNames[static_cast<std::size_t>(standing)];
}

Access access_of(Standing standing) {
  switch (standing) {
    case Standing::kCertified:
    // It is there, so its time has come: the clock by which it is judged is behind.
    case Standing::kNotYetValid:
    case Standing::kIssuerNotYetValid:
      return Access::kFull;
    case Standing::kExpired:
      return Access::kRestricted;
    case Standing::kIssuerExpired:
    case Standing::kIssuerForked:
    case Standing::kIssuerFull:
    case Standing::kIssuerEnded:
    case Standing::kUnknownIssuer:
    case Standing::kSuspended:
      return Access::kLogs;
    case Standing::kUnknown:
    case Standing::kRetired:
    case Standing::kRevoked:
      return Access::kRootLog;
  }
  return Access::kRootLog;
}

Telling telling_of(Standing standing) {
  // Of nobody that is known here: it need not be of this mesh.
  if (standing == Standing::kUnknownIssuer) return Telling::kNothing;
  const Access access = access_of(standing);
  if (access >= Access::kRestricted) return Telling::kAll;
  return access == Access::kLogs ? Telling::kNeeded : Telling::kNothing;
}

const Authority::Log* Authority::issuer_log(const DeviceId& issuer) const {
  const auto at = logs_.find(issuer);
  return at == logs_.end() || is_root(issuer) ? nullptr : &at->second;
}

// What a certificate of this issuer is that is in no log, if not one of a device.
std::optional<Standing> Authority::stopped(const DeviceId& issuer) const {
  const Log* log = issuer_log(issuer);
  if (log == nullptr) return Standing::kUnknownIssuer;
  if (log->held.end()) return Standing::kIssuerEnded;
  if (log->held.fork()) return Standing::kIssuerForked;
  if (log->held.is_full(issuers_share_)) return Standing::kIssuerFull;
  return std::nullopt;
}

Verdict Authority::verdict(const DeviceId& device, WallTime now) const {
  return judge(device, nullptr, now);
}

Result<Verdict> Authority::verdict_of_shown(ByteView encoded_certificate, WallTime now,
                                            std::optional<bool>& holds) const {
  EBB_ASSIGN(const ReadCertificate read, read_certificate(mesh_, encoded_certificate));
  const Claim shown = claim_of(read.certificate, encoded_certificate, Hash{});
  // Of nobody it does not matter who has signed: it is told nothing.
  if (issuer_log(shown.issuer) != nullptr) {
    if (!holds) holds = certificate_holds(read, signatures_);
    if (!*holds) return Error{ErrorCode::kBadSignature, "certificate"};
  }
  return judge(read.certificate.device, &shown, now);
}

// `shown` is null, or the device's, and if its issuer may certify, signed by it.
Verdict Authority::judge(const DeviceId& device, const Claim* shown, WallTime now) const {
  bring_up_to_date();
  const DeviceBook::Entry* entry = devices_.find(device);
  if (suspended_) return {.standing = suspended(entry, shown)};
  if (entry != nullptr && entry->revoked) return {.standing = Standing::kRevoked};
  std::vector<const Claim*> candidates;
  Standing without = Standing::kUnknown;
  if (entry != nullptr) {
    for (const DeviceId& issuer : entry->issuers()) {
      if (const Claim* best = entry->best_of(issuer, now)) candidates.push_back(best);
    }
    if (entry->retired_until) without = Standing::kRetired;
  }
  const bool is_retired = entry != nullptr && entry->retired_until && shown != nullptr &&
                          shown->validity.not_before <= *entry->retired_until;
  if (shown != nullptr && !is_retired) {
    const std::optional<Standing> why = stopped(shown->issuer);
    if (why) without = *why;
    if (!why) candidates.push_back(shown);
  }
  // Those of issuers whose time is not over first; then those that have begun, of them the newest,
  // of the others the one that begins next.
  const auto is_better = [this, now](const Claim* one, const Claim* other) {
    const bool lasts = issuers_.time_of(one->issuer, now) != IssuerTime::kEnded;
    const bool other_lasts = issuers_.time_of(other->issuer, now) != IssuerTime::kEnded;
    if (lasts != other_lasts) return lasts;
    const bool begun = one->validity.has_begun(now);
    if (begun != other->validity.has_begun(now)) return begun;
    return begun ? one->is_newer_than(*other) : other->is_newer_than(*one);
  };
  const auto best = std::min_element(candidates.begin(), candidates.end(), is_better);
  return best == candidates.end() ? Verdict{.standing = without} : verdict_by(**best, now);
}

// What was taken away is not known whole: it must not show through.
Standing Authority::suspended(const DeviceBook::Entry* entry, const Claim* shown) const {
  if (entry != nullptr && !entry->claims.empty()) return Standing::kSuspended;
  if (shown == nullptr) return Standing::kUnknown;
  return stopped(shown->issuer).value_or(Standing::kSuspended);
}

Verdict Authority::verdict_by(const Claim& claim, WallTime now) const {
  auto read = read_certificate(mesh_, claim.certificate);
  EBB_CHECK(read.ok());
  const bool renewal_due = read->certificate.is_renewal_due(now);
  return {standing_of(claim, now), std::move(read->certificate), renewal_due};
}

Standing Authority::standing_of(const Claim& claim, WallTime now) const {
  const IssuerTime issuer = issuers_.time_of(claim.issuer, now);
  // What is on the way to the end of a log is what the root has named: it was made before.
  const bool is_named = issuer_log(claim.issuer)->held.end().has_value();
  if (issuer == IssuerTime::kEnded && !is_named) return Standing::kIssuerExpired;
  if (issuer == IssuerTime::kNotBegun) return Standing::kIssuerNotYetValid;
  if (!claim.validity.has_begun(now)) return Standing::kNotYetValid;
  const bool has_ended = claim.validity.has_ended(now) || issuer == IssuerTime::kEnded;
  return has_ended ? Standing::kExpired : Standing::kCertified;
}

std::optional<Position> Authority::cut(const DeviceId& device, const LogId& log) const {
  if (suspended_) return Position{};
  bring_up_to_date();
  const DeviceBook::Entry* entry = devices_.find(device);
  if (entry == nullptr || !entry->revoked) return std::nullopt;
  const auto at = std::find_if(entry->cuts.begin(), entry->cuts.end(),
                               [&log](const record::Cut& cut) { return cut.log == log; });
  return at == entry->cuts.end() ? Position{} : at->position;
}

Bytes Authority::certificate_of(const DeviceId& device) const {
  bring_up_to_date();
  const DeviceBook::Entry* entry = devices_.find(device);
  const Claim* newest = nullptr;
  if (entry != nullptr) {
    for (const Claim& claim : entry->claims) {
      if (newest == nullptr || claim.is_newer_than(*newest)) newest = &claim;
    }
  }
  return newest == nullptr ? Bytes{} : to_bytes(newest->certificate);
}

bool Authority::may_write(const DeviceId& device, std::string_view topic) const {
  bring_up_to_date();
  const DeviceBook::Entry* entry = devices_.find(device);
  if (suspended_ || entry == nullptr || entry->revoked) return false;
  if (topic == kControlTopic) return !entry->claims.empty();
  return std::any_of(entry->claims.begin(), entry->claims.end(), [&](const Claim& claim) {
    const auto read = read_certificate(mesh_, claim.certificate);
    return read.ok() && read->certificate.has_role(roles::kWriter) &&
           (read->certificate.allows_topic(topic) || planted(Bug::kIgnorePrefix));
  });
}

std::uint64_t Authority::next_policy_number() const {
  bring_up_to_date();
  std::uint64_t number = 0;
  for (const auto& [key, admit] : policies_) {
    const std::uint64_t next = std::get<0>(key);
    if (next - number > limits::kPolicyStep) break;
    number = next;
  }
  return number + 1;
}

bool Authority::issues(const DeviceId& issuer, WallTime now) const {
  return !stopped(issuer) && issuers_.time_of(issuer, now) == IssuerTime::kLasts;
}

std::size_t Authority::issuers(WallTime now) const {
  return static_cast<std::size_t>(std::count_if(
      logs_.begin(), logs_.end(), [&](const auto& each) { return issues(each.first, now); }));
}

}  // namespace ebb::trust
