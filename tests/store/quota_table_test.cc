// The quota in a store: what it refuses, what it counts, and what it remembers.
#include "store/quota_table.h"

#include "store/sqlite.h"
#include "tests/store/store_fixture.h"

namespace ebb::tests {
namespace {

using store::QuotaLimit;
using store::SegmentOutcome;
using trust::VerifiedSegment;

constexpr std::uint64_t kEvents = 640;  // of which control records have ten
constexpr QuotaLimit kFew{std::uint64_t{1} << 20, kEvents};
constexpr auto kStored = SegmentOutcome::kStored;
constexpr auto kOver = SegmentOutcome::kOverQuota;
constexpr Duration kOneDay = seconds(86400);

VerifiedSegment made(Device& author, std::size_t events, const std::string& topic = "events") {
  std::vector<store::AppendItem> items;
  for (std::size_t i = 0; i < events; ++i)
    items.emplace_back(event(static_cast<std::int64_t>(i)));
  auto segments = author.append(std::move(items), topic).own_segments;
  REQUIRE(segments.size() == 1);
  return segments[0];
}

SegmentOutcome give(Device& to, const VerifiedSegment& segment) {
  return to.receive({segment}).segments.at(0);
}

void limit(Device& device, const QuotaLimit& quota) {
  device.quota = quota;
  device.reopen();
}

void run_on(const Device& device, const std::string& sql) {
  auto db = store::Connection::open((device.dir() / "ebb.db").string(),
                                    store::Connection::Mode::kReadWrite);
  REQUIRE(db.ok());
  REQUIRE((*db)->run(sql).ok());
}

std::int64_t ask(const Device& device, const std::string& sql) {
  auto db = store::Connection::open((device.dir() / "ebb.db").string(),
                                    store::Connection::Mode::kReadOnly);
  REQUIRE(db.ok());
  const auto answer = (*db)->query_int(sql);
  REQUIRE(answer.ok());
  return *answer;
}

TEST_CASE("a segment beyond its author's quota is not stored, and everybody else goes on") {
  Device author(2);
  Device other(3);
  Device device(1);
  std::uint64_t first = kEvents - 40;
  SUBCASE("of events") { limit(device, kFew); }
  SUBCASE("of bytes") {
    const VerifiedSegment whole = made(author, first, "measure");
    limit(device, {whole.raw->size() * (first + 40) / first, 1000000});
    author.pass(kOneDay);
    device.pass(kOneDay);
    other.pass(kOneDay);
  }
  const VerifiedSegment begin = made(author, first);
  const VerifiedSegment last = made(author, 60);
  const VerifiedSegment after = made(author, 1);
  CHECK(give(device, begin) == kStored);
  const std::size_t logs = device.store().heads().size();
  CHECK(device.receive({last, after, made(author, 60, "fresh"), made(other, 60)}).segments ==
        std::vector{kOver, SegmentOutcome::kGap, kOver, kStored});
  CHECK(device.store().heads().size() == logs + 1);
  CHECK(device.store().applied().at(begin.log).seq == first);
  // What still fits is taken, whatever the log.
  CHECK(give(device, made(author, 30, "small")) == kStored);
  CHECK(give(device, made(author, 30, "smaller")) == kOver);
}

TEST_CASE("what was taken is remembered over a start, and of a failed commit nothing is") {
  Device author(2);
  Device device(1);
  limit(device, kFew);
  const VerifiedSegment begin = made(author, 500);
  const VerifiedSegment next = made(author, 100);
  REQUIRE(device.store().set_page_count_max(1).ok());
  store::CommitBatch batch;
  batch.segments = {begin};
  batch.now = device.reading();
  REQUIRE(!device.store().commit(batch).ok());
  REQUIRE(device.store().set_page_count_max(0).ok());
  CHECK(give(device, begin) == kStored);
  device.reopen();
  CHECK(give(device, next) == kStored);
  device.reopen();
  CHECK(give(device, made(author, 60)) == kOver);
  CHECK(ask(device, "SELECT sum(events) FROM quotas WHERE kind=0") == 600);
  CHECK(ask(device, "SELECT sum(bytes) FROM quotas WHERE kind=0") ==
        static_cast<std::int64_t>(begin.raw->size() + next.raw->size()));
}

TEST_CASE("a segment of two days needs room in both") {
  Device author(2);
  Device device(1);
  limit(device, kFew);
  const VerifiedSegment yesterday = made(author, 600);
  author.pass(kOneDay);
  device.pass(kOneDay);
  const VerifiedSegment today = made(author, 600);
  const VerifiedSegment both = as_one({yesterday, today});
  REQUIRE(both.count == 1200);
  CHECK(give(device, made(author, 41, "more")) == kStored);
  CHECK(give(device, both) == kOver);
  CHECK(give(device, yesterday) == kStored);
  CHECK(give(device, both) == kOver);
  CHECK(ask(device, "SELECT count(*) FROM quotas WHERE kind=0") == 2);
}

TEST_CASE("a backlog of 30 full days passes, and today has its own quota") {
  Device author(2);
  Device device(1);
  limit(device, kFew);
  std::vector<VerifiedSegment> backlog;
  for (int day = 0; day < 30; ++day) {
    backlog.push_back(made(author, kEvents));
    author.pass(kOneDay);
  }
  device.pass(kOneDay * 30);
  for (const VerifiedSegment& segment : backlog)
    REQUIRE(give(device, segment) == kStored);
  CHECK(give(device, made(author, kEvents)) == kStored);
  CHECK(give(device, made(author, 1)) == kOver);
}

TEST_CASE("days after tomorrow share one allowance") {
  Device author(2);
  Device device(1);
  limit(device, kFew);
  author.pass(kOneDay);
  CHECK(give(device, made(author, kEvents)) == kStored);  // tomorrow
  author.pass(kOneDay);
  CHECK(give(device, made(author, 600)) == kStored);
  author.pass(kOneDay * 700);
  CHECK(give(device, made(author, 40)) == kStored);
  author.pass(kOneDay * 700);
  const VerifiedSegment beyond = made(author, 1);
  CHECK(give(device, beyond) == kOver);
  device.reopen();
  CHECK(give(device, beyond) == kOver);
  device.pass(kOneDay);
  CHECK(give(device, beyond) == kStored);
}

TEST_CASE("with a suspect clock everything is counted and nothing refused") {
  Device author(2);
  Device device(1);
  limit(device, kFew);
  device.append({event(1)});
  device.now.ms -= 3600000;
  REQUIRE(device.store().clock_judge().judge(device.reading()).suspect());
  for (int i = 0; i < 3; ++i)
    CHECK(give(device, made(author, kEvents)) == kStored);
  device.now.ms += 3600000;
  REQUIRE(!device.store().clock_judge().judge(device.reading()).suspect());
  CHECK(give(device, made(author, 1)) == kOver);
  author.pass(kOneDay);
  CHECK(give(device, made(author, kEvents, "tomorrow")) == kStored);
}

TEST_CASE("control records have an allowance of their own, which no flood of events takes") {
  Device author(2);
  Device device(1);
  limit(device, kFew);
  CHECK(give(device, made(author, kEvents)) == kStored);
  CHECK(give(device, made(author, 1)) == kOver);
  const std::string control(kControlTopic);
  const auto heads = author.store().heads();
  CHECK(give(device, read_all(author.store(), heads.at(0)).at(0)) == kStored);
  REQUIRE(heads[0].key.topic == control);
  REQUIRE(heads[0].held.seq == 1);
  CHECK(give(device, made(author, 9, control)) == kStored);
  CHECK(give(device, made(author, 1, control)) == kOver);
}

TEST_CASE("what is written here is bounded by the disk alone, also when it comes back") {
  Device device(1);
  limit(device, {1000, 10});
  std::vector<VerifiedSegment> segments;
  for (int i = 0; i < 5; ++i)
    segments.push_back(made(device, 100));
  device.close();
  for (const char* name : {"ebb.db", "ebb.db-wal", "ebb.db-shm"})
    std::filesystem::remove(device.dir() / name);
  device.open();
  for (const VerifiedSegment& segment : segments)
    CHECK(give(device, segment) == kStored);
  CHECK(ask(device, "SELECT count(*) FROM quotas") == 0);
}

TEST_CASE("stamps all over the calendar leave few rows, and the log goes on") {
  Device author(2);
  Device device(1);
  device.now.ms += 20000 * kOneDay.ms();
  limit(device, kFew);
  Rng rng(1);
  const VerifiedSegment control = read_all(author.store(), author.store().heads().at(0)).at(0);
  for (int i = 0; i < 150; ++i) {
    author.pass(kOneDay * static_cast<std::int64_t>(rng.below(200)));
    REQUIRE(give(device, made(author, 1)) == kStored);
  }
  for (int i = 0; i < 50; ++i) {
    author.pass(kOneDay * static_cast<std::int64_t>(rng.below(50000)));
    REQUIRE(give(device, made(author, 1)) == kStored);
  }
  REQUIRE(give(device, control) == kStored);
  const auto days = static_cast<std::int64_t>(limits::kQuotaDays);
  CHECK(ask(device, "SELECT count(*) FROM quotas WHERE kind=0") == days);
  CHECK(ask(device, "SELECT count(*) FROM quotas WHERE kind=2") == 1);
  CHECK(ask(device, "SELECT count(*) FROM quotas") == days + 2);
  CHECK(ask(device, "SELECT sum(events) FROM quotas") == 201);
}

TEST_CASE("in a full table an author that needs another row keeps few") {
  Device author(2);
  Device device(1);
  device.now.ms += 100 * kOneDay.ms();
  device.reopen();
  for (int day = 0; day < 5; ++day) {
    author.pass(kOneDay);
    REQUIRE(give(device, made(author, 1)) == kStored);
  }
  REQUIRE(ask(device, "SELECT count(*) FROM quotas") == 5);
  device.close();
  run_on(device,
         "PRAGMA synchronous=OFF; WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM i "
         "WHERE n<" +
             std::to_string(limits::kQuotaRows - 5) +
             ") INSERT INTO quotas SELECT x'00',0,n,n,1,1 FROM i");
  device.open();
  const VerifiedSegment same_day = made(author, 1);
  CHECK(give(device, same_day) == kStored);
  CHECK(ask(device, "SELECT count(*) FROM quotas WHERE device<>x'00'") == 5);
  author.pass(kOneDay);
  CHECK(give(device, made(author, 1)) == kStored);
  CHECK(ask(device, "SELECT count(*) FROM quotas WHERE device<>x'00'") ==
        static_cast<std::int64_t>(limits::kQuotaDaysFew));
  CHECK(ask(device, "SELECT sum(events) FROM quotas WHERE device<>x'00'") == 7);
  // There is room again.
  author.pass(kOneDay);
  CHECK(give(device, made(author, 1)) == kStored);
  CHECK(ask(device, "SELECT count(*) FROM quotas WHERE device<>x'00'") ==
        static_cast<std::int64_t>(limits::kQuotaDaysFew) + 1);
}

TEST_CASE("an author whose rows are damaged is counted anew, and it is told") {
  Device author(2);
  Device device(1);
  limit(device, kFew);
  REQUIRE(give(device, made(author, 600)) == kStored);
  const char* damage = "UPDATE quotas SET kind=4";
  SUBCASE("of no kind") {}
  SUBCASE("that end before they begin") { damage = "UPDATE quotas SET first_day=last_day+1"; }
  SUBCASE("that cover what others cover") {
    damage = "INSERT INTO quotas SELECT device,kind,last_day+1,first_day,1,1 FROM quotas";
  }
  run_on(device, damage);
  const store::CommitResult next = device.receive({made(author, 600)});
  CHECK(next.segments.at(0) == kStored);
  REQUIRE(next.damage.size() == 1);
  CHECK(next.damage[0].code == ErrorCode::kCorrupt);
  CHECK(next.damage[0].detail == device_text(author.identity().device()));
  CHECK(ask(device, "SELECT count(*) FROM quotas") == 1);
  CHECK(ask(device, "SELECT events FROM quotas") == 600);
  // Which holds from then on.
  const store::CommitResult more = device.receive({made(author, 60)});
  CHECK(more.segments.at(0) == kOver);
  CHECK(more.damage.empty());
}

TEST_CASE("a store of version 3 takes what comes from then on, and counts it") {
  Device author(2);
  Device device(1);
  limit(device, kFew);
  const VerifiedSegment before = made(author, 600);
  REQUIRE(give(device, before) == kStored);
  device.close();
  run_on(device,
         "DROP TABLE quotas; DROP TABLE authority_records; DROP TABLE authority_missing; "
         "PRAGMA user_version=3");
  device.open();
  CHECK(std::filesystem::exists(device.dir() / "ebb.db.3"));
  CHECK(device.store().applied().at(before.log).seq == 600);
  CHECK(give(device, before) == SegmentOutcome::kDuplicate);
  CHECK(give(device, made(author, 600)) == kStored);
  CHECK(give(device, made(author, 60)) == kOver);
}

}  // namespace
}  // namespace ebb::tests
