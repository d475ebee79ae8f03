// Signatures on which implementations of Ed25519 disagree, made here, of many keys: what
// docs/wire_format.md section 2 says of each. tests/vectors/ed25519.txt has one of each, made by
// another program.
#include <doctest/doctest.h>
#include <sodium.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "core/rng.h"
#include "trust/hash.h"
#include "trust/identity.h"

using namespace ebb;
using namespace ebb::trust;

namespace {

using Point = std::array<std::uint8_t, 32>;
using Scalar = std::array<std::uint8_t, 32>;

constexpr int kSeeds = 8;
constexpr int kMessages = 400;  // of which one in eight or more has what is looked for

// Little-endian; as are all scalars.
constexpr Scalar kOrder = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                           0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                           0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
constexpr Point kNeutral = {1};

std::optional<Point> sum(const Point& a, const Point& b) {
  Point result{};
  if (crypto_core_ed25519_add(result.data(), a.data(), b.data()) != 0) return std::nullopt;
  return result;
}

// By doubling: libsodium multiplies no point that has a part of small order.
Point times(const Scalar& factor, const Point& point) {
  Point result = kNeutral;
  for (int bit = 255; bit >= 0; --bit) {
    const auto at = static_cast<std::size_t>(bit) / 8;
    result = *sum(result, result);
    if ((factor[at] >> (bit % 8) & 1) != 0) result = *sum(result, point);
  }
  return result;
}

Point times(unsigned factor, const Point& point) {
  return times(Scalar{static_cast<std::uint8_t>(factor)}, point);
}

Point base_times(const Scalar& factor) {
  Point result{};
  REQUIRE(crypto_scalarmult_ed25519_base_noclamp(result.data(), factor.data()) == 0);
  return result;
}

// The eight points of small order: what is left of a point behind a multiplication by L.
std::vector<Point> small_points(Rng& rng) {
  for (;;) {
    Point any{};
    for (std::uint8_t& byte : any)
      byte = static_cast<std::uint8_t>(rng.next());
    const std::optional<Point> point = sum(any, kNeutral);
    if (!point) continue;
    const Point small = times(kOrder, *point);
    if (times(4, small) == kNeutral) continue;
    std::vector<Point> all;
    for (unsigned i = 0; i < 8; ++i)
      all.push_back(times(i, small));
    return all;
  }
}

Scalar random_scalar(Rng& rng) {
  std::array<std::uint8_t, crypto_core_ed25519_NONREDUCEDSCALARBYTES> wide{};
  for (std::uint8_t& byte : wide)
    byte = static_cast<std::uint8_t>(rng.next());
  Scalar scalar{};
  crypto_core_ed25519_scalar_reduce(scalar.data(), wide.data());
  return scalar;
}

// k of RFC 8032.
Scalar challenge(const Point& r, const Point& key, ByteView message) {
  crypto_hash_sha512_state state{};
  std::array<std::uint8_t, crypto_hash_sha512_BYTES> hash{};
  crypto_hash_sha512_init(&state);
  crypto_hash_sha512_update(&state, r.data(), r.size());
  crypto_hash_sha512_update(&state, key.data(), key.size());
  crypto_hash_sha512_update(&state, message.data(), message.size());
  crypto_hash_sha512_final(&state, hash.data());
  Scalar scalar{};
  crypto_core_ed25519_scalar_reduce(scalar.data(), hash.data());
  return scalar;
}

Scalar product_sum(const Scalar& a, const Scalar& b, const Scalar& c) {
  Scalar product{}, result{};
  crypto_core_ed25519_scalar_mul(product.data(), a.data(), b.data());
  crypto_core_ed25519_scalar_add(result.data(), product.data(), c.data());
  return result;
}

unsigned mod_eight(const Scalar& scalar) { return scalar[0] & 7U; }

bool holds(const Point& key, const Point& r, const Scalar& s, ByteView message) {
  Bytes signature(r.begin(), r.end());
  signature.insert(signature.end(), s.begin(), s.end());
  return verify(*DeviceId::from(key), message, *Signature::from(signature));
}

// S·B = R + k·A, which a check without more would ask for.
bool equation_holds(const Point& key, const Point& r, const Scalar& s, ByteView message) {
  const Point left = s == Scalar{} ? kNeutral : base_times(s);
  const std::optional<Point> right = sum(r, times(challenge(r, key, message), key));
  return right && left == *right;
}

// One key pair with all that is made of it.
struct Maker {
  explicit Maker(std::uint64_t seed)
      : rng(seed),
        small(small_points(rng)),
        secret(random_scalar(rng)),
        nonce(random_scalar(rng)),
        key(base_times(secret)),
        r(base_times(nonce)) {}

  // S for a key that is secret·B but for a part of small order, and R as it is.
  Scalar answer(const Point& of_key, const Point& of_r, ByteView message) const {
    return product_sum(challenge(of_r, of_key, message), secret, nonce);
  }
  // A message for which `wanted(k)`.
  template <class Wanted>
  Bytes message_where(const Point& of_key, const Point& of_r, Wanted wanted) const {
    for (int i = 0; i < kMessages; ++i) {
      Bytes message = to_bytes(as_bytes("message " + std::to_string(i)));
      if (wanted(mod_eight(challenge(of_r, of_key, message)))) return message;
    }
    FAIL("no such message");
    return {};
  }

