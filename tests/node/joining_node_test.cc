// What a running node tells those who are to join: where to dial, and whom to believe.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "node/device_file.h"
#include "node/home.h"
#include "tests/node/node_thread.h"
#include "tests/temp_dir.h"
#include "trust/invite.h"
#include "trust/mesh_file.h"

namespace {

using ebb::Bytes;
using ebb::Result;
using ebb::node::export_mesh;
using ebb::node::load_home;
using ebb::node::Node;
using ebb::tests::listen_of;
using ebb::tests::make_config;
using ebb::tests::make_home;
using ebb::tests::NodeThread;
using ebb::tests::TempDir;

std::vector<Bytes> sorted(std::vector<Bytes> records) {
  std::sort(records.begin(), records.end());
  return records;
}

std::vector<Bytes> exported(const std::string& dir) {
  const auto text = export_mesh(dir);
  REQUIRE(text.ok());
  const auto file = ebb::trust::decode_mesh_file(*text);
  REQUIRE(file.ok());
  return file->records;
}

std::vector<std::string> invited_to(NodeThread& node) {
  const std::string line = node.on_loop([](Node& n) -> std::string {
    auto made = n.make_invite(ebb::seconds(60), 1);
    return made.ok() ? made->line : made.error().message();
  });
  CAPTURE(line);
  const auto invite = ebb::trust::decode_invite(line);
  REQUIRE(invite.ok());
  return invite->addresses;
}

}  // namespace

TEST_CASE("addresses that are configured are told in invites and to peers, and no others") {
  const TempDir dir;
  const std::vector<std::string> told = {"192.0.2.7:7401", "192.0.2.8:80"};
  ebb::node::Config config = make_config();
  config.presence_stands = {};
  config.advertise = told;
  NodeThread a(make_home(dir / "a"), config);
  REQUIRE(a.started().ok());
  CHECK(invited_to(a) == told);
  NodeThread b(make_home(dir / "b", dir / "a"), make_config({listen_of(a)}));
  REQUIRE(b.started().ok());
  CHECK(b.wait_until([&told](Node& n) {
    const auto peers = n.peers();
    return std::any_of(peers.begin(), peers.end(),
                       [&told](const auto& peer) { return peer.announced == told; });
  }));
}

TEST_CASE("where none are configured an invite says what was found") {
  const TempDir dir;
  NodeThread a(make_home(dir / "a"), make_config());
  REQUIRE(a.started().ok());
  CHECK(invited_to(a) == std::vector<std::string>{listen_of(a)});
}

TEST_CASE("the mesh's file has what authorities have said by now, beside a node and without one") {
  const TempDir dir;
  const std::string at = dir / "a";
  make_home(at);
  const std::vector<Bytes> first = load_home(at)->authority;
  CHECK(exported(at) == first);

  Bytes record;
  {
    NodeThread node(*load_home(at), make_config());
    REQUIRE(node.started().ok());
    REQUIRE(node.on_loop([&record](Node& n) {
      n.set_admit(ebb::trust::Admit::kSecret, [&record](const Result<Bytes>& signed_one) {
        if (signed_one.ok()) record = *signed_one;
      });
      return true;
    }));
    REQUIRE(node.wait_until([&record](Node&) { return !record.empty(); }));
    std::vector<Bytes> wanted = first;
    wanted.push_back(record);
    CHECK(sorted(exported(at)) == sorted(wanted));
  }
  CHECK(exported(at).size() == first.size() + 1);
  // The root's first: a file that has no room for all says at least whom to believe.
  CHECK(exported(at).front() == first.front());
}
