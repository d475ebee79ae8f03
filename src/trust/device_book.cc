#include "trust/device_book.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <tuple>

#include "core/check.h"
#include "core/limits.h"
#include "trust/hash.h"

namespace ebb::trust {
namespace {

auto age(const Claim& claim) {
  return std::tie(claim.validity.not_before, claim.serial, claim.bytes_hash, claim.record);
}

// Before all claims of the issuer that begin at this time.
Claim before(const DeviceId& issuer, WallTime time) {
  Claim claim;
  claim.issuer = issuer;
  claim.validity.not_before = time;
  return claim;
}

WallTime just_after(WallTime time) { return {std::min(time.ms, limits::kTrustTimeMax) + 1}; }

// The logs of both, each with the lesser of its cuts.
std::vector<record::Cut> least_of(const std::vector<record::Cut>& one,
                                  const std::vector<record::Cut>& other) {
  std::vector<record::Cut> out;
  auto at = other.begin();
  for (const record::Cut& cut : one) {
    at = std::find_if(at, other.end(), [&cut](const auto& each) { return !(each.log < cut.log); });
    if (at == other.end()) break;
    if (at->log == cut.log) out.push_back({cut.log, std::min(cut.position, at->position)});
  }
  return out;
}

}  // namespace

bool Claim::is_newer_than(const Claim& other) const { return age(*this) > age(other); }

bool Claim::operator<(const Claim& other) const {
  return issuer != other.issuer ? issuer < other.issuer : age(*this) < age(other);
}

Claim claim_of(const Certificate& certificate, ByteView bytes, const Hash& record) {
  return {certificate.issuer, certificate.validity, certificate.serial, hash(bytes), record, bytes};
}

const Claim* DeviceBook::Entry::best_of(const DeviceId& issuer, WallTime now) const {
  const WallTime from = retired_until ? just_after(*retired_until) : WallTime{0};
  const auto next = claims.lower_bound(before(issuer, std::max(from, just_after(now))));
  const auto first = claims.lower_bound(before(issuer, from));
  if (first != next) return &*std::prev(next);
  return next != claims.end() && next->issuer == issuer ? &*next : nullptr;
}

std::vector<DeviceId> DeviceBook::Entry::issuers() const {
  std::vector<DeviceId> out;
  for (auto at = claims.begin(); at != claims.end();
       at = claims.lower_bound(before(out.back(), {std::numeric_limits<std::int64_t>::max()}))) {
    out.push_back(at->issuer);
  }
  return out;
}

void DeviceBook::add(const DeviceId& device, const Claim& claim) {
  entries_[device].claims.insert(claim);
}

void DeviceBook::remove(const DeviceId& device, const Claim& claim) {
  const auto entry = entries_.find(device);
  EBB_CHECK(entry != entries_.end() && entry->second.claims.erase(claim) == 1);
  const Entry& left = entry->second;
  if (left.claims.empty() && !left.retired_until && !left.revoked) entries_.erase(entry);
}

void DeviceBook::add(const record::Retire& retire) {
  auto& until = entries_[retire.device].retired_until;
  until = std::max(until.value_or(retire.until), retire.until);
}

void DeviceBook::add(const record::Revoke& revoke) {
  Entry& entry = entries_[revoke.device];
  entry.cuts = entry.revoked ? least_of(entry.cuts, revoke.cuts) : revoke.cuts;
  entry.revoked = true;
}

const DeviceBook::Entry* DeviceBook::find(const DeviceId& device) const {
  const auto at = entries_.find(device);
  return at == entries_.end() ? nullptr : &at->second;
}

}  // namespace ebb::trust
