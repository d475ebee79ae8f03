// DeviceBook: what the records that hold say of devices: their certificates, and what was taken
// from them.
//
// Model:     certificates are added, and removed when their record counts no more; what was taken
//            away is a join, and left out only by making the book again. The same records give the
//            same book, in any order and any number of times.
// Ownership: the bytes of a certificate are its record's, which must be there as long as the claim.
// Threads:   not thread-safe; part of an Authority.
// Limits:    by those who add them; a claim, a cut and an entry are part of what a record weighs.
// Cost:      O(log n) each; a revoke also what it names.
// Spec:      docs/wire_format.md section 13
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "core/bytes.h"
#include "core/ids.h"
#include "core/time.h"
#include "trust/authority_record.h"
#include "trust/certificate.h"

namespace ebb::trust {

// A certificate of a device, in the record of its issuer's log that has this chain; all zero for
// one that is shown.
struct Claim {
  DeviceId issuer;
  Validity validity;
  std::uint64_t serial = 0;
  Hash bytes_hash;
  Hash record;
  ByteView certificate;  // its bytes

  bool is_newer_than(const Claim& other) const;
  // By issuer, and then from the oldest to the newest.
  bool operator<(const Claim& other) const;
};
Claim claim_of(const Certificate& certificate, ByteView bytes, const Hash& record);

class DeviceBook {
 public:
  struct Entry {
    std::set<Claim> claims;
    std::optional<WallTime> retired_until;
    bool revoked = false;
    // Of a revoked device, ascending by log: the logs that every revoke names, each with the least
    // of its cuts. What is not here is cut at 0.
    std::vector<record::Cut> cuts;

    // Of what this issuer has said: that which begins last of those that have begun by now, or else
    // the one that begins next; what begins up to `retired_until` is passed by. Null: there is
    // none.
    const Claim* best_of(const DeviceId& issuer, WallTime now) const;
    // The issuers of claims, ascending.
    std::vector<DeviceId> issuers() const;
  };

  void add(const DeviceId& device, const Claim& claim);
  void remove(const DeviceId& device, const Claim& claim);
  void add(const record::Retire& retire);
  void add(const record::Revoke& revoke);

  // Null: nothing is said of it. Valid until the next call that is not const.
  const Entry* find(const DeviceId& device) const;

 private:
  std::map<DeviceId, Entry> entries_;
};

}  // namespace ebb::trust
