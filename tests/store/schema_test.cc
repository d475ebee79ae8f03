#include "store/schema.h"

#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <iterator>

#include "store/store_parts.h"
#include "tests/store/store_fixture.h"

namespace ebb::tests {
namespace {

using store::Connection;
using store::Migration;

// SQLite opens files by this as long as it lives.
class DefaultVfs {
 public:
  explicit DefaultVfs(const char* name) : before_(sqlite3_vfs_find(nullptr)) {
    sqlite3_vfs* const wanted = sqlite3_vfs_find(name);
    REQUIRE(wanted != nullptr);
    REQUIRE(sqlite3_vfs_register(wanted, 1) == SQLITE_OK);
  }
  DefaultVfs(const DefaultVfs&) = delete;
  DefaultVfs& operator=(const DefaultVfs&) = delete;
  ~DefaultVfs() { sqlite3_vfs_register(before_, 1); }

 private:
  sqlite3_vfs* before_;
};

std::string file_bytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void set_version(const std::filesystem::path& dir, int version) {
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open((dir / "ebb.db").c_str(), &db) == SQLITE_OK);
  const std::string sql = "PRAGMA user_version=" + std::to_string(version);
  REQUIRE(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(db);
}

// Another process, which will open a database, ask it for one small number and close it. Forked
// while nothing here has the database open, so that its SQLite knows nothing of ours.
class OtherProcess {
 public:
  OtherProcess(const std::filesystem::path& database, const std::string& sql) {
    REQUIRE(pipe(ends_) == 0);
    child_ = fork();
    REQUIRE(child_ >= 0);
    if (child_ == 0) {
      char byte = 0;
      _exit(read(ends_[0], &byte, 1) == 1 ? answer(database, sql) : kFailed);
    }
  }
  OtherProcess(const OtherProcess&) = delete;
  OtherProcess& operator=(const OtherProcess&) = delete;
  ~OtherProcess() {
    close(ends_[1]);
    close(ends_[0]);
    if (child_ > 0) waitpid(child_, nullptr, 0);
  }
  int ask() {
    int status = 0;
    REQUIRE(write(ends_[1], "", 1) == 1);
    REQUIRE(waitpid(std::exchange(child_, 0), &status, 0) > 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : kFailed;
  }

 private:
  static constexpr int kFailed = 255;
  static int answer(const std::filesystem::path& database, const std::string& sql) {
    sqlite3* db = nullptr;
    sqlite3_stmt* statement = nullptr;
    int number = kFailed;
    if (sqlite3_open(database.c_str(), &db) == SQLITE_OK &&
        sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
      number = sqlite3_column_int(statement, 0);
    }
    sqlite3_finalize(statement);
    return sqlite3_close(db) == SQLITE_OK ? number : kFailed;
  }

  int ends_[2] = {-1, -1};
  pid_t child_ = 0;
};

constexpr std::array<Migration, 3> kSteps = {
    Migration{"CREATE TABLE a(x); INSERT INTO a VALUES(1)"}, Migration{"CREATE TABLE b(x)"},
    Migration{"CREATE TABLE a(x)"}};  // fails

TEST_CASE("a store of a newer program is refused and not written") {
  Device device(1);
  device.append({event(1)});
  device.close();
  set_version(device.dir(), 99);
  const std::string before = file_bytes(device.dir() / "ebb.db");
  REQUIRE(before.size() > 4096);
  const auto opened = store::Store::open(device.options(), device.identity());
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().code == ErrorCode::kUnsupported);
  CHECK(opened.error().detail.find("99") != std::string::npos);
  CHECK(file_bytes(device.dir() / "ebb.db") == before);
  const auto reader = store::Reader::open(device.dir().string());
  REQUIRE_FALSE(reader.ok());
  CHECK(reader.error().code == ErrorCode::kUnsupported);
  CHECK(file_bytes(device.dir() / "ebb.db") == before);
}

TEST_CASE("a database that cannot have a write-ahead log is refused") {
  const TempDir dir;
  // As on file systems without shared memory.
  const DefaultVfs without_shared_memory("unix-dotfile");
  auto db = Connection::open((dir.path() / "ebb.db").string(), Connection::Mode::kReadWrite);
  REQUIRE(db.ok());
  const Status configured = store::configure_writer(**db, false);
  REQUIRE_FALSE(configured.ok());
  CHECK(configured.error().code == ErrorCode::kUnsupported);
}

TEST_CASE("a migration copies the file before it changes an existing store") {
  const TempDir dir;
  const std::string path = dir.path().string();
  {
    auto db = Connection::open(store::database_path(path), Connection::Mode::kReadWrite);
    REQUIRE(db.ok());
    REQUIRE(store::configure_writer(**db, false).ok());
    REQUIRE(store::migrate(**db, path, 0, std::span(kSteps).first(1)).ok());
    CHECK_FALSE(std::filesystem::exists(dir / "ebb.db.0"));
    REQUIRE((*db)->run("INSERT INTO a VALUES(2)").ok());  // still in the WAL
    REQUIRE(store::migrate(**db, path, 1, std::span(kSteps).first(2)).ok());
    CHECK((*db)->query_int("PRAGMA user_version").value() == 2);
    CHECK((*db)->query_int("PRAGMA application_id").value() == store::kApplicationId);
  }
  CHECK(store::stored_version(path, 2).value() == 2);
  auto copy = Connection::open((dir / "ebb.db.1").string(), Connection::Mode::kReadWrite);
  REQUIRE(copy.ok());
  CHECK((*copy)->query_int("PRAGMA user_version").value() == 1);
  CHECK((*copy)->query_int("SELECT sum(x) FROM a").value() == 3);
  store::remove_old_copies(path, 2);
  CHECK_FALSE(std::filesystem::exists(dir / "ebb.db.1"));
}

TEST_CASE("a migration that fails leaves the version before it") {
  const TempDir dir;
  const std::string path = dir.path().string();
  auto db = Connection::open(store::database_path(path), Connection::Mode::kReadWrite);
  REQUIRE(db.ok());
  CHECK_FALSE(store::migrate(**db, path, 0, kSteps).ok());
  CHECK((*db)->query_int("PRAGMA user_version").value() == 2);
  CHECK((*db)->query_int("SELECT count(*) FROM sqlite_schema WHERE name='b'").value() == 1);
}

TEST_CASE("a creation that was cut off is a new store") {
  Device device(1);
  const TempDir dir;
  std::ofstream(dir / "ebb.db").flush();
  store::StoreOptions options = device.options();
  options.dir = dir.path().string();
  CHECK(store::Store::open(options, device.identity()).ok());
}

TEST_CASE("a live commit of one event writes few pages") {
  Device device(1);
  device.append({event(0)});
  std::vector<std::uintmax_t> growth;
  const auto wal = device.dir() / "ebb.db-wal";
  for (int i = 0; i < 100; ++i) {
    const auto before = std::filesystem::file_size(wal);
    device.append({event(i)});
    growth.push_back(std::filesystem::file_size(wal) - before);
  }
  std::uintmax_t sum = 0;
  for (const auto bytes : growth)
    sum += bytes;
  CHECK(sum / growth.size() <= 12 * 1024);
}

// Those of the program, and one that is to come.
std::vector<Migration> one_more_step() {
  const auto known = store::migrations();
  std::vector<Migration> steps(known.begin(), known.end());
  steps.push_back({"CREATE TABLE later(x)"});
  return steps;
}

std::filesystem::path newest_copy(const Device& device) {
  return device.dir() / ("ebb.db." + std::to_string(store::migrations().size()));
}

TEST_CASE("the copy before a migration stays until a start has gone well") {
  Device device(1);
  device.append({event(1)});
  device.close();
  const std::vector<Migration> steps = one_more_step();
  const auto start = [&device, &steps](const trust::Identity& identity) {
    store::StoreParts parts(device.options(), identity);
    parts.steps = steps;
    return parts.open();
  };
  const auto copy = newest_copy(device);
  REQUIRE(start(device.identity()).ok());
  CHECK(std::filesystem::exists(copy));
  const auto stranger = make_identity(9);
  CHECK_FALSE(start(*stranger).ok());
  CHECK(std::filesystem::exists(copy));
  REQUIRE(start(device.identity()).ok());
  CHECK_FALSE(std::filesystem::exists(copy));
}

// POSIX takes all locks of a process on a file away when it closes any descriptor of that file.
TEST_CASE("after a migration another process that opens and closes the database takes nothing") {
  Device device(1);
  device.append({event(1)});
  device.close();
  const auto database = device.dir() / "ebb.db";
  OtherProcess first(database, "SELECT count(*) FROM later");
  OtherProcess second(database, "SELECT x FROM later");
  const std::vector<Migration> steps = one_more_step();
  store::StoreParts parts(device.options(), device.identity());
  parts.steps = steps;
  REQUIRE(parts.open().ok());
  REQUIRE(std::filesystem::exists(newest_copy(device)));
  CHECK(first.ask() == 0);
  CHECK(std::filesystem::exists(device.dir() / "ebb.db-wal"));
  REQUIRE(parts.db->run("INSERT INTO later VALUES(7)").ok());
  CHECK(second.ask() == 7);
}

void run_on(const Device& device, const std::string& sql) {
  auto db = store::Connection::open((device.dir() / "ebb.db").string(),
                                    store::Connection::Mode::kReadWrite);
  REQUIRE(db.ok());
  REQUIRE((*db)->run(sql).ok());
}

TEST_CASE("a store of version 1 is migrated, and its last commit has no time") {
  Device device(1);
  device.append({event(1)});
  device.close();
  run_on(device,
         "ALTER TABLE logs DROP COLUMN wall_ms; DROP TABLE presences; "
         "DROP TABLE quotas; DROP TABLE authority_records; DROP TABLE authority_missing; DELETE "
         "FROM meta WHERE key='presences'; PRAGMA user_version=1");
  device.now.ms -= 3600000;
  device.open();
  CHECK(!device.store().clock_judge().judge(device.reading()).suspect());
  CHECK((*device.append({event(2)}).appends[0])[0].first_seq == 2);
  CHECK(std::filesystem::exists(device.dir() / "ebb.db.1"));
}

TEST_CASE("a store of an unreleased program is refused with a word, and not written") {
  Device device(1);
  device.close();
  run_on(device, "PRAGMA user_version=1");
  const auto opened = store::Store::open(device.options(), device.identity());
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().code == ErrorCode::kUnsupported);
  CHECK(opened.error().context == "store was made by an unreleased program");
  CHECK_FALSE(std::filesystem::exists(device.dir() / "ebb.db.1"));
}

}  // namespace
}  // namespace ebb::tests
