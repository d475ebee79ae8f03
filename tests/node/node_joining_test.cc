// A node that invites, and who joins by it.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <future>
#include <string>

#include "node/clocks.h"
#include "node/join_client.h"
#include "node/node.h"
#include "tests/node/node_thread.h"
#include "tests/temp_dir.h"

namespace {

using namespace ebb;
using namespace ebb::node;
using ebb::tests::make_config;
using ebb::tests::make_home;
using ebb::tests::NodeThread;
using ebb::tests::TempDir;
namespace fs = std::filesystem;

Result<MadeInvite> make_invite(NodeThread& node) {
  return node.on_loop([](Node& n) { return n.make_invite(kInviteTtl, 1); });
}

Result<Joined> join(const std::string& dir, const std::string& line) {
  JoinOptions options;
  options.dir = dir;
  options.line = line;
  options.name = "card";
  options.now = wall_now();
  return join_mesh(options);
}

}  // namespace

TEST_CASE("who is let in by invite is told only when the use is on the disk") {
  const TempDir dir;
  NodeThread node(make_home(dir / "a"), make_config());
  REQUIRE(node.started().ok());
  const auto made = make_invite(node);
  REQUIRE(made.ok());
  const std::string path = home_paths(dir / "a").invites;
  REQUIRE(::rename(path.c_str(), (dir / "aside").c_str()) == 0);
  fs::create_directories(path + "/full");
  auto joined = std::async(std::launch::async, [&] { return join(dir / "b", made->line); });
  // It is counted, and nothing is signed.
  REQUIRE(node.wait_until([](Node& n) { return n.invites().front().uses_left() == 0; }));
  CHECK(node.on_loop([](Node& n) { return n.mesh_counters().certificates_issued; }) == 0);
  CHECK(joined.wait_for(std::chrono::seconds(0)) == std::future_status::timeout);
  fs::remove_all(path);
  const auto done = joined.get();
  REQUIRE(done.ok());
  const auto kept = Invites::open(path);
  REQUIRE(kept.ok());
  CHECK(kept->all().front().devices == std::vector<DeviceId>{done->device});
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
  CHECK(refused.error().detail.find("before another device") != std::string::npos);
}
