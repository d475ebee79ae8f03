#include "codec/message.h"

#include <doctest/doctest.h>

#include <memory>
#include <set>
#include <type_traits>
#include <utility>

#include "core/limits.h"
#include "tests/codec/allocation_peak.h"
#include "tests/codec/samples.h"

using namespace ebb;
using namespace ebb::codec;
using namespace ebb::tests;

namespace {

// Equality of messages; that of a DELTA goes by the bytes of its segments.
bool same(const Message& a, const Message& b) {
  if (a.index() != b.index()) return false;
  const auto* const x = std::get_if<Delta>(&a);
  if (x == nullptr) return message_bytes(a) == message_bytes(b);
  const auto& y = std::get<Delta>(b);
  return x->reconciliation == y.reconciliation && x->keys == y.keys && x->last == y.last &&
         std::equal(x->segments.begin(), x->segments.end(), y.segments.begin(), y.segments.end(),
                    [](ByteView s, ByteView t) { return equal(s, t); });
}

ErrorCode code_of(ByteView message) {
  const auto decoded = decode_message(message);
  REQUIRE_FALSE(decoded.ok());
  return decoded.error().code;
}

template <class Write>
Bytes written(const Write& write) {
  Bytes out;
  Writer writer(out);
  write(writer);
  return out;
}

}  // namespace

TEST_CASE("every message reads back equal") {
  const Bytes segment = sample_segment(2, SegmentCodec::kRaw);
  for (const auto& [name, message] : sample_messages(segment)) {
    const std::string_view form = name;
    CAPTURE(form);
    const Bytes bytes = message_bytes(message);
    const auto decoded = decode_message(bytes);
    REQUIRE(decoded.ok());
    CHECK(same(*decoded, message));
    CHECK(message_bytes(*decoded) == bytes);
  }
}

TEST_CASE("each field of a HELLO comes back where it was put") {
  const Bytes bytes = message_bytes(sample_hello());
  const auto decoded = decode_message(bytes);
  REQUIRE(decoded.ok());
  CHECK(std::get<Hello>(*decoded) == sample_hello());
  CHECK(bytes.size() <= limits::kHelloBytes);
}

TEST_CASE("the segments of a DELTA are views into its frame") {
  const Bytes segment = sample_segment(2, SegmentCodec::kRaw);
  const Bytes bytes = message_bytes(Delta{{}, {}, {segment}, false});
  const auto decoded = decode_message(bytes);
  REQUIRE(decoded.ok());
  const ByteView view = std::get<Delta>(*decoded).segments.at(0);
  CHECK(view.data() >= bytes.data());
  CHECK(view.data() + view.size() <= bytes.data() + bytes.size());
}

TEST_CASE("fields behind the known ones are ignored, in the message and in its lists") {
  const Bytes bytes = written([](Writer& w) {
    w.array(5);
    w.uint(8);  // HAVE
    w.array(1);
    w.array(4);  // [log, seq] and two fields more
    w.bin(counting<LogId>(0x20).view());
    w.uint(5);
    w.map(1);
    w.str("later");
    w.array(2);
    w.nil();
    w.array(0);
    w.real(0.5);
    w.uint(7);
    w.array(2);
    w.str("later");
    w.map(0);
    w.boolean(true);
  });
  const auto decoded = decode_message(bytes);
  REQUIRE(decoded.ok());
  const auto& have = std::get<Have>(*decoded);
  REQUIRE(have.heads.size() == 1);
  CHECK(have.heads[0] == LogSeq{counting<LogId>(0x20), 5});
}

TEST_CASE("a field more in any message changes nothing, and a later message is unsupported") {
  const Bytes segment = sample_segment(2, SegmentCodec::kRaw);
  for (const auto& [name, message] : sample_messages(segment)) {
    const std::string_view form = name;
    CAPTURE(form);
    Bytes bytes = message_bytes(message);
    const std::size_t before = bytes.size();
    add_field(bytes);
    CHECK(bytes.size() > before);
    const auto decoded = decode_message(bytes);
    REQUIRE(decoded.ok());
    CHECK(same(*decoded, message));
  }
  CHECK(code_of(later_message()) == ErrorCode::kUnsupported);
}

