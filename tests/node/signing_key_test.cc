#include "node/signing_key.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "node/files.h"
#include "node/key_file.h"
#include "tests/temp_dir.h"
#include "trust/hash.h"

namespace {

using ebb::ErrorCode;
using ebb::node::kIssuerKind;
using ebb::node::kRootKind;
using ebb::node::needs_passphrase;
using ebb::node::read_file;
using ebb::node::read_signing_key;
using ebb::node::write_signing_key;
using ebb::tests::TempDir;
using ebb::trust::KeySeed;

// The least that the hash may cost: what it costs is tested where it is made.
constexpr ebb::trust::PassphraseCost kCheap{1, 8};

KeySeed some_key() {
  REQUIRE(ebb::trust::crypto_ready().ok());
  return KeySeed::random();
}

mode_t mode_of(const std::string& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode & 07777;
}

bool mentions(const ebb::Error& error, const std::string& text) {
  return error.detail.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("a signing key reads back equal, with a passphrase and without") {
  const TempDir dir;
  const KeySeed key = some_key();
  const std::string plain = dir / "keys/root.key";
  const std::string sealed = dir / "keys/issuer.key";
  REQUIRE(write_signing_key(plain, kRootKind, key, "").ok());
  REQUIRE(write_signing_key(sealed, kIssuerKind, key, "seven pumps", kCheap).ok());
  for (const std::string& path : {plain, sealed}) {
    CHECK(mode_of(path) == 0600);
    CHECK_FALSE(ebb::node::file_exists(path + ".new"));
  }
  CHECK(mode_of(dir / "keys") == 0700);
  CHECK_FALSE(*needs_passphrase(plain));
  CHECK(*needs_passphrase(sealed));
  CHECK(ebb::equal(read_signing_key(plain, kRootKind, "")->view(), key.view()));
  CHECK(ebb::equal(read_signing_key(plain, kRootKind, "any")->view(), key.view()));
  CHECK(ebb::equal(read_signing_key(sealed, kIssuerKind, "seven pumps")->view(), key.view()));
  CHECK(read_file(sealed, 1000)->find(ebb::to_base32(key.view())) == std::string::npos);
}

TEST_CASE("a signing key is never written over") {
  const TempDir dir;
  const std::string path = dir / "keys/root.key";
  const KeySeed key = some_key();
  REQUIRE(write_signing_key(path, kRootKind, key, "").ok());
  for (const char* passphrase : {"", "seven pumps"}) {
    const auto again = write_signing_key(path, kRootKind, some_key(), passphrase, kCheap);
    REQUIRE_FALSE(again.ok());
    CHECK(again.error().code == ErrorCode::kExists);
    CHECK(mentions(again.error(), path));
  }
  CHECK(ebb::equal(read_signing_key(path, kRootKind, "")->view(), key.view()));
}

TEST_CASE("a key that others can read is refused, with what to run; its directory too") {
  const TempDir dir;
  const std::string path = dir / "keys/my root.key";
  for (const char* passphrase : {"", "seven pumps"}) {
    ::unlink(path.c_str());
    REQUIRE(write_signing_key(path, kRootKind, some_key(), passphrase, kCheap).ok());
    for (const mode_t mode : {0640U, 0604U, 0660U}) {
      REQUIRE(::chmod(path.c_str(), mode) == 0);
      const auto read = read_signing_key(path, kRootKind, passphrase);
      REQUIRE_FALSE(read.ok());
      CHECK(read.error().code == ErrorCode::kPermission);
      CHECK(mentions(read.error(), "chmod 600 '" + path + "'"));
      CHECK(needs_passphrase(path).error().code == ErrorCode::kPermission);
    }
    REQUIRE(::chmod(path.c_str(), 0600) == 0);
    const std::string directory = dir / "keys";
    REQUIRE(::chmod(directory.c_str(), 0750) == 0);
    const auto read = read_signing_key(path, kRootKind, passphrase);
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().code == ErrorCode::kPermission);
    CHECK(mentions(read.error(), "chmod 700 " + directory));
    const auto written = write_signing_key(dir / "keys/b.key", kRootKind, some_key(), passphrase);
    CHECK(written.error().code == ErrorCode::kPermission);
    REQUIRE(::chmod(directory.c_str(), 0700) == 0);
  }
}

TEST_CASE("a missing, a damaged, another kind of key and a wrong passphrase are told apart") {
  const TempDir dir;
  const std::string path = dir / "keys/issuer.key";
  const auto failure = [&path](std::string_view kind, std::string_view passphrase) {
    const auto read = read_signing_key(path, kind, passphrase);
    REQUIRE_FALSE(read.ok());
    CHECK(mentions(read.error(), path));
    return read.error().code;
  };
  CHECK(failure(kIssuerKind, "") == ErrorCode::kNotFound);
  REQUIRE(write_signing_key(path, kIssuerKind, some_key(), "seven pumps", kCheap).ok());
  CHECK(failure(kIssuerKind, "") == ErrorCode::kInvalidArgument);
  CHECK(failure(kIssuerKind, "seven pump") == ErrorCode::kBadTag);
  CHECK(failure(kRootKind, "seven pumps") == ErrorCode::kCorrupt);
  std::string text = *read_file(path, 1000);
  text[40] = text[40] == 'a' ? 'b' : 'a';
  std::ofstream(path, std::ios::trunc) << text;
  CHECK(failure(kIssuerKind, "seven pumps") == ErrorCode::kCorrupt);
  std::ofstream(path, std::ios::trunc) << "ebb-sealed-key-2 issuer abc\n";
  CHECK(failure(kIssuerKind, "seven pumps") == ErrorCode::kUnsupported);
  std::ofstream(path, std::ios::trunc) << "nothing";
  CHECK(failure(kIssuerKind, "seven pumps") == ErrorCode::kCorrupt);
  std::ofstream(path, std::ios::trunc) << std::string(5000, 'a');
  CHECK(failure(kIssuerKind, "seven pumps") == ErrorCode::kTooLarge);
}

TEST_CASE("of two who write a key at once one is told that a file is there, and the first stays") {
  constexpr int kTimes = 50;
  const TempDir dir;
  REQUIRE(write_signing_key(dir / "keys/a.key", kRootKind, some_key(), "").ok());
  for (int i = 0; i < kTimes; ++i) {
    const std::string path = dir / ("keys/root" + std::to_string(i) + ".key");
    const KeySeed first = some_key();
    const KeySeed second = some_key();
    ebb::Status of_first;
    std::thread writer([&] { of_first = write_signing_key(path, kRootKind, first, ""); });
    const ebb::Status of_second = write_signing_key(path, kRootKind, second, "");
    writer.join();
    REQUIRE(of_first.ok() != of_second.ok());
    const ebb::Status& loser = of_first.ok() ? of_second : of_first;
    CHECK(loser.error().code == ErrorCode::kExists);
    const auto read = read_signing_key(path, kRootKind, "");
    REQUIRE(read.ok());
    CHECK(ebb::equal(read->view(), (of_first.ok() ? first : second).view()));
  }
  // Nothing else is left.
  const std::filesystem::directory_iterator files(dir / "keys");
  CHECK(std::distance(begin(files), end(files)) == kTimes + 1);
}

TEST_CASE("what another writer has under way is not removed") {
  const TempDir dir;
  const std::string path = dir / "keys/root.key";
  REQUIRE(write_signing_key(dir / "keys/a.key", kRootKind, some_key(), "").ok());
  std::ofstream(path + ".new") << "another's";
  REQUIRE(write_signing_key(path, kRootKind, some_key(), "").ok());
  CHECK(*read_file(path + ".new", 100) == "another's");
}

TEST_CASE("a key that is a link, no file, or another user's is refused") {
  const TempDir dir;
  const std::string path = dir / "keys/root.key";
  const std::string link = dir / "keys/link.key";
  const std::string pipe = dir / "keys/pipe.key";
  REQUIRE(write_signing_key(path, kRootKind, some_key(), "").ok());
  REQUIRE(::symlink(path.c_str(), link.c_str()) == 0);
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  for (const std::string& each : {link, pipe}) {
    const auto read = read_signing_key(each, kRootKind, "");
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().code == ErrorCode::kPermission);
    CHECK(mentions(read.error(), each));
    CHECK(ebb::node::read_key_file(each, kRootKind).error().code == ErrorCode::kPermission);
  }
  // Nobody else can give files away.
  if (::geteuid() != 0) return;
  REQUIRE(::chown(path.c_str(), 12345, 12345) == 0);
  const auto read = read_signing_key(path, kRootKind, "");
  REQUIRE_FALSE(read.ok());
  CHECK(read.error().code == ErrorCode::kPermission);
  CHECK(mentions(read.error(), "another user"));
}

TEST_CASE("a damaged key of a root or an issuer is to be put back, not made anew") {
  const TempDir dir;
  const std::string path = dir / "keys/root.key";
  REQUIRE(write_signing_key(path, kRootKind, some_key(), "").ok());
  std::ofstream(path, std::ios::trunc) << "nothing";
  const auto read = read_signing_key(path, kRootKind, "");
  REQUIRE_FALSE(read.ok());
  CHECK(mentions(read.error(), "from your copy"));
  CHECK_FALSE(mentions(read.error(), "ebb init"));
}
