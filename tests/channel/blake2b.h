// BLAKE2b as the hash of a Noise protocol, and the patterns that only known answers use.
//
// Threads: immutable; any thread.
#pragma once

#include "channel/noise_hash.h"
#include "channel/noise_pattern.h"

namespace ebb::tests {

const channel::NoiseHash& blake2b();

namespace noise_ik {
using channel::NoiseToken;
inline constexpr std::array kFirst = {NoiseToken::kE, NoiseToken::kEs, NoiseToken::kS,
                                      NoiseToken::kSs};
inline constexpr std::array kSecond = {NoiseToken::kE, NoiseToken::kEe, NoiseToken::kSe};
inline constexpr std::array kSecondPsk = {NoiseToken::kE, NoiseToken::kEe, NoiseToken::kSe,
                                          NoiseToken::kPsk};
inline constexpr std::array<channel::NoiseTokens, 2> kMessages = {kFirst, kSecond};
inline constexpr std::array<channel::NoiseTokens, 2> kMessagesPsk = {kFirst, kSecondPsk};
}  // namespace noise_ik

inline constexpr channel::NoisePattern kNoiseIk = {"IK", true, noise_ik::kMessages};
inline constexpr channel::NoisePattern kNoiseIkPsk2 = {"IKpsk2", true, noise_ik::kMessagesPsk};

}  // namespace ebb::tests