TEST_CASE("a type or kind that is not known is unsupported, a wrong one malformed") {
  const auto message = [](std::uint64_t type, std::uint64_t field) {
    return written([type, field](Writer& w) {
      w.array(2);
      w.uint(type);
      w.uint(field);
    });
  };
  for (const std::uint64_t type : {0U, 15U, 255U, 65536U}) {
    CHECK(code_of(message(type, 0)) == ErrorCode::kUnsupported);
  }
  CHECK(code_of(message(2, 3)) == ErrorCode::kUnsupported);
  CHECK(code_of(message(13, 2)) == ErrorCode::kUnsupported);
  CHECK(code_of(message(14, 6)) == ErrorCode::kUnsupported);
  for (const std::uint64_t kind : {0U, 1U, 2U, 3U, 4U, 5U})
    CHECK(code_of(message(14, kind)) == ErrorCode::kMalformed);
  CHECK(code_of(message(13, 0)) == ErrorCode::kMalformed);
  CHECK(code_of(message(13, 1)) == ErrorCode::kMalformed);
  CHECK(code_of(message(1, 0)) == ErrorCode::kMalformed);
  CHECK(code_of(Bytes{0x90}) == ErrorCode::kMalformed);
  CHECK(code_of(Bytes{0x91, 0xa0}) == ErrorCode::kMalformed);
  CHECK(code_of(Bytes{0x01}) == ErrorCode::kMalformed);
  CHECK(code_of(Bytes{0x80}) == ErrorCode::kMalformed);
  CHECK(code_of(message(3, 5)) == ErrorCode::kUnsupported);
  CHECK(code_of(message(4, 4)) == ErrorCode::kUnsupported);
  CHECK(code_of(message(3, 4)) == ErrorCode::kMalformed);
  for (const std::uint64_t kind : {0U, 1U, 2U, 3U}) {
    CHECK(code_of(message(3, kind)) == ErrorCode::kMalformed);
    CHECK(code_of(message(4, kind)) == ErrorCode::kMalformed);
  }
}

TEST_CASE(
    "a scope that is none is refused: unordered, out of bounds, with lists where none belong") {
  const auto scope = [](std::uint64_t kind, const std::vector<std::string>& topics,
                        std::size_t devices) {
    return written([&](Writer& w) {
      w.array(5);
      w.uint(13);
      w.uint(0);
      w.uint(kind);
      w.array(topics.size());
      for (const std::string& topic : topics)
        w.str(topic);
      w.array(devices);
      for (std::size_t i = 0; i < devices; ++i) {
        DeviceId device;
        device.data[0] = static_cast<std::uint8_t>(i >> 8U);
        device.data[1] = static_cast<std::uint8_t>(i);
        w.bin(device.view());
      }
    });
  };
  CHECK(decode_message(scope(1, {"a", "b"}, 2)).ok());
  CHECK(decode_message(scope(1, {}, limits::kScopeDevices)).ok());
  CHECK(code_of(scope(1, {}, limits::kScopeDevices + 1)) == ErrorCode::kTooLarge);
  CHECK(code_of(scope(1, {"b", "a"}, 0)) == ErrorCode::kNotCanonical);
  CHECK(code_of(scope(1, {"a", "a"}, 0)) == ErrorCode::kNotCanonical);
  CHECK(code_of(scope(1, {}, 0)) == ErrorCode::kMalformed);
  CHECK(code_of(scope(0, {"a"}, 0)) == ErrorCode::kMalformed);
  CHECK(code_of(scope(2, {}, 1)) == ErrorCode::kMalformed);
  CHECK(code_of(scope(1, {"_ebb"}, 0)) == ErrorCode::kMalformed);
  CHECK(!decode_message(scope(3, {}, 0)).ok());
}

TEST_CASE("lists and texts over their bound are refused") {
  Have have;
  have.heads.resize(limits::kHeadsPerMessage);
  CHECK(decode_message(message_bytes(have)).ok());
  have.heads.emplace_back();
  CHECK(code_of(message_bytes(have)) == ErrorCode::kTooLarge);
  Peers peers;
  peers.peers.resize(limits::kPeersPerMessage, {{}, std::string(limits::kAddressBytes, 'a')});
  CHECK(decode_message(message_bytes(peers)).ok());
  peers.peers[3].address += 'a';
  CHECK(code_of(message_bytes(peers)) == ErrorCode::kTooLarge);
  peers.peers.assign(limits::kPeersPerMessage + 1, {});
  CHECK(code_of(message_bytes(peers)) == ErrorCode::kTooLarge);
  Bye bye{ByeCode::kShutdown, std::string(limits::kByeTextBytes, 'b')};
  CHECK(decode_message(message_bytes(bye)).ok());
  bye.text += 'b';
  CHECK(code_of(message_bytes(bye)) == ErrorCode::kTooLarge);
}

