#include "store/schema.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>

#include "ebb/version.h"

namespace ebb::store {
namespace {

namespace fs = std::filesystem;

// Columns of `segments` stand in the order in which a scan wants them: SQLite walks a row from its
// start, so what prunes comes first and the body, which fills overflow pages, last. `logs` has no
// index on arrival, because it would cost every live commit another page; order of arrival is
// kept in memory.
constexpr std::string_view kSchema1 = R"sql(
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE logs(n INTEGER PRIMARY KEY, id BLOB UNIQUE NOT NULL, device BLOB NOT NULL,
  incarnation INTEGER NOT NULL, topic TEXT NOT NULL, seq INTEGER NOT NULL, chain BLOB NOT NULL,
  hlc INTEGER NOT NULL, signature BLOB NOT NULL, floor_seq INTEGER NOT NULL,
  floor_chain BLOB NOT NULL, arrival INTEGER NOT NULL, capped INTEGER NOT NULL,
  settled INTEGER NOT NULL DEFAULT 0);
CREATE TABLE segments(id INTEGER PRIMARY KEY, count INTEGER NOT NULL, codec INTEGER NOT NULL,
  packed INTEGER NOT NULL, raw_bytes INTEGER NOT NULL, ts_min INTEGER NOT NULL,
  ts_max INTEGER NOT NULL, hlc_min INTEGER NOT NULL, head_hlc INTEGER NOT NULL,
  types TEXT NOT NULL, prev_chain BLOB NOT NULL, signature BLOB NOT NULL, body BLOB NOT NULL);
CREATE TABLE client_ids(n INTEGER PRIMARY KEY, id BLOB UNIQUE NOT NULL, log INTEGER NOT NULL,
  seq INTEGER NOT NULL, wall_ms INTEGER NOT NULL);
CREATE TABLE cursors(peer BLOB PRIMARY KEY, epoch INTEGER NOT NULL, arrival INTEGER NOT NULL)
  WITHOUT ROWID;
CREATE TABLE peers(device BLOB PRIMARY KEY, address TEXT NOT NULL, heard_ms INTEGER NOT NULL)
  WITHOUT ROWID;
CREATE TABLE link_budgets(class TEXT PRIMARY KEY, day INTEGER NOT NULL, bytes INTEGER NOT NULL)
  WITHOUT ROWID;
CREATE TABLE reconciliations(n INTEGER PRIMARY KEY, id BLOB NOT NULL, peer BLOB NOT NULL,
  kind TEXT NOT NULL, started_ms INTEGER NOT NULL, duration_us INTEGER NOT NULL,
  rounds INTEGER NOT NULL, heads_compared INTEGER NOT NULL, events_in INTEGER NOT NULL,
  events_out INTEGER NOT NULL, bytes_in INTEGER NOT NULL, bytes_out INTEGER NOT NULL,
  outcome TEXT NOT NULL, held_before INTEGER NOT NULL, known_before INTEGER NOT NULL,
  held_after INTEGER NOT NULL, known_after INTEGER NOT NULL, root_before BLOB NOT NULL,
  root_after BLOB NOT NULL);
CREATE TABLE state(key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE mark(log BLOB PRIMARY KEY, seq INTEGER NOT NULL, chain BLOB NOT NULL) WITHOUT ROWID;
)sql";

// The time of the commit that moved the log last; 0: not known.
constexpr std::string_view kSchema2 =
    "ALTER TABLE logs ADD COLUMN wall_ms INTEGER NOT NULL DEFAULT 0";

// The newest presence of each device; filled from the logs by the first start that knows them.
constexpr std::string_view kSchema3 =
    "CREATE TABLE presences(device BLOB PRIMARY KEY, number INTEGER NOT NULL, "
    "hlc INTEGER NOT NULL, record BLOB NOT NULL) WITHOUT ROWID";

// What was taken of each author; counts from the migration on.
constexpr std::string_view kSchema4 =
    "CREATE TABLE quotas(device BLOB NOT NULL, kind INTEGER NOT NULL, last_day INTEGER NOT NULL, "
    "first_day INTEGER NOT NULL, bytes INTEGER NOT NULL, events INTEGER NOT NULL, "
    "PRIMARY KEY(device, kind, last_day)) WITHOUT ROWID";

// Records of authorities, and what is missing of their logs; seq 0 stands for more than that.
constexpr std::string_view kSchema5 = R"sql(
CREATE TABLE authority_records(authority BLOB NOT NULL, seq INTEGER NOT NULL, chain BLOB NOT NULL,
  record BLOB NOT NULL, UNIQUE(authority, seq, chain));
CREATE TABLE authority_missing(authority BLOB NOT NULL, seq INTEGER NOT NULL, chain BLOB NOT NULL,
  PRIMARY KEY(authority, seq, chain)) WITHOUT ROWID;
)sql";

constexpr std::array<Migration, kStoreVersion> kMigrations = {
    Migration{kSchema1}, Migration{kSchema2}, Migration{kSchema3}, Migration{kSchema4},
    Migration{kSchema5}};

Error file_error(std::string_view context, const std::string& path, const std::error_code& error) {
  const ErrorCode code = error == std::errc::no_space_on_device  ? ErrorCode::kDiskFull
                         : error == std::errc::permission_denied ? ErrorCode::kPermission
                                                                 : ErrorCode::kIo;
  return {code, context, path + ": " + error.message()};
}

Status sync_path(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return Error{ErrorCode::kIo, "sync", path};
  const bool synced = fsync(descriptor) == 0;
  close(descriptor);
  if (!synced) return Error{ErrorCode::kIo, "sync", path};
  return {};
}

std::string copy_path(const std::string& dir, std::int64_t version) {
  return database_path(dir) + "." + std::to_string(version);
}

// Page by page through the connection, WAL included. Nothing else may open the database's file
// here: closing it would take SQLite's locks of this process away, and whoever opens the database
// next would think that nobody else has it.
Status copy_pages(const Connection& from, const std::string& target) {
  EBB_ASSIGN(const auto to, Connection::open(target, Connection::Mode::kReadWrite));
  // Nobody looks at it before it is whole and synced.
  EBB_RETURN_IF_ERROR(to->run("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF"));
  sqlite3_backup* const backup = sqlite3_backup_init(to->handle(), "main", from.handle(), "main");
  if (backup == nullptr) {
    return sqlite_error(sqlite3_errcode(to->handle()), to->handle(), "copy before migration");
  }
  constexpr int kAllPages = -1;
  const int rc = sqlite3_backup_step(backup, kAllPages);
  sqlite3_backup_finish(backup);
  if (rc != SQLITE_DONE) return sqlite_error(rc, to->handle(), "copy before migration");
  return {};
}

// The copy gets its name only when it is whole and on the disk.
Status copy_before_migration(const Connection& connection, const std::string& dir,
                             std::int64_t version) {
  const std::string target = copy_path(dir, version);
  const std::string part = target + ".part";
  std::error_code error;
  fs::remove(part, error);
  if (error) return file_error("copy before migration", part, error);
  EBB_RETURN_IF_ERROR(copy_pages(connection, part));
  EBB_RETURN_IF_ERROR(sync_path(part));
  fs::rename(part, target, error);
  if (error) return file_error("copy before migration", target, error);
  return sync_path(dir);
}

}  // namespace

