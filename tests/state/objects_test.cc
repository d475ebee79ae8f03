#include "state/objects.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "codec/value.h"
#include "core/limits.h"
#include "state/entry_key.h"
#include "state/operation.h"
#include "tests/state/model.h"

using namespace ebb;
using namespace ebb::state;
using ebb::tests::log_of;

namespace {

std::string json_of(const Bytes& payload) {
  auto json = codec::to_json(payload);
  REQUIRE(json.ok());
  return *json;
}

bool starts_with(const Bytes& key, const Bytes& prefix) {
  return key.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), key.begin());
}

// A canonical map, written by hand so that its shape can be wrong.
Bytes map_of(std::size_t pairs, const std::vector<Bytes>& parts) {
  Bytes out;
  codec::Writer(out).map(pairs);
  for (const Bytes& part : parts)
    append(out, part);
  return out;
}
Bytes text(std::string_view value) {
  Bytes out;
  codec::Writer(out).str(value);
  return out;
}
Bytes integer(std::int64_t value) {
  Bytes out;
  codec::Writer(out).integer(value);
  return out;
}
Bytes texts(const std::vector<std::string>& values) {
  Bytes out;
  codec::Writer(out).array(values.size());
  for (const std::string& value : values)
    append(out, text(value));
  return out;
}
bool is_set_change(const Bytes& kills) {
  return read_set_change(
             map_of(3, {text("element"), text("e"), text("kills"), kills, text("name"), text("n")}))
      .has_value();
}

}  // namespace

TEST_CASE("objects: 128-bit totals print as decimal numbers") {
  CHECK(int128_text(0) == "0");
  CHECK(int128_text(-1) == "-1");
  CHECK(int128_text(INT64_MIN) == "-9223372036854775808");
  CHECK(int128_text(kInt128Max) == "170141183460469231731687303715884105727");
  CHECK(int128_text(-kInt128Max - 1) == "-170141183460469231731687303715884105728");
}

TEST_CASE("objects: windows are floors, before 1970 too") {
  CHECK(count_window_start(0) == 0);
  CHECK(count_window_start(59999) == 0);
  CHECK(count_window_start(60000) == 60000);
  CHECK(count_window_start(-1) == -60000);
  CHECK(count_window_start(-60000) == -60000);
  CHECK(count_window_start(-60001) == -120000);
  CHECK(count_window_start(INT64_MAX) == INT64_MAX / 60000 * 60000);
  CHECK(count_window_start(INT64_MIN) == INT64_MIN);
  const std::int64_t second_window = INT64_MIN / 60000 * 60000;
  CHECK(count_window_start(second_window - 1) == INT64_MIN);
  CHECK(count_window_start(second_window) == second_window);
}

TEST_CASE("objects: payloads of operations are the maps of the specification") {
  auto add = counter_add_payload("visits", -3);
  REQUIRE(add.ok());
  CHECK(json_of(*add) == R"({"amount":-3,"name":"visits"})");
  const Dot dot{log_of(7), 12};
  auto set = set_payload("cart", "apple", {dot});
  REQUIRE(set.ok());
  CHECK(json_of(*set) ==
        R"({"element":"apple","kills":[")" + dot_text(dot) + R"("],"name":"cart"})");
}

TEST_CASE("objects: payloads refuse what readers would refuse") {
  CHECK(counter_add_payload("", 1).error().code == ErrorCode::kInvalidArgument);
  CHECK(counter_add_payload(std::string(129, 'n'), 1).error().code == ErrorCode::kTooLarge);
  CHECK(counter_add_payload("\xff", 1).error().code == ErrorCode::kMalformed);
  CHECK(set_payload("", "e", {}).error().code == ErrorCode::kInvalidArgument);
  CHECK(set_payload("n", std::string(1025, 'e'), {}).error().code == ErrorCode::kTooLarge);
  const std::vector<Dot> kills(1025, Dot{log_of(1), 1});
  CHECK(set_payload("n", "e", kills).error().code == ErrorCode::kTooLarge);
}

TEST_CASE("objects: the largest operation fits a payload and reads back") {
  std::vector<Dot> kills;
  for (std::uint64_t i = 0; i < limits::kKillsPerOperation; ++i) {
    kills.push_back({log_of(9), UINT64_MAX - i});
  }
  const std::string name(limits::kObjectNameBytes, 'n');
  const std::string element(limits::kSetElementBytes, 'e');
  auto payload = set_payload(name, element, kills);
  REQUIRE(payload.ok());
  const auto change = read_set_change(*payload);
  REQUIRE(change.has_value());
  CHECK(change->name == name);
  CHECK(change->element == element);
  CHECK(change->kills == kills);
}

