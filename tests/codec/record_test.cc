#include "codec/record.h"

#include <doctest/doctest.h>

#include <functional>

#include "codec/value.h"
#include "core/limits.h"
#include "tests/codec/samples.h"
#include "tests/vectors/vector_file.h"

using namespace ebb;
using namespace ebb::codec;
using namespace ebb::tests;

namespace {

Opening sample_opening() {
  Opening opening;
  opening.reason = OpeningReason::kRollback;
  opening.before = 0x2122232425262728;
  opening.closes = {{"_ebb", {3, counting<Hash>(0x30)}}, {"events", {300, counting<Hash>(0x50)}}};
  return opening;
}

ClockFix sample_fix() {
  ClockFix fix;
  fix.offset_ms = -315360000000;
  fix.ranges = {{counting<LogId>(0x20), 2, 300}, {counting<LogId>(0x40), 1, 1}};
  return fix;
}

Presence sample_presence() { return {{"192.0.2.7:7401", "[2001:db8::7]:7401"}, 1, 300}; }

Bytes presence_payload(const std::function<void(Writer&)>& addresses, std::int64_t budget_class = 0,
                       std::int64_t number = 1) {
  Bytes out;
  Writer writer(out);
  writer.map(3);
  writer.str("addresses");
  addresses(writer);
  writer.str("class");
  writer.integer(budget_class);
  writer.str("number");
  writer.integer(number);
  return out;
}

Bytes opening_payload(const std::function<void(Writer&)>& closes) {
  Bytes out;
  Writer writer(out);
  writer.map(3);
  writer.str("before");
  writer.str("2122232425262728");
  writer.str("closes");
  closes(writer);
  writer.str("reason");
  writer.str("clock");
  return out;
}

Bytes fix_payload(const std::function<void(Writer&)>& ranges) {
  Bytes out;
  Writer writer(out);
  writer.map(2);
  writer.str("offset_ms");
  writer.integer(5);
  writer.str("ranges");
  ranges(writer);
  return out;
}

void closed(Writer& writer, std::string_view topic, std::uint64_t seq, std::string_view chain) {
  writer.array(3);
  writer.str(topic);
  writer.uint(seq);
  writer.str(chain);
}

void range(Writer& writer, std::uint8_t log, std::uint64_t from, std::uint64_t to) {
  writer.array(3);
  writer.str(log_text(counting<LogId>(log)));
  writer.uint(from);
  writer.uint(to);
}

const std::string kChain(64, 'a');

}  // namespace

TEST_CASE("golden records") {
  const VectorFile file("records.txt");
  CHECK(encode_opening({}) == file.at("opening, new"));
  CHECK(encode_opening(sample_opening()) == file.at("opening, rollback"));
  CHECK(encode_clock_fix(sample_fix()) == file.at("clock fix"));
  CHECK(encode_presence(sample_presence()) == file.at("presence"));
  CHECK(encode_presence({}) == file.at("presence, nowhere"));
  for (const auto& entry : file.entries())
    CHECK_MESSAGE(validate(entry.second, limits::kPayloadBytes, limits::kDepth).ok(), entry.first);
}

TEST_CASE("records come back as they were") {
  const auto opening = decode_opening(encode_opening(sample_opening()));
  REQUIRE(opening.ok());
  CHECK(*opening == sample_opening());
  const auto first = decode_opening(encode_opening({}));
  REQUIRE(first.ok());
  CHECK(*first == Opening{});
  const auto fix = decode_clock_fix(encode_clock_fix(sample_fix()));
  REQUIRE(fix.ok());
  CHECK(*fix == sample_fix());
  const auto presence = decode_presence(encode_presence(sample_presence()));
  REQUIRE(presence.ok());
  CHECK(*presence == sample_presence());
}

