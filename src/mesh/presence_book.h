// PresenceBook: what devices say in `_ebb` of where they are, and what we have to say ourselves.
//
// Model:   of others the newest record each, with how dialling by it went; our own last one, and
//          when the next may be written.
// Threads: not thread-safe; part of the engine.
// Limits:  limits::kPresences others; those of failed_addresses.h.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/ids.h"
#include "core/time.h"
#include "mesh/failed_addresses.h"
#include "mesh/types.h"

namespace ebb::mesh {

// How dialling a device went.
struct Attempts {
  std::uint32_t failures = 0;  // in a row, over records too
  Instant next;                // not tried before
};

struct HeardPresence {
  HeldPresence held;             // addresses that can be none, or are of one wire, are left out
  std::size_t next_address = 0;  // which of them is tried next
  Attempts dials;
  std::optional<Instant> renewed;  // when other addresses last made failures forgotten
};

struct PresenceBook {
  std::map<DeviceId, HeardPresence> others;

  FailedAddresses failed;

  std::vector<std::string> addresses;  // ours, as we tell them now
  std::set<std::string> all_own;       // those and all others that lead to us
  bool local = false;                  // no other machine can be reached: local hosts are told
  std::optional<HeldPresence> own;     // as it stands in our logs
  bool differs = false;                // from what we have to say
  bool begun = false;                  // the first step of this start is made
  bool paced = false;                  // `write_from` knows of what an earlier start wrote
  Instant write_from;
  std::optional<Instant> write_at;
  bool news = false;  // somebody is heard of whom plan_offers() does not know yet
  // When another device is looked for to be dialled; absent: links enough.
  std::optional<Instant> offer_at;
  std::uint32_t offers_in_vain = 0;
};

}  // namespace ebb::mesh
