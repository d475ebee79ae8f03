// Disks that fail under a commit. A sync that fails is made by taking the place of fdatasync(2) in
// this program; a quota by the bound on the size of files.
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "tests/store/store_fixture.h"

namespace {

int syncs_to_fail = 0;

}  // namespace

extern "C" int fdatasync(int descriptor) {
  if (syncs_to_fail > 0) {
    --syncs_to_fail;
    errno = EIO;
    return -1;
  }
  return static_cast<int>(syscall(SYS_fdatasync, descriptor));
}

namespace ebb::tests {
namespace {

using store::CommitBatch;
using store::Store;

// A store whose commits are on the disk when they return.
struct Durable {
  Durable() : device(1) {
    device.close();
    open();
  }
  void open() {
    store::StoreOptions options = device.options();
    options.durability = store::Durability::kFull;
    auto opened = Store::open(options, device.identity());
    if (!opened.ok()) FAIL(opened.error().message());
    store = std::move(opened).value();
  }
  Result<store::CommitResult> append(std::int64_t n, std::size_t bytes = 10) {
    CommitBatch batch;
    store::AppendEvent item = event(n);
    item.payload = payload(n, std::string(bytes, 'x'));
    batch.appends.push_back(batch_of({item}));
    device.now.ms += 10;
    batch.now = device.reading();
    return store->commit(batch);
  }
  // How many events a node finds that starts after a crash at this moment.
  Seq after_crash() const {
    const TempDir copy;
    for (const char* name : {"ebb.db", "ebb.db-wal"})
      std::filesystem::copy_file(device.dir() / name, copy / name);
    store::StoreOptions options = Device(1).options();
    options.dir = copy.path().string();
    Rng rng(3);
    options.random = [&rng] { return rng.next(); };
    const auto opened = Store::open(options, device.identity());
    if (!opened.ok()) FAIL(opened.error().message());
    return data_heads(**opened).at(0).held.seq;
  }
  std::vector<Bytes> events() const { return event_bytes_of(*store, data_heads(*store).at(0)); }

  Device device;
  std::unique_ptr<Store> store;
};

// No file grows beyond `bytes` while this lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(std::uintmax_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    REQUIRE(getrlimit(RLIMIT_FSIZE, &before_) == 0);
    rlimit limit = before_;
    limit.rlim_cur = static_cast<rlim_t>(bytes);
    REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST_CASE("an epoch that could not be written is not shown") {
  Durable durable;
  REQUIRE(durable.append(1).ok());
  const StoreEpoch before = durable.store->epoch();
  const Arrival arrival = durable.store->arrival_head();
  durable.store->doubt_epoch();
  syncs_to_fail = 1;
  CHECK_FALSE(durable.append(2).ok());
  REQUIRE(syncs_to_fail == 0);
  CHECK(durable.store->epoch() == before);
  // Nothing was given a number, and the next commit takes it.
  CHECK(durable.store->arrival_head() == arrival);
  const auto stored = durable.append(2);
  REQUIRE(stored.ok());
  REQUIRE(stored->epoch);
  CHECK(durable.store->epoch() == *stored->epoch);
  CHECK(*stored->epoch != before);
}

TEST_CASE("a store goes on by itself after a sync that failed under a commit") {
  Durable durable;
  REQUIRE(durable.append(1).ok());
  const auto before = durable.events();
  syncs_to_fail = 1;
  const auto failed = durable.append(2, 20000);
  REQUIRE(syncs_to_fail == 0);
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().code == ErrorCode::kIo);
  CHECK(data_heads(*durable.store).at(0).held.seq == 1);
  // What the caller was told: a crash may bring it back.
  CHECK(durable.after_crash() == 2);

