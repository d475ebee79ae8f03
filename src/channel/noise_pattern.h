// Handshake patterns of Noise as tables: what each message carries, in order. The product's are
// here; those that only known answers use live in the tests.
//
// Model:   messages alternate, the initiator's first. A pattern with kPsk needs one 32 B key for
// it. Threads: constants; any thread. Spec:    docs/wire_format.md section 12
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace ebb::channel {

// Keys that are sent (e, s), Diffie-Hellman results that are mixed in (the initiator's key first),
// and the pre-shared key.
enum class NoiseToken : std::uint8_t { kE, kS, kEe, kEs, kSe, kSs, kPsk };

using NoiseTokens = std::span<const NoiseToken>;

struct NoisePattern {
  std::string_view name;
  // The initiator knows the responder's static key before the first message ("<- s").
  bool responder_known = false;
  std::span<const NoiseTokens> messages;

  bool has_psk() const {
    return std::any_of(messages.begin(), messages.end(), [](NoiseTokens tokens) {
      return std::find(tokens.begin(), tokens.end(), NoiseToken::kPsk) != tokens.end();
    });
  }
};

namespace noise_xx {
inline constexpr std::array kFirst = {NoiseToken::kE};
inline constexpr std::array kSecond = {NoiseToken::kE, NoiseToken::kEe, NoiseToken::kS,
                                       NoiseToken::kEs};
inline constexpr std::array kThird = {NoiseToken::kS, NoiseToken::kSe};
inline constexpr std::array kThirdPsk = {NoiseToken::kS, NoiseToken::kSe, NoiseToken::kPsk};
inline constexpr std::array<NoiseTokens, 3> kMessages = {kFirst, kSecond, kThird};
inline constexpr std::array<NoiseTokens, 3> kMessagesPsk = {kFirst, kSecond, kThirdPsk};
}  // namespace noise_xx

inline constexpr NoisePattern kNoiseXx = {"XX", false, noise_xx::kMessages};
inline constexpr NoisePattern kNoiseXxPsk3 = {"XXpsk3", false, noise_xx::kMessagesPsk};

}  // namespace ebb::channel