TEST_CASE("a presence of another shape is malformed, and one beyond its bounds too large") {
  const auto list = [](std::size_t count, std::size_t bytes) {
    return [count, bytes](Writer& writer) {
      writer.array(count);
      for (std::size_t i = 0; i < count; ++i)
        writer.str(std::string(bytes, 'a'));
    };
  };
  const auto code = [](const Bytes& payload) {
    const auto presence = decode_presence(payload);
    return presence.ok() ? std::nullopt : std::optional(presence.error().code);
  };
  CHECK(!code(presence_payload(list(limits::kPresenceAddresses, limits::kPresenceAddressBytes))));
  CHECK(code(presence_payload(list(limits::kPresenceAddresses + 1, 1))) == ErrorCode::kTooLarge);
  CHECK(code(presence_payload(list(1, limits::kPresenceAddressBytes + 1))) == ErrorCode::kTooLarge);
  CHECK(code(presence_payload([](Writer& writer) { writer.str("a:1"); })) == ErrorCode::kMalformed);
  CHECK(code(presence_payload([](Writer& writer) {
          writer.array(1);
          writer.uint(1);
        })) == ErrorCode::kMalformed);
  CHECK(code(presence_payload(list(1, 1), -1)) == ErrorCode::kMalformed);
  CHECK(code(presence_payload(list(1, 1), 0, 0)) == ErrorCode::kMalformed);
  CHECK(!code(presence_payload(list(1, 1), 0, INT64_MAX)));
  CHECK(code(encode_clock_fix(sample_fix())) == ErrorCode::kMalformed);
  CHECK(code({}) == ErrorCode::kMalformed);
}

TEST_CASE("what later versions add to a record is ignored") {
  Bytes payload;
  Writer writer(payload);
  writer.map(3);
  writer.str("because");
  writer.str("of something");
  writer.str("offset_ms");
  writer.integer(5);
  writer.str("ranges");
  writer.array(1);
  writer.array(4);
  writer.str(log_text(counting<LogId>(1)));
  writer.uint(1);
  writer.uint(2);
  writer.str("more");
  const auto fix = decode_clock_fix(payload);
  REQUIRE(fix.ok());
  CHECK(fix->offset_ms == 5);
  CHECK(fix->ranges == std::vector<ClockFix::Range>{{counting<LogId>(1), 1, 2}});
}

TEST_CASE("an opening of another shape is malformed") {
  const auto refused = [](const std::function<void(Writer&)>& closes) {
    return !decode_opening(opening_payload(closes)).ok();
  };
  CHECK(!refused([](Writer& w) {
    w.array(1);
    closed(w, "a", 1, kChain);
  }));
  CHECK(refused([](Writer& w) { w.nil(); }));
  CHECK(refused([](Writer& w) {
    w.array(1);
    closed(w, "a", 0, kChain);
  }));
  CHECK(refused([](Writer& w) {
    w.array(1);
    closed(w, "A", 1, kChain);
  }));
  CHECK(refused([](Writer& w) {
    w.array(1);
    closed(w, "a", 1, kChain.substr(1));
  }));
  CHECK(refused([](Writer& w) {
    w.array(1);
    closed(w, "a", 1, std::string(64, 'A'));
  }));
  CHECK(refused([](Writer& w) {
    w.array(2);
    closed(w, "b", 1, kChain);
    closed(w, "a", 1, kChain);
  }));
  CHECK(!decode_opening(encode_clock_fix(sample_fix())).ok());
  CHECK(!decode_opening({}).ok());
}

TEST_CASE("a clock fix of another shape is malformed") {
  const auto refused = [](const std::function<void(Writer&)>& ranges) {
    return !decode_clock_fix(fix_payload(ranges)).ok();
  };
  CHECK(!refused([](Writer& w) {
    w.array(1);
    range(w, 1, 1, 1);
  }));
  CHECK(refused([](Writer& w) { w.array(0); }));
  CHECK(refused([](Writer& w) {
    w.array(1);
    range(w, 1, 0, 1);
  }));
  CHECK(refused([](Writer& w) {
    w.array(1);
    range(w, 1, 2, 1);
  }));
  CHECK(refused([](Writer& w) {
    w.array(2);
    range(w, 1, 1, 1);
    range(w, 1, 2, 2);
  }));
  CHECK(!decode_clock_fix(encode_opening(sample_opening())).ok());
}

TEST_CASE("a record names so many logs and no more") {
  const auto with = [](std::size_t logs) {
    return fix_payload([logs](Writer& w) {
      w.array(logs);
      for (std::size_t i = 0; i < logs; ++i) {
        LogId log;
        log.data[0] = static_cast<std::uint8_t>(i);
        w.array(3);
        w.str(log_text(log));
        w.uint(1);
        w.uint(1);
      }
    });
  };
  CHECK(decode_clock_fix(with(limits::kRecordLogs)).ok());
  const auto more = decode_clock_fix(with(limits::kRecordLogs + 1));
  REQUIRE(!more.ok());
  CHECK(more.error().code == ErrorCode::kTooLarge);
}
