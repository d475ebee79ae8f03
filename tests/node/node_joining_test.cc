// A node that invites, and who joins by it.
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/limits.h"
#include "core/unique_fd.h"
#include "mesh/access_book.h"
#include "mesh/secure_channel.h"
#include "node/clocks.h"
#include "node/files.h"
#include "node/issuer_mark.h"
#include "node/join_client.h"
#include "node/node.h"
#include "tests/node/joining_rig.h"
#include "tests/node/node_thread.h"
#include "tests/temp_dir.h"
#include "trust/hash.h"
#include "trust/invite.h"
#include "trust/sealed_key.h"

namespace {

using namespace ebb;
using namespace ebb::node;
using ebb::tests::config_at;
using ebb::tests::join_options;
using ebb::tests::listen_of;
using ebb::tests::make_config;
using ebb::tests::make_home;
using ebb::tests::make_invite;
using ebb::tests::NodeThread;
using ebb::tests::says;
using ebb::tests::TempDir;
namespace fs = std::filesystem;

Result<Joined> join(const std::string& dir, const std::string& line) {
  return join_mesh(join_options(dir, line));
}

// Keeps the invites of a node from being written while it lives.
class BlockedInvites {
 public:
  explicit BlockedInvites(std::string path) : path_(std::move(path)) {
    REQUIRE(::rename(path_.c_str(), (path_ + "-aside").c_str()) == 0);
    fs::create_directories(path_ + "/full");
  }
  ~BlockedInvites() {
    fs::remove_all(path_);
    ::rename((path_ + "-aside").c_str(), path_.c_str());
  }
  BlockedInvites(const BlockedInvites&) = delete;
  BlockedInvites& operator=(const BlockedInvites&) = delete;

 private:
  std::string path_;
};

// Answers one connection as the maker of `invite`, in wire version 99.
class OtherVersion {
 public:
  OtherVersion() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(listener_.get(), any, size) == 0);
    REQUIRE(::listen(listener_.get(), 1) == 0);
    REQUIRE(::getsockname(listener_.get(), any, &size) == 0);
    channel::StaticKey link(fresh_key());
    invite.link_key.data = link.public_part().data;
    invite.addresses = {"127.0.0.1:" + std::to_string(ntohs(address.sin_port))};
    trust::random_bytes(invite.secret.data(), trust::InviteSecret::kSize);
    invite.made = wall_now();
    invite.expires = {invite.made.ms + 3600000};
    thread_ = std::thread(
        [this, key = std::make_shared<channel::StaticKey>(std::move(link))] { answer(*key); });
  }
  ~OtherVersion() { thread_.join(); }
  OtherVersion(const OtherVersion&) = delete;
  OtherVersion& operator=(const OtherVersion&) = delete;

  trust::Invite invite;

 private:
  static channel::Key fresh_key() {
    channel::Key key;
    trust::random_bytes(key.data(), channel::Key::kSize);
    return key;
  }
  void answer(const channel::StaticKey& link) {
    const auto identity = trust::KeySeed::random().identity();
    const trust::SignatureCheck signatures;
    const mesh::AccessBook access(mesh::keys_of_invite(invite.mesh(), invite.secret));
    const mesh::SecureChannels channels(
        mesh::SecureSetup{*identity, signatures, link.copy(), access, fresh_key, 99, 99});
    const auto channel = channels.accept({}, [] { return true; });
    const UniqueFd peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    Bytes piece(16384);
    while (true) {
      const ssize_t got = ::recv(peer.get(), piece.data(), piece.size(), 0);
      if (got <= 0) return;
      Bytes plain, wire;
      const auto end = piece.begin() + got;
      const bool failed = channel->receive(Bytes(piece.begin(), end), plain, wire).has_value();
      if (!wire.empty()) ::send(peer.get(), wire.data(), wire.size(), MSG_NOSIGNAL);
      if (failed) return;
    }
  }

  UniqueFd listener_;
  std::thread thread_;
};

}  // namespace

