// Key files: 32 secret bytes with a kind and a checksum, 0600.
//
// Model:   one line, "ebb-key-1 <kind> <base32 of the bytes> <base32 of H(bytes)[0..4)>".
// Errors:  write: as files.h. read: kNotFound, kPermission (as read_private_file), kCorrupt
//          (not such a line, of another kind, or the checksum differs); detail names the path and
//          what to do.
// Threads: pure functions over files; any thread.
// Spec:    docs/store_format.md section 1
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/result.h"

namespace ebb::node {

// 32 secret bytes, wiped when they go.
class KeyBytes {
 public:
  KeyBytes() = default;
  ~KeyBytes();
  KeyBytes(const KeyBytes&) = default;
  KeyBytes& operator=(const KeyBytes&) = default;

  std::array<std::uint8_t, 32>& data() { return data_; }
  ByteView view() const { return {data_.data(), data_.size()}; }

 private:
  std::array<std::uint8_t, 32> data_{};
};

inline constexpr std::string_view kIdentityKind = "identity";
inline constexpr std::string_view kLinkKind = "link";
inline constexpr std::string_view kRootKind = "root";
inline constexpr std::string_view kIssuerKind = "issuer";
inline constexpr std::string_view kMeshSecretKind = "mesh-secret";

Status write_key_file(const std::string& path, std::string_view kind, const KeyBytes& key);
// kExists when there is a file, which stays as it is.
Status write_new_key_file(const std::string& path, std::string_view kind, const KeyBytes& key);
Result<KeyBytes> read_key_file(const std::string& path, std::string_view kind);

}  // namespace ebb::node
