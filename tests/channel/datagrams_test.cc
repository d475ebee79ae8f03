#include "channel/datagrams.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "core/rng.h"
#include "tests/channel/ends.h"
#include "trust/hash.h"

using namespace ebb;
using namespace ebb::channel;
using namespace ebb::tests;

namespace {

constexpr ReceiverIndex kIndex = 0x01020304;
constexpr std::uint8_t kType = 3;

DatagramSealer sealer_at(std::uint64_t counter = 0) {
  REQUIRE(trust::crypto_ready().ok());
  CipherState cipher(key_of(0x30));
  cipher.set_nonce(counter);
  return DatagramSealer(std::move(cipher), kIndex);
}

// What is opened, if anything.
std::optional<OpenedDatagram> opened(DatagramOpener& opener, ByteView wire) {
  auto result = opener.open(wire);
  if (auto* open = std::get_if<OpenedDatagram>(&result)) return std::move(*open);
  return std::nullopt;
}

Unopened reason(DatagramOpener& opener, ByteView wire) {
  const auto result = opener.open(wire);
  REQUIRE(std::holds_alternative<Unopened>(result));
  return std::get<Unopened>(result);
}

DatagramOpener new_opener() { return DatagramOpener(CipherState(key_of(0x30)), kIndex); }

// Sealed by who has the key, under any header.
Bytes sealed_under(std::uint32_t beginning, ReceiverIndex index, std::uint64_t counter,
                   ByteView plain) {
  CipherState cipher(key_of(0x30));
  cipher.set_nonce(counter);
  Bytes header;
  append_be32(header, beginning);
  append_be32(header, index);
  append_be64(header, counter);
  Bytes wire = header;
  REQUIRE(cipher.encrypt(header, plain, wire).ok());
  return wire;
}

Bytes datagram_of(DatagramSealer& sealer, std::string_view text = "x") {
  Bytes wire;
  REQUIRE(sealer.seal(kType, as_bytes(text), wire).ok());
  return wire;
}

}  // namespace

TEST_CASE("a datagram comes out with its type, counter and index") {
  DatagramSealer sealer = sealer_at();
  DatagramOpener opener = new_opener();
  datagram_of(sealer);
  const Bytes wire = datagram_of(sealer, "gossip");
  CHECK(wire.size() == 16 + 6 + 16);
  const auto open = opened(opener, wire);
  REQUIRE(open.has_value());
  CHECK(open->type == kType);
  CHECK(open->counter == 1);
  CHECK(open->newest);
  CHECK(as_text(open->plain) == "gossip");
}

TEST_CASE("a datagram with any one bit flipped, or cut, is met with silence and moves nothing") {
  DatagramSealer sealer = sealer_at();
  const Bytes good = datagram_of(sealer, "gossip");
  DatagramOpener opener = new_opener();
  for (std::size_t byte = 0; byte < good.size(); ++byte) {
    for (unsigned bit = 1; bit < 256; bit <<= 1) {
      Bytes wire = good;
      wire[byte] = static_cast<std::uint8_t>(wire[byte] ^ bit);
      CHECK_FALSE(opened(opener, wire).has_value());
    }
  }
  for (std::size_t size = 0; size < good.size(); ++size)
    CHECK_FALSE(opened(opener, ByteView(good).first(size)).has_value());
  Bytes longer = good;
  longer.push_back(0);
  CHECK_FALSE(opened(opener, longer).has_value());
  DatagramOpener other_key(CipherState(key_of(0x31)), kIndex);
  CHECK_FALSE(opened(other_key, good).has_value());
  // Forged counters, far ahead too, have not moved the window.
  const auto open = opened(opener, good);
  REQUIRE(open.has_value());
  CHECK(open->newest);
}

TEST_CASE("a datagram has at most 1,200 bytes, and may be empty") {
  DatagramSealer sealer = sealer_at();
  DatagramOpener opener = new_opener();
  Bytes wire;
  REQUIRE(sealer.seal(kType, Bytes(kDatagramPlainBytes), wire).ok());
  CHECK(wire.size() == 1200);
  CHECK(opened(opener, wire)->plain.size() == kDatagramPlainBytes);
  wire.clear();
  const Status larger = sealer.seal(kType, Bytes(kDatagramPlainBytes + 1), wire);
  REQUIRE_FALSE(larger.ok());
  CHECK(larger.error().code == ErrorCode::kTooLarge);
  CHECK(wire.empty());
  REQUIRE(sealer.seal(kType, {}, wire).ok());
  CHECK(opened(opener, wire).has_value());
  // Larger ones are not looked at, whoever has sealed them.
  const Bytes plain(kDatagramPlainBytes + 1);
  CHECK_FALSE(opened(opener, sealed_under(0x03010000, kIndex, 9, plain)).has_value());
}