TEST_CASE("who is let in by invite is told only when the use is on the disk") {
  const TempDir dir;
  NodeThread node(make_home(dir / "a"), make_config());
  REQUIRE(node.started().ok());
  const auto made = make_invite(node);
  REQUIRE(made.ok());
  const std::string path = home_paths(dir / "a").invites;
  std::future<Result<Joined>> joined;
  {
    const BlockedInvites blocked(path);
    joined = std::async(std::launch::async, [&] { return join(dir / "b", made->line); });
    // It is counted, and nothing is signed.
    REQUIRE(node.wait_until([](Node& n) { return n.invites().front().uses_left() == 0; }));
    CHECK(node.on_loop([](Node& n) { return n.mesh_counters().certificates_issued; }) == 0);
    CHECK(joined.wait_for(std::chrono::seconds(0)) == std::future_status::timeout);
  }
  const auto done = joined.get();
  REQUIRE(done.ok());
  const auto kept = Invites::open(path);
  REQUIRE(kept.ok());
  CHECK(kept->all().front().devices == std::vector<DeviceId>{done->device});
}

TEST_CASE("keys that an inviter may have certified outlive whatever fails behind that") {
  const TempDir dir;
  auto node = std::make_unique<NodeThread>(make_home(dir / "a"), make_config());
  REQUIRE(node->started().ok());
  const std::string address = listen_of(*node);
  const auto made = make_invite(*node);
  REQUIRE(made.ok());
  DeviceId asked;
  {
    const BlockedInvites blocked(home_paths(dir / "a").invites);
    auto first = std::async(std::launch::async, [&] { return join(dir / "b", made->line); });
    REQUIRE(node->wait_until([](Node& n) { return n.invites().front().uses_left() == 0; }));
    asked = node->on_loop([](Node& n) { return n.invites().front().devices.front(); });
    node.reset();
    CHECK(first.get().error().code == ErrorCode::kIo);
  }
  // The port is closed, the line of another mesh is refused there: neither says anything of them.
  CHECK(join(dir / "b", made->line).error().code == ErrorCode::kNotFound);
  NodeThread other(make_home(dir / "c"), make_config());
  REQUIRE(other.started().ok());
  const auto elsewhere = make_invite(other);
  REQUIRE(other.on_loop([](Node& n) { return n.end_invite(n.invites().front().id); }).ok());
  CHECK(says(join(dir / "b", elsewhere->line).error(), "was ended"));

  node = std::make_unique<NodeThread>(load_home(dir / "a").value(), config_at(address));
  REQUIRE(node->started().ok());
  const auto done = join(dir / "b", made->line);
  REQUIRE(done.ok());
  CHECK(done->device == asked);
}

TEST_CASE("who says nothing is asked again, and what that may mean is told") {
  const TempDir dir;
  auto node = std::make_unique<NodeThread>(make_home(dir / "a"), make_config());
  REQUIRE(node->started().ok());
  const std::string address = listen_of(*node);
  const auto made = make_invite(*node);
  REQUIRE(made.ok());
  node.reset();
  auto stranger = std::make_unique<NodeThread>(make_home(dir / "c"), config_at(address));
  REQUIRE(stranger->started().ok());
  JoinOptions options = join_options(dir / "b", made->line);
  options.patience = seconds(1);
  const auto silent = join_mesh(options);
  REQUIRE_FALSE(silent.ok());
  CHECK(says(silent.error(), "does not know this invite, or has too much to do"));
  CHECK_FALSE(file_exists(dir / "b"));

  options.patience = seconds(20);
  std::promise<void> waits;
  bool told = false;
  options.progress = [&](const std::string& line) {
    if (line.starts_with("asking again") && !std::exchange(told, true)) waits.set_value();
  };
  auto joined = std::async(std::launch::async, [&] {
    auto done = join_mesh(options);
    if (!std::exchange(told, true)) waits.set_value();
    return done;
  });
  waits.get_future().wait();
  stranger.reset();
  node = std::make_unique<NodeThread>(load_home(dir / "a").value(), config_at(address));
  REQUIRE(node->started().ok());
  CHECK(joined.get().ok());
}

