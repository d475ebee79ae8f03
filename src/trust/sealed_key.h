// SealedKey: the key of a root or an issuer under a passphrase, as one line of text.
//
// Model:     argon2id makes a key of the passphrase, XChaCha20-Poly1305 seals the 32 bytes under
// it.
//            What the hash costs is in the line, and bounded before anything is allocated.
// Ownership: KeySeed is wiped when it goes, and so is what the passphrase is turned into; the
//            passphrase itself is the caller's to wipe.
// Errors:    seal: kInvalidArgument (passphrase empty, cost out of bounds), kTooLarge (passphrase).
//            open: kMalformed (not such a line), kUnsupported (of a later version), kCorrupt
//            (damaged, or of another kind), kTooLarge (asks for more than the bounds), kBadTag (the
//            passphrase is wrong). Both: kBusy when there is no memory for the hash.
// Threads:   pure functions; any thread. Takes memory and time, a second and 64 MiB as a rule.
// Limits:    limits::kPassphraseBytes, kPassphraseHashBytes, kPassphraseHashPasses,
//            kSealedKeyBytes.
// Spec:      docs/store_format.md section 8
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/result.h"
#include "trust/identity.h"

namespace ebb::trust {

// The 32 secret bytes of an Ed25519 key pair: moved, never copied, and wiped.
class KeySeed {
 public:
  KeySeed() = default;
  ~KeySeed() { erase(); }
  KeySeed(const KeySeed&) = delete;
  KeySeed& operator=(const KeySeed&) = delete;
  KeySeed(KeySeed&& other) noexcept;
  KeySeed& operator=(KeySeed&& other) noexcept;

  static KeySeed random();
  // kInvalidArgument unless they are 32.
  static Result<KeySeed> from(ByteView bytes);

  std::unique_ptr<Identity> identity() const;
  ByteView view() const { return bytes_; }
  std::uint8_t* data() { return bytes_.data(); }
  void erase();

 private:
  std::array<std::uint8_t, kSeedBytes> bytes_{};
};

struct PassphraseCost {
  std::uint32_t passes = 3;
  std::uint32_t memory_kib = 64 * 1024;
};

// `kind` as of a key file, such as "root": a word of [a-z-]. The line has no end.
Result<std::string> seal_key(std::string_view kind, const KeySeed& seed,
                             std::string_view passphrase, const PassphraseCost& cost = {});
Result<KeySeed> open_key(std::string_view kind, std::string_view line, std::string_view passphrase);
// Whether it looks like one, so that somebody has to be asked for a passphrase.
bool is_sealed_key(std::string_view line);

}  // namespace ebb::trust
