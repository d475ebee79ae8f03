#include "node/home.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

#include "node/files.h"
#include "node/key_file.h"
#include "tests/temp_dir.h"

namespace {

using ebb::ErrorCode;
using ebb::node::Home;
using ebb::node::home_paths;
using ebb::node::HomePaths;
using ebb::node::init_home;
using ebb::node::InitOptions;
using ebb::node::load_home;
using ebb::node::load_link_key;
using ebb::tests::TempDir;

InitOptions options_for(const std::string& dir) {
  InitOptions options;
  options.dir = dir;
  options.name = "till-1";
  options.now = {1700000000000};
  return options;
}

mode_t mode_of(const std::string& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode & 07777;
}

void write_text(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::trunc) << text;
}

std::string read_text(const std::string& path) {
  return ebb::node::read_file(path, 1 << 20).value();
}

bool mentions(const ebb::Error& error, const std::string& text) {
  return error.detail.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("init makes a device that load finds again") {
  const TempDir dir;
  const std::string path = dir / "new/device";
  const auto made = init_home(options_for(path));
  REQUIRE(made.ok());
  const auto loaded = load_home(path);
  REQUIRE(loaded.ok());
  CHECK(loaded->identity->device() == made->identity->device());
  CHECK(loaded->mesh == made->mesh);
  CHECK(loaded->secret == made->secret);
  CHECK(loaded->genesis == made->genesis);
  CHECK_FALSE(loaded->secret == ebb::trust::MeshSecret());
}

TEST_CASE("keys are readable by their owner alone") {
  const TempDir dir;
  const std::string path = dir / "device";
  REQUIRE(init_home(options_for(path)).ok());
  const HomePaths paths = home_paths(path);
  CHECK(mode_of(paths.dir) == 0700);
  CHECK(mode_of(paths.keys) == 0700);
  CHECK(mode_of(paths.store) == 0700);
  CHECK(mode_of(paths.identity_key) == 0600);
  CHECK(mode_of(paths.link_key) == 0600);
  CHECK(mode_of(paths.root_key) == 0600);
  CHECK(mode_of(paths.mesh_secret) == 0600);
  CHECK(mode_of(paths.issuer_key) == 0600);
  CHECK(mode_of(paths.genesis) == 0600);
  CHECK(mode_of(paths.authority) == 0600);
}

TEST_CASE("init refuses a directory that has a device and changes nothing") {
  const TempDir dir;
  const std::string path = dir / "device";
  const auto first = init_home(options_for(path));
  REQUIRE(first.ok());
  const std::string key = read_text(home_paths(path).identity_key);
  const auto second = init_home(options_for(path));
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().code == ErrorCode::kExists);
  CHECK(mentions(second.error(), path));
  CHECK(read_text(home_paths(path).identity_key) == key);
}

TEST_CASE("init refuses a store whose key is gone") {
  const TempDir dir;
  const std::string path = dir / "device";
  REQUIRE(init_home(options_for(path)).ok());
  const HomePaths paths = home_paths(path);
  write_text(paths.store + "/ebb.db", "a store");
  REQUIRE(std::remove(paths.identity_key.c_str()) == 0);
  const auto again = init_home(options_for(path));
  REQUIRE_FALSE(again.ok());
  CHECK(again.error().code == ErrorCode::kExists);
  CHECK(mentions(again.error(), paths.identity_key));
}

TEST_CASE("init keeps what a foreign directory holds") {
  const TempDir dir;
  write_text(dir / "notes.txt", "mine");
  const auto made = init_home(options_for(dir.path().string()));
  REQUIRE(made.ok());
  CHECK(read_text(dir / "notes.txt") == "mine");
}

TEST_CASE("a key that others may read is refused with its path and the fix") {
  const TempDir dir;
  const std::string path = dir / "device";
  REQUIRE(init_home(options_for(path)).ok());
  const HomePaths paths = home_paths(path);
  REQUIRE(::chmod(paths.identity_key.c_str(), 0640) == 0);
  const auto loaded = load_home(path);
  REQUIRE_FALSE(loaded.ok());
  CHECK(loaded.error().code == ErrorCode::kPermission);
  CHECK(mentions(loaded.error(), "chmod 600 " + paths.identity_key));
  CHECK(mentions(loaded.error(), "0640"));
}

