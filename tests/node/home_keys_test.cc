// Directories with keys that sign: what init makes of root and issuer, and what leaves again.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>

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
using ebb::tests::kHomeMade;
using ebb::tests::options_for;
using ebb::tests::read_text;
using ebb::tests::TempDir;
using ebb::tests::write_text;

// What the records of a directory make of its mesh.
struct Judge {
  explicit Judge(const Home& home)
      : genesis(trust::decode_genesis(home.genesis).value()),
        authority(home.mesh, genesis.root, signatures) {
    for (const Bytes& record : home.authority) {
      const auto taken = authority.take(record);
      REQUIRE(taken.ok());
      CHECK(taken->news);
    }
  }
  trust::SignatureCheck signatures;
  trust::Genesis genesis;
  trust::Authority authority;
};

}  // namespace

TEST_CASE("the device of a new mesh is certified from its first moment, with all but one role") {
  const TempDir dir;
  const auto home = init_home(options_for(dir / "a"));
  REQUIRE(home.ok());
  REQUIRE(home->issuer != nullptr);
  CHECK_FALSE(home->issuer_sealed);
  const Judge judge(*home);
  const trust::Verdict verdict = judge.authority.verdict(home->identity->device(), kHomeMade);
  REQUIRE(verdict.standing == trust::Standing::kCertified);
  for (const std::uint64_t role :
       {trust::roles::kReader, trust::roles::kWriter, trust::roles::kRelay, trust::roles::kAdmin,
        trust::roles::kIssuer})
    CHECK(verdict.may(role));
  CHECK_FALSE(verdict.may(trust::roles::kCheckpointer));
  CHECK(verdict.certificate->label == "till-1");
  CHECK(verdict.certificate->issuer == home->issuer->device());
  CHECK(verdict.certificate->allows_topic("anything"));
  CHECK(judge.authority.issuers(kHomeMade) == 1);
  CHECK(judge.authority.admit(kHomeMade) == trust::Admit::kInvite);
  // Root, issuer and device are three keys.
  CHECK_FALSE(judge.genesis.root == home->issuer->device());
  CHECK_FALSE(home->identity->device() == home->issuer->device());
  CHECK_FALSE(home->identity->device() == judge.genesis.root);
}

TEST_CASE("a new mesh lets in by its secret where that was said, and only where it begins") {
  const TempDir dir;
  InitOptions options = options_for(dir / "a");
  options.admit = trust::Admit::kSecret;
  const auto home = init_home(options);
  REQUIRE(home.ok());
  CHECK(Judge(*home).authority.admit(kHomeMade) == trust::Admit::kSecret);
  InitOptions other = options_for(dir / "b");
  other.mesh_file = export_mesh(dir / "a").value();
  other.admit = trust::Admit::kSecret;
  const auto refused = init_home(other);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::kInvalidArgument);
  CHECK_FALSE(file_exists(dir / "b"));
}

TEST_CASE("who is of an exported mesh knows its issuers, and is none") {
  const TempDir dir;
  REQUIRE(init_home(options_for(dir / "a")).ok());
  InitOptions options = options_for(dir / "b");
  options.mesh_file = export_mesh(dir / "a").value();
  const auto home = init_home(options);
  REQUIRE(home.ok());
  CHECK(home->issuer == nullptr);
  CHECK_FALSE(file_exists(home->paths.issuer_key));
  const Judge judge(*home);
  CHECK(judge.authority.issuers(kHomeMade) == 1);
  CHECK(judge.authority.verdict(home->identity->device(), kHomeMade).standing ==
        trust::Standing::kUnknown);
}

TEST_CASE("records that are damaged, or of another mesh, are refused with their file") {
  const TempDir dir;
  const auto home = init_home(options_for(dir / "a"));
  REQUIRE(init_home(options_for(dir / "b")).ok());
  const std::string path = home->paths.authority;
  const std::string good = read_text(path);
  for (std::size_t i = 0; i + 1 < good.size(); i += 11) {
    CAPTURE(i);
    std::string bad = good;
    bad[i] = bad[i] == 'b' ? 'c' : 'b';
    write_text(path, bad);
    const auto loaded = load_home(dir / "a");
    REQUIRE(loaded.error().code == ErrorCode::kCorrupt);
    REQUIRE(loaded.error().detail.find(path) != std::string::npos);
    write_text(path, good.substr(0, i));
    REQUIRE(load_home(dir / "a").error().code == ErrorCode::kCorrupt);
  }
  write_text(path, read_text(home_paths(dir / "b").authority));
  const auto foreign = load_home(dir / "a");
  REQUIRE(foreign.error().code == ErrorCode::kInvalidArgument);
  CHECK(foreign.error().detail.find("another mesh") != std::string::npos);
  write_text(path, good);
  CHECK(load_home(dir / "a").ok());
}

