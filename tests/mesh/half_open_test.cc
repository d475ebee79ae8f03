// Connections that others open and that are no links yet: how many there may be, who makes room for
// whom, and that strangers hear not a byte.
#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <string>

#include "channel/handshake.h"
#include "core/limits.h"
#include "tests/mesh/secure_rig.h"

namespace ebb::tests {
namespace {

constexpr std::size_t kProven = limits::kHalfOpen * 3 / 4;
constexpr auto kPlaces = static_cast<std::size_t>(limits::kHalfOpen);

// One engine, to which a test connects from anywhere.
struct Door {
  Door() {
    EBB_CHECK(trust::crypto_ready().ok());
    channels = secure(store.identity(), 100, test_mesh(), kMeshSecret);
    mesh::Config config;
    config.self = store.device();
    config.mesh = test_mesh();
    config.channels = channels.get();
    config.link_classes = {{"metered", {"10.*"}, 1000000, std::nullopt}};
    engine = std::make_unique<mesh::Engine>(std::move(config), Rng(42));
    const auto access = channel::AccessKey::for_link(test_mesh(), kMeshSecret);
    channel::Handshake::initiator(access, initiator_keys())->start(first_message);
  }
  static std::string host(std::size_t number) {
    return "10.0." + std::to_string(number / 250) + "." + std::to_string(number % 250 + 1);
  }
  mesh::LinkId connect(const std::string& host) {
    const mesh::LinkId link{mesh::kInboundBit | ++connections};
    input(mesh::LinkUp{link, false, host + ":" + std::to_string(40000 + connections)});
    return link;
  }
  void say(mesh::LinkId link, Bytes bytes) { input(mesh::StreamBytes{link, std::move(bytes)}); }
  // The engine hears the time as it passes.
  void pass(Duration time) {
    const Instant end = now + time;
    for (;;) {
      const auto next = engine->next_deadline();
      if (!next || *next > end) break;
      now = std::max(now, *next);
      input(mesh::Tick{});
    }
    now = end;
  }
  void input(mesh::Input input) {
    mesh::Effects effects;
    engine->handle(now, WallTime{1700000000000}, std::move(input), effects);
    for (const mesh::Send& sent : effects.sends)
      bytes_sent[sent.link.value] += sent.bytes.size();
    for (const mesh::Close& close : effects.closes)
      closed.emplace(close.link.value, close.reason);
  }
  bool is_closed(mesh::LinkId link) const { return closed.contains(link.value); }
  std::string why(mesh::LinkId link) const { return closed.at(link.value); }
  bool is_answered(mesh::LinkId link) const { return bytes_sent.contains(link.value); }
  std::uint64_t refused(std::string_view reason) const {
    const auto& all = engine->counters().handshakes_refused;
    const auto found = all.find(reason);
    return found == all.end() ? 0 : found->second;
  }

