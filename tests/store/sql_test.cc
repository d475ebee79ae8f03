#include <algorithm>
#include <functional>

#include "core/limits.h"
#include "tests/store/sql_fixture.h"

namespace ebb::tests {
namespace {

using store::CommitBatch;
using store::EventRow;
using store::Reader;
using store::SqlLimits;
using store::SqlResult;
using store::SqlValue;

ErrorCode refusal(const Reader& reader, std::string_view sql, const SqlLimits& limits = {}) {
  const auto result = reader.sql(sql, limits);
  INFO(std::string(sql));
  REQUIRE_FALSE(result.ok());
  return result.error().code;
}

TEST_CASE("events are rows with every column as people see it") {
  Device device(1);
  store::AppendEvent item = event(41, "page_view");
  item.ts_ms = 1234;
  item.source = "till-3";
  item.schema = 7;
  item.id = uuid(1);
  device.append({item, event(2)});
  const auto reader = device.reader();
  const auto head = data_heads(device.store())[0];
  const SqlResult result = query(*reader, "SELECT * FROM events WHERE topic='events' ORDER BY seq");
  CHECK(result.columns == std::vector<std::string>{"device", "incarnation", "topic", "seq", "ts",
                                                   "hlc", "type", "source", "schema", "payload",
                                                   "id", "log", "ts_corrected", "suspect"});
  REQUIRE(result.rows.size() == 2);
  const auto& row = result.rows[0];
  CHECK(text(row[0]) == device_text(device.identity().device()));
  Bytes incarnation;
  append_be64(incarnation, device.store().incarnation());
  CHECK(text(row[1]) == to_hex(incarnation));
  CHECK(text(row[2]) == "events");
  CHECK(std::get<std::int64_t>(row[3]) == 1);
  CHECK(std::get<std::int64_t>(row[4]) == 1234);
  CHECK(text(row[6]) == "page_view");
  CHECK(text(row[7]) == "till-3");
  CHECK(std::get<std::int64_t>(row[8]) == 7);
  CHECK(text(row[9]) == R"({"n":41,"page":"/home"})");
  CHECK(text(row[10]) == uuid_text(uuid(1)));
  CHECK(text(row[11]) == log_text(head.log));
  const auto& second = result.rows[1];
  CHECK(std::get<std::int64_t>(second[4]) == head.hlc.wall().ms);
  CHECK(std::get<std::int64_t>(second[5]) == static_cast<std::int64_t>(head.hlc.value));
  CHECK(std::holds_alternative<std::monostate>(second[7]));
  CHECK(text(second[10]).substr(14, 1) == "8");  // a derived UUIDv8
  CHECK(
      text(query(*reader, "SELECT payload ->> '$.page' FROM events WHERE seq=1 AND topic='events'")
               .rows[0][0]) == "/home");
  CHECK(number(*reader, "SELECT sum(payload ->> '$.n') FROM events") == 43);
}

TEST_CASE("conditions give what a naive scan gives") {
  Filled filled;
  const std::vector<Naive> rows = naive_rows(filled.device);
  REQUIRE(rows.size() > 500);
  const auto reader = filled.device.reader();
  CHECK(number(*reader, "SELECT count(*) FROM events") == static_cast<std::int64_t>(rows.size()));
  Rng rng(17);
  for (int round = 0; round < 300; ++round) {
    std::string where = "1";
    std::vector<std::function<bool(const Naive&)>> tests;
    const auto pick = [&] { return rows[rng.below(rows.size())]; };
    const auto equal_to = [&](const std::string& name, const std::string& value,
                              std::string Naive::*field) {
      where += " AND " + name + "='" + value + "'";
      tests.push_back([value, field](const Naive& row) { return row.*field == value; });
    };
    if (rng.chance(1, 4)) equal_to("device", pick().device, &Naive::device);
    if (rng.chance(1, 3))
      equal_to("topic", rng.chance(1, 9) ? "none" : pick().topic, &Naive::topic);
    if (rng.chance(1, 3)) equal_to("type", rng.chance(1, 9) ? "none" : pick().type, &Naive::type);
    if (rng.chance(1, 5)) equal_to("log", pick().log, &Naive::log);
    const auto range = [&](const std::string& name, std::int64_t value,
                           std::int64_t Naive::*field) {
      static constexpr const char* kOps[] = {"=", "<", "<=", ">", ">="};
      const std::uint64_t op = rng.below(5);
      where += " AND " + name + kOps[op] + std::to_string(value);
      tests.push_back([value, op, field](const Naive& row) {
        const std::int64_t is = row.*field;
        return op == 0   ? is == value
               : op == 1 ? is < value
               : op == 2 ? is <= value
               : op == 3 ? is > value
                         : is >= value;
      });
    };
    for (std::uint64_t n = rng.below(3); n > 0; --n) {
      if (rng.chance(1, 2)) range("ts", pick().ts, &Naive::ts);
      if (rng.chance(1, 2)) range("seq", pick().seq, &Naive::seq);
    }
    std::int64_t expected = 0;
    std::int64_t sum = 0;
    for (const Naive& row : rows) {
      if (!std::all_of(tests.begin(), tests.end(), [&row](const auto& t) { return t(row); }))
        continue;
      ++expected;
      sum += row.seq;
    }
    INFO(where);
    const SqlResult got =
        query(*reader, "SELECT count(*), coalesce(sum(seq),0) FROM events WHERE " + where);
    CHECK(std::get<std::int64_t>(got.rows[0][0]) == expected);
    CHECK(std::get<std::int64_t>(got.rows[0][1]) == sum);
  }
}

TEST_CASE("values of other types and other collations are compared by SQLite's rules") {
  Filled filled;
  const auto reader = filled.device.reader();
  const auto same = [&reader](const std::string& a, const std::string& b) {
    INFO(a);
    CHECK(number(*reader, "SELECT count(*) FROM events WHERE " + a) ==
          number(*reader, "SELECT count(*) FROM events WHERE " + b));
  };
  same("seq='5'", "seq=5");
  same("ts<100.5", "ts<=100");
  same("ts>'abc'", "0");
  same("type='TYPE1' COLLATE NOCASE", "type='type1'");
  same("topic IN ('views','clicks','_ebb')", "1");
  same("seq>9223372036854775807", "0");
  same("seq<-9223372036854775807", "0");
  same("seq=3 AND seq=4", "0");
  same("type='type1' AND type='type2'", "0");
  same("device IS NULL", "0");
  same("seq BETWEEN 3 AND 5", "seq=3 OR seq=4 OR seq=5");
  CHECK(number(*reader,
               "SELECT count(*) FROM events a JOIN events b ON a.log=b.log AND "
               "b.seq=a.seq+1 WHERE a.topic='views'") ==
        number(*reader, "SELECT sum(seq-1) FROM heads WHERE topic='views'"));
}

TEST_CASE("a scan with conditions reads only segments that can match") {
  Device device(1);
  for (int i = 0; i < 50; ++i) {
    store::AppendEvent item = event(i, i < 25 ? "old" : "new");
    item.ts_ms = i;
    device.append({item});
  }
  const auto reader = device.reader();
  const auto segments_visited = [&reader](const std::string& where) {
    std::uint64_t asked = 0;
    SqlLimits limits;
    limits.expired = [&asked] {
      ++asked;
      return false;
    };
    REQUIRE(reader->sql("SELECT count(*) FROM events WHERE " + where, limits).ok());
    return asked;
  };
  CHECK(segments_visited("1") >= 50);
  CHECK(segments_visited("topic='events' AND ts>=48") <= 4);
  CHECK(segments_visited("seq=7") <= 3);
  CHECK(segments_visited("type='old'") <= 30);
  CHECK(segments_visited("topic='none'") <= 1);
}

TEST_CASE("heads, devices and reconciliations are published with ids as text") {
  Filled filled;
  CommitBatch batch;
  store::ReconciliationRow row;
  row.peer = filled.other.identity().device();
  row.kind = "hello";
  row.outcome = "in_sync";
  batch.reconciliations.push_back(row);
  batch.peers.push_back({row.peer, "127.0.0.1:9", WallTime{5}});
  filled.device.commit(batch);
  const auto reader = filled.device.reader();
  const std::string peer = device_text(row.peer);
  CHECK(number(*reader, "SELECT count(*) FROM heads") ==
        static_cast<std::int64_t>(filled.device.store().heads().size()));
  CHECK(number(*reader, "SELECT sum(seq) FROM heads") ==
        number(*reader, "SELECT count(*) FROM events"));
  CHECK(number(*reader, "SELECT count(*) FROM devices") == 2);
  CHECK(
      text(query(*reader, "SELECT address FROM devices WHERE device='" + peer + "'").rows[0][0]) ==
      "127.0.0.1:9");
  CHECK(number(*reader, "SELECT events FROM devices WHERE device='" + peer + "'") ==
        number(*reader, "SELECT count(*) FROM events WHERE device='" + peer + "'"));
  const SqlResult result = query(*reader, "SELECT peer, kind, outcome, id FROM reconciliations");
  REQUIRE(result.rows.size() == 1);
  CHECK(text(result.rows[0][0]) == peer);
  CHECK(text(result.rows[0][3]) == std::string(32, '0'));
}

TEST_CASE("everything but a read of published tables is refused") {
  Device device(1);
  device.append({event(1)});
  const auto reader = device.reader();
  for (const char* sql : {
           "SELECT * FROM logs",
           "SELECT * FROM main.segments",
           "SELECT * FROM main.reconciliations",
           "SELECT * FROM meta",
           "SELECT * FROM sqlite_schema",
           "SELECT * FROM sqlite_temp_schema",
           "SELECT * FROM pragma_table_info('logs')",
           "SELECT count(*) FROM client_ids",
           "DELETE FROM events",
           "INSERT INTO logs(n) VALUES(1)",
           "UPDATE meta SET value=1",
           "CREATE TABLE t(a)",
           "CREATE TEMP TABLE t(a)",
           "CREATE TEMP VIEW v AS SELECT * FROM logs",
           "DROP VIEW heads",
           "PRAGMA query_only=0",
           "PRAGMA journal_mode",
           "ATTACH ':memory:' AS x",
           "BEGIN",
           "COMMIT",
           "VACUUM",
           "ANALYZE",
           "REINDEX",
           "SELECT load_extension('x')",
           "SELECT randomblob(10)",
           "SELECT zeroblob(1000000000)",
           "SELECT sqlite_version()",
           "SELECT fts3_tokenizer('a')",
           "SELECT readfile('/etc/passwd')",
           "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT count(*) FROM n",
           "SELECT 1; SELECT 2",
           "SELECT 1; DELETE FROM events",
           "SELEC 1",
           "",
           " -- nothing\n",
       }) {
    CHECK(refusal(*reader, sql) == ErrorCode::kInvalidArgument);
  }
  CHECK(refusal(*reader, std::string_view("SELECT 1\0;", 10)) == ErrorCode::kInvalidArgument);
  // After all that the session still answers.
  CHECK(number(*reader, "SELECT count(*) FROM events; -- and a comment\n") == 2);
  CHECK(device.append({event(2)}).advances.size() == 1);
  CHECK(number(*reader, "SELECT count(*) FROM events") == 3);
}

TEST_CASE("a query is bounded in rows, bytes, time and size") {
  Device device(1);
  std::vector<store::AppendItem> items(500, event(1));
  device.append(items);
  const auto reader = device.reader();
  SqlLimits limits;
  limits.rows = 499;
  CHECK(refusal(*reader, "SELECT seq FROM events", limits) == ErrorCode::kTooLarge);
  limits.rows = 500;
  CHECK(reader->sql("SELECT seq FROM events WHERE topic='events'", limits).ok());
  limits.bytes = 1000;
  CHECK(refusal(*reader, "SELECT payload FROM events", limits) == ErrorCode::kTooLarge);
  CHECK(refusal(*reader, "SELECT 1 /*" + std::string(20000, 'x') + "*/") == ErrorCode::kTooLarge);
  CHECK(refusal(*reader, "SELECT replace('aaaaaaaaaaaaaaaa', 'a', printf('%.*c', 99999, 'x'))") ==
        ErrorCode::kTooLarge);
  CHECK(refusal(*reader, "SELECT hex(printf('%.*c', 300000, 'x'))") == ErrorCode::kTooLarge);
  std::string deep = "1";
  for (int i = 0; i < 100; ++i)
    deep = "(1+" + deep + ")";
  CHECK(refusal(*reader, "SELECT " + deep) == ErrorCode::kInvalidArgument);

  SqlLimits timed;
  int asked = 0;
  timed.expired = [&asked] { return ++asked > 5; };
  const auto late = reader->sql(
      "SELECT count(*) FROM events a, events b, events c WHERE a.seq+b.seq+c.seq=-1", timed);
  REQUIRE_FALSE(late.ok());
  CHECK(late.error().code == ErrorCode::kTooLarge);
  CHECK(late.error().context == "time");
  CHECK(number(*reader, "SELECT count(*) FROM events") == 501);
}

}  // namespace
}  // namespace ebb::tests