TEST_CASE("an issuer's key that others may read, or that is damaged, is refused") {
  const TempDir dir;
  const auto home = init_home(options_for(dir / "a"));
  const std::string path = home->paths.issuer_key;
  REQUIRE(::chmod(path.c_str(), 0640) == 0);
  CHECK(load_home(dir / "a").error().code == ErrorCode::kPermission);
  REQUIRE(::chmod(path.c_str(), 0600) == 0);
  const std::string good = read_text(path);
  write_text(path, good.substr(0, good.size() / 2));
  CHECK(load_home(dir / "a").error().code == ErrorCode::kCorrupt);
  write_text(path, read_text(home->paths.root_key));
  CHECK(load_home(dir / "a").error().code == ErrorCode::kCorrupt);
}

TEST_CASE(
    "keys under a passphrase leave the device usable and the issuer closed until it is said") {
  const TempDir dir;
  InitOptions options = options_for(dir / "a");
  options.passphrase = "correct horse";
  auto home = init_home(options);
  REQUIRE(home.ok());
  CHECK(home->issuer_sealed);
  CHECK(home->issuer == nullptr);
  CHECK(read_text(home->paths.root_key).starts_with("ebb-sealed-key-1 root "));
  CHECK(open_issuer(*home, "wrong").error().code == ErrorCode::kBadTag);
  CHECK(home->issuer_sealed);
  REQUIRE(open_issuer(*home, "correct horse").ok());
  REQUIRE(home->issuer != nullptr);
  CHECK(Judge(*home).authority.verdict(home->identity->device(), kHomeMade).certificate->issuer ==
        home->issuer->device());
}

TEST_CASE("a directory whose mesh is known from elsewhere is written with its peers, and whole") {
  const TempDir dir;
  const auto first = init_home(options_for(dir / "a"));
  NewHome made;
  made.genesis = first->genesis;
  made.name = "till \"2\"";
  made.peers = {"192.0.2.7:7401", "[2001:db8::7]:7401"};
  made.authority = first->authority;
  REQUIRE(write_home(dir / "b", made).ok());
  const auto home = load_home(dir / "b");
  REQUIRE(home.ok());
  CHECK(home->mesh == first->mesh);
  CHECK(home->authority == first->authority);
  const auto config = load_config(home->paths.config, {});
  REQUIRE(config.ok());
  CHECK(config->peers == made.peers);
  CHECK(config->name == made.name);
  CHECK(write_home(dir / "b", made).error().code == ErrorCode::kExists);
}

TEST_CASE("init writes over no key of a root or an issuer") {
  const TempDir dir;
  const auto home = init_home(options_for(dir / "a"));
  const std::string root = read_text(home->paths.root_key);
  REQUIRE(std::remove(home->paths.identity_key.c_str()) == 0);
  const auto again = init_home(options_for(dir / "a"));
  REQUIRE_FALSE(again.ok());
  CHECK(again.error().code == ErrorCode::kExists);
  CHECK(again.error().detail.find(home->paths.root_key) != std::string::npos);
  CHECK(read_text(home->paths.root_key) == root);
}

TEST_CASE("a device's own file makes that device, with the label it was certified under") {
  const TempDir dir;
  const auto issuer = init_home(options_for(dir / "a"));
  REQUIRE(issuer.ok());
  std::string certified, link_key;
  const auto text = make_device_file(
      dir / "a", "till 7",
      [&](const std::string& device, const std::string& link, const std::string& label) {
        certified = device;
        link_key = link;
        CHECK(label == "till 7");
        return Result<Bytes>(issuer->authority.back());
      });
  REQUIRE(text.ok());
  InitOptions options;
  options.dir = dir / "b";
  options.mesh_file = *text;
  options.now = kHomeMade;
  const auto made = init_home(options);
  REQUIRE(made.ok());
  CHECK(device_text(made->identity->device()) == certified);
  CHECK(made->authority.size() == 2);
  CHECK(read_text(made->paths.config).find("name = \"till 7\"") != std::string::npos);
  bool fresh = true;
  const auto link = load_link_key(made->paths, fresh);
  REQUIRE(link.ok());
  CHECK_FALSE(fresh);
  const auto file = trust::decode_mesh_file(*text);
  CHECK(equal(link->view(), file->device->link.view()));

  const auto none = make_device_file(dir / "a", "x", [](const auto&, const auto&, const auto&) {
    return Result<Bytes>(Error{ErrorCode::kPermission, "issuer"});
  });
  CHECK(none.error().code == ErrorCode::kPermission);
}

