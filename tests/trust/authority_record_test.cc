#include "trust/authority_record.h"

#include <doctest/doctest.h>

#include "codec/value.h"
#include "core/limits.h"
#include "tests/trust/authority_rig.h"
#include "trust/signed_body.h"

using namespace ebb;
using namespace ebb::tests;
using namespace ebb::trust;

namespace {

const std::unique_ptr<Identity> kIssuer = key_of(0x60);

// One of each kind.
std::vector<record::Content> all_contents() {
  const Position position{300, counting<Hash>(0x30)};
  const auto device = counting<DeviceId>(0x80);
  return {record::Cert{{1, 2, 3}},
          record::Retire{device, kNow},
          record::Revoke{device, {{counting<LogId>(1), position}, {counting<LogId>(2), {}}}},
          record::IssuerAdd{issuer_certificate(kIssuer->device(), {days(0), days(9)})},
          record::Rotate{kIssuer->device(), position, {}},
          record::Resolve{{counting<LogId>(3), position}},
          record::Policy{7, Admit::kSecret},
          record::Time{}};
}

AuthorityRecord record_with(record::Content content) {
  return {kPaperMesh, kIssuer->device(),  1, authority_chain_start(kPaperMesh, kIssuer->device()),
          kNow,       std::move(content), {}};
}

// A record with this behind its first five fields.
Bytes with_tail(std::size_t fields, const Bytes& tail, Seq seq = 1) {
  Bytes body;
  codec::Writer writer(body);
  writer.array(5 + fields);
  writer.bin(kPaperMesh.view());
  writer.bin(kIssuer->device().view());
  writer.uint(seq);
  writer.bin(counting<Hash>(0x30).view());
  writer.integer(kNow.ms);
  append(body, tail);
  return sign_body(*kIssuer, "ebb-authority-1", body);
}

}  // namespace

TEST_CASE("a record of each kind reads back equal, and its chain leads to the next") {
  AuthorityWriter writer(*kIssuer);
  for (const record::Content& content : all_contents()) {
    const Position before = writer.end();
    const Bytes bytes = writer.write(content, days(1));
    const auto read = decode_authority_record(kPaperMesh, bytes);
    REQUIRE(read.ok());
    CHECK(read->content == content);
    CHECK(read->authority == kIssuer->device());
    CHECK(read->at == days(1));
    CHECK(read->seq == before.seq + 1);
    CHECK(read->previous == before.chain);
    CHECK(read->chain != before.chain);
  }
  CHECK(writer.end().seq == 8);
}

TEST_CASE("a record that was cut, extended or altered at any byte is refused") {
  for (const record::Content& content : all_contents()) {
    CAPTURE(content.index());
    Bytes bytes = std::move(sign_authority_record(*kIssuer, record_with(content))).value();
    REQUIRE(decode_authority_record(kPaperMesh, bytes).ok());
    for (std::size_t size = 0; size < bytes.size(); ++size)
      CHECK_FALSE(decode_authority_record(kPaperMesh, ByteView(bytes).first(size)).ok());
    for (std::uint8_t& byte : bytes) {
      byte ^= 0x41;
      CHECK_FALSE(decode_authority_record(kPaperMesh, bytes).ok());
      byte ^= 0x41;
    }
    bytes.push_back(0);
    CHECK_FALSE(decode_authority_record(kPaperMesh, bytes).ok());
  }
}

TEST_CASE("a record of another mesh or under another label is refused") {
  const Bytes bytes =
      std::move(sign_authority_record(*kIssuer, record_with(record::Time{}))).value();
  CHECK(decode_authority_record(counting<MeshId>(0x11), bytes).error().code ==
        ErrorCode::kInvalidArgument);
  const auto parts = split_signed(bytes, limits::kAuthorityRecordBytes);
  REQUIRE(parts.ok());
  const Bytes other = sign_body(*kIssuer, "ebb-certificate-1", parts->body);
  CHECK(decode_authority_record(kPaperMesh, other).error().code == ErrorCode::kBadSignature);
}

TEST_CASE("a record of a kind of later versions is in its log and means nothing") {
  for (const std::uint64_t kind :
       {std::uint64_t{0}, std::uint64_t{9}, std::uint64_t{256 + 8}, UINT64_MAX}) {
    Bytes tail;
    codec::Writer writer(tail);
    writer.uint(kind);
    writer.str("anything");
    const auto read = decode_authority_record(kPaperMesh, with_tail(2, tail));
    REQUIRE(read.ok());
    CHECK(std::holds_alternative<record::Unknown>(read->content));
  }
}

TEST_CASE("fields of later versions are passed by") {
  Bytes tail;
  codec::Writer writer(tail);
  writer.uint(7);
  writer.uint(3);
  writer.str("secret");
  writer.str("later");
  const auto read = decode_authority_record(kPaperMesh, with_tail(4, tail));
  REQUIRE(read.ok());
  CHECK(read->content == record::Content(record::Policy{3, Admit::kSecret}));
}