TEST_CASE("a key directory that others may enter is refused") {
  const TempDir dir;
  const std::string path = dir / "device";
  REQUIRE(init_home(options_for(path)).ok());
  REQUIRE(::chmod(home_paths(path).keys.c_str(), 0755) == 0);
  const auto loaded = load_home(path);
  REQUIRE_FALSE(loaded.ok());
  CHECK(loaded.error().code == ErrorCode::kPermission);
}

TEST_CASE("every damaged byte of a key file is noticed") {
  const TempDir dir;
  const std::string path = dir / "device";
  REQUIRE(init_home(options_for(path)).ok());
  const std::string file = home_paths(path).identity_key;
  const std::string good = read_text(file);
  REQUIRE(good.ends_with('\n'));
  for (std::size_t i = 0; i + 1 < good.size(); ++i) {
    CAPTURE(i);
    std::string bad = good;
    bad[i] = bad[i] == 'b' ? 'c' : 'b';
    write_text(file, bad);
    const auto loaded = load_home(path);
    REQUIRE_FALSE(loaded.ok());
    REQUIRE(loaded.error().code == ErrorCode::kCorrupt);
    REQUIRE(mentions(loaded.error(), file));
  }
  for (std::size_t size = 0; size + 1 < good.size(); ++size) {
    CAPTURE(size);
    write_text(file, good.substr(0, size));
    const auto loaded = load_home(path);
    REQUIRE_FALSE(loaded.ok());
    REQUIRE(loaded.error().code == ErrorCode::kCorrupt);
  }
  write_text(file, good);
  CHECK(load_home(path).ok());
}

TEST_CASE("a key of another kind is refused") {
  const TempDir dir;
  const std::string path = dir / "device";
  REQUIRE(init_home(options_for(path)).ok());
  const HomePaths paths = home_paths(path);
  write_text(paths.identity_key, read_text(paths.root_key));
  const auto loaded = load_home(path);
  REQUIRE_FALSE(loaded.ok());
  CHECK(loaded.error().code == ErrorCode::kCorrupt);
  CHECK(mentions(loaded.error(), "another kind"));
}

TEST_CASE("a missing device and a missing key say what to do") {
  const TempDir dir;
  const auto none = load_home(dir / "nothing");
  REQUIRE_FALSE(none.ok());
  CHECK(none.error().code == ErrorCode::kNotFound);
  CHECK(mentions(none.error(), "ebb init"));

  const std::string path = dir / "device";
  REQUIRE(init_home(options_for(path)).ok());
  const HomePaths paths = home_paths(path);
  REQUIRE(std::remove(paths.mesh_secret.c_str()) == 0);
  const auto loaded = load_home(path);
  REQUIRE_FALSE(loaded.ok());
  CHECK(loaded.error().code == ErrorCode::kNotFound);
  CHECK(mentions(loaded.error(), paths.mesh_secret));
}

TEST_CASE("a damaged genesis is refused") {
  const TempDir dir;
  const std::string path = dir / "device";
  REQUIRE(init_home(options_for(path)).ok());
  write_text(home_paths(path).genesis, "aaaa\n");
  const auto loaded = load_home(path);
  REQUIRE_FALSE(loaded.ok());
  CHECK(loaded.error().code == ErrorCode::kCorrupt);
  CHECK(mentions(loaded.error(), home_paths(path).genesis));
}

TEST_CASE("an exported mesh makes another device of the same mesh") {
  const TempDir dir;
  const auto first = init_home(options_for(dir / "a"));
  REQUIRE(first.ok());
  const auto text = ebb::node::export_mesh(dir / "a");
  REQUIRE(text.ok());
  InitOptions options = options_for(dir / "b");
  options.mesh_file = *text;
  const auto second = init_home(options);
  REQUIRE(second.ok());
  CHECK(second->mesh == first->mesh);
  CHECK(second->secret == first->secret);
  CHECK_FALSE(second->identity->device() == first->identity->device());
  // The root key stays where the mesh began.
  CHECK(ebb::node::file_exists(home_paths(dir / "a").root_key));
  CHECK_FALSE(ebb::node::file_exists(home_paths(dir / "b").root_key));
}