namespace {

// A list as SYNC messages pack it.
ErrorCode code_of_packed(const Bytes& packed) {
  return code_of(written([&packed](Writer& w) {
    w.array(5);
    w.uint(4);  // SYNC_RESP
    w.uint(0);  // list
    w.bin(packed);
    w.boolean(false);
    w.uint(0);
  }));
}

Bytes packed_head(const Bytes& seq) {
  Bytes packed(LogId::kSize, 7);
  append(packed, seq);
  packed.insert(packed.end(), ChainPrefix::kSize, 8);
  return packed;
}

}  // namespace

TEST_CASE("packed lists hold the largest seq in its one form, and nothing that is cut off") {
  SyncList list{{{counting<LogId>(1), UINT64_MAX, {}}, {counting<LogId>(2), 127, {}}}, false, 0};
  const auto decoded = decode_message(message_bytes(list));
  REQUIRE(decoded.ok());
  CHECK(std::get<SyncList>(*decoded) == list);
  CHECK(code_of_packed(packed_head({0x80, 0x00})) == ErrorCode::kMalformed);  // padded
  CHECK(code_of_packed(packed_head(Bytes(9, 0xff))) == ErrorCode::kMalformed);
  Bytes too_large(9, 0xff);
  too_large.push_back(0x02);  // bit 64
  CHECK(code_of_packed(packed_head(too_large)) == ErrorCode::kMalformed);
  Bytes cut = packed_head({0x01});
  cut.pop_back();
  CHECK(code_of_packed(cut) == ErrorCode::kMalformed);
}

TEST_CASE("packed lists over their bound are refused") {
  SyncList list;
  list.heads.resize(limits::kHeadsPerMessage, {counting<LogId>(1), 1, {}});
  CHECK(decode_message(message_bytes(list)).ok());
  list.heads.push_back(list.heads.front());
  CHECK(code_of(message_bytes(list)) == ErrorCode::kTooLarge);
  SyncCutsReq cuts;
  cuts.cuts.resize(limits::kHeadsPerMessage + 1);
  CHECK(code_of(message_bytes(cuts)) == ErrorCode::kTooLarge);
  SyncRanges ranges;
  ranges.ranges.resize(limits::kRangesPerMessage);
  CHECK(decode_message(message_bytes(ranges)).ok());
  ranges.ranges.emplace_back();
  CHECK(code_of(message_bytes(ranges)) == ErrorCode::kTooLarge);
}

TEST_CASE("a range has one form: no digits behind its depth, no empty child with a fingerprint") {
  const auto range = [](const Bytes& prefix, const Bytes& children) {
    return written([&](Writer& w) {
      w.array(3);
      w.uint(3);  // SYNC_REQ
      w.uint(1);  // ranges
      w.array(1);
      w.array(2);
      w.bin(prefix);
      w.bin(children);
    });
  };
  CHECK(decode_message(range({3, 0xa5, 0xf0}, {0, 0})).ok());
  CHECK(code_of(range({3, 0xa5, 0xf1}, {0, 0})) == ErrorCode::kMalformed);
  CHECK(code_of(range({3, 0xa5}, {0, 0})) == ErrorCode::kMalformed);
  CHECK(code_of(range({3, 0xa5, 0xf0, 0}, {0, 0})) == ErrorCode::kMalformed);
  CHECK(code_of(range({}, {0, 0})) == ErrorCode::kMalformed);
  Bytes deepest(17);
  deepest[0] = 32;
  CHECK(code_of(range(deepest, {0, 0})) == ErrorCode::kMalformed);
  Bytes zero_child{0, 1};
  zero_child.resize(2 + Fingerprint::kSize);
  CHECK(code_of(range({0}, zero_child)) == ErrorCode::kMalformed);
  zero_child.back() = 1;
  CHECK(decode_message(range({0}, zero_child)).ok());
  zero_child.push_back(1);
  CHECK(code_of(range({0}, zero_child)) == ErrorCode::kMalformed);
  CHECK(code_of(range({0}, {0, 1})) == ErrorCode::kMalformed);
}

TEST_CASE("a log key names a valid topic") {
  Delta delta;
  delta.keys = {{counting<DeviceId>(1), 1, "Not A Topic"}};
  CHECK(code_of(message_bytes(delta)) == ErrorCode::kMalformed);
  delta.keys[0].topic = "_ebb";
  CHECK(decode_message(message_bytes(delta)).ok());
}