TEST_CASE("a record whose content does not read is in its log and means nothing") {
  const auto content_of = [](std::size_t fields, const Bytes& tail) {
    const auto read = decode_authority_record(kPaperMesh, with_tail(fields, tail));
    REQUIRE(read.ok());
    return read->content;
  };
  const record::Content nothing = record::Unknown{};
  CHECK(content_of(1, {1}) == nothing);           // cert without certificate
  CHECK(content_of(3, {7, 0, 0xa0}) == nothing);  // policy of number 0
  Bytes tail;
  codec::Writer writer(tail);
  writer.uint(7);
  writer.uint(1);
  writer.str("everybody");
  CHECK(content_of(3, tail) == nothing);
  tail.clear();
  writer.uint(3);
  writer.bin(counting<DeviceId>(0x80).view());
  writer.array(2);
  for (const std::uint8_t log : {std::uint8_t{2}, std::uint8_t{1}}) {  // not ascending
    writer.array(3);
    writer.bin(counting<LogId>(log).view());
    writer.uint(1);
    writer.bin(Hash{}.view());
  }
  CHECK(content_of(3, tail) == nothing);
}

TEST_CASE("a record without its first fields, at seq 0 or beyond the last is refused") {
  CHECK(decode_authority_record(kPaperMesh, with_tail(0, {})).error().code ==
        ErrorCode::kMalformed);
  CHECK(decode_authority_record(kPaperMesh, with_tail(1, {8}, 0)).error().code ==
        ErrorCode::kMalformed);
  CHECK(decode_authority_record(kPaperMesh, with_tail(1, {8}, limits::kAuthorityRecords)).ok());
  CHECK(decode_authority_record(kPaperMesh, with_tail(1, {8}, limits::kAuthorityRecords + 1))
            .error()
            .code == ErrorCode::kTooLarge);
}

TEST_CASE("the times of a record are from 1970 to the last time there is") {
  AuthorityRecord record = record_with(record::Policy{1, Admit::kSecret});
  const auto retire = [](std::int64_t ms) {
    return record_with(record::Retire{counting<DeviceId>(0x80), {ms}});
  };
  for (const std::int64_t ms : {std::int64_t{0}, limits::kTrustTimeMax}) {
    CAPTURE(ms);
    record.at = {ms};
    const auto at = decode_authority_record(kPaperMesh, *sign_authority_record(*kIssuer, record));
    REQUIRE(at.ok());
    CHECK(at->at == WallTime{ms});
    CHECK(sign_authority_record(*kIssuer, retire(ms)).ok());
  }
  for (const std::int64_t ms :
       {std::int64_t{-1}, INT64_MIN, limits::kTrustTimeMax + 1, INT64_MAX}) {
    CAPTURE(ms);
    record.at = {ms};
    CHECK(sign_authority_record(*kIssuer, record).error().code == ErrorCode::kMalformed);
    // In its log, and means nothing.
    CHECK(sign_authority_record(*kIssuer, retire(ms)).error().code == ErrorCode::kTooLarge);
  }
}

TEST_CASE("a revoke names as many logs as a device may have") {
  record::Revoke revoke{counting<DeviceId>(0x80), {}};
  for (std::size_t i = 0; i < limits::kCutsPerRevoke; ++i) {
    LogId log;
    log.data[0] = static_cast<std::uint8_t>(i >> 8U);
    log.data[1] = static_cast<std::uint8_t>(i);
    revoke.cuts.push_back({log, {limits::kSeqMax, counting<Hash>(1)}});
  }
  CHECK(sign_authority_record(*kIssuer, record_with(revoke)).ok());
  revoke.cuts.push_back({counting<LogId>(0xf0), {}});
  CHECK(sign_authority_record(*kIssuer, record_with(revoke)).error().code == ErrorCode::kTooLarge);
  const record::Cert large{Bytes(limits::kAuthorityRecordBytes)};
  CHECK(sign_authority_record(*kIssuer, record_with(large)).error().code == ErrorCode::kTooLarge);
}

TEST_CASE("authority heads read back equal; cut, out of order or too many they are refused") {
  std::vector<AuthorityHead> heads;
  for (std::uint8_t i = 0; i <= limits::kIssuers; ++i)
    heads.push_back({counting<DeviceId>(i), {i + Seq{1}, counting<Hash>(i)}});
  const Bytes bytes = encode_authority_heads(heads);
  CHECK(bytes.size() + limits::kCertificateBytes < limits::kHandshakePayloadBytes);
  const auto read = decode_authority_heads(bytes);
  REQUIRE(read.ok());
  CHECK(*read == heads);
  CHECK(decode_authority_heads(encode_authority_heads({}))->empty());
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK_FALSE(decode_authority_heads(ByteView(bytes).first(size)).ok());
  std::swap(heads[0], heads[1]);
  CHECK_FALSE(decode_authority_heads(encode_authority_heads(heads)).ok());
  CHECK_FALSE(decode_authority_heads(encode_authority_heads({{heads[0].authority, {}}})).ok());
  Bytes many = bytes;
  REQUIRE(many[0] == 0xdc);  // array 16
  many[2] += 1;
  append(many, ByteView(bytes).last(2 + 1 + 2 + 32 + 1 + 2 + 32 - 2));
  CHECK_FALSE(decode_authority_heads(many).ok());
}
