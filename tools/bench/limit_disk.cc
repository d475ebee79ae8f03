// Disk limits: plain rows in SQLite, and bare syncs.
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cstdio>

#include "tools/bench/clicks.h"
#include "tools/bench/measure.h"

namespace ebb::bench {
namespace {

constexpr int kRowsPerTransaction = 1000;
constexpr std::size_t kDistinctRows = 200000;

void execute(sqlite3* db, const char* sql) {
  require(sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK, sql);
}

void step(sqlite3_stmt* statement) {
  require(sqlite3_step(statement) == SQLITE_DONE, "sqlite3_step");
  sqlite3_reset(statement);
}

sqlite3_stmt* prepare(sqlite3* db, const char* sql) {
  sqlite3_stmt* statement = nullptr;
  require(
      sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) == SQLITE_OK,
      sql);
  return statement;
}

struct Row {
  std::int64_t hlc = 0;
  int type = 0;
  Bytes payload;
};

std::vector<Row> make_rows() {
  Clicks clicks(5);
  std::vector<Row> rows(kDistinctRows);
  for (Row& row : rows) {
    const Click click = clicks.next();
    row.hlc = click.ts_ms << 16;
    row.type = static_cast<int>(click.type);
    append_click_row(row.payload, click);
  }
  return rows;
}

// Inserts `events` rows and returns the seconds it took.
double insert_rows(sqlite3* db, const std::vector<Row>& rows, std::uint64_t events) {
  sqlite3_stmt* begin = prepare(db, "BEGIN IMMEDIATE");
  sqlite3_stmt* commit = prepare(db, "COMMIT");
  sqlite3_stmt* insert = prepare(db, "INSERT INTO events VALUES (1, ?, ?, ?, ?)");
  const Stopwatch watch;
  for (std::uint64_t done = 0; done < events;) {
    step(begin);
    for (int i = 0; i < kRowsPerTransaction && done < events; ++i, ++done) {
      const Row& row = rows[done % rows.size()];
      sqlite3_bind_int64(insert, 1, static_cast<sqlite3_int64>(done + 1));
      sqlite3_bind_int64(insert, 2, row.hlc);
      sqlite3_bind_int(insert, 3, row.type);
      sqlite3_bind_blob(insert, 4, row.payload.data(), static_cast<int>(row.payload.size()),
                        nullptr);
      step(insert);
    }
    step(commit);
  }
  const double seconds = watch.seconds();
  for (sqlite3_stmt* statement : {begin, commit, insert})
    sqlite3_finalize(statement);
  return seconds;
}

}  // namespace

int limit_rows(const std::string& dir, std::uint64_t events) {
  const std::vector<Row> rows = make_rows();
  std::vector<double> rates;
  for (int repetition = 0; repetition < 3; ++repetition) {
    const std::string path = dir + "/rows.db";
    for (const char* suffix : {"", "-wal", "-shm"})
      ::unlink((path + suffix).c_str());
    sqlite3* db = nullptr;
    require(sqlite3_open(path.c_str(), &db) == SQLITE_OK, "open rows.db");
    execute(db, "PRAGMA journal_mode=WAL");
    execute(db, "PRAGMA synchronous=FULL");
    execute(db,
            "CREATE TABLE events(log INTEGER, seq INTEGER, hlc INTEGER, type INTEGER, payload BLOB,"
            " PRIMARY KEY(log, seq)) WITHOUT ROWID");
    rates.push_back(static_cast<double>(events) / insert_rows(db, rows, events));
    sqlite3_close(db);
    for (const char* suffix : {"", "-wal", "-shm"})
      ::unlink((path + suffix).c_str());
  }
  std::printf("{\"events_per_second\": %.0f, \"low\": %.0f, \"high\": %.0f}\n",
              percentile(rates, 0.5), percentile(rates, 0), percentile(rates, 1));
  return 0;
}

int limit_fsync(const std::string& dir) {
  const std::string path = dir + "/sync.log";
  const int file = ::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  require(file >= 0, "open sync.log");
  const std::string block(850, 'x');
  std::vector<double> each;
  const Stopwatch all;
  while (all.seconds() < 1.5) {
    const Stopwatch one;
    require(::write(file, block.data(), block.size()) == static_cast<ssize_t>(block.size()),
            "write");
    require(::fdatasync(file) == 0, "fdatasync");
    each.push_back(one.seconds());
  }
  ::close(file);
  ::unlink(path.c_str());
  const auto count = static_cast<double>(each.size());
  std::printf("{\"per_second\": %.0f, \"p50_ms\": %.4f, \"p99_ms\": %.4f}\n", count / all.seconds(),
              1e3 * percentile(each, 0.5), 1e3 * percentile(each, 0.99));
  return 0;
}

}  // namespace ebb::bench