TEST_CASE("another version, a reserved bit or another index is met with silence, tag or not") {
  REQUIRE(trust::crypto_ready().ok());
  DatagramOpener opener = new_opener();
  CHECK_FALSE(opened(opener, sealed_under(0x03020000, kIndex, 0, {})).has_value());
  CHECK_FALSE(opened(opener, sealed_under(0x03000000, kIndex, 0, {})).has_value());
  CHECK_FALSE(opened(opener, sealed_under(0x03010001, kIndex, 0, {})).has_value());
  CHECK_FALSE(opened(opener, sealed_under(0x03018000, kIndex, 0, {})).has_value());
  CHECK_FALSE(opened(opener, sealed_under(0x03010000, kIndex + 1, 0, {})).has_value());
  CHECK(opened(opener, sealed_under(0x03010000, kIndex, 0, {})).has_value());
}

TEST_CASE("a datagram key is good for 2^32 datagrams") {
  DatagramSealer sealer = sealer_at(limits::kDatagramsPerKey - 1);
  DatagramOpener opener = new_opener();
  const auto last = opened(opener, datagram_of(sealer));
  REQUIRE(last.has_value());
  CHECK(last->counter == 0xffffffff);
  Bytes wire;
  const Status beyond = sealer.seal(kType, {}, wire);
  REQUIRE_FALSE(beyond.ok());
  CHECK(beyond.error().code == ErrorCode::kOutOfRange);
  CHECK(wire.empty());
  // A peer that goes on is not heard.
  const Bytes more = sealed_under(0x03010000, kIndex, limits::kDatagramsPerKey, {});
  CHECK_FALSE(opened(opener, more).has_value());
}

TEST_CASE("only the newest datagram says where its sender is now") {
  DatagramSealer sealer = sealer_at();
  std::vector<Bytes> sent;
  for (int i = 0; i < 4; ++i)
    sent.push_back(datagram_of(sealer));
  DatagramOpener opener = new_opener();
  CHECK(opened(opener, sent[1])->newest);
  CHECK_FALSE(opened(opener, sent[0])->newest);
  CHECK(opened(opener, sent[3])->newest);
  CHECK_FALSE(opened(opener, sent[2])->newest);
}

TEST_CASE("the replay window agrees with a set of all counters") {
  Rng rng(11);
  for (int round = 0; round < 50; ++round) {
    ReplayWindow window;
    std::set<std::uint64_t> taken;
    std::uint64_t top = 0;
    for (int i = 0; i < 3000; ++i) {
      const std::uint64_t ahead = rng.chance(1, 100) ? rng.below(5000) : rng.below(4);
      const std::uint64_t back = rng.chance(1, 2) ? rng.below(2200) : rng.below(70);
      const std::uint64_t counter = rng.chance(1, 2) ? top + ahead : top - std::min(top, back);
      const bool below = !taken.empty() && counter + limits::kReplayWindow <= *taken.rbegin();
      const bool expected = below || taken.contains(counter);
      if (window.is_taken(counter) != expected) FAIL("counter ", counter, " below ", top);
      if (expected) continue;
      CHECK(window.is_newest(counter) == (taken.empty() || counter > *taken.rbegin()));
      window.take(counter);
      taken.insert(counter);
      top = std::max(top, counter);
    }
  }
}

TEST_CASE("of 1,000,000 datagrams that are replayed none is taken") {
  constexpr std::size_t kSent = 10000;
  DatagramSealer sealer = sealer_at();
  std::vector<Bytes> sent;
  for (std::size_t i = 0; i < kSent; ++i)
    sent.push_back(datagram_of(sealer));
  // Overtaken by others, but not by more than the window.
  Rng rng(5);
  std::vector<std::size_t> order(kSent);
  for (std::size_t i = 0; i < kSent; ++i)
    order[i] = i;
  for (std::size_t begin = 0; begin < kSent; begin += 1000) {
    for (std::size_t i = begin + 999; i > begin; --i)
      std::swap(order[i], order[rng.between(begin, i)]);
  }
  DatagramOpener opener = new_opener();
  std::size_t fresh = 0;
  std::size_t replayed = 0;
  for (std::size_t i = 0; i < kSent; ++i) {
    if (opened(opener, sent[order[i]])) ++fresh;
    for (int again = 0; again < 100; ++again) {
      if (opened(opener, sent[order[rng.below(i + 1)]])) ++replayed;
    }
  }
  CHECK(fresh == kSent);
  CHECK(replayed == 0);
}

TEST_CASE("why a datagram is met with silence is told apart") {
  DatagramSealer sealer = sealer_at();
  DatagramOpener opener = new_opener();
  const Bytes wire = datagram_of(sealer);
  CHECK(datagram_index(wire) == kIndex);
  CHECK(!datagram_index(ByteView(wire).first(31)));
  Bytes bent = wire;
  bent.back() ^= 1;
  CHECK(reason(opener, bent) == Unopened::kBadTag);
  REQUIRE(opened(opener, wire));
  CHECK(reason(opener, wire) == Unopened::kReplayed);
  // The counter is looked at before the tag.
  CHECK(reason(opener, bent) == Unopened::kReplayed);
  CHECK(reason(opener, ByteView(wire).first(31)) == Unopened::kMalformed);
  CHECK(reason(opener, sealed_under(0x03010000, kIndex + 1, 0, {})) == Unopened::kMalformed);
}
