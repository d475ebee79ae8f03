#include "trust/sealed_key.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "core/limits.h"
#include "tests/trust/authority_rig.h"

using namespace ebb;
using namespace ebb::tests;
using namespace ebb::trust;

namespace {

constexpr std::string_view kPassphrase = "correct horse";
constexpr PassphraseCost kCheap{1, 8};

KeySeed sample_seed() {
  REQUIRE(crypto_ready().ok());
  return std::move(KeySeed::from(counting<Hash>(0x20).view())).value();
}

std::string sealed(const PassphraseCost& cost = kCheap) {
  return std::move(seal_key("root", sample_seed(), kPassphrase, cost)).value();
}

ErrorCode fault(std::string_view line, std::string_view passphrase = kPassphrase,
                std::string_view kind = "root") {
  const auto seed = open_key(kind, line, passphrase);
  REQUIRE_FALSE(seed.ok());
  return seed.error().code;
}

// The line with its bytes changed and the checksum made right again.
template <class Change>
std::string remade(const Change& change) {
  const std::string line = sealed();
  const std::size_t at = line.rfind(' ') + 1;
  Bytes bytes = *from_base32(line.substr(at));
  change(bytes);
  bytes.resize(bytes.size() - 4);
  const Hash sum = hash({as_bytes("ebb-sealed-key-1"), as_bytes("root"), bytes});
  append(bytes, sum.view().first(4));
  return line.substr(0, at) + to_base32(bytes);
}

}  // namespace

TEST_CASE("a key under a passphrase opens with it, and is the same key") {
  const std::string line = sealed();
  CHECK(is_sealed_key(line));
  CHECK(line.starts_with("ebb-sealed-key-1 root "));
  const auto seed = open_key("root", line, kPassphrase);
  REQUIRE(seed.ok());
  CHECK(equal(seed->view(), sample_seed().view()));
  CHECK(seed->identity()->device() == kRoot->device());
  CHECK(sealed() != line);  // another salt
  CHECK_FALSE(is_sealed_key("ebb-key-1 root aaaa aaaa"));
}

TEST_CASE("the cost that is used when nothing is said opens too") {
  const auto line = seal_key("issuer", sample_seed(), kPassphrase);
  REQUIRE(line.ok());
  CHECK(open_key("issuer", *line, kPassphrase).ok());
}

TEST_CASE("a wrong passphrase has an error of its own") {
  const std::string line = sealed();
  for (const char* passphrase : {"", "correct hors", "correct horse ", "Correct horse"})
    CHECK(fault(line, passphrase) == ErrorCode::kBadTag);
}

TEST_CASE("a sealed key that was cut or altered at any byte is damaged") {
  const std::string line = sealed();
  const std::size_t prefix = std::string_view("ebb-sealed-key-").size();
  for (std::size_t i = prefix + 1; i < line.size(); ++i) {
    CAPTURE(i);
    CHECK(fault(line.substr(0, i)) == ErrorCode::kCorrupt);
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string altered = line;
      altered[i] = static_cast<char>(static_cast<unsigned char>(altered[i]) ^ (1U << bit));
      CHECK(fault(altered) == ErrorCode::kCorrupt);
    }
  }
  CHECK(fault(line + "a") == ErrorCode::kCorrupt);
  CHECK(fault(line + " a") == ErrorCode::kCorrupt);
  CHECK(fault(line + "\n") == ErrorCode::kCorrupt);
  CHECK(fault(line.substr(0, prefix)) == ErrorCode::kCorrupt);
  for (std::size_t size = 0; size < prefix; ++size)
    CHECK(fault(std::string_view(line).substr(0, size)) == ErrorCode::kMalformed);
  std::string later = line;
  later[prefix] = '2';
  CHECK(fault(later) == ErrorCode::kUnsupported);
  CHECK(fault(std::string(line).append(limits::kSealedKeyBytes, 'a')) == ErrorCode::kMalformed);
}

TEST_CASE("whoever makes the checksum right again has altered a key that does not open") {
  CHECK(open_key("root", remade([](Bytes&) {}), kPassphrase).ok());
  // From the salt on; what is before it are the bounds of the next test.
  const std::size_t size = from_base32(sealed().substr(sealed().rfind(' ') + 1))->size();
  for (std::size_t i = 8; i < size - 4; ++i) {
    CAPTURE(i);
    CHECK(fault(remade([i](Bytes& bytes) { bytes[i] ^= 0x10; })) == ErrorCode::kBadTag);
  }
  CHECK(fault(remade([](Bytes& bytes) { bytes[3] = 2; })) == ErrorCode::kBadTag);
  CHECK(fault(remade([](Bytes& bytes) { bytes[7] = 9; })) == ErrorCode::kBadTag);
}

TEST_CASE("a file cannot ask for more memory or time than the bounds") {
  const auto asks = [](std::uint32_t passes, std::uint32_t memory_kib) {
    return fault(remade([passes, memory_kib](Bytes& bytes) {
      Bytes cost;
      append_be32(cost, passes);
      append_be32(cost, memory_kib);
      std::copy(cost.begin(), cost.end(), bytes.begin());
    }));
  };
  CHECK(asks(1, 256 * 1024 + 1) == ErrorCode::kTooLarge);
  CHECK(asks(1, UINT32_MAX) == ErrorCode::kTooLarge);
  CHECK(asks(17, 8) == ErrorCode::kTooLarge);
  CHECK(asks(UINT32_MAX, 8) == ErrorCode::kTooLarge);
  CHECK(asks(0, 8) == ErrorCode::kTooLarge);
  CHECK(asks(1, 7) == ErrorCode::kTooLarge);
  CHECK(asks(16, 8) == ErrorCode::kBadTag);
}

TEST_CASE("a key is of one kind, and neither without a passphrase nor under an endless one") {
  CHECK(fault(sealed(), kPassphrase, "issuer") == ErrorCode::kCorrupt);
  const KeySeed seed = sample_seed();
  CHECK(seal_key("root", seed, "").error().code == ErrorCode::kInvalidArgument);
  CHECK(seal_key("root", seed, kPassphrase, {17, 8}).error().code == ErrorCode::kInvalidArgument);
  CHECK(seal_key("root", seed, std::string(1025, 'x'), kCheap).error().code ==
        ErrorCode::kTooLarge);
  CHECK(fault(sealed(), std::string(1025, 'x')) == ErrorCode::kTooLarge);
  // Not told as a file that asks for too much.
  const auto opened = open_key("root", sealed(), std::string(1025, 'x'));
  CHECK(opened.error().detail.find("passphrase") != std::string::npos);
}

TEST_CASE("a seed that was moved from or erased is zero") {
  KeySeed seed = sample_seed();
  KeySeed other = std::move(seed);
  const auto is_zero = [](const KeySeed& of) {
    const ByteView bytes = of.view();
    return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
  };
  CHECK(is_zero(seed));  // NOLINT(bugprone-use-after-move): it is what is asked
  CHECK(equal(other.view(), sample_seed().view()));
  seed = std::move(other);
  CHECK(is_zero(other));  // NOLINT(bugprone-use-after-move)
  seed.erase();
  CHECK(is_zero(seed));
  CHECK_FALSE(is_zero(KeySeed::random()));
  CHECK_FALSE(KeySeed::from(Bytes(31)).ok());
}