  const auto next = durable.append(3);
  if (!next.ok()) FAIL(next.error().message());
  CHECK((*next->appends.at(0)).at(0).first_seq == 2);
  CHECK(durable.after_crash() == 2);
  const auto acknowledged = durable.events();
  REQUIRE(acknowledged.size() == 2);
  CHECK(acknowledged[0] == before[0]);
  durable.store.reset();
  durable.open();
  CHECK(durable.events() == acknowledged);
}

TEST_CASE("a commit that failed cannot come back once the store writes again") {
  Durable durable;
  REQUIRE(durable.append(1).ok());
  syncs_to_fail = 1;
  REQUIRE_FALSE(durable.append(2, 20000).ok());
  REQUIRE(durable.after_crash() == 2);
  // A write that begins, so heals, and changes nothing.
  REQUIRE(durable.store->set_page_count_max(1).ok());
  const auto full = durable.append(3, 20000);
  REQUIRE_FALSE(full.ok());
  CHECK(full.error().code == ErrorCode::kDiskFull);
  CHECK(durable.after_crash() == 1);
}

TEST_CASE("as long as the disk fails every commit tries again") {
  Durable durable;
  REQUIRE(durable.append(1).ok());
  syncs_to_fail = 4;
  int failed = 0;
  while (!durable.append(2, 20000).ok()) {
    REQUIRE(++failed < 10);
    CHECK(data_heads(*durable.store).at(0).held.seq == 1);
  }
  CHECK(failed == 4);
  CHECK(durable.events().size() == 2);
  CHECK(durable.after_crash() == 2);
}

TEST_CASE("a write that a quota stops is a full disk and stops nothing else") {
  Durable durable;
  REQUIRE(durable.append(1).ok());
  const auto wal = std::filesystem::file_size(durable.device.dir() / "ebb.db-wal");
  for (const std::uintmax_t room : {0U, 100U, 4096U, 10000U}) {
    const auto failed = [&durable, wal, room] {
      const FileSizeLimit limit(wal + room);
      return durable.append(2, 50000);
    }();
    REQUIRE_FALSE(failed.ok());
    CHECK(failed.error().code == ErrorCode::kDiskFull);
    CHECK(durable.after_crash() == 1);
  }
  REQUIRE(durable.append(3).ok());
  const auto acknowledged = durable.events();
  CHECK(acknowledged.size() == 2);
  durable.store.reset();
  durable.open();
  CHECK(durable.events() == acknowledged);
}

// The rows before it go in the same transaction, so a merge needs no page that the database has
// not; but it needs room in the log.
TEST_CASE("a probe finds out whether the disk takes anything, which an empty commit does not") {
  Durable durable;
  REQUIRE(durable.append(1, 100).ok());
  const auto wal = std::filesystem::file_size(durable.device.dir() / "ebb.db-wal");
  store::CommitBatch batch;
  batch.now = durable.device.reading();
  {
    const FileSizeLimit limit(wal);
    CHECK(durable.store->commit(batch).ok());
    batch.probe = true;
    const auto full = durable.store->commit(batch);
    REQUIRE_FALSE(full.ok());
    CHECK(full.error().code == ErrorCode::kDiskFull);
  }
  CHECK(durable.store->commit(batch).ok());
}

TEST_CASE("a merge that finds the disk full leaves the segments as they were") {
  Durable durable;
  for (int i = 0; i < 16; ++i)
    REQUIRE(durable.append(i, 3000).ok());
  const LogId log = data_heads(*durable.store).at(0).log;
  const auto segments = [&durable, &log] {
    return durable.store->read_segments(log, 1, 0, SIZE_MAX)->size();
  };
  const auto before = durable.events();
  REQUIRE(segments() == 16);
  const auto wal = std::filesystem::file_size(durable.device.dir() / "ebb.db-wal");
  for (const std::uintmax_t room : {0U, 5000U}) {
    const auto full = [&durable, wal, room] {
      const FileSizeLimit limit(wal + room);
      return durable.store->merge_step();
    }();
    REQUIRE_FALSE(full.ok());
    CHECK(full.error().code == ErrorCode::kDiskFull);
    CHECK(segments() == 16);
    CHECK(durable.events() == before);
  }
  const auto merged = durable.store->merge_step();
  if (!merged.ok()) FAIL(merged.error().message());
  CHECK(segments() < 16);
  CHECK(durable.events() == before);
}

}  // namespace
}  // namespace ebb::tests
