#include "store/client_ids.h"

#include "core/limits.h"
#include "store/schema.h"
#include "tests/store/store_fixture.h"

namespace ebb::tests {
namespace {

using store::ClientIds;
using store::Connection;

struct Table {
  Table() {
    auto opened = Connection::open((dir / "ids.db").string(), Connection::Mode::kReadWrite);
    REQUIRE(opened.ok());
    db = std::move(opened).value();
    REQUIRE(store::migrate(*db, dir.path().string(), 0, store::migrations()).ok());
    REQUIRE(ids.open(*db).ok());
  }
  bool has(std::uint64_t id) {
    const auto found = ids.find(uuid(id));
    REQUIRE(found.ok());
    return found->has_value();
  }
  // As if so many had been given since the first.
  void jump_to(std::int64_t n) {
    REQUIRE(db->run("UPDATE client_ids SET n=" + std::to_string(n) +
                    " WHERE n=(SELECT max(n) FROM client_ids)")
                .ok());
  }
  TempDir dir;
  std::unique_ptr<Connection> db;
  ClientIds ids;
};

constexpr WallTime kDayOne{1000000};
constexpr WallTime kLater{1000000 + limits::kClientIdsKeptMs + 1};
constexpr auto kKept = static_cast<std::int64_t>(limits::kClientIdsKeptMin);

TEST_CASE("the first place of a client id stays") {
  Table table;
  REQUIRE(table.ids.insert(uuid(1), {3, 5}, kDayOne).ok());
  REQUIRE(table.ids.insert(uuid(1), {4, 6}, kDayOne).ok());
  const auto found = table.ids.find(uuid(1));
  REQUIRE(found.ok());
  REQUIRE(found->has_value());
  CHECK((*found)->n == 3);
  CHECK((*found)->seq == 5);
  CHECK_FALSE(table.has(2));
}

TEST_CASE("a client id is forgotten only outside of both bounds") {
  Table table;
  for (std::uint64_t id = 1; id <= 5; ++id)
    REQUIRE(table.ids.insert(uuid(id), {1, id}, kDayOne).ok());
  SUBCASE("old, but few came since") {
    table.jump_to(kKept);
    REQUIRE(table.ids.prune(100, kLater).ok());
    CHECK(table.has(1));
  }
  SUBCASE("many came since, but it is young") {
    table.jump_to(10 * kKept);
    REQUIRE(table.ids.prune(100, WallTime{kDayOne.ms + 5}).ok());
    CHECK(table.has(1));
  }
  SUBCASE("from a clock that was far ahead, and many came since") {
    table.jump_to(10 * kKept);
    const WallTime right{kDayOne.ms - limits::kClientIdsKeptMs};
    REQUIRE(table.ids.prune(100, right).ok());
    CHECK(table.has(1));
    REQUIRE(table.ids.prune(100, WallTime{right.ms - 1}).ok());
    CHECK_FALSE(table.has(4));
    CHECK(table.has(5));
  }
  SUBCASE("from a clock that was far ahead, but few came since") {
    table.jump_to(kKept);
    REQUIRE(table.ids.prune(100, WallTime{0}).ok());
    CHECK(table.has(1));
  }
  SUBCASE("old, and many came since") {
    table.jump_to(kKept + 3);
    REQUIRE(table.ids.prune(2, kLater).ok());
    CHECK_FALSE(table.has(1));
    CHECK_FALSE(table.has(2));
    CHECK(table.has(3));
    REQUIRE(table.ids.prune(100, kLater).ok());
    CHECK_FALSE(table.has(3));
    CHECK(table.has(4));
    CHECK(table.has(5));
  }
}

}  // namespace
}  // namespace ebb::tests
