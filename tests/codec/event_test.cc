#include "codec/event.h"
#include "codec/body_reader.h"

#include <doctest/doctest.h>

#include "codec/value.h"
#include "core/limits.h"

using namespace ebb;
using namespace ebb::codec;

namespace {

Bytes small_payload() {
  Bytes out;
  Writer writer(out);
  writer.map(1);
  writer.str("n");
  writer.uint(1);
  return out;
}

EventView event_with(const Bytes& payload) {
  EventView event;
  event.hlc = {(std::uint64_t{1700000000000} << 16) | 3};
  event.type = "page.view";
  event.payload = payload;
  return event;
}

Bytes encoded(const EventView& event) {
  Bytes out;
  REQUIRE(encode_event(event, out).ok());
  return out;
}

// An event of eight fields whose `index`-th is replaced by raw bytes.
Bytes event_with_field(std::size_t index, const Bytes& field) {
  std::vector<Bytes> fields(8);
  const auto write = [&fields](std::size_t at, const auto& value) {
    Writer writer(fields[at]);
    value(writer);
  };
  write(0, [](Writer& w) { w.uint(1); });
  write(1, [](Writer& w) { w.uint(65536); });
  write(2, [](Writer& w) { w.nil(); });
  write(3, [](Writer& w) { w.str("t"); });
  write(4, [](Writer& w) { w.nil(); });
  write(5, [](Writer& w) { w.uint(0); });
  write(6, [](Writer& w) { w.map(0); });
  write(7, [](Writer& w) { w.nil(); });
  fields[index] = field;
  Bytes out;
  Writer(out).array(8);
  for (const Bytes& part : fields)
    append(out, part);
  return out;
}

template <class Write>
Bytes value_of(const Write& write) {
  Bytes out;
  Writer writer(out);
  write(writer);
  return out;
}

ErrorCode code_of(const Bytes& event) {
  const auto decoded = decode_event(event);
  REQUIRE_FALSE(decoded.ok());
  return decoded.error().code;
}

}  // namespace

TEST_CASE("an event reads back equal, with every optional field and with none") {
  const Bytes payload = small_payload();
  EventView event = event_with(payload);
  const Bytes bare_bytes = encoded(event);
  const auto bare = decode_event(bare_bytes);
  REQUIRE(bare.ok());
  CHECK(bare->type == "page.view");
  CHECK_FALSE(bare->ts_ms.has_value());
  CHECK_FALSE(bare->source.has_value());
  CHECK_FALSE(bare->id.has_value());
  CHECK(bare->effective_ts_ms() == 1700000000000);
  CHECK(equal(bare->payload, payload));

  event.flags = kEventFormat | kFlagSuspectTime;
  event.ts_ms = -1;
  event.source = "till-7";
  event.schema = UINT64_MAX;
  event.id = Uuid{{1, 2, 3}};
  const Bytes bytes = encoded(event);
  const auto full = decode_event(bytes);
  REQUIRE(full.ok());
  CHECK(full->suspect_time());
  CHECK(full->hlc == event.hlc);
  CHECK(full->ts_ms == -1);
  CHECK(full->effective_ts_ms() == -1);
  CHECK(full->source == "till-7");
  CHECK(full->schema == UINT64_MAX);
  CHECK(full->id == event.id);
}

TEST_CASE("the extremes of ts survive") {
  const Bytes payload = small_payload();
  for (const std::int64_t ts : {INT64_MIN, std::int64_t{-1}, std::int64_t{0}, INT64_MAX}) {
    EventView event = event_with(payload);
    event.ts_ms = ts;
    const auto decoded = decode_event(encoded(event));
    REQUIRE(decoded.ok());
    CHECK(decoded->ts_ms == ts);
  }
}

TEST_CASE("an event that is out of bounds is not encoded and nothing is appended") {
  const Bytes payload = small_payload();
  const std::string longest(limits::kTypeBytes, 'x');
  const std::string too_long(limits::kTypeBytes + 1, 'x');
  const auto code = [](const EventView& event) {
    Bytes out{7};
    const Status status = encode_event(event, out);
    CHECK(out == Bytes{7});
    REQUIRE_FALSE(status.ok());
    return status.error().code;
  };
  EventView event = event_with(payload);
  event.type = longest;
  event.source = longest;
  CHECK(decode_event(encoded(event)).ok());
  event.type = too_long;
  CHECK(code(event) == ErrorCode::kTooLarge);
  event = event_with(payload);
  event.source = too_long;
  CHECK(code(event) == ErrorCode::kTooLarge);
  event = event_with(payload);
  event.type = "";
  CHECK(code(event) == ErrorCode::kInvalidArgument);
  event.type = "\xff";
  CHECK(code(event) == ErrorCode::kMalformed);
  event = event_with(payload);
  event.flags = 2;
  CHECK(code(event) == ErrorCode::kInvalidArgument);
  event = event_with(payload);
  event.payload = {};
  CHECK(code(event) == ErrorCode::kMalformed);
  const Bytes two = value_of([](Writer& w) {
    w.nil();
    w.nil();
  });
  event.payload = two;
  CHECK(code(event) == ErrorCode::kMalformed);
}

