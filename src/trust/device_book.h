// DeviceBook: what the records that hold say of devices: their certificates, and what was taken
// from them.
//
// Model:   a join: every call adds to it, in any order and any number of times, and the same calls
//          give the same book. What does not hold any more is left out by making the book again.
// Threads: not thread-safe; part of an Authority.
// Limits:  limits::kDeviceCertificates a device; devices by those who add them.
// Spec:    docs/wire_format.md section 13
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "core/ids.h"
#include "core/time.h"
#include "trust/authority_record.h"
#include "trust/certificate.h"
#include "trust/hash.h"

namespace ebb::trust {

// A certificate with the hash of its bytes, which decides where all else is equal.
struct HashedCertificate {
  Certificate certificate;
  Hash bytes_hash;

  bool is_newer_than(const HashedCertificate& other) const;
};

class DeviceBook {
 public:
  struct Entry {
    std::vector<HashedCertificate> certificates;  // newest first
    std::optional<WallTime> retired_until;
    bool revoked = false;
    std::map<LogId, Position> cuts;  // of a revoked device
  };

  void add(const HashedCertificate& certificate);
  void add(const record::Retire& retire);
  void add(const record::Revoke& revoke);

  // Null: nothing is said of it. Valid until the next call that is not const.
  const Entry* find(const DeviceId& device) const;
  const std::map<DeviceId, Entry>& entries() const { return entries_; }

 private:
  std::map<DeviceId, Entry> entries_;
};

}  // namespace ebb::trust
