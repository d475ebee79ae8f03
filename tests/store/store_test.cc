#include "store/store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "core/limits.h"
#include "store/schema.h"
#include "store/sqlite.h"
#include "tests/store/store_fixture.h"

namespace ebb::tests {
namespace {

using store::CommitBatch;
using store::CounterAdd;
using store::SetChange;
using store::Store;

std::string file_bytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// Copies database and WAL as a crash would leave them.
void copy_store(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::filesystem::create_directories(to);
  for (const char* name : {"ebb.db", "ebb.db-wal"})
    std::filesystem::copy_file(from / name, to / name);
}

TEST_CASE("a store that closes leaves no WAL to read, though a reader looks on") {
  Device device(1);
  device.append({event(1)});
  const auto reader = device.reader();
  REQUIRE(reader->heads().ok());
  const auto wal = device.dir() / "ebb.db-wal";
  REQUIRE(std::filesystem::file_size(wal) > 0);
  device.close();
  CHECK(std::filesystem::file_size(wal) == 0);
}

TEST_CASE("a reopened store is as it was") {
  Device device(1);
  Device other(2);
  other.append({event(1), SetChange{"s", "x", true, {}}});
  device.append({event(1), CounterAdd{"c", 3}});
  device.receive(read_all(other.store(), data_heads(other.store()).at(0)));
  device.append({SetChange{"s", "x", false, {}}}, "second");

  const auto heads = data_heads(device.store());
  const auto digest = device.store().state_digest();
  const auto epoch = device.store().epoch();
  const auto arrival = device.store().arrival_head();
  const Hlc last = heads[0].hlc;
  device.now.ms -= 3600000;  // a clock that went back
  device.reopen();
  REQUIRE(data_heads(device.store()).size() == heads.size());
  for (std::size_t i = 0; i < heads.size(); ++i) {
    CHECK(same_head(data_heads(device.store())[i], heads[i]));
    CHECK(data_heads(device.store())[i].arrival == heads[i].arrival);
  }
  CHECK(device.store().state_digest() == digest);
  CHECK(device.store().epoch() == epoch);
  CHECK(device.store().arrival_head() == arrival);
  const auto after = device.append({event(9)});
  REQUIRE(after.advances.size() == 1);
  CHECK(after.advances[0].head.hlc > last);
  CHECK(after.advances[0].head.held.seq == heads[0].held.seq + 1);
  CHECK(after.advances[0].head.arrival == arrival + 1);
}

TEST_CASE("what was committed survives a crash at any commit") {
  Device device(1);
  const TempDir copies;
  for (int round = 0; round < 12; ++round) {
    device.append({event(round), CounterAdd{"c", round},
                   SetChange{"s", std::to_string(round % 3), round % 2 == 0, {}}});
    // Marks at odd moments, so that some copies have to fold what lies past theirs.
    if (round % 5 == 2) REQUIRE(device.store().flush_state(device.uptime, true).ok());
    const auto copy = copies / ("copy" + std::to_string(round));
    copy_store(device.dir(), copy);
    store::StoreOptions options = device.options();
    options.dir = copy.string();
    auto opened = Store::open(options, device.identity());
    REQUIRE(opened.ok());
    REQUIRE(data_heads(**opened).size() == 1);
    CHECK(same_head(data_heads(**opened)[0], data_heads(device.store())[0]));
    CHECK((*opened)->state_digest() == device.store().state_digest());
    CHECK((*opened)->applied() == device.store().applied());
    CHECK(event_bytes_of(**opened, data_heads(**opened)[0]) ==
          event_bytes_of(device.store(), data_heads(device.store())[0]));
  }
}

TEST_CASE("state is flushed by number of events and by time without being asked") {
  Device device(1);
  std::vector<store::AppendItem> items(limits::kEventsBetweenMarks + 1, event(1));
  device.append(items);
  CHECK(device.reader()->mark()->positions().empty());
  device.append({event(2)});  // carries the flush of what came before it
  const LogId log = data_heads(device.store())[0].log;
  CHECK(device.reader()->mark()->at(log).seq == limits::kEventsBetweenMarks + 1);
  device.pass(milliseconds(limits::kMsBetweenMarks));
  CHECK(device.store().flush_state(device.uptime, false).ok());
  CHECK(device.reader()->mark()->at(log).seq == limits::kEventsBetweenMarks + 2);
  CHECK(*device.reader()->stored_digest() == device.store().state_digest());
}

TEST_CASE("a second open is refused and names the process") {
  Device device(1);
  const auto second = Store::open(device.options(), device.identity());
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().code == ErrorCode::kBusy);
  CHECK(second.error().detail.find(std::to_string(getpid())) != std::string::npos);
  CHECK(device.append({event(1)}).advances.size() == 1);
}

TEST_CASE("a store of another device or mesh is refused") {
  Device device(1);
  device.close();
  const auto other = make_identity(9);
  auto result = Store::open(device.options(), *other);
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == ErrorCode::kInvalidArgument);
  store::StoreOptions options = device.options();
  options.mesh.data[0] ^= 1;
  result = Store::open(options, device.identity());
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == ErrorCode::kInvalidArgument);
  device.open();
}