TEST_CASE("a damaged mesh file makes no directory") {
  const TempDir dir;
  InitOptions options = options_for(dir / "b");
  options.mesh_file = "ebb-mesh-2\ngenesis not base32!\n";
  const auto made = init_home(options);
  REQUIRE_FALSE(made.ok());
  CHECK(made.error().code == ErrorCode::kCorrupt);
  CHECK_FALSE(ebb::node::file_exists(dir / "b"));
}

TEST_CASE("a name that the configuration could not keep is refused before anything is made") {
  const TempDir dir;
  for (const std::string& name : {std::string(65, 'a'), std::string("a\nb"), std::string("\xff")}) {
    InitOptions options = options_for(dir / "b");
    options.name = name;
    const auto made = init_home(options);
    REQUIRE_FALSE(made.ok());
    CHECK(made.error().code == ErrorCode::kInvalidArgument);
    CHECK_FALSE(ebb::node::file_exists(dir / "b"));
  }
}

TEST_CASE("init makes a link key that is no other key and stays as it is") {
  const TempDir dir;
  const std::string path = dir / "device";
  REQUIRE(init_home(options_for(path)).ok());
  const HomePaths paths = home_paths(path);
  const std::string text = read_text(paths.link_key);
  CHECK(text.starts_with("ebb-key-1 link "));
  bool made = true;
  const auto key = load_link_key(paths, made);
  REQUIRE(key.ok());
  CHECK_FALSE(made);
  const auto identity = ebb::node::read_key_file(paths.identity_key, ebb::node::kIdentityKind);
  REQUIRE(identity.ok());
  CHECK_FALSE(ebb::equal(key->view(), identity->view()));
  CHECK(read_text(paths.link_key) == text);
}

TEST_CASE("a device of before link keys gets one, for its owner alone and for good") {
  const TempDir dir;
  const std::string path = dir / "device";
  REQUIRE(init_home(options_for(path)).ok());
  const HomePaths paths = home_paths(path);
  const std::string before = read_text(paths.link_key);
  REQUIRE(std::remove(paths.link_key.c_str()) == 0);
  bool made = false;
  const auto first = load_link_key(paths, made);
  REQUIRE(first.ok());
  CHECK(made);
  CHECK(mode_of(paths.link_key) == 0600);
  CHECK(read_text(paths.link_key) != before);
  const auto second = load_link_key(paths, made);
  REQUIRE(second.ok());
  CHECK_FALSE(made);
  CHECK(ebb::equal(first->view(), second->view()));
}

TEST_CASE("a link key that others may read is refused with its path and the fix") {
  const TempDir dir;
  const std::string path = dir / "device";
  REQUIRE(init_home(options_for(path)).ok());
  const HomePaths paths = home_paths(path);
  for (const mode_t mode : {0640U, 0604U, 0660U}) {
    REQUIRE(::chmod(paths.link_key.c_str(), mode) == 0);
    bool made = true;
    const auto loaded = load_link_key(paths, made);
    REQUIRE_FALSE(loaded.ok());
    CHECK_FALSE(made);
    CHECK(loaded.error().code == ErrorCode::kPermission);
    CHECK(mentions(loaded.error(), "chmod 600 " + paths.link_key));
  }
}

TEST_CASE("a damaged link key, or another key in its place, is refused and never replaced") {
  const TempDir dir;
  const std::string path = dir / "device";
  REQUIRE(init_home(options_for(path)).ok());
  const HomePaths paths = home_paths(path);
  const std::string good = read_text(paths.link_key);
  const auto refused = [&](const std::string& text) {
    write_text(paths.link_key, text);
    bool made = true;
    const auto loaded = load_link_key(paths, made);
    REQUIRE_FALSE(loaded.ok());
    CHECK_FALSE(made);
    CHECK(loaded.error().code == ErrorCode::kCorrupt);
    CHECK(mentions(loaded.error(), paths.link_key));
    CHECK(mentions(loaded.error(), "the next start makes another"));
    CHECK(read_text(paths.link_key) == text);
  };
  for (std::size_t i = 0; i + 1 < good.size(); ++i) {
    std::string bad = good;
    bad[i] = bad[i] == 'b' ? 'c' : 'b';
    refused(bad);
  }
  for (std::size_t size = 0; size + 1 < good.size(); ++size)
    refused(good.substr(0, size));
  refused(read_text(paths.identity_key));
}
