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

// Nothing else depends on a link key yet.
constexpr std::string_view kMadeAgain = "; remove it, and the next start makes another";
constexpr std::string_view kNeverAgain =
    "; put the file back from your copy (the key cannot be made again), or set this directory "
    "aside and run `ebb init` in a new one";

struct KeyFile {
  const std::string& path;
  std::string_view kind;

  Error damaged(std::string_view how) const {
    std::string detail = path + ": " + std::string(how);
    detail += kind == kLinkKind ? kMadeAgain : kNeverAgain;
    return {ErrorCode::kCorrupt, "key file", std::move(detail)};
  }
};

}  // namespace

KeyBytes::~KeyBytes() { ::explicit_bzero(data_.data(), data_.size()); }

Status write_key_file(const std::string& path, std::string_view kind, const KeyBytes& key) {
  std::string text(kLabel);
  text.append(" ").append(kind).append(" ");
  text.append(to_base32(key.view())).append(" ").append(checksum(key)).append("\n");
  Status status = write_file_durable(path, text, 0600);
  ::explicit_bzero(text.data(), text.size());
  return status;
}

Result<KeyBytes> read_key_file(const std::string& path, std::string_view kind) {
  const KeyFile file{path, kind};
  if (!file_exists(path)) {
    return Error{ErrorCode::kNotFound, "key file",
                 path +
                     " is missing: put it back from your copy, or set this directory aside "
                     "and run `ebb init` in a new one"};
  }
  EBB_RETURN_IF_ERROR(require_private(
      path, "run `chmod 600 " + path + "`, and make a new device if it may have been read"));
  Result<std::string> text = read_file(path, kFileBytes);
  if (!text.ok()) {
    if (text.error().code == ErrorCode::kTooLarge) return file.damaged("too long for a key file");
    return text.error();
  }
  std::string& whole = *text;
  std::string_view line = whole;
  if (line.ends_with('\n')) line.remove_suffix(1);
  const std::vector<std::string_view> words = words_of(line);
  if (words.size() != 4 || words[0] != kLabel) return file.damaged("not a key file of this form");
  if (words[1] != kind) return file.damaged("a key of another kind");
  std::optional<Bytes> bytes = from_base32(words[2]);
  KeyBytes key;
  if (!bytes || bytes->size() != key.data().size()) return file.damaged("wrong size");
  std::copy(bytes->begin(), bytes->end(), key.data().begin());
  ::explicit_bzero(bytes->data(), bytes->size());
  const std::string sum = checksum(key);
  if (words[3] != sum) return file.damaged("the checksum does not fit the key");
  ::explicit_bzero(whole.data(), whole.size());
  return key;
}

}  // namespace ebb::node
