#include "channel/records.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>

#include "codec/frame.h"
#include "core/limits.h"
#include "core/rng.h"
#include "tests/channel/ends.h"
#include "trust/hash.h"

using namespace ebb;
using namespace ebb::channel;
using namespace ebb::tests;

namespace {

CipherState cipher_at(std::uint64_t number) {
  CipherState cipher(key_of(0x10));
  for (std::uint64_t i = limits::kRecordsPerKey; i <= number; i += limits::kRecordsPerKey)
    cipher.rekey();
  cipher.set_nonce(number);
  return cipher;
}

RecordSealer sealer_at(std::uint64_t number = 0) {
  REQUIRE(trust::crypto_ready().ok());
  return RecordSealer(cipher_at(number));
}

RecordOpener opener_at(std::uint64_t number = 0) { return RecordOpener(cipher_at(number)); }

Bytes record_of(RecordSealer& sealer, std::string_view text) {
  Bytes wire;
  sealer.seal(as_bytes(text), wire);
  return wire;
}

Bytes end_of(RecordSealer& sealer) {
  Bytes wire;
  sealer.finish(wire);
  return wire;
}

// Refused, nothing handed out, and nothing taken any more.
void check_broken(RecordOpener& opener, ByteView wire) {
  Bytes plain;
  CHECK_FALSE(opener.receive(wire, plain).ok());
  CHECK(plain.empty());
  CHECK(opener.end() == StreamEnd::kBroken);
  CHECK(opener.buffered_bytes() == 0);
  RecordSealer good = sealer_at();
  CHECK_FALSE(opener.receive(record_of(good, "the right one"), plain).ok());
  CHECK(plain.empty());
}

}  // namespace

TEST_CASE("what is sealed comes out, however it is cut on the way") {
  Rng rng(7);
  for (int round = 0; round < 20; ++round) {
    RecordSealer sealer = sealer_at();
    RecordOpener opener = opener_at();
    Bytes sent;
    Bytes wire;
    for (int i = 0; i < 30; ++i) {
      Bytes piece(rng.chance(1, 10) ? rng.below(60000) : rng.below(300));
      for (std::uint8_t& byte : piece)
        byte = static_cast<std::uint8_t>(rng.next());
      append(sent, piece);
      sealer.seal(piece, wire);
    }
    sealer.finish(wire);
    Bytes got;
    for (std::size_t at = 0; at < wire.size();) {
      CHECK_FALSE(opener.ended());
      const std::size_t size = std::min<std::size_t>(
          wire.size() - at, rng.chance(1, 2) ? rng.between(1, 40) : rng.between(1, 50000));
      REQUIRE(opener.receive(ByteView(wire).subspan(at, size), got).ok());
      CHECK(opener.buffered_bytes() < kRecordHeaderBytes + limits::kSealedRecordBytes + kTagBytes);
      at += size;
    }
    CHECK(got == sent);
    CHECK(opener.end() == StreamEnd::kOrderly);
  }
}

TEST_CASE("frames travel in records as they are") {
  RecordSealer sealer = sealer_at();
  RecordOpener opener = opener_at();
  Bytes stream;
  const Bytes large(limits::kChunkBytes, 0x5a);
  for (int i = 0; i < 15; ++i)
    codec::append_chunk(codec::Priority::kHistory, large, true, stream);
  codec::append_chunk(codec::Priority::kLive, as_bytes("between"), false, stream);
  codec::append_chunk(codec::Priority::kHistory, large, false, stream);
  Bytes wire;
  sealer.seal(stream, wire);
  CHECK(wire.size() == stream.size() + (stream.size() + 16383) / 16384 * 18);
  Bytes plain;
  REQUIRE(opener.receive(wire, plain).ok());
  codec::FrameSplitter frames;
  frames.push(plain);
  const auto first = frames.next();
  REQUIRE(first.ok());
  CHECK(as_text(*first) == "between");
  const auto second = frames.next();
  REQUIRE(second.ok());
  CHECK(second->size() == limits::kFrameBytes);
}

TEST_CASE("a record with any one bit flipped breaks the stream for good") {
  RecordSealer sealer = sealer_at();
  const Bytes first = record_of(sealer, "before it");
  const Bytes good = record_of(sealer, "record of a link");
  for (std::size_t byte = 0; byte < good.size(); ++byte) {
    for (unsigned bit = 1; bit < 256; bit <<= 1) {
      CAPTURE(byte);
      RecordOpener opener = opener_at();
      Bytes plain;
      REQUIRE(opener.receive(first, plain).ok());
      Bytes wire = good;
      wire[byte] = static_cast<std::uint8_t>(wire[byte] ^ bit);
      // Where the length has grown, it has to be long enough to be opened at all.
      wire.resize(wire.size() + limits::kSealedRecordBytes);
      check_broken(opener, wire);
      CHECK(as_text(plain) == "before it");
    }
  }
}

TEST_CASE("a stream that was cut is not one that has ended, wherever it was cut") {
  RecordSealer sealer = sealer_at();
  Bytes wire = record_of(sealer, "one");
  append(wire, record_of(sealer, "two"));
  append(wire, end_of(sealer));
  CHECK(sealer.finished());
  for (std::size_t size = 0; size <= wire.size(); ++size) {
    RecordOpener opener = opener_at();
    Bytes plain;
    REQUIRE(opener.receive(ByteView(wire).first(size), plain).ok());
    CHECK(opener.end() == (size == wire.size() ? StreamEnd::kOrderly : StreamEnd::kTruncated));
    // Only whole records are handed out.
    CHECK(as_text(plain) == std::string_view("onetwo").substr(0, size / 21 * 3));
  }
}

