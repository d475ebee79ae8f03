// The tables of the store, as numbered migrations, and the checks before anything is written.
//
// Model:   user_version is the number of the last migration done. Each migration is one
//          transaction; before the first one of an existing store its file is copied to
//          ebb.db.<version>, which stays until a later start finds nothing to migrate.
// Threads: pure functions over files; call on the store thread.
// Errors:  kUnsupported for a store of a newer program: nothing was written. kCorrupt for a file
//          that is no store. kDiskFull, kIo.
// Spec:    docs/store_format.md sections 2 and 3
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"
#include "store/sqlite.h"

namespace ebb::store {

inline constexpr std::int64_t kApplicationId = 0x65626231;  // "ebb1"

struct Migration {
  std::string_view sql;
};

// Migration i leads from version i to i + 1. A released one is never edited.
std::span<const Migration> migrations();

std::string database_path(const std::string& dir);

// Looks at an existing database through a read-only connection. The version, or kNotFound when
// there is no file (or an empty one: a creation that was cut off).
Result<std::int64_t> stored_version(const std::string& dir, std::int64_t version_max);

// Brings `connection` from `version` (0: an empty file) to the last of `steps`.
Status migrate(Connection& connection, const std::string& dir, std::int64_t version,
               std::span<const Migration> steps);

// Removes the copies that migrations before this start have left.
void remove_old_copies(const std::string& dir, std::int64_t version);

// WAL and the settings of section 2; `sync` false only where durability is not wanted.
Status configure_writer(Connection& connection, bool sync);

// The most pages the database may have; 0: as many as SQLite can count.
Status set_page_limit(Connection& connection, std::uint64_t pages);

}  // namespace ebb::store
