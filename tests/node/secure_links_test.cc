// What somebody between two nodes, and somebody who only knows an address, gets of them.
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "channel/noise_keys.h"
#include "codec/value.h"
#include "node/key_file.h"
#include "tests/node/node_thread.h"
#include "tests/node/relay.h"
#include "tests/temp_dir.h"

using namespace ebb;
using namespace ebb::tests;
using ebb::node::Node;

namespace {

constexpr std::string_view kTopic = "stock-of-the-warehouse";
constexpr std::string_view kType = "pallet.moved";
constexpr std::string_view kPayload = "seventeen pallets of oranges";

// Lengths on the wire.
constexpr std::size_t kFirstMessage = 66, kThirdMessage = 175;

store::AppendBatch readable_batch() {
  store::AppendBatch batch;
  batch.topic = kTopic;
  store::AppendEvent event;
  event.type = kType;
  codec::Writer(event.payload).str(std::string(kPayload));
  batch.items.emplace_back(std::move(event));
  return batch;
}

node::Config named(const std::string& name, std::vector<std::string> peers = {}) {
  node::Config config = make_config(std::move(peers));
  config.name = name;
  return config;
}

std::uint64_t faults_of(NodeThread& node, const std::string& reason) {
  return node.on_loop([reason](Node& n) {
    const auto& faults = n.mesh_counters().faults;
    const auto found = faults.find(reason);
    return found == faults.end() ? std::uint64_t{0} : found->second;
  });
}

bool holds(ByteView bytes, ByteView wanted) {
  return std::search(bytes.begin(), bytes.end(), wanted.begin(), wanted.end()) != bytes.end();
}

Bytes link_key_of(const std::string& dir) {
  bool made = false;
  const auto key = node::load_link_key(node::home_paths(dir), made);
  REQUIRE(key.ok());
  return to_bytes(channel::StaticKey(*channel::Key::from(key->view())).public_part().view());
}

// What comes back until the other end closes.
Bytes say(const std::string& address, ByteView bytes) {
  const int end = connect_to(address);
  REQUIRE(::send(end, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(bytes.size()));
  Bytes heard;
  std::array<std::uint8_t, 4096> buffer;
  for (;;) {
    const ssize_t size = ::recv(end, buffer.data(), buffer.size(), 0);
    if (size <= 0) break;
    append(heard, ByteView(buffer.data(), static_cast<std::size_t>(size)));
  }
  ::close(end);
  return heard;
}

}  // namespace

TEST_CASE("who sees all bytes between two nodes finds no device, name, topic or payload in them") {
  const TempDir dir;
  NodeThread a(make_home(dir / "a"), named("the till at the door"));
  REQUIRE(a.started().ok());
  const Relay relay(listen_of(a));
  NodeThread b(make_home(dir / "b", dir / "a"), named("the till at the back", {relay.address()}));
  REQUIRE(b.started().ok());
  std::vector<Bytes> secrets;
  for (NodeThread* node : {&a, &b}) {
    REQUIRE(node->append(readable_batch()).ok());
    secrets.push_back(node->on_loop([](Node& n) { return to_bytes(n.status().device.view()); }));
    const std::string in_text =
        node->on_loop([](Node& n) { return to_base32(n.status().device.view()); });
    secrets.push_back(to_bytes(as_bytes(in_text)));
  }
  for (const std::string_view text :
       {kTopic, kType, kPayload, std::string_view("the till at the door"),
        std::string_view("the till at the back")})
    secrets.push_back(to_bytes(as_bytes(text)));
  secrets.push_back(link_key_of(dir / "b"));
  secrets.push_back(link_key_of(dir / "a"));
  secrets.push_back(a.on_loop([](Node& n) { return to_bytes(n.status().mesh.view()); }));
  REQUIRE(holds_events(a, 2));
  REQUIRE(holds_events(b, 2));
  CHECK(relay.connections() >= 1);
  for (const Way way : {Way::kOut, Way::kBack}) {
    const Bytes seen = relay.passed(way);
    // At least the event itself went that way.
    CHECK(seen.size() > kFirstMessage + kThirdMessage + kTopic.size() + kPayload.size());
    for (const Bytes& secret : secrets)
      CHECK_FALSE(holds(seen, secret));
  }
}

TEST_CASE("a byte that is flipped between two nodes ends the link with its reason, and they sync") {
  struct Row {
    const char* what;
    Flip flip;
    bool at_who_dialled;
    const char* reason;
  };
  const Row rows[] = {
      {"message 1", {Way::kOut, 40}, false, "no_access"},
      {"message 2", {Way::kBack, 100}, true, "bad_channel"},
      {"message 3", {Way::kOut, kFirstMessage + 100}, false, "bad_channel"},
      {"a record", {Way::kOut, kFirstMessage + kThirdMessage + 30}, false, "bad_channel"}};
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const TempDir dir;
    NodeThread a(make_home(dir / "a"), make_config());
    REQUIRE(a.started().ok());
    REQUIRE(a.append(make_batch(3)).ok());
    const Relay relay(listen_of(a), row.flip);
    NodeThread b(make_home(dir / "b", dir / "a"), make_config({relay.address()}));
    REQUIRE(b.started().ok());
    REQUIRE(holds_events(b, 3));
    CHECK(relay.flipped());
    CHECK(b.wait_until([](Node& n) { return n.status().links_in_sync >= 1; }));
    CHECK(faults_of(row.at_who_dialled ? b : a, row.reason) == 1);
    for (const char* other : {"bad_proof", "malformed_frame"}) {
      CHECK(faults_of(a, other) == 0);
      CHECK(faults_of(b, other) == 0);
    }
  }
}

TEST_CASE("a scanner of ports gets no byte back over TCP, and is closed") {
  const TempDir dir;
  NodeThread a(make_home(dir / "a"), make_config());
  REQUIRE(a.started().ok());
  const std::string address = listen_of(a);
  Bytes random(4096);
  for (std::size_t i = 0; i < random.size(); ++i)
    random[i] = static_cast<std::uint8_t>(i * i * 31 + 200);
  Bytes wrong_mac(kFirstMessage, 7);
  wrong_mac[0] = 0;
  wrong_mac[1] = 64;
  const Bytes tls{0x16, 0x03, 0x01, 0x00, 0x05, 0x01, 0x00, 0x00, 0x01, 0x03, 0x03};
  const std::string http = "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n";
  std::size_t number = 0;
  for (const ByteView said :
       {ByteView(random), ByteView(wrong_mac), ByteView(tls), as_bytes(http)}) {
    CHECK(say(address, said).empty());
    ++number;
  }
  CHECK(faults_of(a, "no_access") == number);
  const std::uint64_t refused =
      a.on_loop([](Node& n) { return n.mesh_counters().handshakes_refused.at("no_access"); });
  CHECK(refused == number);
}
