#include "trust/issuer_book.h"

#include "core/limits.h"

namespace ebb::trust {

void IssuerBook::add(const Position& at, const IssuerCertificate& certificate) {
  certificates_[at] = {certificate.issuer, certificate.validity};
  records_[certificate.issuer].insert(at);
}

bool IssuerBook::remove(const Position& at) {
  const auto found = certificates_.find(at);
  if (found == certificates_.end()) return false;
  const auto of_issuer = records_.find(found->second.issuer);
  of_issuer->second.erase(at);
  if (of_issuer->second.empty()) records_.erase(of_issuer);
  certificates_.erase(found);
  return true;
}

bool IssuerBook::end(const DeviceId& issuer, const Position& end) {
  const auto [at, is_new] = ends_.emplace(issuer, end);
  if (is_new) return true;
  if (at->second <= end) return false;
  at->second = end;
  return true;
}

const Position* IssuerBook::end_of(const DeviceId& issuer) const {
  const auto at = ends_.find(issuer);
  return at == ends_.end() ? nullptr : &at->second;
}

IssuerTime IssuerBook::time_of(const DeviceId& issuer, WallTime now) const {
  bool begun = false;
  const auto of_issuer = records_.find(issuer);
  if (of_issuer == records_.end()) return IssuerTime::kEnded;
  for (const Position& at : of_issuer->second) {
    const Validity& validity = certificates_.at(at).validity;
    if (!validity.has_begun(now)) continue;
    if (!validity.has_ended(now)) return IssuerTime::kLasts;
    begun = true;
  }
  return begun ? IssuerTime::kEnded : IssuerTime::kNotBegun;
}

std::vector<DeviceId> IssuerBook::with_log() const {
  std::vector<DeviceId> out;
  std::size_t places = 0;
  for (const auto& [at, known] : certificates_) {
    if (*records_.at(known.issuer).begin() != at) continue;  // named before
    if (ends_.contains(known.issuer)) {
      out.push_back(known.issuer);
    } else if (places < limits::kIssuers) {
      ++places;
      out.push_back(known.issuer);
    }
  }
  return out;
}

}  // namespace ebb::trust