TEST_CASE("operations: a counter add reads back at both ends of its range") {
  for (const std::int64_t amount : {INT64_MIN, std::int64_t{0}, INT64_MAX}) {
    auto payload = counter_add_payload("c", amount);
    REQUIRE(payload.ok());
    const auto add = read_counter_add(*payload);
    REQUIRE(add.has_value());
    CHECK(add->amount == amount);
    CHECK(add->name == "c");
  }
}

TEST_CASE("operations: a payload of another shape is none") {
  CHECK_FALSE(read_counter_add({}));
  CHECK_FALSE(read_counter_add(Bytes{0xc0}));
  CHECK_FALSE(read_counter_add(map_of(1, {text("name"), text("n")})));
  CHECK_FALSE(read_counter_add(map_of(2, {text("amount"), text("1"), text("name"), text("n")})));
  CHECK_FALSE(read_counter_add(map_of(2, {text("amount"), integer(1), text("name"), integer(1)})));
  CHECK_FALSE(read_counter_add(map_of(2, {text("amount"), integer(1), text("name"), text("")})));
  CHECK_FALSE(read_counter_add(
      map_of(2, {text("amount"), integer(1), text("name"), text(std::string(129, 'n'))})));
  CHECK_FALSE(read_counter_add(
      map_of(3, {text("amount"), integer(1), text("name"), text("n"), text("z"), integer(1)})));
  Bytes beyond = map_of(2, {text("amount")});
  codec::Writer(beyond).uint(std::uint64_t{1} << 63);
  append(beyond, text("name"));
  append(beyond, text("n"));
  CHECK_FALSE(read_counter_add(beyond));
}

TEST_CASE("operations: kills are an array of exact dot texts, at most 1,024") {
  const std::string dot = dot_text({log_of(3), 5});
  CHECK(is_set_change(texts({})));
  CHECK(is_set_change(texts({dot})));
  CHECK(is_set_change(texts(std::vector<std::string>(1024, dot))));
  CHECK_FALSE(is_set_change(texts(std::vector<std::string>(1025, dot))));
  CHECK_FALSE(is_set_change(integer(1)));
  CHECK_FALSE(is_set_change(text(dot)));
  CHECK_FALSE(is_set_change(texts({"nonsense"})));
  CHECK_FALSE(is_set_change(texts({dot_text({log_of(3), 0})})));
  CHECK_FALSE(is_set_change(texts({"-" + dot})));
  CHECK_FALSE(is_set_change(texts({dot.substr(0, 27) + "05"})));
  CHECK_FALSE(is_set_change(texts({dot, std::string(300, 'x')})));
  Bytes numbers;
  codec::Writer(numbers).array(1);
  append(numbers, integer(7));
  CHECK_FALSE(is_set_change(numbers));
}

TEST_CASE("objects: stored entries read back, and sort as their numbers do") {
  const LogId log = log_of(2);
  const Bytes counter = counter_key({"events", "c"}, log);
  const auto total = read_counter({counter, counter_value(-5)});
  REQUIRE(total.ok());
  CHECK(total->log == log);
  CHECK(total->total == -5);

  const Bytes live = dot_key(EntryKind::kLiveDot, {{"events", "s"}, "e"}, {log, 4});
  const auto dot = read_set_dot({live, polarity_value(false)});
  REQUIRE(dot.ok());
  CHECK(dot->element == "e");
  CHECK(dot->dot == Dot{log, 4});
  CHECK_FALSE(dot->add);

  const Bytes count = count_key("t", -60000, log);
  const auto cell = read_count_cell({count, counts_value({3, 1})});
  REQUIRE(cell.ok());
  CHECK(cell->type == "t");
  CHECK(cell->window_start_ms == -60000);
  CHECK(cell->log == log);
  CHECK(cell->count == 3);
  CHECK(cell->late == 1);
  CHECK(count < count_key("t", 0, log));
  CHECK(count_key("t", INT64_MIN, log) < count);
}

TEST_CASE("objects: prefixes hold all entries of their object and of no other") {
  const LogId log = log_of(255);
  CHECK(starts_with(counter_key({"t", "ab"}, log), counter_prefix("t", "ab")));
  CHECK_FALSE(starts_with(counter_key({"t", "ab"}, log), counter_prefix("t", "a")));
  CHECK_FALSE(starts_with(counter_key({"ta", "b"}, log), counter_prefix("t", "ab")));
  const Bytes live = dot_key(EntryKind::kLiveDot, {{"t", "s"}, ""}, {log, 1});
  CHECK(starts_with(live, set_prefix("t", "s")));
  CHECK_FALSE(
      starts_with(dot_key(EntryKind::kPend, {{"t", "s"}, ""}, {log, 1}), set_prefix("t", "s")));
  CHECK(starts_with(count_key("type", 0, log), count_prefix("type")));
  CHECK_FALSE(starts_with(count_key("types", 0, log), count_prefix("type")));
  CHECK(starts_with(count_key("types", 0, log), all_counts_prefix()));
}

