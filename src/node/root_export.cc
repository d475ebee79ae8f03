// Takes the key of a mesh's root out of a data directory: to a stick as a rule, whose file system
// may know neither modes nor hard links.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "core/data_directory.h"
#include "core/limits.h"
#include "core/unique_fd.h"
#include "node/files.h"
#include "node/home.h"
#include "node/signing_key.h"

namespace ebb::node {
namespace {

// What this call has made does not stay; where it does, it is said.
Error without_copy(const std::string& path, Error why) {
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return why;
  why.detail += "; a copy of the key is still in " + path + ": remove it";
  return why;
}

Status write_copy(const std::string& path, std::string_view text) {
  UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.get() < 0 && errno == EEXIST) {
    return Error{ErrorCode::kExists, "key file",
                 path + " is there already: a key is not written over; choose another name"};
  }
  if (file.get() < 0) return system_error(errno, "create file", path);
  int code = write_all(file.get(), text);
  if (code == 0 && ::fsync(file.get()) != 0) code = errno;
  // What is read back is to come from the disk, where the system does that.
  if (code == 0) static_cast<void>(::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED));
  const int closed = file.close();
  if (code == 0) code = closed;
  const Status status = code == 0 ? sync_directory(path) : system_error(code, "write file", path);
  if (status.ok()) return status;
  return without_copy(path, status.error());
}

Error unreadable(const std::string& path) {
  return {ErrorCode::kIo, "key file",
          path +
              " does not read back as it was written; the key in the data directory was "
              "not touched: try another disk"};
}

Status require_root(const HomePaths& paths, const trust::KeySeed& key) {
  EBB_ASSIGN(const Home home, load_home(paths.dir));
  EBB_ASSIGN(const trust::Genesis genesis, trust::decode_genesis(home.genesis));
  if (key.identity()->device() == genesis.root) return {};
  return Error{ErrorCode::kInvalidArgument, "key file",
               paths.root_key + " is the key of another mesh's root; nothing was moved"};
}

// The bytes, and that `passphrase` opens what was sealed under it.
Status verify_copy(const HomePaths& paths, const std::string& path, std::string_view text,
                   std::string_view passphrase) {
  SecretText copy;
  auto read = read_file(path, limits::kSealedKeyBytes + 1);
  if (read.ok()) copy.text = std::move(read).value();
  if (!read.ok() || copy.text != text) return unreadable(path);
  if (passphrase.empty()) return {};
  copy.text.pop_back();
  const auto key = trust::open_key(kRootKind, copy.text, passphrase);
  if (!key.ok() && key.error().code == ErrorCode::kBusy) return key.error();
  return key.ok() && require_root(paths, *key).ok() ? Status() : unreadable(path);
}

// No key is under an empty passphrase: that it does not open is said of a line that is whole.
Status require_whole(const HomePaths& paths, std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  const auto opened = trust::open_key(kRootKind, line, {});
  if (opened.ok() || opened.error().code == ErrorCode::kBadTag) return {};
  return Error{opened.error().code, "key file",
               paths.root_key + ": " + opened.error().message() + "; nothing was moved"};
}

// The line to write: sealed anew, or as it is.
Status line_to_export(const HomePaths& paths, std::string_view passphrase, std::string_view current,
                      SecretText& line) {
  EBB_ASSIGN(const bool sealed, needs_passphrase(paths.root_key));
  const std::string fix = "run `chmod 600 " + shell_word(paths.root_key) + "`";
  EBB_RETURN_IF_ERROR(read_private_file(paths.root_key, limits::kSealedKeyBytes + 1, fix, line));
  if (sealed && passphrase.empty()) return require_whole(paths, line.text);
  EBB_ASSIGN(const trust::KeySeed key, read_signing_key(paths.root_key, kRootKind, current));
  EBB_RETURN_IF_ERROR(require_root(paths, key));
  if (passphrase.empty()) return {};
  EBB_ASSIGN(const std::string sealed_line, trust::seal_key(kRootKind, key, passphrase));
  erase_text(line.text);
  line.text = sealed_line + "\n";
  return {};
}

}  // namespace

Result<bool> root_is_sealed(const std::string& dir) {
  const HomePaths paths = home_paths(dir);
  if (!file_exists(paths.root_key)) return false;
  return needs_passphrase(paths.root_key);
}

Status export_root(const std::string& dir, const std::string& file, std::string_view passphrase,
                   std::string_view current) {
  const HomePaths paths = home_paths(dir);
  if (!file_exists(paths.root_key)) {
    return Error{ErrorCode::kNotFound, "key file",
                 "the key of the mesh's root is not in " + paths.keys +
                     ": this device did not begin the mesh, or the key was moved away already"};
  }
  SecretText line;
  EBB_RETURN_IF_ERROR(line_to_export(paths, passphrase, current, line));
  EBB_RETURN_IF_ERROR(write_copy(file, line.text));
  if (const Status whole = verify_copy(paths, file, line.text, passphrase); !whole.ok()) {
    return without_copy(file, whole.error());
  }
  if (::unlink(paths.root_key.c_str()) != 0) {
    return without_copy(file, system_error(errno, "remove file", paths.root_key));
  }
  Status gone = sync_directory(paths.root_key);
  if (gone.ok()) return gone;
  Error unsure = gone.error();
  unsure.detail += "; the key is in " + file + ", but after a crash it may be here again, too";
  return unsure;
}

}  // namespace ebb::node
