#include "node/key_file.h"

#include <string.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "core/ids.h"
#include "node/files.h"
#include "trust/hash.h"

namespace ebb::node {
namespace {

constexpr std::string_view kLabel = "ebb-key-1";
constexpr std::size_t kChecksumBytes = 4;
constexpr std::size_t kFileBytes = 512;

std::string checksum(const KeyBytes& key) {
  return to_base32(trust::hash(key.view()).view().first(kChecksumBytes));
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return words;
}

// A device with another link key is certified anew at its next contact with an issuer.
constexpr std::string_view kMadeAgain = "; remove it, and the next start makes another";
constexpr std::string_view kNeverAgain =
    "; put the file back from your copy (the key cannot be made again), or set this directory "
    "aside and run `ebb init` in a new one";

constexpr std::string_view kFromCopy =
    "; put the file back from your copy (the key cannot be made again)";

void write_line(std::string_view kind, const KeyBytes& key, SecretText& out) {
  out.text.reserve(kFileBytes);
  SecretText secret;
  secret.text = to_base32(key.view());
  out.text.append(kLabel).append(" ").append(kind).append(" ");
  out.text.append(secret.text).append(" ").append(checksum(key)).append("\n");
}

struct KeyFile {
  const std::string& path;
  std::string_view kind;

  Error damaged(std::string_view how) const {
    std::string detail = path + ": " + std::string(how);
    const bool signs = kind == kRootKind || kind == kIssuerKind;
    detail += kind == kLinkKind ? kMadeAgain : signs ? kFromCopy : kNeverAgain;
    return {ErrorCode::kCorrupt, "key file", std::move(detail)};
  }
};

}  // namespace

KeyBytes::~KeyBytes() { ::explicit_bzero(data_.data(), data_.size()); }

Status write_key_file(const std::string& path, std::string_view kind, const KeyBytes& key) {
  SecretText line;
  write_line(kind, key, line);
  return write_file_durable(path, line.text, 0600);
}

Status write_new_key_file(const std::string& path, std::string_view kind, const KeyBytes& key) {
  SecretText line;
  write_line(kind, key, line);
  return write_new_file_durable(path, line.text, 0600);
}

Result<KeyBytes> read_key_file(const std::string& path, std::string_view kind) {
  const KeyFile file{path, kind};
  if (!file_exists(path)) {
    return Error{ErrorCode::kNotFound, "key file",
                 path +
                     " is missing: put it back from your copy, or set this directory aside "
                     "and run `ebb init` in a new one"};
  }
  SecretText whole;
  const Status status = read_private_file(
      path, kFileBytes,
      "run `chmod 600 " + path + "`, and make a new device if it may have been read", whole);
  if (!status.ok()) {
    if (status.error().code == ErrorCode::kTooLarge) return file.damaged("too long for a key file");
    return status.error();
  }
  std::string_view line = whole.text;
  if (line.ends_with('\n')) line.remove_suffix(1);
  const std::vector<std::string_view> words = words_of(line);
  if (words.size() != 4 || words[0] != kLabel) return file.damaged("not a key file of this form");
  if (words[1] != kind) return file.damaged("a key of another kind");
  std::optional<Bytes> bytes = from_base32(words[2]);
  KeyBytes key;
  const bool fits = bytes && bytes->size() == key.data().size();
  if (fits) std::copy(bytes->begin(), bytes->end(), key.data().begin());
  if (bytes) ::explicit_bzero(bytes->data(), bytes->size());
  if (!fits) return file.damaged("wrong size");
  if (words[3] != checksum(key)) return file.damaged("the checksum does not fit the key");
  return key;
}

}  // namespace ebb::node
