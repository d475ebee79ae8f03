#include <thread>

#include "core/limits.h"
#include "tests/store/sql_fixture.h"

namespace ebb::tests {
namespace {

using store::SqlLimits;

Error refusal(const store::Reader& reader, const std::string& sql, const SqlLimits& limits = {}) {
  const auto result = reader.sql(sql, limits);
  INFO(sql.substr(0, 200));
  REQUIRE_FALSE(result.ok());
  return result.error();
}

// `count` times `column`, which is of some size.
std::string columns(std::size_t count, const std::string& column) {
  std::string sql = "SELECT " + column;
  for (std::size_t i = 1; i < count; ++i)
    sql += "," + column;
  return sql;
}

TEST_CASE("one row cannot take more of the heap than a query may have") {
  Device device(1);
  const auto reader = device.reader();
  SqlLimits generous;
  generous.bytes = std::size_t{1} << 30;
  const Error error = refusal(*reader, columns(100, "printf('%.*c',500000,'x')"), generous);
  CHECK(error.code == ErrorCode::kTooLarge);
  CHECK(error.context == "memory");
  // With less than that the row is made, and the next query has all of its budget again.
  for (int i = 0; i < 4; ++i)
    CHECK(reader->sql(columns(20, "printf('%.*c',500000,'x')"), generous).ok());
}

TEST_CASE("the writer commits while a query is at the end of its heap") {
  Device device(1);
  device.append({event(1), event(2)});
  const auto reader = device.reader();
  SqlLimits generous;
  generous.bytes = std::size_t{1} << 30;
  int commits = 0;
  // Asked in the middle of the query, on its thread, where the budget is.
  generous.expired = [&device, &commits] {
    std::thread writer(
        [&device, &commits] { commits += device.append({event(3)}).advances.empty() ? 0 : 1; });
    writer.join();
    return false;
  };
  const std::string sql = columns(60, "printf('%.*c',500000+a.seq,'x')") + " FROM events a";
  CHECK(reader->sql(sql, generous).ok());
  CHECK(
      refusal(*reader, columns(70, "printf('%.*c',500000+a.seq,'x')") + " FROM events a", generous)
          .context == "memory");
  CHECK(commits > 0);
}

TEST_CASE("a result counts as it lies in memory, before a value of it is copied") {
  Device device(1);
  std::vector<store::AppendItem> items(100, event(1));
  device.append(items);
  const auto reader = device.reader();
  SqlLimits limits;
  limits.bytes = 100 * (sizeof(std::vector<store::SqlValue>) + 2 * sizeof(store::SqlValue));
  const std::string sql = "SELECT 1,2 FROM events WHERE topic='events'";
  CHECK(reader->sql(sql, limits).ok());
  --limits.bytes;
  CHECK(refusal(*reader, sql, limits).context == "bytes");
  limits.bytes = 600000;
  CHECK(reader->sql("SELECT printf('%.*c',500000,'x')", limits).ok());
  CHECK(refusal(*reader, columns(2, "printf('%.*c',500000,'x')"), limits).context == "bytes");
}

TEST_CASE("a query ends near its time, whatever a function is given") {
  Device device(1);
  std::vector<store::AppendItem> items(100, event(1));
  device.append(items);
  const auto reader = device.reader();
  const std::string same = "printf('%.*c',500000,'a')";
  const std::string half = "printf('%.*c',250000,'a')||'b'";
  const std::vector<std::pair<std::string, std::int64_t>> calls = {
      {"instr(" + same + "," + half + ")", 0},
      {"length(replace(" + same + "," + half + ",''))", 500000},
      {"length(trim(" + same + ",'bcdefgh'))", 500000},
      {"(" + same + " LIKE '%a%a%a%a%a%a%a%a%a%ab')", 0},
      {"(" + same + " GLOB '*a*a*a*a*a*a*a*a*a*ab')", 0}};
  for (const auto& each : calls) {
    const std::string& call = each.first;
    INFO(call);
    // Nobody can end a call of a function: one whose time was the product of both lengths would
    // not come back here.
    CHECK(number(*reader, "SELECT " + call) == each.second);
    int asked = 0;
    SqlLimits limits;
    limits.expired = [&asked] { return ++asked == 3; };
    const std::string all = "SELECT sum(" + call + ") FROM events";
    const Error error = refusal(*reader, all, limits);
    CHECK(error.code == ErrorCode::kTooLarge);
    CHECK(error.context == "time");
    CHECK(asked == 3);
  }
}

TEST_CASE("a text may call so many functions and no more") {
  Device device(1);
  const auto reader = device.reader();
  const auto calls = [](std::size_t count) {
    std::string sql = columns(count / 5, "abs(1)+abs(2)+abs(3)+abs(4)+abs(5)");
    for (std::size_t i = 0; i < count % 5; ++i)
      sql += ",abs(1)";
    return sql;
  };
  CHECK(reader->sql(calls(limits::kSqlCalls), {}).ok());
  const Error error = refusal(*reader, calls(limits::kSqlCalls + 1));
  CHECK(error.code == ErrorCode::kTooLarge);
  CHECK(error.detail.find("calls of functions") != std::string::npos);
}

TEST_CASE("functions done again mean what they mean in SQLite") {
  Device device(1);
  const auto reader = device.reader();
  const auto same = [&reader](const std::string& call, const std::string& value) {
    INFO(call);
    CHECK(number(*reader, "SELECT " + call + " IS " + value) == 1);
  };
  same("instr('abcabc','c')", "3");
  same("instr('abc','x')", "0");
  same("instr('abc','')", "1");
  same("instr('','a')", "0");
  same("instr('äöü','ü')", "3");
  same("instr(x'c3a4c3b6',x'c3b6')", "3");
  same("instr(12345,34)", "3");
  same("instr(NULL,'a')", "NULL");
  same("instr('a',NULL)", "NULL");
  same("replace('banana','an','-')", "'b--a'");
  same("replace('aaa','a','aa')", "'aaaaaa'");
  same("replace('abc','','x')", "'abc'");
  same("replace('abc','abc','')", "''");
  same("replace(121,1,3)", "'323'");
  same("replace('a',NULL,'b')", "NULL");
  same("trim('  a b ')", "'a b'");
  same("ltrim('  a ')", "'a '");
  same("rtrim('  a ')", "'  a'");
  same("trim('xyaxy','yx')", "'a'");
  same("ltrim('xyaxy','yx')", "'axy'");
  same("rtrim('xyaxy','yx')", "'xya'");
  same("trim('äöaöä','öä')", "'a'");
  same("trim('aaa','a')", "''");
  same("trim('aaa','')", "'aaa'");
  same("trim(NULL)", "NULL");
  same("trim('a',NULL)", "NULL");
  same("typeof(replace(1,2,3))", "'text'");
  CHECK(refusal(*reader, "SELECT trim('a','" + std::string(65, 'b') + "')").code ==
        ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace ebb::tests
