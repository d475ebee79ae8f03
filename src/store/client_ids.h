// ClientIds: which ids clients gave to events of this device, so that a repeat returns the first
// dot.
//
// Model:   rows in order of arrival. At least limits::kClientIdsKeptMin of them and at least those
//          of limits::kClientIdsKeptMs stay; older ones go in small steps with later commits. One
//          whose time lies further ahead than that came from a wrong clock and counts as old.
// Threads: not thread-safe; owned by the store.
// Errors:  those of store/sqlite.h.
// Spec:    docs/store_format.md section 3
#pragma once

#include <optional>

#include "core/ids.h"
#include "core/result.h"
#include "core/time.h"
#include "store/log_table.h"
#include "store/sqlite.h"

namespace ebb::store {

class ClientIds {
 public:
  struct Place {
    LogNumber n = 0;
    Seq seq = 0;
  };
  Status open(const Connection& connection);
  Result<std::optional<Place>> find(const Uuid& id);
  // No effect when the id is there already: the first dot stays.
  Status insert(const Uuid& id, const Place& place, WallTime now);
  // Forgets at most `rows_max` of the oldest that are outside of both bounds.
  Status prune(std::int64_t rows_max, WallTime now);

 private:
  Statement find_;
  Statement insert_;
  Statement newest_;
  Statement prune_;
};

}  // namespace ebb::store
