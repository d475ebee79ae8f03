// FailedAddresses: addresses that were named by presences and did not answer, whoever named them.
//
// Model:   an address that has failed rests for 5 to 10 s, after each further failure for twice
//          that, up to 5 to 10 min. So does all of a network (network_of) from its kPerNetwork-th
//          failure on. What rested last an hour ago is as good as new.
//          Rationale: any number of devices may name the address of somebody who has nothing to do
//          with the mesh, or each another port of his.
// Threads: not thread-safe; part of the engine.
// Limits:  limits::kPresencesFailed addresses, and as many networks; the one whose rest ends first
//          makes room.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "core/rng.h"
#include "core/time.h"

namespace ebb::mesh {

class FailedAddresses {
 public:
  static constexpr std::uint32_t kPerNetwork = 8;

  void failed(const std::string& address, Instant now, Rng& rng);
  void answered(const std::string& address);

  bool rests(const std::string& address, Instant now) const;
  // Whether it has failed, as far as is remembered.
  bool knows(const std::string& address) const { return addresses_.contains(address); }
  std::size_t size() const { return addresses_.size(); }

 private:
  struct Entry {
    std::uint32_t failures = 0;
    Instant until;
  };
  using Entries = std::map<std::string, Entry>;
  static void note(Entries& entries, const std::string& key, std::uint32_t free, Instant now,
                   Rng& rng);

  Entries addresses_;
  Entries networks_;
};

}  // namespace ebb::mesh