TEST_CASE("of several that make one directory a device at once one does, and its keys stay") {
  for (int round = 0; round < 8; ++round) {
    const TempDir dir;
    std::vector<std::future<Result<Home>>> runs;
    for (int i = 0; i < 4; ++i) {
      runs.push_back(
          std::async(std::launch::async, [&] { return init_home(options_for(dir / "a")); }));
    }
    int made = 0;
    for (auto& run : runs) {
      const auto home = run.get();
      if (home.ok()) {
        ++made;
      } else {
        const ErrorCode code = home.error().code;
        CHECK((code == ErrorCode::kExists || code == ErrorCode::kBusy));
      }
    }
    CHECK(made == 1);
    const auto home = load_home(dir / "a");
    REQUIRE(home.ok());
    REQUIRE(home->issuer != nullptr);
    const auto root = read_signing_key(home->paths.root_key, kRootKind, "");
    REQUIRE(root.ok());
    CHECK(root->identity()->device() == trust::decode_genesis(home->genesis)->root);
    const Judge judge(*home);
    CHECK(judge.authority.issues(home->issuer->device(), kHomeMade));
  }
}

TEST_CASE("while another is at work in a directory nothing of it is touched") {
  const TempDir dir;
  const auto lock = HomeLock::take(dir / "a");
  REQUIRE(lock.ok());
  const auto refused = init_home(options_for(dir / "a"));
  CHECK(refused.error().code == ErrorCode::kBusy);
  CHECK_FALSE(file_exists(dir / "a/keys"));
}

TEST_CASE("an init that fails takes back its own keys, and the next one works") {
  const TempDir dir;
  const HomePaths paths = home_paths(dir / "a");
  std::filesystem::create_directories(paths.genesis + "/full");
  std::filesystem::create_directories(paths.keys);
  REQUIRE(::chmod(paths.keys.c_str(), 0700) == 0);
  REQUIRE_FALSE(init_home(options_for(dir / "a")).ok());
  CHECK_FALSE(file_exists(paths.root_key));
  CHECK_FALSE(file_exists(paths.issuer_key));
  CHECK_FALSE(file_exists(paths.issuer_mark));
  std::filesystem::remove_all(paths.genesis);
  CHECK(init_home(options_for(dir / "a")).ok());
}

TEST_CASE("no mesh begins before its program was built, and the time is named") {
  const TempDir dir;
  InitOptions options = options_for(dir / "a");
  options.built = {kHomeMade.ms + 1};
  const auto refused = init_home(options);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::kOutOfRange);
  CHECK(refused.error().detail.find("2023-11-14 22:13:20 UTC") != std::string::npos);
  CHECK_FALSE(file_exists(dir / "a"));
  options.built = kHomeMade;
  REQUIRE(init_home(options).ok());
  // A card without a clock signs nothing, and its first boot goes on.
  InitOptions card = options_for(dir / "b");
  card.mesh_file = export_mesh(dir / "a").value();
  card.built = {kHomeMade.ms + 1};
  CHECK(init_home(card).ok());
}

TEST_CASE("what a killed run has left among the keys goes") {
  const TempDir dir;
  const HomePaths paths = home_paths(dir / "a");
  REQUIRE(HomeLock::take(dir / "a").ok());
  std::filesystem::create_directories(paths.keys);
  REQUIRE(::chmod(paths.keys.c_str(), 0700) == 0);
  const std::string half = paths.root_key + ".new-17";
  const std::string draft = paths.keys + "/joining-identity.key";
  write_text(half, "half a key");
  write_text(draft, "a draft");
  REQUIRE(init_home(options_for(dir / "a")).ok());
  CHECK_FALSE(file_exists(half));
  CHECK_FALSE(file_exists(draft));
  write_text(half, "half a key");
  write_text(draft, "a draft");
  REQUIRE(load_home(dir / "a").ok());
  CHECK_FALSE(file_exists(half));
  CHECK_FALSE(file_exists(draft));
  CHECK(file_exists(paths.root_key));
}