TEST_CASE("a frame that is as large as allowed is taken") {
  const Bytes segment(limits::kFrameBytes - 40);
  const Bytes bytes = message_bytes(Delta{{}, {}, {segment}, false});
  CHECK(bytes.size() <= limits::kFrameBytes);
  CHECK(decode_message(bytes).ok());
  CHECK(code_of(Bytes(limits::kFrameBytes + 1)) == ErrorCode::kTooLarge);
}

TEST_CASE("an AUTH keeps to its bounds") {
  AuthRecords records;
  const Bytes record(limits::kAuthorityRecordBytes);
  records.records = {record};
  CHECK(decode_message(message_bytes(records)).ok());
  const Bytes large(limits::kAuthorityRecordBytes + 1);
  records.records = {large};
  CHECK(code_of(message_bytes(records)) == ErrorCode::kTooLarge);
  records.records.assign(limits::kAuthRecordsPerMessage + 1, ByteView(record).first(1));
  CHECK(code_of(message_bytes(records)) == ErrorCode::kTooLarge);
  const auto mesh_with = [](std::size_t secret_bytes) {
    return written([secret_bytes](Writer& w) {
      w.array(4);
      w.uint(14);
      w.uint(3);
      w.bin(Bytes(40));
      w.bin(Bytes(secret_bytes));
    });
  };
  CHECK(decode_message(mesh_with(MeshSecret::kSize)).ok());
  CHECK(code_of(mesh_with(31)) == ErrorCode::kMalformed);
  CHECK(code_of(mesh_with(33)) == ErrorCode::kMalformed);
  CHECK(decode_message(message_bytes(AuthMesh{Bytes(40), {}})).ok());
  CHECK(code_of(message_bytes(AuthMesh{Bytes(limits::kGenesisBytes + 1), {}})) ==
        ErrorCode::kTooLarge);
  CHECK(code_of(message_bytes(AuthGrant{static_cast<GrantedAccess>(4), 0, ""})) ==
        ErrorCode::kMalformed);
  AuthCompare compare;
  compare.logs.resize(limits::kAuthLogsCompared + 1);
  CHECK(code_of(message_bytes(compare)) == ErrorCode::kTooLarge);
}

TEST_CASE("the mesh's secret goes with the message that it came in") {
  Bytes secret(MeshSecret::kSize);
  for (std::size_t i = 0; i < secret.size(); ++i)
    secret[i] = static_cast<std::uint8_t>(0xa5 + 7 * i);
  const Bytes bytes = message_bytes(AuthMesh{Bytes(40), MeshSecret::from(secret)});
  const GivenBack given_back(secret);
  {
    // On the heap, where it is seen.
    auto first = std::make_unique<Result<Message>>(decode_message(bytes));
    REQUIRE(first->ok());
    const auto second = std::make_unique<Message>(std::move(**first));
    first.reset();
    CHECK(given_back.blocks() == 0);
    CHECK(equal(std::get<AuthMesh>(*second).secret->view(), secret));
  }
  CHECK(given_back.blocks() == 0);
  CHECK_FALSE(std::is_copy_constructible_v<Message>);
}

TEST_CASE("the clock of an AUTH is from 1970 to the last time there is") {
  const auto told = [](std::int64_t ms) {
    AuthRecords records;
    records.wall = {ms};
    return decode_message(message_bytes(records));
  };
  for (const std::int64_t ms : {std::int64_t{0}, std::int64_t{1}, limits::kTrustTimeMax}) {
    CAPTURE(ms);
    const auto decoded = told(ms);
    REQUIRE(decoded.ok());
    CHECK(std::get<AuthRecords>(*decoded).wall == WallTime{ms});
  }
  for (const std::int64_t ms :
       {std::int64_t{-1}, INT64_MIN, limits::kTrustTimeMax + 1, INT64_MAX}) {
    CAPTURE(ms);
    CHECK(told(ms).error().code == ErrorCode::kMalformed);
  }
}

TEST_CASE("every message has a name") {
  const Bytes segment;
  std::set<std::string_view> names;
  for (const auto& [file, message] : sample_messages(segment)) {
    CHECK(file.starts_with(message_name(message)));
    names.insert(message_name(message));
  }
  CHECK(names.size() == 14);
}
