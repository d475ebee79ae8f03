#include <sqlite3.h>

#include "tests/store/store_fixture.h"

namespace ebb::tests {
namespace {

using store::CounterAdd;
using store::SetChange;
using store::VerifyReport;

// Changes a closed store behind everybody's back.
void tamper(const Device& device, const std::string& sql) {
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open((device.dir() / "ebb.db").c_str(), &db) == SQLITE_OK);
  const auto flip = [](sqlite3_context* context, int, sqlite3_value** arguments) {
    const auto* data = static_cast<const std::uint8_t*>(sqlite3_value_blob(arguments[0]));
    Bytes bytes(data, data + sqlite3_value_bytes(arguments[0]));
    bytes[static_cast<std::size_t>(sqlite3_value_int(arguments[1]))] ^= 1;
    sqlite3_result_blob(context, bytes.data(), static_cast<int>(bytes.size()), SQLITE_TRANSIENT);
  };
  REQUIRE(sqlite3_create_function(db, "flip", 2, SQLITE_UTF8, nullptr, flip, nullptr, nullptr) ==
          SQLITE_OK);
  REQUIRE(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  REQUIRE(sqlite3_changes(db) == 1);
  sqlite3_close(db);
}

VerifyReport verify(const Device& device) {
  auto report = store::verify_store(device.dir().string(), true, nullptr);
  if (!report.ok()) FAIL(report.error().message());
  return std::move(report).value();
}

// Two logs of this device and one of another; everything flushed and closed.
struct Closed {
  Closed() : device(1) {
    Device other(2);
    other.append({event(1), SetChange{"s", "x", true, {}}});
    for (int i = 0; i < 5; ++i)
      device.append({event(i), CounterAdd{"c", i}, SetChange{"s", std::to_string(i), true, {}}});
    device.append({event(1)}, "second");
    device.receive(read_all(other.store(), data_heads(other.store())[0]));
    digest = device.store().state_digest();
    device.close();
  }
  Device device;
  Hash digest;
};

TEST_CASE("a sound store verifies, with the digest recomputed from the logs") {
  Closed closed;
  std::uint64_t last = 0;
  std::uint64_t all = 0;
  const auto report = store::verify_store(closed.device.dir().string(), true,
                                          [&last, &all](std::uint64_t done, std::uint64_t total) {
                                            CHECK(done >= last);
                                            last = done;
                                            all = total;
                                          });
  REQUIRE(report.ok());
  CHECK(report->problems == std::vector<std::string>{});
  CHECK(report->logs == 4);
  CHECK(report->segments == 8);
  CHECK(report->events == 19);
  CHECK(last == 19);
  CHECK(all == 19);
  CHECK(report->state_digest == closed.digest);
  CHECK(report->stored_digest == closed.digest);
  const auto without = store::verify_store(closed.device.dir().string(), false, nullptr);
  REQUIRE(without.ok());
  CHECK(without->problems.empty());
  CHECK_FALSE(without->state_digest.has_value());
}

TEST_CASE("a store that is written to while it is walked verifies as of one moment") {
  Device device(1);
  for (int i = 0; i < 12; ++i)
    device.append({event(i), CounterAdd{"c", i}});
  device.append({event(1)}, "second");
  REQUIRE(device.store().flush_state(device.uptime, true).ok());
  const Hash digest = device.store().state_digest();
  int calls = 0;
  const auto report = store::verify_store(
      device.dir().string(), true, [&device, &calls](std::uint64_t, std::uint64_t total) {
        CHECK(total == 26);
        ++calls;
        device.append({event(calls)}, "second");
        device.append({CounterAdd{"c", 1}});
        CHECK(device.store().flush_state(device.uptime, true).ok());
        CHECK(device.store().merge_step().ok());
      });
  REQUIRE(report.ok());
  CHECK(calls == 14);
  CHECK(report->problems == std::vector<std::string>{});
  CHECK(report->events == 26);
  CHECK(report->stored_digest == digest);
  CHECK(report->state_digest == digest);
}

TEST_CASE("one changed bit or row is found, wherever it is") {
  const char* const kSecond = " WHERE id=(SELECT id FROM segments ORDER BY id LIMIT 1 OFFSET 1)";
  for (const std::string& sql : {
           std::string("UPDATE segments SET body=flip(body,40)") + kSecond,
           std::string("UPDATE segments SET prev_chain=flip(prev_chain,3)") + kSecond,
           std::string("UPDATE segments SET signature=flip(signature,10)") + kSecond,
           std::string("UPDATE segments SET head_hlc=head_hlc+1") + kSecond,
           std::string("UPDATE segments SET count=count-1") + kSecond,
           std::string("UPDATE segments SET ts_max=ts_max-1") + kSecond,
           std::string("UPDATE segments SET types='a'||types") + kSecond,
           std::string("DELETE FROM segments") + kSecond,
           std::string("DELETE FROM segments WHERE id=(SELECT max(id) FROM segments)"),
           std::string("UPDATE logs SET chain=flip(chain,0) WHERE n=1"),
           std::string("UPDATE logs SET seq=seq-1 WHERE n=1"),
           std::string("UPDATE logs SET seq=seq+1 WHERE n=1"),
           std::string("UPDATE logs SET hlc=hlc+1 WHERE n=1"),
           std::string("UPDATE logs SET signature=flip(signature,0) WHERE n=1"),
           std::string("UPDATE logs SET id=flip(id,0) WHERE n=1"),
           std::string("UPDATE logs SET topic='other' WHERE n=1"),
           std::string("UPDATE mark SET seq=seq-1 WHERE log=(SELECT id FROM logs WHERE n=1)"),
           std::string("UPDATE mark SET chain=flip(chain,5) WHERE log=(SELECT id FROM logs WHERE "
                       "n=1)"),
           std::string("UPDATE state SET value=flip(value,15) WHERE substr(key,1,1)=x'10'"),
           std::string("UPDATE state SET value=flip(value,7) WHERE key=(SELECT min(key) FROM state "
                       "WHERE substr(key,1,1)=x'40')"),
           std::string("DELETE FROM state WHERE key=(SELECT min(key) FROM state WHERE "
                       "substr(key,1,1)=x'20')"),
           std::string("UPDATE state SET key=flip(key,3) WHERE substr(key,1,1)=x'10'"),
       }) {
    Closed closed;
    tamper(closed.device, sql);
    INFO(sql);
    CHECK_FALSE(verify(closed.device).problems.empty());
  }
}

TEST_CASE("damaged state is rebuilt from the logs at the next start") {
  for (const char* sql :
       {"DELETE FROM state WHERE key=(SELECT min(key) FROM state WHERE substr(key,1,1)=x'40')",
        "UPDATE mark SET seq=seq+100 WHERE log=(SELECT id FROM logs WHERE n=1)",
        "UPDATE meta SET value=0 WHERE key='fold_version'"}) {
    Closed closed;
    tamper(closed.device, sql);
    closed.device.open();
    INFO(std::string(sql));
    CHECK(closed.device.store().state_digest() == closed.digest);
    closed.device.close();
    CHECK(verify(closed.device).problems == std::vector<std::string>{});
  }
}

TEST_CASE("a damaged segment behind the mark stops the fold of its log alone, and is told") {
  Device device(1);
  Device other(2);
  other.append({CounterAdd{"theirs", 3}});
  other.append({CounterAdd{"theirs", 4}});
  const auto theirs = data_heads(other.store()).at(0);
  device.receive(read_all(other.store(), theirs));
  device.append({CounterAdd{"ours", 5}});
  device.close();
  tamper(device, "UPDATE meta SET value=0 WHERE key='fold_version'");
  tamper(device,
         "UPDATE segments SET body=flip(body,0) WHERE id=(SELECT max(id) FROM segments "
         "WHERE id>>40=2)");
  device.open();
  const auto& damage = device.store().fold_damage();
  REQUIRE(damage.size() == 1);
  CHECK(damage[0].code == ErrorCode::kCorrupt);
  CHECK(damage[0].detail.starts_with(log_text(theirs.log) + " from 2: "));
  CHECK(device.store().applied().at(theirs.log).seq == 1);
  device.append({CounterAdd{"ours", 6}});
  // What a set holds is not known whole, so nothing of it can be replaced.
  const auto change = device.append({SetChange{"cart", "milk", false, {}}});
  REQUIRE(!change.appends.at(0).ok());
  CHECK(change.appends[0].error().code == ErrorCode::kCorrupt);
  other.append({CounterAdd{"theirs", 5}});
  CHECK(device.receive(read_all(other.store(), theirs, 3)).segments.at(0) ==
        store::SegmentOutcome::kStored);
  CHECK(device.store().applied().at(theirs.log).seq == 1);
  REQUIRE(device.store().flush_state(device.uptime, true).ok());
  CHECK(*device.reader()->counter("events", "ours") == 11);
  CHECK(*device.reader()->counter("events", "theirs") == 3);
  device.reopen();
  CHECK(device.store().fold_damage().size() == 1);
}

TEST_CASE("a merge refuses segments that do not verify and leaves them") {
  Device device(1);
  for (int i = 0; i < 20; ++i)
    device.append({event(i)});
  device.close();
  tamper(device,
         "UPDATE segments SET signature=flip(signature,0) WHERE id=(SELECT max(id) FROM segments)");
  tamper(device,
         "UPDATE segments SET body=flip(body,30) WHERE id=(SELECT min(id) FROM segments WHERE "
         "id>>40=2)");
  device.open();
  const auto merged = device.store().merge_step();
  REQUIRE_FALSE(merged.ok());
  CHECK(merged.error().code == ErrorCode::kCorrupt);
  CHECK(device.store().read_segments(data_heads(device.store())[0].log, 1, 0, 1 << 20)->size() ==
        20);
}

TEST_CASE("whoever reads a damaged segment is told so, and of which") {
  for (const bool packed : {true, false}) {
    CAPTURE(packed);
    Device device(1);
    const std::vector<store::AppendItem> items(packed ? limits::kSegmentRestEvents : 20, event(1));
    device.append(items);
    while (packed && device.store().merge_step().value()) {
    }
    const auto head = data_heads(device.store()).at(0);
    device.close();
    // The frame's magic, the header of the first event.
    tamper(device, "UPDATE segments SET body=flip(body,0) WHERE id>>40=2");
    const auto is_told = [&head](const Error& error) {
      CHECK(error.code == ErrorCode::kCorrupt);
      CHECK(error.detail.starts_with(log_text(head.log) + " from 1: "));
    };
    device.open();
    const auto reader = device.reader();
    const auto read = reader->events({}, 10, [](const store::EventRow&) { return true; });
    REQUIRE_FALSE(read.ok());
    is_told(read.error());
    // Cut, so verified on the way.
    const auto segments = device.store().read_segments(head.log, 2, 0, 1 << 20);
    REQUIRE_FALSE(segments.ok());
    is_told(segments.error());
    device.close();
    tamper(device, "UPDATE meta SET value=0 WHERE key='fold_version'");
    device.open();
    REQUIRE(device.store().fold_damage().size() == 1);
    is_told(device.store().fold_damage()[0]);
  }
}

TEST_CASE("a merge that meets a damaged segment says which") {
  Device other(2);
  for (int i = 0; i < 8; ++i) {
    store::AppendEvent item = event(i);
    item.payload = payload(i, std::string(500, 'x'));
    other.append({item});
  }
  const auto head = data_heads(other.store()).at(0);
  std::vector<trust::VerifiedSegment> segments;
  for (const auto& segment : read_all(other.store(), head)) {
    segments.push_back(as_one({segment}));
    REQUIRE(segments.back().codec == codec::SegmentCodec::kZstd);
  }
  Device device(1);
  device.receive(segments);
  device.close();
  tamper(device, "UPDATE segments SET body=flip(body,0) WHERE id=(SELECT max(id) FROM segments)");
  device.open();
  const auto merged = device.store().merge_step();
  REQUIRE_FALSE(merged.ok());
  CHECK(merged.error().code == ErrorCode::kCorrupt);
  CHECK(merged.error().detail.starts_with(log_text(head.log) + " from 1: "));
}

}  // namespace
}  // namespace ebb::tests
