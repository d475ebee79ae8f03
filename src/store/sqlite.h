// Connection and Statement: SQLite with owners, errors as values and bindings by type. Nothing here
// knows a table.
//
// Model:     a Statement is prepared once and kept; it is reset after every use, so it never holds
//            a read transaction open between calls.
// Ownership: statements must go before their connection. Bound text and blobs are not copied: they
//            must live until the statement is reset or bound again.
// Threads:   not thread-safe; one thread at a time per Connection.
// Errors:    SQLITE_FULL, and a write that a quota or a bound on file sizes stops, is kDiskFull;
// IOERR, CANTOPEN and READONLY are kIo; CORRUPT and NOTADB are
//            kCorrupt; BUSY and LOCKED are kBusy; everything else is kInternal, because our own SQL
//            is not input.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace ebb::store {

// What SQLite's code `rc` means to us; `db` (may be null) gives the message.
Error sqlite_error(int rc, sqlite3* db, std::string_view context);

class Statement {
 public:
  Statement() = default;
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;

  // Parameters are numbered from 1. A failed binding comes out of the next step().
  void bind(int index, std::int64_t value);
  void bind(int index, std::uint64_t value) { bind(index, static_cast<std::int64_t>(value)); }
  void bind(int index, bool value) { bind(index, std::int64_t{value}); }
  void bind(int index, ByteView blob);
  void bind_text(int index, std::string_view text);
  void bind_null(int index);

  // True: there is a row.
  Result<bool> step();
  // Steps to the end, ignoring rows, and resets.
  Status run();
  void reset();

  std::int64_t column_int(int index) const;
  std::uint64_t column_u64(int index) const {
    return static_cast<std::uint64_t>(column_int(index));
  }
  // Views valid until the next step or reset.
  ByteView column_blob(int index) const;
  std::string_view column_text(int index) const;
  sqlite3_stmt* handle() const { return statement_; }

 private:
  friend class Connection;
  sqlite3_stmt* statement_ = nullptr;
  int bind_error_ = 0;
};

// Resets a statement at the end of a scope in which its rows are read.
class ScopedReset {
 public:
  explicit ScopedReset(Statement& statement) : statement_(statement) {}
  ~ScopedReset() { statement_.reset(); }
  ScopedReset(const ScopedReset&) = delete;
  ScopedReset& operator=(const ScopedReset&) = delete;

 private:
  Statement& statement_;
};

// A fixed-size value out of a blob column; kCorrupt when the size is another.
template <class Fixed>
Result<Fixed> column_fixed(const Statement& statement, int index) {
  const auto value = Fixed::from(statement.column_blob(index));
  if (!value) return Error{ErrorCode::kCorrupt, "stored value of a wrong size"};
  return *value;
}

class Connection {
 public:
  enum class Mode {
    kReadWrite,  // creates the file when it is missing; its mode is 0600 then and before
    kReadOnly,   // and never checkpoints, not even on close
  };
  static Result<std::unique_ptr<Connection>> open(const std::string& path, Mode mode);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Result<Statement> prepare(std::string_view sql) const;
  // One or more statements without results.
  Status run(const std::string& sql) const;
  // The first column of the first row; 0 when there is none.
  Result<std::int64_t> query_int(std::string_view sql) const;
  bool in_transaction() const;
  std::int64_t last_insert_rowid() const;
  // Copies what it can of the WAL into the database without waiting for readers, or, with
  // `truncate`, all of it.
  Status checkpoint(bool truncate) const;
  sqlite3* handle() const { return db_; }

 private:
  Connection() = default;
  sqlite3* db_ = nullptr;
};

// BEGIN IMMEDIATE at begin(), ROLLBACK unless commit() succeeded.
class Transaction {
 public:
  explicit Transaction(Connection& connection) : connection_(connection) {}
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  Status begin();
  Status commit();

 private:
  Connection& connection_;
  bool open_ = false;
};

}  // namespace ebb::store
