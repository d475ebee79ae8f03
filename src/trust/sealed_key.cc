#include "trust/sealed_key.h"

#include <sodium.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "core/check.h"
#include "core/limits.h"
#include "trust/hash.h"

namespace ebb::trust {
namespace {

constexpr std::string_view kName = "ebb-sealed-key-";
constexpr std::string_view kLabel = "ebb-sealed-key-1";
constexpr std::size_t kWords = 3;
constexpr std::size_t kSaltBytes = crypto_pwhash_argon2id_SALTBYTES;
constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t kKeyBytes = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
constexpr std::size_t kChecksumBytes = 4;
constexpr std::size_t kKib = 1024;
// Where things stand in the bytes: passes u32, memory u32, salt, nonce, sealed key, checksum.
constexpr std::size_t kMemoryAt = 4;
constexpr std::size_t kSaltAt = 8;
constexpr std::size_t kNonceAt = kSaltAt + kSaltBytes;
constexpr std::size_t kSealedAt = kNonceAt + kNonceBytes;
constexpr std::size_t kChecksumAt = kSealedAt + kSeedBytes + kTagBytes;
constexpr std::size_t kAllBytes = kChecksumAt + kChecksumBytes;

// Wiped when it goes.
struct HashedPassphrase {
  std::array<std::uint8_t, kKeyBytes> key{};
  HashedPassphrase() = default;
  HashedPassphrase(const HashedPassphrase&) = delete;
  HashedPassphrase& operator=(const HashedPassphrase&) = delete;
  ~HashedPassphrase() { sodium_memzero(key.data(), key.size()); }
};

Error too_long() {
  return {ErrorCode::kTooLarge, "sealed key", "the passphrase is longer than 1,024 bytes"};
}
Error damaged(const char* how) { return {ErrorCode::kCorrupt, "sealed key", how}; }

bool is_bounded(const PassphraseCost& cost) {
  return cost.passes >= crypto_pwhash_argon2id_OPSLIMIT_MIN &&
         cost.passes <= limits::kPassphraseHashPasses &&
         cost.memory_kib >= crypto_pwhash_argon2id_MEMLIMIT_MIN / kKib &&
         cost.memory_kib <= limits::kPassphraseHashBytes / kKib;
}

Status hash_passphrase(std::string_view passphrase, const PassphraseCost& cost, ByteView salt,
                       HashedPassphrase& out) {
  EBB_CHECK(is_bounded(cost) && salt.size() == kSaltBytes);
  const int failed =
      crypto_pwhash(out.key.data(), out.key.size(), passphrase.empty() ? "" : passphrase.data(),
                    passphrase.size(), salt.data(), cost.passes,
                    std::size_t{cost.memory_kib} * kKib, crypto_pwhash_ALG_ARGON2ID13);
  if (failed == 0) return {};
  return Error{ErrorCode::kBusy, "sealed key", "no memory to hash the passphrase"};
}

// All in front of the sealed key, and the kind.
Bytes associated(std::string_view kind, ByteView bytes) {
  Bytes out = to_bytes(as_bytes(kLabel));
  append(out, as_bytes(kind));
  append(out, bytes.first(kSealedAt));
  return out;
}

Bytes checksum(std::string_view kind, ByteView bytes) {
  const Hash whole = hash({as_bytes(kLabel), as_bytes(kind), bytes.first(kChecksumAt)});
  return to_bytes(whole.view().first(kChecksumBytes));
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (words.size() <= kWords && !line.empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return words;
}

// The bytes of a line whose form is right and whose checksum fits.
Result<Bytes> bytes_of(std::string_view kind, std::string_view line) {
  if (line.size() > limits::kSealedKeyBytes || !is_sealed_key(line)) {
    return Error{ErrorCode::kMalformed, "sealed key"};
  }
  const auto words = words_of(line);
  if (words[0] != kLabel) {
    const bool is_number = words[0].find_first_not_of("0123456789", kName.size()) == words[0].npos;
    if (!is_number || words[0] == kName) return damaged("no version");
    return Error{ErrorCode::kUnsupported, "sealed key"};
  }
  if (words.size() != kWords) return damaged("not of three words");
  if (words[1] != kind) return damaged("a key of another kind");
  const auto bytes = from_base32(words[2]);
  // One spelling only.
  if (!bytes || bytes->size() != kAllBytes || to_base32(*bytes) != words[2]) {
    return damaged("not so many letters");
  }
  if (!equal(checksum(kind, *bytes), ByteView(*bytes).last(kChecksumBytes))) {
    return damaged("the checksum does not fit");
  }
  return *bytes;
}

}  // namespace

KeySeed::KeySeed(KeySeed&& other) noexcept : bytes_(other.bytes_) { other.erase(); }

KeySeed& KeySeed::operator=(KeySeed&& other) noexcept {
  if (this == &other) return *this;
  bytes_ = other.bytes_;
  other.erase();
  return *this;
}

void KeySeed::erase() { sodium_memzero(bytes_.data(), bytes_.size()); }

KeySeed KeySeed::random() {
  KeySeed seed;
  random_bytes(seed.bytes_.data(), seed.bytes_.size());
  return seed;
}

Result<KeySeed> KeySeed::from(ByteView bytes) {
  if (bytes.size() != kSeedBytes) {
    return Error{ErrorCode::kInvalidArgument, "key seed is not of 32 bytes"};
  }
  KeySeed seed;
  std::memcpy(seed.bytes_.data(), bytes.data(), bytes.size());
  return seed;
}

std::unique_ptr<Identity> KeySeed::identity() const {
  return std::move(Identity::from_seed(bytes_)).value();
}

bool is_sealed_key(std::string_view line) { return line.starts_with(kName); }

Result<std::string> seal_key(std::string_view kind, const KeySeed& seed,
                             std::string_view passphrase, const PassphraseCost& cost) {
  if (passphrase.empty()) {
    return Error{ErrorCode::kInvalidArgument, "sealed key", "the passphrase is empty"};
  }
  if (passphrase.size() > limits::kPassphraseBytes) return too_long();
  if (!is_bounded(cost)) {
    return Error{ErrorCode::kInvalidArgument, "sealed key", "the cost is out of bounds"};
  }
  Bytes bytes;
  append_be32(bytes, cost.passes);
  append_be32(bytes, cost.memory_kib);
  bytes.resize(kChecksumAt);
  random_bytes(bytes.data() + kSaltAt, kSaltBytes + kNonceBytes);
  HashedPassphrase hashed;
  EBB_RETURN_IF_ERROR(
      hash_passphrase(passphrase, cost, ByteView(bytes).subspan(kSaltAt, kSaltBytes), hashed));
  const Bytes front = associated(kind, bytes);
  EBB_CHECK(crypto_aead_xchacha20poly1305_ietf_encrypt(
                bytes.data() + kSealedAt, nullptr, seed.view().data(), kSeedBytes, front.data(),
                front.size(), nullptr, bytes.data() + kNonceAt, hashed.key.data()) == 0);
  append(bytes, checksum(kind, bytes));
  std::string line(kLabel);
  line.append(" ").append(kind).append(" ").append(to_base32(bytes));
  return line;
}

Result<KeySeed> open_key(std::string_view kind, std::string_view line,
                         std::string_view passphrase) {
  EBB_ASSIGN(const Bytes bytes, bytes_of(kind, line));
  const ByteView view(bytes);
  const PassphraseCost cost{read_be32(view), read_be32(view.subspan(kMemoryAt))};
  if (!is_bounded(cost)) {
    return Error{ErrorCode::kTooLarge, "sealed key", "it asks for too much memory or time"};
  }
  if (passphrase.size() > limits::kPassphraseBytes) return too_long();
  HashedPassphrase hashed;
  EBB_RETURN_IF_ERROR(hash_passphrase(passphrase, cost, view.subspan(kSaltAt, kSaltBytes), hashed));
  const Bytes front = associated(kind, bytes);
  KeySeed seed;
  const int failed = crypto_aead_xchacha20poly1305_ietf_decrypt(
      seed.data(), nullptr, nullptr, bytes.data() + kSealedAt, kSeedBytes + kTagBytes, front.data(),
      front.size(), bytes.data() + kNonceAt, hashed.key.data());
  if (failed != 0) return Error{ErrorCode::kBadTag, "sealed key", "the passphrase is wrong"};
  return seed;
}

}  // namespace ebb::trust
