#include "node/signing_key.h"

#include <algorithm>
#include <filesystem>

#include "core/data_directory.h"
#include "core/limits.h"
#include "node/files.h"
#include "node/key_file.h"

namespace ebb::node {
namespace {

std::string directory_of(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

Status require_private_directory(const std::string& path) {
  const std::string directory = directory_of(path);
  return require_private(directory, "run `chmod 700 " + shell_word(directory) + "`");
}

Status read_line(const std::string& path, SecretText& out) {
  if (!file_exists(path)) {
    return Error{ErrorCode::kNotFound, "key file",
                 path + " is missing: put it back from your copy"};
  }
  EBB_RETURN_IF_ERROR(require_private_directory(path));
  const std::string fix = "run `chmod 600 " + shell_word(path) +
                          "`, and end this key by the root if it may have been read";
  EBB_RETURN_IF_ERROR(read_private_file(path, limits::kSealedKeyBytes + 1, fix, out));
  if (out.text.ends_with('\n')) out.text.pop_back();
  return {};
}

Error is_there(const std::string& path) {
  return {ErrorCode::kExists, "key file", path + " is there already: a key is not written over"};
}

// What to do, with the path: the room below knows neither.
Error told(const std::string& path, const Error& error) {
  std::string what = path + ": " + error.detail;
  switch (error.code) {
    case ErrorCode::kCorrupt:
      what += "; put the file back from your copy (the key cannot be made again)";
      break;
    case ErrorCode::kUnsupported:
      what = path + ": of a later version of ebb; use that one";
      break;
    case ErrorCode::kBadTag:
      what += ", or the file is another's: try again";
      break;
    default:
      break;
  }
  return {error.code, "key file", what};
}

}  // namespace

Status write_signing_key(const std::string& path, std::string_view kind, const trust::KeySeed& key,
                         std::string_view passphrase, const trust::PassphraseCost& cost) {
  // The hash of a passphrase would be in vain.
  if (file_exists(path)) return is_there(path);
  EBB_RETURN_IF_ERROR(make_directory(directory_of(path)));
  EBB_RETURN_IF_ERROR(require_private_directory(path));
  Status status;
  if (passphrase.empty()) {
    KeyBytes bytes;
    std::copy(key.view().begin(), key.view().end(), bytes.data().begin());
    status = write_new_key_file(path, kind, bytes);
  } else {
    EBB_ASSIGN(const std::string line, trust::seal_key(kind, key, passphrase, cost));
    status = write_new_file_durable(path, line + "\n", 0600);
  }
  if (!status.ok() && status.error().code == ErrorCode::kExists) return is_there(path);
  return status;
}

Result<bool> needs_passphrase(const std::string& path) {
  SecretText line;
  EBB_RETURN_IF_ERROR(read_line(path, line));
  return trust::is_sealed_key(line.text);
}

Result<trust::KeySeed> read_signing_key(const std::string& path, std::string_view kind,
                                        std::string_view passphrase) {
  SecretText line;
  EBB_RETURN_IF_ERROR(read_line(path, line));
  if (!trust::is_sealed_key(line.text)) {
    EBB_ASSIGN(const KeyBytes bytes, read_key_file(path, kind));
    return trust::KeySeed::from(bytes.view());
  }
  if (passphrase.empty()) {
    return Error{ErrorCode::kInvalidArgument, "key file",
                 path + " is under a passphrase, and none was given"};
  }
  auto key = trust::open_key(kind, line.text, passphrase);
  if (!key.ok()) return told(path, key.error());
  return key;
}

}  // namespace ebb::node
