#include "store/client_ids.h"

#include "core/limits.h"

namespace ebb::store {

Status ClientIds::open(const Connection& connection) {
  EBB_ASSIGN(find_, connection.prepare("SELECT log,seq FROM client_ids WHERE id=?1"));
  EBB_ASSIGN(insert_, connection.prepare("INSERT OR IGNORE INTO client_ids(id,log,seq,wall_ms) "
                                         "VALUES(?1,?2,?3,?4)"));
  EBB_ASSIGN(newest_, connection.prepare("SELECT max(n) FROM client_ids"));
  // Looks at no more than ?3 rows, however many there are.
  EBB_ASSIGN(prune_,
             connection.prepare("DELETE FROM client_ids WHERE n<=min(?1,(SELECT min(n) FROM "
                                "client_ids)+?3-1) AND (wall_ms<?2 OR wall_ms>?4)"));
  return {};
}

Result<std::optional<ClientIds::Place>> ClientIds::find(const Uuid& id) {
  find_.bind(1, id.view());
  const ScopedReset reset(find_);
  EBB_ASSIGN(const bool found, find_.step());
  if (!found) return std::optional<Place>();
  return std::optional<Place>(
      Place{static_cast<LogNumber>(find_.column_int(0)), find_.column_u64(1)});
}

Status ClientIds::insert(const Uuid& id, const Place& place, WallTime now) {
  insert_.bind(1, id.view());
  insert_.bind(2, std::int64_t{place.n});
  insert_.bind(3, place.seq);
  insert_.bind(4, now.ms);
  return insert_.run();
}

Status ClientIds::prune(std::int64_t rows_max, WallTime now) {
  std::int64_t newest = 0;
  {
    const ScopedReset reset(newest_);
    EBB_ASSIGN(const bool found, newest_.step());
    if (found) newest = newest_.column_int(0);
  }
  const std::int64_t beyond = newest - static_cast<std::int64_t>(limits::kClientIdsKeptMin);
  if (beyond <= 0) return {};
  prune_.bind(1, beyond);
  prune_.bind(2, now.ms - limits::kClientIdsKeptMs);
  prune_.bind(3, rows_max);
  // Given by a clock that was ahead: only their number keeps them.
  prune_.bind(4, now.ms + limits::kClientIdsKeptMs);
  return prune_.run();
}

}  // namespace ebb::store