  Rng rng;
  std::vector<Point> small;  // multiples 0 to 7 of one of order 8
  Scalar secret, nonce;
  Point key, r;
};

// Whether small·k is neutral, by where it is among the multiples.
bool cancels(std::size_t multiple, unsigned k) { return multiple * k % 8 == 0; }

}  // namespace

TEST_CASE("signatures of honest keys hold, and with S plus L they do not") {
  REQUIRE(crypto_ready().ok());
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Maker made(seed);
    const Bytes message = to_bytes(as_bytes("a head"));
    const Scalar s = made.answer(made.key, made.r, message);
    CHECK(holds(made.key, made.r, s, message));
    Scalar above = s;
    sodium_add(above.data(), kOrder.data(), kOrder.size());
    CHECK_FALSE(holds(made.key, made.r, above, message));
    CHECK_FALSE(holds(made.key, made.r, s, as_bytes("another")));
    CHECK_FALSE(holds(made.key, kNeutral, Scalar{}, message));
    CHECK_FALSE(holds(made.key, Point{}, Scalar{}, message));
  }
}

TEST_CASE("no signature holds of a key of small order, whatever its equation says") {
  REQUIRE(crypto_ready().ok());
  CHECK_FALSE(holds(Point{}, Point{}, Scalar{}, as_bytes("all zero")));
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Maker made(seed);
    for (std::size_t i = 0; i < made.small.size(); ++i) {
      CAPTURE(i);
      const Point& key = made.small[i];
      const auto neutral = [i](unsigned k) { return cancels(i, k); };
      // Anybody makes these: S is R's own, for the key's part of the equation is nothing.
      const Bytes message = made.message_where(key, made.r, neutral);
      CHECK(equation_holds(key, made.r, made.nonce, message));
      CHECK_FALSE(holds(key, made.r, made.nonce, message));
      const Bytes second = made.message_where(key, kNeutral, neutral);
      CHECK(equation_holds(key, kNeutral, Scalar{}, second));
      CHECK_FALSE(holds(key, kNeutral, Scalar{}, second));
    }
  }
}

TEST_CASE("no signature holds whose R is of small order") {
  REQUIRE(crypto_ready().ok());
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Maker made(seed);
    const Bytes message = to_bytes(as_bytes("a head"));
    for (const Point& r : made.small) {
      const Scalar s = product_sum(challenge(r, made.key, message), made.secret, Scalar{});
      CHECK_FALSE(holds(made.key, r, s, message));
    }
  }
}

TEST_CASE("no signature holds of a key or an R in another spelling of its point") {
  REQUIRE(crypto_ready().ok());
  // y is p, p + 1, or x is zero with a sign: other spellings of 0, 1, 1 and p - 1.
  Point p = {0xed};
  for (std::size_t i = 1; i < 31; ++i)
    p[i] = 0xff;
  p[31] = 0x7f;
  Point above = p, signed_neutral = kNeutral, signed_below = p;
  above[0] = 0xee;
  signed_neutral[31] = 0x80;
  signed_below[0] = 0xec;
  signed_below[31] = 0xff;
  const Maker made(1);
  for (const Point& spelling : {p, above, signed_neutral, signed_below}) {
    const auto neutral = [](unsigned k) { return k % 4 == 0; };
    const Bytes message = made.message_where(spelling, made.r, neutral);
    CHECK(equation_holds(spelling, made.r, made.nonce, message));
    CHECK_FALSE(holds(spelling, made.r, made.nonce, message));
    const Scalar s = product_sum(challenge(spelling, made.key, message), made.secret, Scalar{});
    CHECK_FALSE(holds(made.key, spelling, s, message));
  }
}

TEST_CASE("of keys and R with a part of small order the plain equation decides, without cofactor") {
  REQUIRE(crypto_ready().ok());
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Maker made(seed);
    for (std::size_t i = 1; i < made.small.size(); ++i) {
      CAPTURE(i);
      const Point key = *sum(made.key, made.small[i]);
      const auto neutral = [i](unsigned k) { return cancels(i, k); };
      const Bytes good = made.message_where(key, made.r, neutral);
      CHECK(holds(key, made.r, made.answer(key, made.r, good), good));
      const Bytes bad = made.message_where(key, made.r, [i](unsigned k) { return !cancels(i, k); });
      CHECK_FALSE(holds(key, made.r, made.answer(key, made.r, bad), bad));
      // The part is R's alone: nothing cancels it.
      const Point r = *sum(made.r, made.small[i]);
      CHECK_FALSE(holds(made.key, r, made.answer(made.key, r, good), good));
      // And both have one: R + k·key has none where they cancel each other.
      const Bytes both = made.message_where(key, r, [](unsigned k) { return k == 7; });
      CHECK(holds(key, r, made.answer(key, r, both), both));
      const Bytes neither =
          made.message_where(key, r, [i](unsigned k) { return (i + i * k) % 8 != 0; });
      CHECK_FALSE(holds(key, r, made.answer(key, r, neither), neither));
    }
  }
}