TEST_CASE("objects: a name too long for any key gives a prefix that no key has") {
  const std::string huge(0x10001, 'n');
  CHECK_FALSE(starts_with(counter_key({"t", "n"}, log_of(1)), counter_prefix("t", huge)));
  CHECK(counter_prefix("t", huge).size() > huge.size());
}

TEST_CASE("objects: bytes that were not written here are corrupt, truncated anywhere") {
  const LogId log = log_of(2);
  const Bytes counter = counter_key({"events", "c"}, log);
  const Bytes live = dot_key(EntryKind::kLiveDot, {{"events", "s"}, "e"}, {log, 4});
  const Bytes count = count_key("t", 0, log);
  const auto is_corrupt = [](const auto& result) {
    return !result.ok() && result.error().code == ErrorCode::kCorrupt;
  };
  for (std::size_t size = 0; size < counter.size(); ++size) {
    CHECK(is_corrupt(read_counter({ByteView(counter).first(size), counter_value(1)})));
  }
  for (std::size_t size = 0; size < live.size(); ++size) {
    CHECK(is_corrupt(read_set_dot({ByteView(live).first(size), polarity_value(true)})));
  }
  for (std::size_t size = 0; size < count.size(); ++size) {
    CHECK(is_corrupt(read_count_cell({ByteView(count).first(size), counts_value({1, 0})})));
  }
  CHECK(is_corrupt(read_counter({live, counter_value(1)})));
  CHECK(is_corrupt(read_counter({counter, Bytes(15)})));
  CHECK(is_corrupt(read_counter({counter_key({"NOT A TOPIC", "c"}, log), counter_value(1)})));
  CHECK(is_corrupt(read_counter({counter_key({"events", ""}, log), counter_value(1)})));
  CHECK(is_corrupt(read_set_dot({live, Bytes{2}})));
  CHECK(is_corrupt(read_set_dot(
      {dot_key(EntryKind::kLiveDot, {{"events", "s"}, "e"}, {log, 0}), polarity_value(true)})));
  CHECK(is_corrupt(read_count_cell({count, counts_value({0, 0})})));
  CHECK(is_corrupt(read_count_cell({count, counts_value({1, 2})})));
  CHECK(is_corrupt(read_count_cell({count_key("t", 1, log), counts_value({1, 0})})));
}

TEST_CASE("objects: a total that left 128 bits is said, not shown") {
  const Bytes key = counter_key({"events", "c"}, log_of(1));
  CHECK(read_counter({key, counter_value(kOverflowed)}).error().code == ErrorCode::kOutOfRange);
  CHECK(read_counter({key, counter_value(kInt128Max)}).ok());
}

TEST_CASE("objects: the sum over logs is exact in any order, and out of range only as a whole") {
  const auto sum = [](const std::vector<Int128>& totals) {
    std::vector<CounterTotal> all;
    for (const Int128 total : totals)
      all.push_back({log_of(1), total});
    return counter_sum(all);
  };
  CHECK(*sum({}) == 0);
  CHECK(*sum({5, -7}) == -2);
  CHECK(*sum({kInt128Max, 1, -1}) == kInt128Max);
  CHECK(*sum({kInt128Max, kInt128Max, -kInt128Max, -kInt128Max, -1}) == -1);
  CHECK(*sum({-kInt128Max, -1}) == -kInt128Max - 1);
  CHECK(sum({kInt128Max, 1}).error().code == ErrorCode::kOutOfRange);
  CHECK(sum({-kInt128Max, -2}).error().code == ErrorCode::kOutOfRange);
}

TEST_CASE("objects: add-wins shows an element with any live add, once, in bytewise order") {
  const std::vector<SetDot> live{
      {"pear", {log_of(1), 1}, true},   {"\xc3\xa4", {log_of(1), 2}, true},
      {"apple", {log_of(1), 3}, false}, {"apple", {log_of(2), 1}, true},
      {"pear", {log_of(2), 2}, true},   {"gone", {log_of(2), 3}, false},
  };
  CHECK(add_wins(live) == std::vector<std::string>{"apple", "pear", "\xc3\xa4"});
  CHECK(add_wins({}).empty());
}
