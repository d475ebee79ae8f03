// IssuerBook: the issuers that the root has certified in records of its log that are held.
//
// Model:   a function of those records. Issuers have places in the order in which the root's log
//          first names them, at most limits::kIssuers of those that it has not ended; an issuer
//          that was ended takes none.
// Threads: not thread-safe; part of an Authority.
// Spec:    docs/wire_format.md section 13
#pragma once

#include <map>
#include <set>
#include <vector>

#include "core/ids.h"
#include "core/time.h"
#include "trust/certificate.h"

namespace ebb::trust {

// What the time says of an issuer.
enum class IssuerTime : std::uint8_t { kNotBegun, kLasts, kEnded };

class IssuerBook {
 public:
  // Found in the root's record at this position.
  void add(const Position& at, const IssuerCertificate& certificate);
  // True when there was one.
  bool remove(const Position& at);
  // True when that is an earlier end than was known of it, or the first.
  bool end(const DeviceId& issuer, const Position& end);

  // Null: it has not been ended.
  const Position* end_of(const DeviceId& issuer) const;
  // Of one with a certificate.
  IssuerTime time_of(const DeviceId& issuer, WallTime now) const;
  // Those that may have a log, in no order: with a place, or ended.
  std::vector<DeviceId> with_log() const;

 private:
  struct Known {
    DeviceId issuer;
    Validity validity;
  };
  std::map<Position, Known> certificates_;  // by the record of the root
  std::map<DeviceId, std::set<Position>> records_;
  std::map<DeviceId, Position> ends_;
};

}  // namespace ebb::trust
