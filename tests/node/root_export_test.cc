// How the key of a root leaves its directory.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>

#include "core/limits.h"
#include "node/config.h"
#include "node/device_file.h"
#include "node/files.h"
#include "node/home.h"
#include "node/signing_key.h"
#include "tests/node/home_rig.h"
#include "tests/temp_dir.h"
#include "trust/authority.h"
#include "trust/mesh_file.h"

namespace {

using namespace ebb;
using namespace ebb::node;
using ebb::tests::options_for;
using ebb::tests::read_text;
using ebb::tests::TempDir;
using ebb::tests::write_text;
namespace fs = std::filesystem;

// What this process makes below `dir` it cannot read again; it is another user meanwhile where it
// is one to whom modes mean nothing.
class UnreadableFiles {
 public:
  explicit UnreadableFiles(std::string dir) : dir_(std::move(dir)), mask_(::umask(0400)) {
    if (!was_root_) return;
    give_to(kNobody);
    REQUIRE(::seteuid(kNobody) == 0);
  }
  ~UnreadableFiles() {
    ::umask(mask_);
    if (!was_root_) return;
    CHECK(::seteuid(0) == 0);
    give_to(0);
  }
  UnreadableFiles(const UnreadableFiles&) = delete;
  UnreadableFiles& operator=(const UnreadableFiles&) = delete;

 private:
  static constexpr uid_t kNobody = 65534;
  void give_to(uid_t user) const {
    CHECK(::chown(dir_.c_str(), user, static_cast<gid_t>(-1)) == 0);
    for (const auto& each : fs::recursive_directory_iterator(dir_))
      CHECK(::chown(each.path().c_str(), user, static_cast<gid_t>(-1)) == 0);
  }

  std::string dir_;
  mode_t mask_;
  bool was_root_ = ::geteuid() == 0;
};

}  // namespace

TEST_CASE("the root's key is moved off, whole, and is gone only then") {
  const TempDir dir;
  const auto home = init_home(options_for(dir / "a"));
  const std::string root = read_text(home->paths.root_key);
  const std::string file = dir / "root.key";
  write_text(file, "something else");
  CHECK(export_root(dir / "a", file, "").error().code == ErrorCode::kExists);
  CHECK(read_text(file) == "something else");
  CHECK(read_text(home->paths.root_key) == root);
  CHECK_FALSE(export_root(dir / "a", dir / "no/such/folder", "").ok());
  CHECK(file_exists(home->paths.root_key));

  REQUIRE(std::remove(file.c_str()) == 0);
  REQUIRE(export_root(dir / "a", file, "").ok());
  CHECK(read_text(file) == root);
  CHECK_FALSE(file_exists(home->paths.root_key));
  CHECK(load_home(dir / "a").ok());
  CHECK(export_root(dir / "a", dir / "again", "").error().code == ErrorCode::kNotFound);
}

TEST_CASE("the root's key may leave under a passphrase, and one that is under one stays so") {
  const TempDir dir;
  REQUIRE(init_home(options_for(dir / "a")).ok());
  const std::string file = dir / "root.key";
  REQUIRE(::chmod(dir.path().c_str(), 0700) == 0);
  REQUIRE(export_root(dir / "a", file, "battery staple").ok());
  CHECK(read_signing_key(file, kRootKind, "wrong").error().code == ErrorCode::kBadTag);
  const auto key = read_signing_key(file, kRootKind, "battery staple");
  REQUIRE(key.ok());
  const auto home = load_home(dir / "a");
  CHECK(key->identity()->device() == trust::decode_genesis(home->genesis)->root);

  InitOptions options = options_for(dir / "b");
  options.passphrase = "one";
  REQUIRE(init_home(options).ok());
  const std::string sealed = read_text(home_paths(dir / "b").root_key);
  REQUIRE(export_root(dir / "b", dir / "b.key", "").ok());
  CHECK(read_text(dir / "b.key") == sealed);
}

TEST_CASE("a root's key that is under a passphrase is put under another with that one alone") {
  const TempDir dir;
  REQUIRE(::chmod(dir.path().c_str(), 0700) == 0);
  InitOptions options = options_for(dir / "a");
  options.passphrase = "one";
  REQUIRE(init_home(options).ok());
  const HomePaths paths = home_paths(dir / "a");
  const std::string file = dir / "root.key";
  CHECK(*root_is_sealed(dir / "a"));
  CHECK(export_root(dir / "a", file, "two").error().code == ErrorCode::kInvalidArgument);
  CHECK(export_root(dir / "a", file, "two", "three").error().code == ErrorCode::kBadTag);
  CHECK_FALSE(file_exists(file));
  REQUIRE(file_exists(paths.root_key));

  REQUIRE(export_root(dir / "a", file, "two", "one").ok());
  CHECK_FALSE(file_exists(paths.root_key));
  CHECK_FALSE(*root_is_sealed(dir / "a"));
  CHECK(read_signing_key(file, kRootKind, "one").error().code == ErrorCode::kBadTag);
  const auto key = read_signing_key(file, kRootKind, "two");
  REQUIRE(key.ok());
  CHECK(key->identity()->device() == trust::decode_genesis(load_home(dir / "a")->genesis)->root);
}

TEST_CASE("a root's key that is damaged, or of another mesh under its passphrase, is not moved") {
  const TempDir dir;
  for (const char* name : {"a", "b"}) {
    InitOptions options = options_for(dir / name);
    options.passphrase = "one";
    REQUIRE(init_home(options).ok());
  }
  const std::string path = home_paths(dir / "a").root_key;
  const std::string whole = read_text(path);
  std::string damaged = whole;
  damaged[damaged.size() - 9] = damaged[damaged.size() - 9] == 'a' ? 'b' : 'a';
  write_text(path, damaged);
  CHECK(export_root(dir / "a", dir / "root.key", "").error().code == ErrorCode::kCorrupt);
  write_text(path, read_text(home_paths(dir / "b").root_key));
  CHECK(export_root(dir / "a", dir / "root.key", "two", "one").error().code ==
        ErrorCode::kInvalidArgument);
  CHECK_FALSE(file_exists(dir / "root.key"));
  CHECK(file_exists(path));
}

TEST_CASE("a copy of the root's key that failed is not left behind") {
  const TempDir dir;
  REQUIRE(init_home(options_for(dir / "a")).ok());
  const std::string root = home_paths(dir / "a").root_key;
  const std::string file = dir / "root.key";
  {
    const UnreadableFiles unreadable(dir.path());
    const Status moved = export_root(dir / "a", file, "");
    REQUIRE_FALSE(moved.ok());
    CHECK(moved.error().detail.find("does not read back") != std::string::npos);
  }
  CHECK_FALSE(file_exists(file));
  CHECK(file_exists(root));
  CHECK(export_root(dir / "a", file, "").ok());
}

TEST_CASE("the key of another mesh's root is not moved") {
  const TempDir dir;
  REQUIRE(init_home(options_for(dir / "a")).ok());
  REQUIRE(init_home(options_for(dir / "b")).ok());
  const std::string path = home_paths(dir / "a").root_key;
  write_text(path, read_text(home_paths(dir / "b").root_key));
  CHECK(export_root(dir / "a", dir / "root.key", "").error().code == ErrorCode::kInvalidArgument);
  CHECK_FALSE(file_exists(dir / "root.key"));
  CHECK(file_exists(path));
}