TEST_CASE("another wire version is told as such") {
  const TempDir dir;
  const OtherVersion other;
  const auto line = trust::encode_invite(other.invite);
  REQUIRE(line.ok());
  const auto refused = join(dir / "b", *line);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::kUnsupported);
  CHECK(says(refused.error(), "another version of the protocol"));
  CHECK(says(refused.error(), "theirs 99 to 99"));
  CHECK_FALSE(file_exists(dir / "b"));
}

TEST_CASE(
    "who invites in a mesh that a clock ahead has begun hears when that was, and what to do") {
  const TempDir dir;
  InitOptions ahead;
  ahead.dir = dir / "a";
  ahead.name = "ahead";
  ahead.now = {wall_now().ms + 400 * limits::kDayMs};
  NodeThread node(init_home(ahead).value(), make_config());
  REQUIRE(node.started().ok());
  const auto refused = make_invite(node);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::kPermission);
  CHECK(says(refused.error(), "this mesh began at " + utc_text(ahead.now)));
  CHECK(says(refused.error(), "begin a new mesh"));
}

TEST_CASE("nobody is invited while the clock is not believed") {
  const TempDir dir;
  Config config = make_config();
  config.built = {wall_now().ms + 3600000};
  NodeThread node(make_home(dir / "a"), std::move(config));
  REQUIRE(node.started().ok());
  const auto refused = make_invite(node);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::kPermission);
  CHECK(refused.error().detail.find("before this program was built") != std::string::npos);
  CHECK(node.on_loop([](Node& n) { return n.invites().empty(); }));
}

TEST_CASE("an issuer that was set back invites nobody while it is alone") {
  const TempDir dir;
  const Home home = make_home(dir / "a");
  REQUIRE(::unlink(home.paths.issuer_mark.c_str()) == 0);
  NodeThread node(load_home(dir / "a").value(), make_config());
  REQUIRE(node.started().ok());
  const auto refused = make_invite(node);
  REQUIRE_FALSE(refused.ok());
  CHECK(says(refused.error(), home.paths.issuer_mark + " does not say how far"));
  CHECK(says(refused.error(), "before another device of the mesh was heard"));
}

TEST_CASE("an issuer that was set back names the record that it waits for, and the way out") {
  const TempDir dir;
  const Home home = make_home(dir / "a");
  REQUIRE(home.issuer != nullptr);
  REQUIRE(IssuerMark::write(home.paths.issuer_mark, home.issuer->device(), {57, Hash{}}).ok());
  NodeThread node(load_home(dir / "a").value(), make_config());
  REQUIRE(node.started().ok());
  const auto refused = make_invite(node);
  REQUIRE_FALSE(refused.ok());
  CHECK(says(refused.error(), "up to its record 57: nothing is signed before that record"));
  CHECK(says(refused.error(), "remove " + home.paths.issuer_mark));
}

TEST_CASE("a node that stops makes no invites and ends none") {
  const TempDir dir;
  NodeThread node(make_home(dir / "a"), make_config());
  REQUIRE(node.started().ok());
  const auto made = make_invite(node);
  REQUIRE(made.ok());
  std::promise<void> may_end;
  using Code = std::optional<ErrorCode>;
  const auto code_of = [](const auto& result) {
    return result.ok() ? Code() : Code(result.error().code);
  };
  std::promise<std::pair<Code, Code>> answers;
  node.on_loop([&](Node& n) {
    // It keeps the node from having stopped.
    n.query(
        false, [&](const store::Reader&) { may_end.get_future().wait(); },
        [&](const Status&) {
          const auto another = n.make_invite(kInviteTtl, 1);
          const Status ended = n.end_invite(n.invites().front().id);
          answers.set_value({code_of(another), code_of(ended)});
        });
    n.request_stop();
    return true;
  });
  CHECK(node.wait_until([](Node& n) { return n.stopping(); }));
  may_end.set_value();
  CHECK(answers.get_future().get() == std::pair(Code(ErrorCode::kBusy), Code(ErrorCode::kBusy)));
  node.stop();
  const auto kept = Invites::open(home_paths(dir / "a").invites);
  REQUIRE(kept.ok());
  REQUIRE(kept->all().size() == 1);
  CHECK(kept->all().front().is_open(wall_now()));
}