std::span<const Migration> migrations() { return kMigrations; }

std::string database_path(const std::string& dir) { return dir + "/ebb.db"; }

Result<std::int64_t> stored_version(const std::string& dir, std::int64_t version_max) {
  const std::string path = database_path(dir);
  std::error_code error;
  const auto status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    return Error{ErrorCode::kNotFound, "database", path};
  }
  if (error) return file_error("database", path, error);
  EBB_ASSIGN(const auto connection, Connection::open(path, Connection::Mode::kReadOnly));
  EBB_ASSIGN(const std::int64_t application, connection->query_int("PRAGMA application_id"));
  EBB_ASSIGN(const std::int64_t version, connection->query_int("PRAGMA user_version"));
  EBB_ASSIGN(const std::int64_t tables,
             connection->query_int("SELECT count(*) FROM sqlite_schema"));
  if (application == 0 && version == 0 && tables == 0) {
    return Error{ErrorCode::kNotFound, "database is empty", path};
  }
  if (application != kApplicationId) {
    return Error{ErrorCode::kCorrupt, "not a database of ebb", path};
  }
  if (version > version_max) {
    return Error{ErrorCode::kUnsupported, "store format is newer than this program",
                 "version " + std::to_string(version) + ", this program knows " +
                     std::to_string(version_max)};
  }
  // For a few days of development the second step was part of the first.
  EBB_ASSIGN(const std::int64_t early,
             connection->query_int("SELECT count(*) FROM pragma_table_info('logs') "
                                   "WHERE name='wall_ms'"));
  if (version == 1 && early > 0) {
    return Error{ErrorCode::kUnsupported, "store was made by an unreleased program", path};
  }
  return version;
}

