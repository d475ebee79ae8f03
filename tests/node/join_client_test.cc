// Who joins: clocks, an inviter with too much to do, and what stays of its address.
#include "node/join_client.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/limits.h"
#include "node/clocks.h"
#include "node/files.h"
#include "node/node.h"
#include "tests/node/joining_rig.h"
#include "tests/node/node_thread.h"
#include "tests/temp_dir.h"

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

}  // namespace

TEST_CASE("an invite that is over by this clock names both times") {
  const TempDir dir;
  NodeThread node(make_home(dir / "a"), make_config());
  REQUIRE(node.started().ok());
  const auto made = make_invite(node);
  REQUIRE(made.ok());
  JoinOptions options = join_options(dir / "b", made->line);
  options.now = {made->expires.ms + 86400000};
  const auto refused = join_mesh(options);
  REQUIRE_FALSE(refused.ok());
  CHECK(says(refused.error(), "a clock is wrong"));
  CHECK(says(refused.error(),
             utc_text({made->expires.ms - kInviteTtl.ms()}) + " by the inviter's clock"));
  CHECK(says(refused.error(), utc_text(options.now) + " here"));
}

TEST_CASE("an invite that was made in what is the future here names both times, and whose clock") {
  const TempDir dir;
  NodeThread node(make_home(dir / "a"), make_config());
  REQUIRE(node.started().ok());
  const auto made = make_invite(node);
  REQUIRE(made.ok());
  JoinOptions options = join_options(dir / "b", made->line);
  options.now = {options.now.ms - 400 * limits::kDayMs};
  for (const bool known : {false, true}) {
    CAPTURE(known);
    options.built = {known ? options.now.ms + limits::kDayMs : 0};
    const auto refused = join_mesh(options);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code == ErrorCode::kOutOfRange);
    CHECK(says(refused.error(), "a clock is wrong: the invite was made at " +
                                    utc_text({made->expires.ms - kInviteTtl.ms()})));
    CHECK(says(refused.error(), utc_text(options.now) + " here"));
    CHECK(says(refused.error(), "the clock of this machine is wrong") == known);
    CHECK(says(refused.error(), "set the clock that is wrong") != known);
    CHECK_FALSE(file_exists(dir / "b"));
  }
}

TEST_CASE("who is told to ask later asks again") {
  const TempDir dir;
  auto node = std::make_unique<NodeThread>(make_home(dir / "a"), make_config());
  REQUIRE(node->started().ok());
  const std::string address = listen_of(*node);
  const auto made = make_invite(*node);
  REQUIRE(made.ok());
  node.reset();
  // An issuer that does not know what it has signed says "later" to everybody.
  const std::string mark = home_paths(dir / "a").issuer_mark;
  REQUIRE(::rename(mark.c_str(), (dir / "mark").c_str()) == 0);
  node = std::make_unique<NodeThread>(load_home(dir / "a").value(), config_at(address));
  REQUIRE(node->started().ok());
  JoinOptions options = join_options(dir / "b", made->line);
  options.patience = seconds(0);
  const auto in_vain = join_mesh(options);
  REQUIRE_FALSE(in_vain.ok());
  CHECK(in_vain.error().code == ErrorCode::kBusy);
  CHECK(says(in_vain.error(), "has too much to do (the issuer was set back"));

  options.patience = seconds(120);
  std::promise<void> waits, ready;
  auto is_ready = ready.get_future();
  bool told = false;
  options.progress = [&](const std::string& line) {
    if (!line.starts_with("asking again") || std::exchange(told, true)) return;
    waits.set_value();
    is_ready.wait();
  };
  auto joined = std::async(std::launch::async, [&] {
    auto done = join_mesh(options);
    if (!std::exchange(told, true)) waits.set_value();
    return done;
  });
  waits.get_future().wait();
  node.reset();
  REQUIRE(::rename((dir / "mark").c_str(), mark.c_str()) == 0);
  node = std::make_unique<NodeThread>(load_home(dir / "a").value(), config_at(address));
  ready.set_value();
  REQUIRE(node->started().ok());
  CHECK(joined.get().ok());
}

TEST_CASE("many that join at once by one invite all get in") {
  const TempDir dir;
  NodeThread node(make_home(dir / "a"), make_config());
  REQUIRE(node.started().ok());
  constexpr std::size_t kMany = 4 * limits::kCertificatesPerSecond;
  const auto made = make_invite(node, kMany);
  REQUIRE(made.ok());
  std::vector<std::future<Result<Joined>>> all;
  for (std::size_t i = 0; i < kMany; ++i) {
    const std::string path = dir / ("b" + std::to_string(i));
    all.push_back(std::async(std::launch::async, [path, &made] {
      JoinOptions options = join_options(path, made->line);
      options.patience = seconds(120);
      return join_mesh(options);
    }));
  }
  for (auto& joined : all) {
    const Result<Joined> done = joined.get();
    CAPTURE((done.ok() ? "" : done.error().message()));
    CHECK(done.ok());
  }
}

TEST_CASE("join adds the inviter to a configuration that is there, or says what to add") {
  const TempDir dir;
  NodeThread node(make_home(dir / "a"), make_config());
  REQUIRE(node.started().ok());
  const std::string address = listen_of(node);
  for (const bool editable : {true, false}) {
    CAPTURE(editable);
    const std::string home = dir / (editable ? "b" : "c");
    fs::create_directories(home);
    const std::string config = home_paths(home).config;
    std::ofstream(config) << (editable ? "[node]\npeers = [\"192.0.2.9:7401\"]\n"
                                       : "node = { peers = [\"192.0.2.9:7401\"] }\n");
    const auto made = make_invite(node);
    REQUIRE(made.ok());
    JoinOptions options = join_options(home, made->line);
    std::string said;
    options.progress = [&said](const std::string& line) { said += line + "\n"; };
    REQUIRE(join_mesh(options).ok());
    std::vector<std::string> wanted = {"192.0.2.9:7401"};
    if (editable) wanted.push_back(address);
    CHECK(load_config(config, {}).value().peers == wanted);
    const bool hint = said.find("add \"" + address + "\" to peers in [node]") != said.npos;
    CHECK(hint != editable);
  }
}
