#include "trust/device_book.h"

#include <algorithm>
#include <tuple>

#include "core/limits.h"

namespace ebb::trust {

bool HashedCertificate::is_newer_than(const HashedCertificate& other) const {
  const auto order = [](const HashedCertificate& of) {
    return std::tie(of.certificate.validity.not_before, of.certificate.serial, of.bytes_hash);
  };
  return order(*this) > order(other);
}

void DeviceBook::add(const HashedCertificate& certificate) {
  auto& list = entries_[certificate.certificate.device].certificates;
  auto at = list.begin();
  while (at != list.end() && at->is_newer_than(certificate))
    ++at;
  if (at != list.end() && at->bytes_hash == certificate.bytes_hash) return;
  list.insert(at, certificate);
  if (list.size() > limits::kDeviceCertificates) list.pop_back();
}

void DeviceBook::add(const record::Retire& retire) {
  auto& until = entries_[retire.device].retired_until;
  until = std::max(until.value_or(retire.until), retire.until);
}

void DeviceBook::add(const record::Revoke& revoke) {
  Entry& entry = entries_[revoke.device];
  entry.revoked = true;
  for (const record::Cut& cut : revoke.cuts) {
    const auto [at, is_new] = entry.cuts.emplace(cut.log, cut.position);
    if (!is_new) at->second = std::min(at->second, cut.position);
  }
}

const DeviceBook::Entry* DeviceBook::find(const DeviceId& device) const {
  const auto at = entries_.find(device);
  return at == entries_.end() ? nullptr : &at->second;
}

}  // namespace ebb::trust