TEST_CASE("an end cannot be made of a record, nor a record of an end") {
  RecordSealer sealer = sealer_at();
  const Bytes record = record_of(sealer, "x");
  RecordSealer other = sealer_at();
  const Bytes end = end_of(other);
  REQUIRE(end.size() == kRecordHeaderBytes + kTagBytes);
  Bytes wire = record;
  wire[0] ^= 0x80;
  RecordOpener one = opener_at();
  check_broken(one, wire);
  wire = end;
  wire[0] ^= 0x80;
  RecordOpener two = opener_at();
  check_broken(two, wire);
  // A record without plaintext does not exist, even from who has the key.
  CipherState cipher = cipher_at(0);
  const std::array<std::uint8_t, 2> header = {0, 16};
  wire = to_bytes(header);
  REQUIRE(cipher.encrypt(header, {}, wire).ok());
  RecordOpener three = opener_at();
  check_broken(three, wire);
}

TEST_CASE("behind an end nothing is taken") {
  RecordSealer sealer = sealer_at();
  Bytes wire = record_of(sealer, "one");
  append(wire, end_of(sealer));
  wire.push_back(0);
  RecordOpener opener = opener_at();
  Bytes plain;
  CHECK_FALSE(opener.receive(wire, plain).ok());
  CHECK(as_text(plain) == "one");
  CHECK(opener.end() == StreamEnd::kBroken);
}

TEST_CASE("records that are lost, swapped, repeated or sent back break the stream") {
  RecordSealer sealer = sealer_at();
  std::vector<Bytes> records;
  for (const char* text : {"first", "second", "third"})
    records.push_back(record_of(sealer, text));
  for (const std::size_t at : {1U, 2U}) {
    RecordOpener opener = opener_at();
    check_broken(opener, records[at]);
  }
  RecordOpener repeated = opener_at();
  Bytes plain;
  REQUIRE(repeated.receive(records[0], plain).ok());
  check_broken(repeated, records[0]);
  RecordOpener reflected{CipherState(key_of(0x11))};
  check_broken(reflected, records[0]);
}

TEST_CASE("lengths that there are not break the stream with their second byte") {
  REQUIRE(trust::crypto_ready().ok());
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    Bytes wire;
    append_be16(wire, static_cast<std::uint16_t>(bits));
    const bool possible = bits == 0x8010 || (bits >= 17 && bits <= 16400);
    for (const bool pieces : {false, true}) {
      RecordOpener opener = opener_at();
      Bytes plain;
      Status status = opener.receive(pieces ? ByteView(wire).first(1) : ByteView(wire), plain);
      if (pieces) status = opener.receive(ByteView(wire).subspan(1), plain);
      if (status.ok() != possible) FAIL("length ", bits);
    }
  }
}

TEST_CASE("the key changes after 65,536 records, at both ends, and the numbers go on") {
  RecordSealer sealer = sealer_at();
  RecordOpener opener = opener_at();
  Bytes plain;
  for (std::uint64_t i = 0; i < limits::kRecordsPerKey; ++i) {
    plain.clear();
    const Bytes wire = record_of(sealer, "a");
    if (!opener.receive(wire, plain).ok() || plain.size() != 1) FAIL("record ", i);
  }
  const Bytes next = record_of(sealer, "under the second key");
  // Neither the first key with this number nor the second with the first number opens it.
  CipherState first_key(key_of(0x10));
  first_key.set_nonce(limits::kRecordsPerKey);
  CipherState first_number = cipher_at(limits::kRecordsPerKey);
  first_number.set_nonce(0);
  for (CipherState* wrong : {&first_key, &first_number}) {
    plain.clear();
    CHECK_FALSE(wrong->decrypt(ByteView(next).first(2), ByteView(next).subspan(2), plain).ok());
  }
  REQUIRE(opener.receive(next, plain).ok());
  CHECK(as_text(plain) == "under the second key");
  check_broken(opener, next);
}

TEST_CASE("of 1,000,000 records that are replayed none is taken") {
  // Openers that have themselves taken records across the change of the key, where numbers and keys
  // meet, and then get any one of the records so far again.
  constexpr std::uint64_t kAround = 2;
  constexpr std::uint64_t kFirst = limits::kRecordsPerKey - kAround;
  RecordSealer sealer = sealer_at(kFirst);
  Bytes wire;
  for (std::uint64_t i = 0; i < 2 * kAround; ++i)
    append(wire, record_of(sealer, "r"));
  const std::size_t size = wire.size() / (2 * kAround);
  Rng rng(4);
  std::uint64_t taken = 0;
  Bytes plain;
  for (int i = 0; i < 1000000; ++i) {
    const std::uint64_t begin = rng.below(kAround);
    const std::uint64_t end = rng.between(kAround + 1, 2 * kAround);
    RecordOpener opener = opener_at(kFirst + begin);
    plain.clear();
    const ByteView live = ByteView(wire).subspan(begin * size, (end - begin) * size);
    if (!opener.receive(live, plain).ok() || plain.size() != end - begin) FAIL("live ", i);
    plain.clear();
    const ByteView replayed = ByteView(wire).subspan(rng.below(end) * size, size);
    if (opener.receive(replayed, plain).ok() || !plain.empty()) ++taken;
  }
  CHECK(taken == 0);
}