Status migrate(Connection& connection, const std::string& dir, std::int64_t version,
               std::span<const Migration> steps) {
  if (version == static_cast<std::int64_t>(steps.size())) return {};
  if (version > 0) EBB_RETURN_IF_ERROR(copy_before_migration(connection, dir, version));
  for (auto i = static_cast<std::size_t>(version); i < steps.size(); ++i) {
    Transaction transaction(connection);
    EBB_RETURN_IF_ERROR(transaction.begin());
    EBB_RETURN_IF_ERROR(connection.run(std::string(steps[i].sql)));
    EBB_RETURN_IF_ERROR(connection.run("PRAGMA application_id=" + std::to_string(kApplicationId) +
                                       "; PRAGMA user_version=" + std::to_string(i + 1)));
    EBB_RETURN_IF_ERROR(transaction.commit());
  }
  // A new file is only there after a power cut when its directory says so.
  return version == 0 ? sync_path(dir) : Status{};
}

void remove_old_copies(const std::string& dir, std::int64_t version) {
  for (std::int64_t old = 1; old < version; ++old) {
    // A copy that cannot be removed costs space, not correctness; the next start tries again.
    std::error_code ignored;
    fs::remove(copy_path(dir, old), ignored);
  }
}

Status configure_writer(Connection& connection, bool sync) {
  // A WAL of 16 MiB between checkpoints: larger ones bring bulk appends little, smaller ones cost
  // syncs. 2 MiB of page cache are enough, since appends touch the same few pages again and again.
  EBB_RETURN_IF_ERROR(connection.run("PRAGMA page_size=4096"));
  {
    // SQLite answers with the mode that it is in, and does not fail where it cannot change it.
    EBB_ASSIGN(Statement mode, connection.prepare("PRAGMA journal_mode=WAL"));
    EBB_ASSIGN(const bool answered, mode.step());
    if (!answered || mode.column_text(0) != "wal") {
      return Error{ErrorCode::kUnsupported, "no write-ahead log on this file system"};
    }
  }
  return connection.run(std::string("PRAGMA foreign_keys=OFF; PRAGMA mmap_size=0;"
                                    "PRAGMA wal_autocheckpoint=4000; PRAGMA cache_size=-2048;"
                                    "PRAGMA journal_size_limit=67108864;"
                                    "PRAGMA synchronous=") +
                        (sync ? "FULL" : "OFF"));
}

Status set_page_limit(Connection& connection, std::uint64_t pages) {
  constexpr std::uint64_t kPagesMax = 4294967294;  // SQLite's own bound
  const std::uint64_t limit = pages == 0 ? kPagesMax : std::min(pages, kPagesMax);
  return connection.run("PRAGMA max_page_count=" + std::to_string(limit));
}

}  // namespace ebb::store