  FakeStore store{1};
  std::unique_ptr<mesh::Channels> channels;
  std::unique_ptr<mesh::Engine> engine;
  Bytes first_message;
  Instant now{1000000};
  std::uint64_t connections = 0;
  std::map<std::uint64_t, std::size_t> bytes_sent;
  std::map<std::uint64_t, std::string> closed;
};

TEST_CASE("a stranger hears not a byte, whatever he says, and is closed at once") {
  Door door;
  Bytes wrong_mac = door.first_message;
  wrong_mac[2] ^= 1;
  Bytes wrong_length = door.first_message;
  wrong_length[1] ^= 1;
  Bytes random(500);
  Rng rng(7);
  for (std::uint8_t& byte : random)
    byte = static_cast<std::uint8_t>(rng.next());
  const Bytes tls{0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03};
  std::size_t number = 0;
  for (const Bytes& said : {wrong_mac, wrong_length, random, tls,
                            to_bytes(as_bytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n")),
                            to_bytes(as_bytes("SSH-2.0-OpenSSH_9.2\r\n"))}) {
    const mesh::LinkId link = door.connect(Door::host(number++));
    door.say(link, said);
    CHECK(door.is_closed(link));
  }
  CHECK(door.bytes_sent.empty());
  CHECK(door.refused("no_access") == number);
  CHECK(door.engine->links().empty());
}

TEST_CASE("what strangers send is not taken from what a link may cost; a link pays for all of it") {
  Door door;
  for (std::size_t i = 0; i < 100; ++i) {
    const mesh::LinkId link = door.connect(Door::host(i));
    door.say(link, Bytes(60000, 7));
    CHECK(door.is_closed(link));
  }
  const mesh::LinkId silent = door.connect("10.9.0.1");
  door.say(silent, door.first_message);
  CHECK(door.is_answered(silent));
  REQUIRE(door.engine->budgets().size() == 1);
  CHECK(door.engine->budgets().front().spent_today == 0);

  SecurePair pair;
  pair.node(1).config.link_classes = {{"metered", {"*"}, 1000000, std::nullopt}};
  pair.start_both();
  pair.run_for(seconds(1));
  const mesh::LinkStatus link = pair.engine(1).links().at(0);
  CHECK_FALSE(link.dialled);
  CHECK(pair.engine(1).budgets().front().spent_today == link.bytes_in + link.bytes_out);
}

TEST_CASE("one source has a few places, and what it does beyond them keeps no other source out") {
  Door door;
  for (std::size_t i = 0; i < 10 * limits::kHalfOpenPerSource; ++i)
    static_cast<void>(door.connect("10.9.9.9"));
  CHECK(door.connections - door.closed.size() == limits::kHalfOpenPerSource);
  CHECK(door.refused("ousted") + door.refused("no_place") == door.closed.size());
  const mesh::LinkId other = door.connect("10.0.0.1");
  door.say(other, door.first_message);
  CHECK(door.is_answered(other));
  CHECK(door.bytes_sent.size() == 1);
}

TEST_CASE("where all places are taken by the silent, the oldest makes room for who comes") {
  Door door;
  for (std::size_t i = 0; i < kPlaces; ++i)
    static_cast<void>(door.connect(Door::host(i)));
  REQUIRE(door.closed.empty());
  door.pass(seconds(2));
  const mesh::LinkId honest = door.connect("10.9.0.1");
  door.say(honest, door.first_message);
  CHECK(door.is_answered(honest));
  REQUIRE(door.closed.size() == 1);
  CHECK(door.closed.begin()->first == (mesh::kInboundBit | 1));
  CHECK(door.closed.begin()->second == "another took its place");
  CHECK(door.refused("ousted") == 1);
}

TEST_CASE("silent ones are closed when their time is over, and leave their places") {
  Door door;
  for (std::size_t i = 0; i < kPlaces; ++i)
    static_cast<void>(door.connect(Door::host(i)));
  door.pass(milliseconds(limits::kHandshakeMs - 1));
  CHECK(door.closed.empty());
  door.pass(milliseconds(1));
  CHECK(door.closed.size() == kPlaces);
  CHECK(door.refused("too_slow") == kPlaces);
  CHECK(door.bytes_sent.empty());
  CHECK(door.engine->links().empty());
  const mesh::LinkId next = door.connect("10.9.0.1");
  door.say(next, door.first_message);
  CHECK(door.is_answered(next));
}

TEST_CASE("of a flood of right first messages so many are answered, the others hear nothing") {
  Door door;
  std::size_t silent = 0;
  for (std::size_t i = 0; i < 4 * kPlaces; ++i) {
    const mesh::LinkId link = door.connect(Door::host(i));
    door.say(link, door.first_message);
    if (door.is_answered(link)) continue;
    ++silent;
    CHECK(door.is_closed(link));
  }
  CHECK(door.bytes_sent.size() <= limits::kHandshakeAnswersAtOnce);
  CHECK(door.bytes_sent.size() >= kProven);
  CHECK(door.refused("not_answered") == silent);
  CHECK(door.engine->counters().faults.empty());
  // Nobody who was answered had to go for one of them.
  for (const auto& [link, bytes] : door.bytes_sent)
    CHECK(!door.closed.contains(link));
}

TEST_CASE("who is refused by another source's flood comes in when he dials again") {
  Door door;
  for (std::size_t i = 0; i < 200; ++i) {
    const mesh::LinkId link = door.connect("10.9.9.9");
    door.say(link, door.first_message);
  }
  const std::size_t of_the_flood = door.bytes_sent.size();
  CHECK(of_the_flood <= 100);
  door.pass(seconds(1));
  const mesh::LinkId honest = door.connect("10.0.0.1");
  door.say(honest, door.first_message);
  CHECK(door.is_answered(honest));
}

}  // namespace
}  // namespace ebb::tests