TEST_CASE("a directory that is missing and a file that is no store are refused") {
  Device device(1);
  store::StoreOptions options = device.options();
  options.dir = (device.dir() / "nowhere").string();
  CHECK(Store::open(options, device.identity()).error().code == ErrorCode::kNotFound);
  const TempDir other;
  std::ofstream(other / "ebb.db") << std::string(8192, 'x');
  options.dir = other.path().string();
  CHECK(Store::open(options, device.identity()).error().code == ErrorCode::kCorrupt);
  CHECK(file_bytes(other / "ebb.db") == std::string(8192, 'x'));
}

TEST_CASE("a commit that finds the disk full changes nothing and later commits go on") {
  Device device(1);
  device.append({event(1)});
  const auto heads = data_heads(device.store());
  const auto digest = device.store().state_digest();
  REQUIRE(device.store().set_page_count_max(1).ok());

  CommitBatch batch;
  store::AppendEvent large = event(2);
  large.payload = payload(1, std::string(60000, 'x'));
  large.id = uuid(1);
  batch.appends.push_back(batch_of({large}));
  batch.appends.push_back(batch_of({large, event(3)}, "other"));
  batch.cursors.push_back({device.identity().device(), 1, 1});
  batch.now = device.reading();
  const auto failed = device.store().commit(batch);
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().code == ErrorCode::kDiskFull);
  CHECK(data_heads(device.store()).size() == heads.size());
  CHECK(same_head(data_heads(device.store())[0], heads[0]));
  CHECK(device.store().state_digest() == digest);
  CHECK(device.store().arrival_head() == 2);
  CHECK(device.store().cursors().empty());
  CHECK(device.reader()->heads()->size() == 2);

  REQUIRE(device.store().set_page_count_max(0).ok());
  const auto result = device.commit(batch);
  REQUIRE(result.appends[0].ok());
  CHECK((*result.appends[0])[0].first_seq == 2);
  CHECK_FALSE((*result.appends[0])[0].duplicate);
  CHECK((*result.appends[1])[0].duplicate);
  CHECK(device.store().arrival_head() == 4);
  device.reopen();
  CHECK(data_heads(device.store()).size() == 2);
}

TEST_CASE("a commit that runs out of pages anywhere is undone as a whole") {
  Device device(1);
  Device other(2);
  other.append({event(1), SetChange{"s", "x", true, {}}});
  device.append({event(1), SetChange{"s", "x", true, {}}});
  const auto heads = data_heads(device.store());
  const Hash digest = device.store().state_digest();
  CommitBatch batch;
  batch.now = device.reading();
  for (int i = 0; i < 12; ++i) {
    store::AppendEvent item = event(i);
    item.payload = payload(i, std::string(5000, 'x'));
    item.id = uuid(static_cast<std::uint64_t>(i) + 100);
    batch.appends.push_back(
        batch_of({item, SetChange{"s", "x", false, {}}}, "topic" + std::to_string(i % 3)));
  }
  batch.segments = read_all(other.store(), data_heads(other.store())[0]);
  batch.peers.push_back({other.identity().device(), "127.0.0.1:1", device.now});
  int failures = 0;
  for (std::uint64_t pages = 1;; ++pages) {
    REQUIRE(pages < 200);
    REQUIRE(device.store().set_page_count_max(pages).ok());
    const auto result = device.store().commit(batch);
    if (result.ok()) break;
    ++failures;
    CHECK(result.error().code == ErrorCode::kDiskFull);
    REQUIRE(data_heads(device.store()).size() == heads.size());
    CHECK(same_head(data_heads(device.store())[0], heads[0]));
    CHECK(device.store().state_digest() == digest);
    CHECK(device.store().peers().empty());
    CHECK(device.reader()->heads()->size() == heads.size() + 1);
  }
  CHECK(failures > 20);
  CHECK(data_heads(device.store()).size() == 5);
  // As if it had never failed.
  Device fresh(1);
  fresh.append({event(1), SetChange{"s", "x", true, {}}});
  REQUIRE(fresh.store().commit(batch).ok());
  for (std::size_t i = 0; i < 5; ++i)
    CHECK(same_head(data_heads(device.store())[i], data_heads(fresh.store())[i]));
  CHECK(device.store().state_digest() == fresh.store().state_digest());
}

