// What an Authority answers about devices.
#include <algorithm>

#include "trust/authority.h"

namespace ebb::trust {
namespace {

bool is_better(const HashedCertificate& one, const HashedCertificate& other, WallTime now) {
  const bool begun = one.certificate.validity.has_begun(now);
  if (begun != other.certificate.validity.has_begun(now)) return begun;
  return one.is_newer_than(other) == begun;
}

}  // namespace

const Authority::Log* Authority::issuer_log(const DeviceId& issuer) const {
  const auto at = logs_.find(issuer);
  return at == logs_.end() || is_root(issuer) ? nullptr : &at->second;
}

bool Authority::is_stopped(const DeviceId& issuer, const Log& log) const {
  return log.fork || last_of(issuer) != nullptr;
}

bool Authority::has_lasting(const Log& log, WallTime now) {
  return std::any_of(log.certificates.begin(), log.certificates.end(), [now](const auto& each) {
    return each.certificate.validity.has_begun(now) && !each.certificate.validity.has_ended(now);
  });
}

Verdict Authority::verdict(const DeviceId& device, WallTime now) const {
  return judge(device, nullptr, now);
}

Result<Verdict> Authority::verdict_of_shown(ByteView encoded_certificate, WallTime now) const {
  EBB_ASSIGN(Certificate certificate, decode_certificate(mesh_, encoded_certificate, signatures_));
  const HashedCertificate shown{std::move(certificate), hash(encoded_certificate)};
  return judge(shown.certificate.device, &shown, now);
}

// `shown` is null, or the device's.
Verdict Authority::judge(const DeviceId& device, const HashedCertificate* shown,
                         WallTime now) const {
  const DeviceBook::Entry* entry = devices_.find(device);
  if (entry != nullptr && entry->revoked) return {.standing = Standing::kRevoked};
  std::vector<const HashedCertificate*> candidates;
  if (entry != nullptr) {
    for (const HashedCertificate& certificate : entry->certificates)
      candidates.push_back(&certificate);
  }
  Standing without = Standing::kUnknown;
  if (shown != nullptr) {
    const Log* log = issuer_log(shown->certificate.issuer);
    const bool counts = log != nullptr && !is_stopped(shown->certificate.issuer, *log);
    if (counts) candidates.push_back(shown);
    if (!counts) without = log == nullptr ? Standing::kUnknownIssuer : Standing::kIssuerEnded;
  }
  if (entry != nullptr && entry->retired_until) {
    const auto retired = std::erase_if(candidates, [entry](const HashedCertificate* each) {
      return each->certificate.validity.not_before <= *entry->retired_until;
    });
    if (retired > 0) without = Standing::kRetired;
  }
  // The newest that has begun, or else the one that begins next.
  const HashedCertificate* best = nullptr;
  for (const HashedCertificate* each : candidates) {
    if (best == nullptr || is_better(*each, *best, now)) best = each;
  }
  if (best == nullptr) return {.standing = without};
  const Standing standing = standing_of(best->certificate, now);
  return {standing, best->certificate, best->certificate.is_renewal_due(now)};
}

Standing Authority::standing_of(const Certificate& certificate, WallTime now) const {
  if (!certificate.validity.has_begun(now)) return Standing::kNotYetValid;
  const Log& log = *issuer_log(certificate.issuer);
  const auto& issuers = log.certificates;
  const bool issuer_begun = std::any_of(issuers.begin(), issuers.end(), [now](const auto& each) {
    return each.certificate.validity.has_begun(now);
  });
  if (!issuer_begun) return Standing::kNotYetValid;
  if (certificate.validity.has_ended(now)) return Standing::kExpired;
  return has_lasting(log, now) ? Standing::kCertified : Standing::kIssuerExpired;
}

std::optional<Position> Authority::cut(const DeviceId& device, const LogId& log) const {
  const DeviceBook::Entry* entry = devices_.find(device);
  if (entry == nullptr || !entry->revoked) return std::nullopt;
  const auto at = entry->cuts.find(log);
  return at == entry->cuts.end() ? Position{} : at->second;
}

std::size_t Authority::issuers(WallTime now) const {
  std::size_t count = 0;
  for (const auto& [authority, log] : logs_) {
    if (is_root(authority) || is_stopped(authority, log)) continue;
    if (has_lasting(log, now)) ++count;
  }
  return count;
}

}  // namespace ebb::trust
