#include "store/sqlite.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "store/heap_budget.h"

namespace ebb::store {
namespace {

// Readers hold no lock for long; the writer waits this long for one that recovers the WAL.
constexpr int kBusyTimeoutMs = 2000;

ErrorCode code_of(int rc) {
  switch (rc & 0xff) {
    case SQLITE_FULL:
      return ErrorCode::kDiskFull;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
      return ErrorCode::kIo;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::kCorrupt;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::kBusy;
    case SQLITE_PERM:
      return ErrorCode::kPermission;
    case SQLITE_NOMEM:  // of a query with a budget; without one the process is done for anyway
    case SQLITE_TOOBIG:
    case SQLITE_INTERRUPT:  // only a progress handler interrupts
      return ErrorCode::kTooLarge;
    default:
      return ErrorCode::kInternal;
  }
}

// SQLite knows ENOSPC alone as a full disk. A quota or a bound on the size of files that stops a
// write is the same: what did not fit was not written, and room can come back. Asked of the WAL,
// where commits write: a COMMIT leaves no errno with its connection.
bool out_of_room(int rc, sqlite3* db) {
  if (rc != SQLITE_IOERR_WRITE || db == nullptr) return false;
  sqlite3_file* wal = nullptr;
  sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal);
  if (wal == nullptr || wal->pMethods == nullptr) return false;
  int cause = 0;
  wal->pMethods->xFileControl(wal, SQLITE_FCNTL_LAST_ERRNO, &cause);
  return cause == EDQUOT || cause == EFBIG;
}

constexpr mode_t kPrivate = 0600;

// Nobody else may read what is stored, whatever the umask. SQLite gives the files that it makes
// beside a database the mode of that database. One that is there is never opened here: closing it
// would take SQLite's locks of this process away.
Status make_private(const std::string& path) {
  const int made = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kPrivate);
  if (made >= 0) {
    ::close(made);
    return {};
  }
  if (errno != EEXIST) return {};  // SQLite says better what is wrong
  for (const char* suffix : {"", "-wal", "-shm"}) {
    const std::string file = path + suffix;
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0 || (info.st_mode & 077) == 0) continue;
    if (::chmod(file.c_str(), kPrivate) != 0) {
      return Error{ErrorCode::kPermission, "database mode", file + ": " + std::strerror(errno)};
    }
  }
  return {};
}

}  // namespace

Error sqlite_error(int rc, sqlite3* db, std::string_view context) {
  const ErrorCode code = out_of_room(rc, db) ? ErrorCode::kDiskFull : code_of(rc);
  Error error{code, context, {}};
  error.detail = db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(rc);
  return error;
}

Statement::~Statement() { sqlite3_finalize(statement_); }

Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)),
      bind_error_(std::exchange(other.bind_error_, 0)) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(statement_, other.statement_);
  std::swap(bind_error_, other.bind_error_);
  return *this;
}

void Statement::bind(int index, std::int64_t value) {
  bind_error_ |= sqlite3_bind_int64(statement_, index, value);
}

void Statement::bind(int index, ByteView blob) {
  // A null pointer would bind NULL, and an empty blob is something else.
  const void* data = blob.empty() ? "" : static_cast<const void*>(blob.data());
  bind_error_ |= sqlite3_bind_blob64(statement_, index, data, blob.size(), SQLITE_STATIC);
}

void Statement::bind_text(int index, std::string_view text) {
  const char* data = text.empty() ? "" : text.data();
  bind_error_ |=
      sqlite3_bind_text64(statement_, index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

void Statement::bind_null(int index) { bind_error_ |= sqlite3_bind_null(statement_, index); }

Result<bool> Statement::step() {
  if (bind_error_ != 0) {
    bind_error_ = 0;
    return Error{ErrorCode::kInternal, "binding a parameter"};
  }
  const int rc = sqlite3_step(statement_);
  if (rc == SQLITE_ROW) return true;
  if (rc == SQLITE_DONE) return false;
  Error error = sqlite_error(rc, sqlite3_db_handle(statement_), "database");
  reset();
  return error;
}

Status Statement::run() {
  for (;;) {
    EBB_ASSIGN(const bool row, step());
    if (!row) break;
  }
  reset();
  return {};
}

void Statement::reset() {
  // The error of a failed step was reported by step(); sqlite3_reset repeats it.
  sqlite3_reset(statement_);
}

std::int64_t Statement::column_int(int index) const {
  return sqlite3_column_int64(statement_, index);
}

ByteView Statement::column_blob(int index) const {
  const void* data = sqlite3_column_blob(statement_, index);
  const int size = sqlite3_column_bytes(statement_, index);
  if (data == nullptr || size <= 0) return {};
  return {static_cast<const std::uint8_t*>(data), static_cast<std::size_t>(size)};
}

std::string_view Statement::column_text(int index) const { return as_text(column_blob(index)); }

Result<std::unique_ptr<Connection>> Connection::open(const std::string& path, Mode mode) {
  // The first use of SQLite in a process is here. Where another was before, SqlSession::open says
  // so.
  static_cast<void>(install_heap_budgets());
  if (mode == Mode::kReadWrite) EBB_RETURN_IF_ERROR(make_private(path));
  std::unique_ptr<Connection> connection(new Connection());
  const int access =
      mode == Mode::kReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const int rc = sqlite3_open_v2(path.c_str(), &connection->db_,
                                 access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  if (rc != SQLITE_OK) return sqlite_error(rc, connection->db_, "opening the database");
  sqlite3_busy_timeout(connection->db_, kBusyTimeoutMs);
  sqlite3_db_config(connection->db_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(connection->db_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  if (mode == Mode::kReadOnly) {
    sqlite3_db_config(connection->db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  }
  return connection;
}

Connection::~Connection() { sqlite3_close(db_); }

Result<Statement> Connection::prepare(std::string_view sql) const {
  Statement statement;
  const int rc = sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()),
                                    SQLITE_PREPARE_PERSISTENT, &statement.statement_, nullptr);
  if (rc != SQLITE_OK) return sqlite_error(rc, db_, "preparing a statement");
  return statement;
}

Status Connection::run(const std::string& sql) const {
  const int rc = sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) return sqlite_error(rc, db_, "database");
  return {};
}

Result<std::int64_t> Connection::query_int(std::string_view sql) const {
  EBB_ASSIGN(Statement statement, prepare(sql));
  EBB_ASSIGN(const bool row, statement.step());
  return row ? statement.column_int(0) : 0;
}

bool Connection::in_transaction() const { return sqlite3_get_autocommit(db_) == 0; }

std::int64_t Connection::last_insert_rowid() const { return sqlite3_last_insert_rowid(db_); }

Status Connection::checkpoint(bool truncate) const {
  const int mode = truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
  const int rc = sqlite3_wal_checkpoint_v2(db_, nullptr, mode, nullptr, nullptr);
  if (rc != SQLITE_OK) return sqlite_error(rc, db_, "checkpoint");
  return {};
}

Transaction::~Transaction() {
  // SQLite may have rolled back by itself (disk full, I/O error); then there is nothing left to
  // undo. A failing ROLLBACK leaves no changes either: they only ever were in the WAL's tail.
  if (open_ && connection_.in_transaction()) {
    sqlite3_exec(connection_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

Status Transaction::begin() {
  EBB_RETURN_IF_ERROR(connection_.run("BEGIN IMMEDIATE"));
  open_ = true;
  return {};
}

Status Transaction::commit() {
  EBB_RETURN_IF_ERROR(connection_.run("COMMIT"));
  open_ = false;
  return {};
}

}  // namespace ebb::store