TEST_CASE("a store that another process has opened writes no more") {
  Device device(1);
  device.append({event(1)});
  {
    auto db = store::Connection::open(store::database_path(device.dir().string()),
                                      store::Connection::Mode::kReadWrite);
    REQUIRE(db.ok());
    REQUIRE((*db)->run("UPDATE meta SET value=value+1 WHERE key='boot_nonce'").ok());
  }
  CommitBatch batch;
  batch.appends.push_back(batch_of({event(2)}));
  batch.now = device.reading();
  const auto refused = device.store().commit(batch);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::kBusy);
  CHECK(data_heads(device.store())[0].held.seq == 1);
  CHECK_FALSE(device.store().flush_state(device.uptime, true).ok());
}

TEST_CASE("a flush that finds the disk full is made up for later") {
  Device device(1);
  std::vector<store::AppendItem> items;
  for (int i = 0; i < 2000; ++i) {
    items.push_back(SetChange{"set", "element" + std::to_string(i), true, {}});
  }
  device.append(items);
  REQUIRE(device.store().set_page_count_max(1).ok());
  const Status failed = device.store().flush_state(device.uptime, true);
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().code == ErrorCode::kDiskFull);
  REQUIRE(device.store().set_page_count_max(0).ok());
  device.append({CounterAdd{"c", 1}});
  REQUIRE(device.store().flush_state(device.uptime, true).ok());
  CHECK(*device.reader()->stored_digest() == device.store().state_digest());
}

TEST_CASE("of peers the 256 that were heard last are kept, in memory as on disk") {
  Device device(1);
  CommitBatch batch;
  for (std::uint32_t i = 0; i < 300; ++i) {
    DeviceId peer;
    peer.data[0] = static_cast<std::uint8_t>(i);
    peer.data[1] = static_cast<std::uint8_t>(i >> 8);
    batch.peers.push_back({peer, "h:1", WallTime{i % 2 == 0 ? 1000 - i : 5}});
    if (i % 40 != 0) continue;
    device.commit(batch);
    batch.peers.clear();
  }
  device.commit(batch);
  const auto kept = device.store().peers();
  REQUIRE(kept.size() == limits::kStoredPeers);
  std::size_t heard = 0;
  for (const store::PeerRow& peer : kept)
    heard += peer.last_heard.ms > 5 ? 1U : 0U;
  CHECK(heard == 150);
  device.reopen();
  const auto again = device.store().peers();
  REQUIRE(again.size() == kept.size());
  for (std::size_t i = 0; i < kept.size(); ++i)
    CHECK(again[i].device == kept[i].device);
}