TEST_CASE("a payload may have 64 KiB and not one byte more") {
  const auto payload_of = [](std::size_t bytes) {
    return value_of([bytes](Writer& w) { w.str(std::string(bytes - 3, 'p')); });
  };
  const Bytes largest = payload_of(limits::kPayloadBytes - 2);
  CHECK(decode_event(encoded(event_with(largest))).ok());
  const Bytes larger = value_of([](Writer& w) { w.str(std::string(limits::kPayloadBytes, 'p')); });
  Bytes out;
  const Status status = encode_event(event_with(larger), out);
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().code == ErrorCode::kTooLarge);
  CHECK(code_of(event_with_field(6, larger)) == ErrorCode::kTooLarge);
}

TEST_CASE("a field of the wrong type or range is malformed") {
  const Bytes nil = value_of([](Writer& w) { w.nil(); });
  const Bytes negative = value_of([](Writer& w) { w.integer(-1); });
  const Bytes empty = value_of([](Writer& w) { w.str(""); });
  for (const std::size_t index : {0U, 1U, 3U, 5U}) {
    CHECK(code_of(event_with_field(index, nil)) == ErrorCode::kMalformed);
    CHECK(code_of(event_with_field(index, negative)) == ErrorCode::kMalformed);
  }
  CHECK(code_of(event_with_field(3, empty)) == ErrorCode::kMalformed);
  CHECK(code_of(event_with_field(4, empty)) == ErrorCode::kMalformed);
  const Bytes beyond = value_of([](Writer& w) { w.uint(std::uint64_t{INT64_MAX} + 1); });
  CHECK(code_of(event_with_field(2, beyond)) == ErrorCode::kMalformed);
  const Bytes short_id = value_of([](Writer& w) { w.bin(Bytes(15)); });
  CHECK(code_of(event_with_field(7, short_id)) == ErrorCode::kMalformed);
  for (const std::uint64_t flags : {0x00U, 0x10U, 0x21U, 0x81U, 0x101U, 0x100U}) {
    const Bytes field = value_of([flags](Writer& w) { w.uint(flags); });
    CHECK(code_of(event_with_field(0, field)) == ErrorCode::kMalformed);
  }
}

TEST_CASE("an event of a newer format is unsupported, whatever is behind its hlc") {
  const Bytes format2 = value_of([](Writer& w) { w.uint(2); });
  CHECK(code_of(event_with_field(0, format2)) == ErrorCode::kUnsupported);
  const Bytes short_one = value_of([](Writer& w) {
    w.array(3);
    w.uint(15);
    w.uint(7);
    w.str("from the future");
  });
  CHECK(code_of(short_one) == ErrorCode::kUnsupported);
  for (const std::uint64_t flags : {0x102ULL, 0x3ff2ULL, 0xffffffffffffffffULL}) {
    const Bytes wide = value_of([flags](Writer& w) {
      w.array(2);
      w.uint(flags);
      w.uint(7);
    });
    CHECK(code_of(wide) == ErrorCode::kUnsupported);
    const auto next = BodyReader(wide).next();
    REQUIRE(next.ok());
    CHECK(next->newer_format);
    CHECK_FALSE(next->fault.has_value());
    CHECK(next->event.hlc == Hlc{7});
  }
  const Bytes no_hlc = value_of([](Writer& w) {
    w.array(2);
    w.uint(2);
    w.str("no hlc");
  });
  CHECK(code_of(no_hlc) == ErrorCode::kMalformed);
}

TEST_CASE("an event has exactly eight elements") {
  Bytes nine = encoded(event_with(small_payload()));
  nine[0] = 0x99;
  nine.push_back(0xc0);
  CHECK(code_of(nine) == ErrorCode::kMalformed);
  Bytes seven = encoded(event_with(small_payload()));
  seven[0] = 0x97;
  seven.pop_back();
  CHECK(code_of(seven) == ErrorCode::kMalformed);
}

TEST_CASE("the payload nests eight deep inside the event and not nine") {
  const auto nested = [](std::size_t depth) {
    Bytes out(depth - 1, 0x91);
    out.push_back(0x90);
    return out;
  };
  const Bytes eight = nested(8);
  CHECK(decode_event(encoded(event_with(eight))).ok());
  CHECK(code_of(event_with_field(6, nested(9))) == ErrorCode::kTooDeep);
  Bytes out;
  const Bytes nine = nested(9);
  const Status status = encode_event(event_with(nine), out);
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().code == ErrorCode::kTooDeep);
}

TEST_CASE("the first event of a body ends where the next one begins") {
  Bytes body = encoded(event_with(small_payload()));
  const std::size_t first = body.size();
  const Bytes scalar = value_of([](Writer& w) { w.real(1.0); });
  append(body, encoded(event_with(scalar)));
  BodyReader reader(body);
  const auto one = reader.next();
  REQUIRE(one.ok());
  CHECK(one->bytes.size() == first);
  const auto two = reader.next();
  REQUIRE(two.ok());
  CHECK(equal(two->event.payload, scalar));
  CHECK(reader.at_end());
  CHECK(code_of(body) == ErrorCode::kMalformed);
}

TEST_CASE("an event in a longer form than needed is refused") {
  Bytes bytes = encoded(event_with(small_payload()));
  Bytes longer{0xdc, 0x00, 0x08};
  longer.insert(longer.end(), bytes.begin() + 1, bytes.end());
  CHECK(code_of(longer) == ErrorCode::kNotCanonical);
}
