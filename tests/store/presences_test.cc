// The newest presence of each device: which one that is, how many are kept, and over restarts.
#include "store/presences.h"

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "codec/record.h"
#include "store/schema.h"
#include "tests/store/store_fixture.h"

namespace ebb::tests {
namespace {

using store::PresenceRow;

codec::Presence at(std::uint64_t number, std::vector<std::string> addresses = {"10.0.0.1:7401"}) {
  return {std::move(addresses), 0, number};
}

store::AppendEvent record(Bytes payload) {
  store::AppendEvent out;
  out.type = std::string(codec::kPresenceType);
  out.payload = std::move(payload);
  return out;
}

store::CommitResult say(Device& device, const codec::Presence& said) {
  return device.append({record(codec::encode_presence(said))}, std::string(kControlTopic));
}

// What `to` knows of `of`.
std::optional<codec::Presence> known(Device& to, const Device& of) {
  const auto rows = to.store().presences();
  REQUIRE(rows.ok());
  for (const PresenceRow& row : *rows) {
    if (row.device == of.identity().device()) return row.said;
  }
  return std::nullopt;
}

void tamper(const Device& device, const std::string& sql) {
  auto db = store::Connection::open(store::database_path(device.dir().string()),
                                    store::Connection::Mode::kReadWrite);
  REQUIRE(db.ok());
  REQUIRE((*db)->run(sql).ok());
}
// As a store of the version before them has it.
constexpr const char* kForgotten = "DELETE FROM presences; DELETE FROM meta WHERE key='presences'";

TEST_CASE("the newest presence of each device is known, by its number, and over restarts") {
  Device a(1);
  Device b(2);
  const auto first = say(a, at(1, {"10.0.0.1:7401"}));
  REQUIRE(first.presences.size() == 1);
  CHECK(first.presences[0].said == at(1, {"10.0.0.1:7401"}));
  CHECK(say(a, at(7, {"10.0.0.7:7401", "[::1]:7401"})).presences.size() == 1);
  // A stamp that is later makes nothing newer, for it may be a wrong one.
  CHECK(say(a, at(2)).presences.empty());
  say(b, at(1, {}));
  exchange_records({&a, &b});
  for (Device* device : {&a, &b}) {
    CHECK(known(*device, a) == at(7, {"10.0.0.7:7401", "[::1]:7401"}));
    CHECK(known(*device, b) == at(1, {}));
  }
  b.reopen();
  CHECK(known(b, a) == at(7, {"10.0.0.7:7401", "[::1]:7401"}));
  CHECK(say(a, at(6)).presences.empty());
  exchange_records({&a, &b});
  CHECK(known(b, a)->number == 7);
}

TEST_CASE("of two presences with one number that with the later stamp counts") {
  Device a(1);
  say(a, at(1, {"10.0.0.1:1"}));
  CHECK(say(a, at(1, {"10.0.0.1:2"})).presences.size() == 1);
  CHECK(known(a, a) == at(1, {"10.0.0.1:2"}));
}

TEST_CASE("a presence that cannot be read is an event like any other, as is one elsewhere") {
  Device a(1);
  CHECK(a.append({record(payload(1))}, std::string(kControlTopic)).presences.empty());
  CHECK(a.append({record(codec::encode_presence(at(1)))}, "events").presences.empty());
  CHECK(known(a, a) == std::nullopt);
  const auto later = say(a, at(1));
  CHECK(later.presences.size() == 1);
  CHECK(later.advances.front().head.held.seq == 3);  // behind the opening and the other one
}

TEST_CASE("a presence is of the device whose log it stands in, whatever address it names") {
  Device a(1);
  Device b(2);
  Device c(3);
  say(a, at(5));
  say(b, at(9));  // the address of a
  // c has never heard of a.
  exchange_records({&b, &c});
  CHECK(known(c, a) == std::nullopt);
  CHECK(known(c, b) == at(9));
  exchange_records({&a, &b, &c});
  CHECK(known(c, a) == at(5));
  CHECK(known(c, b) == at(9));
}

TEST_CASE("a store that came before presences were known finds them in its logs") {
  Device a(1);
  Device b(2);
  say(a, at(1));
  say(a, at(2, {"10.0.0.2:7401"}));
  say(b, at(4));
  exchange_records({&a, &b});
  b.close();
  tamper(b, kForgotten);
  b.open();
  CHECK(known(b, a) == at(2, {"10.0.0.2:7401"}));
  CHECK(known(b, b) == at(4));
}

TEST_CASE("presences that are damaged are made anew from the logs") {
  Device a(1);
  Device b(2);
  say(a, at(2, {"10.0.0.2:7401"}));
  say(b, at(4));
  exchange_records({&a, &b});
  for (const char* damage : {"UPDATE presences SET record=x'c1'", "UPDATE presences SET number=3",
                             "UPDATE presences SET device=x'01' WHERE number=4"}) {
    CAPTURE(damage);
    b.close();
    tamper(b, damage);
    b.open();
    CHECK(known(b, a) == at(2, {"10.0.0.2:7401"}));
    CHECK(known(b, b) == at(4));
    CHECK(b.store().presences()->size() == 2);
    CHECK(b.store().presence_damage().empty());
  }
}

TEST_CASE("a table of presences that cannot even be emptied hinders no start and no commit") {
  Device a(1);
  Device b(2);
  say(a, at(1));
  exchange_records({&a, &b});
  b.close();
  const std::string path = store::database_path(b.dir().string());
  std::streamoff at_byte = 0;
  {
    auto db = store::Connection::open(path, store::Connection::Mode::kReadWrite);
    REQUIRE(db.ok());
    REQUIRE((*db)->checkpoint(true).ok());
    auto place = (*db)->prepare(
        "SELECT (SELECT page_size FROM pragma_page_size)*(rootpage-1) FROM sqlite_master "
        "WHERE name='presences'");
    REQUIRE(place.ok());
    REQUIRE(place->step().value());
    at_byte = static_cast<std::streamoff>(place->column_u64(0));
  }
  {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(at_byte);
    file << std::string(100, '\xff');
  }
  b.open();
  REQUIRE(b.store().presence_damage().size() == 1);
  CHECK(b.store().presence_damage()[0].code == ErrorCode::kCorrupt);
  CHECK(b.store().presences()->empty());
  say(a, at(2));
  exchange_records({&a, &b});
  CHECK(say(b, at(1)).presences.empty());
  CHECK(b.store().heads().size() == a.store().heads().size());
}

TEST_CASE("a damaged control log hides its own presences alone, from the damage on") {
  Device a(1);
  Device b(2);
  Device c(3);
  say(a, at(1, {"10.0.0.1:1"}));
  say(a, at(2, {"10.0.0.1:2"}));
  say(c, at(7));
  exchange_records({&a, &b});
  exchange_records({&c, &b});
  REQUIRE(known(b, a) == at(2, {"10.0.0.1:2"}));
  b.close();
  tamper(b, kForgotten);
  const std::string log =
      "(SELECT n FROM logs WHERE device=x'" + to_hex(a.identity().device().view()) + "')";
  tamper(b,
         "UPDATE segments SET body=x'ffffffff' WHERE id=(SELECT max(id) FROM segments WHERE "
         "id>>40=" +
             log + ")");
  b.open();
  CHECK(known(b, a) == at(1, {"10.0.0.1:1"}));
  CHECK(known(b, c) == at(7));
  REQUIRE(b.store().presence_damage().size() == 1);
  CHECK(b.store().presence_damage()[0].code == ErrorCode::kCorrupt);
}

TEST_CASE("a table that is made from the logs has no more devices than there may be") {
  Device a(1);
  say(a, at(1));
  std::vector<std::unique_ptr<Device>> others;
  for (std::uint8_t number = 2; number < 12; ++number) {
    others.push_back(std::make_unique<Device>(number));
    say(*others.back(), at(number));
    exchange_records({others.back().get(), &a});
  }
  a.close();
  tamper(a, kForgotten);
  auto db = store::Connection::open(store::database_path(a.dir().string()),
                                    store::Connection::Mode::kReadWrite);
  REQUIRE(db.ok());
  store::LogTable logs;
  REQUIRE(logs.open(**db, false).ok());
  Rng rng(1);
  const std::function<std::uint64_t()> random = [&rng] { return rng.next(); };
  store::Presences presences(a.identity().device(), 4);
  REQUIRE(presences.open(**db, logs, random).ok());
  const auto rows = presences.all();
  REQUIRE(rows.ok());
  CHECK(rows->size() == 4);
  CHECK(std::any_of(rows->begin(), rows->end(),
                    [&a](const PresenceRow& row) { return row.device == a.identity().device(); }));
}

// A table by itself, with devices that need no store.
struct Table {
  explicit Table(std::size_t devices_max) : presences(own, devices_max) {
    auto opened =
        store::Connection::open((dir / "ebb.db").string(), store::Connection::Mode::kReadWrite);
    REQUIRE(opened.ok());
    db = std::move(opened).value();
    REQUIRE(store::migrate(*db, dir.path().string(), 0, store::migrations()).ok());
    REQUIRE(logs.open(*db, false).ok());
    REQUIRE(presences.open(*db, logs, random).ok());
  }
  void note(std::uint64_t device, std::uint64_t number) {
    const Bytes bytes = codec::encode_presence(at(number));
    store::EventRun run;
    codec::EventView view;
    view.hlc = Hlc{number};
    view.type = codec::kPresenceType;
    view.payload = bytes;
    run.events.push_back(view);
    REQUIRE(presences.note(id(device), run).ok());
  }
  static DeviceId id(std::uint64_t number) {
    DeviceId device;
    for (std::size_t i = 0; i < 4; ++i)
      device.data.at(i) = static_cast<std::uint8_t>(number * 2654435761U >> (8 * i));
    device.data[31] = 1;
    return device;
  }
  std::vector<PresenceRow> all() const {
    auto rows = presences.all();
    REQUIRE(rows.ok());
    return std::move(rows).value();
  }