TEST_CASE("cursors of the 256 peers that were heard last are kept, in memory as on disk") {
  Device device(1);
  const auto peer_of = [](std::uint32_t i) {
    DeviceId peer;
    peer.data[0] = static_cast<std::uint8_t>(i);
    peer.data[1] = static_cast<std::uint8_t>(i >> 8);
    return peer;
  };
  for (std::uint32_t i = 0; i < 600; ++i) {
    CommitBatch batch;
    batch.cursors.push_back({peer_of(i), 1, i + 1});
    batch.peers.push_back({peer_of(i), "", WallTime{1000 + i}});
    // The first ten are heard again and again, and their cursors stay where they are.
    batch.peers.push_back({peer_of(i % 10), "", WallTime{2000 + i}});
    device.commit(batch);
  }
  for (int round = 0; round < 2; ++round) {
    const auto kept = device.store().cursors();
    REQUIRE(kept.size() == limits::kStoredPeers);
    CHECK(kept.front().peer == peer_of(600 - (limits::kStoredPeers - 10)));
    CHECK(kept.back().peer == peer_of(9));
    for (std::uint32_t i = 0; i < 600; ++i) {
      const bool is_kept =
          std::any_of(kept.begin(), kept.end(),
                      [&](const store::CursorUpdate& cursor) { return cursor.peer == peer_of(i); });
      CHECK(is_kept == (i < 10 || i >= 600 - (limits::kStoredPeers - 10)));
    }
    device.reopen();
  }
  CommitBatch batch;
  batch.cursors.push_back({peer_of(3), 1, 0});
  device.commit(batch);
  CHECK(device.store().cursors().size() == limits::kStoredPeers - 1);
  device.reopen();
  CHECK(device.store().cursors().size() == limits::kStoredPeers - 1);
}

TEST_CASE("cursors, peers, budgets and reconciliations are kept") {
  Device device(1);
  CommitBatch batch;
  const DeviceId peer = make_identity(2)->device();
  batch.cursors.push_back({peer, UINT64_MAX, 7});
  batch.peers.push_back({peer, "127.0.0.1:9000", WallTime{5}});
  batch.link_budgets.push_back({"metered", 20000, 1 << 20});
  batch.link_budgets.push_back({"lte", 20000, 5});
  store::ReconciliationRow row;
  row.id.data[0] = 9;
  row.peer = peer;
  row.kind = "hello";
  row.started = WallTime{77};
  row.events_in = 3;
  row.outcome = "in_sync";
  row.root_after.data[15] = 4;
  batch.reconciliations.push_back(row);
  device.commit(batch);
  batch.cursors[0].arrival = 8;
  batch.peers.clear();
  batch.link_budgets = {{"lte", 20001, 7}};
  batch.reconciliations[0].kind = "list";
  device.commit(batch);
  device.reopen();
  REQUIRE(device.store().cursors().size() == 1);
  CHECK(device.store().cursors()[0].epoch == UINT64_MAX);
  CHECK(device.store().cursors()[0].arrival == 8);
  REQUIRE(device.store().peers().size() == 1);
  CHECK(device.store().peers()[0].address == "127.0.0.1:9000");
  REQUIRE(device.store().link_budgets().size() == 2);
  CHECK(device.store().link_budgets()[0].link_class == "lte");
  CHECK(device.store().link_budgets()[0].day == 20001);
  CHECK(device.store().link_budgets()[0].bytes == 7);
  CHECK(device.store().link_budgets()[1].bytes == 1 << 20);
  const auto rows = device.reader()->reconciliations(10);
  REQUIRE(rows.ok());
  REQUIRE(rows->size() == 2);
  CHECK((*rows)[0].kind == "list");
  CHECK((*rows)[1].kind == "hello");
  CHECK((*rows)[1].events_in == 3);
  CHECK((*rows)[1].root_after == row.root_after);
  CHECK(device.store().arrival_head() == 1);
}

TEST_CASE("files of a store are the owner's alone, whatever the umask, also of one made before") {
  const mode_t before = ::umask(0);
  Device device(1);
  device.append({event(1)});
  const auto others_may = [&device] {
    std::string names;
    for (const auto& file : std::filesystem::directory_iterator(device.dir())) {
      const auto mode = file.status().permissions() & std::filesystem::perms::all;
      if (mode != (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write)) {
        names += file.path().filename().string() + " ";
      }
    }
    return names;
  };
  CHECK(others_may().empty());
  CHECK(std::filesystem::exists(device.dir() / "ebb.db-wal"));
  device.close();
  std::filesystem::permissions(device.dir() / "ebb.db", std::filesystem::perms::all);
  device.open();
  device.append({event(2)});
  ::umask(before);
  CHECK(others_may().empty());
}

}  // namespace
}  // namespace ebb::tests