  TempDir dir;
  DeviceId own;  // zeros: of no other
  Rng rng{1};
  std::function<std::uint64_t()> random = [this] { return rng.next(); };
  std::unique_ptr<store::Connection> db;
  store::LogTable logs;
  store::Presences presences;
};

TEST_CASE("presences of no more devices than there may be are kept, and always our own") {
  Table table(100);
  table.presences.begin();
  const Bytes bytes = codec::encode_presence(at(1));
  store::EventRun run;
  codec::EventView view;
  view.type = codec::kPresenceType;
  view.payload = bytes;
  run.events.push_back(view);
  REQUIRE(table.presences.note(table.own, run).ok());
  CHECK(table.presences.committed().size() == 1);
  for (std::uint64_t device = 1; device <= 1000; ++device) {
    if (device % 7 == 1) table.presences.begin();
    table.note(device, 1);
    if (device % 7 == 0) table.presences.committed();
  }
  table.presences.committed();
  const std::vector<PresenceRow> rows = table.all();
  CHECK(rows.size() == 100);
  CHECK(rows.front().device == table.own);
  // Those that stayed are not the first hundred: whoever comes may make anybody go.
  const auto is_early = [](const PresenceRow& row) {
    for (std::uint64_t device = 1; device <= 100; ++device)
      if (row.device == Table::id(device)) return true;
    return false;
  };
  CHECK(std::count_if(rows.begin(), rows.end(), is_early) < 50);
  // A newer one of a device that is known needs no room.
  table.presences.begin();
  for (const PresenceRow& row : rows) {
    if (row.device == table.own) continue;
    REQUIRE(table.presences.note(row.device, run).ok());
  }
  CHECK(table.presences.committed().empty());
  CHECK(table.all() == rows);
}

TEST_CASE("one commit with any number of devices leaves, and tells of, no more than may be") {
  Table table(100);
  store::Transaction transaction(*table.db);
  REQUIRE(transaction.begin().ok());
  table.presences.begin();
  for (std::uint64_t device = 1; device <= 5000; ++device)
    table.note(device, 1);
  REQUIRE(transaction.commit().ok());
  const std::vector<PresenceRow> news = table.presences.committed();
  CHECK(table.all() == news);
  CHECK(news.size() == 100);
  const auto first = std::count_if(news.begin(), news.end(), [](const PresenceRow& row) {
    for (std::uint64_t device = 1; device <= 100; ++device)
      if (row.device == Table::id(device)) return true;
    return false;
  });
  CHECK(first < 50);
}

TEST_CASE("who made room in a transaction that did not commit is there again") {
  Table table(10);
  table.presences.begin();
  for (std::uint64_t device = 1; device <= 10; ++device)
    table.note(device, 5);
  table.presences.committed();
  const std::vector<PresenceRow> before = table.all();
  {
    store::Transaction transaction(*table.db);
    REQUIRE(transaction.begin().ok());
    table.presences.begin();
    for (std::uint64_t device = 11; device <= 60; ++device)
      table.note(device, 1);
  }
  CHECK(table.all() == before);
  // As known as they were: nothing older is news.
  table.presences.begin();
  for (std::uint64_t device = 1; device <= 10; ++device)
    table.note(device, 4);
  CHECK(table.presences.committed().empty());
  CHECK(table.all() == before);
}

TEST_CASE("what a transaction noted that did not commit is forgotten") {
  Table table(10);
  table.presences.begin();
  table.note(1, 1);
  CHECK(table.presences.committed().size() == 1);
  {
    store::Transaction transaction(*table.db);
    REQUIRE(transaction.begin().ok());
    table.presences.begin();
    table.note(1, 2);
    table.note(2, 1);
  }
  CHECK(table.all().size() == 1);
  table.presences.begin();
  table.note(2, 1);
  table.note(1, 2);
  CHECK(table.presences.committed().size() == 2);
  CHECK(table.all().size() == 2);
}

}  // namespace
}  // namespace ebb::tests
