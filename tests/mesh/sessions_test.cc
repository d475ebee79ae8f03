// Which datagram keys are live, and which of them are sealed with.
#include "mesh/sessions.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "codec/datagram.h"
#include "core/limits.h"
#include "tests/channel/ends.h"
#include "tests/mesh/secure_rig.h"

namespace ebb::tests {
namespace {

using mesh::Session;
using mesh::SessionTable;

DeviceId device_of(std::uint32_t number) {
  DeviceId device;
  device.data[0] = static_cast<std::uint8_t>(number);
  device.data[1] = static_cast<std::uint8_t>(number >> 8);
  return device;
}

// Handshakes of one node with others, and what those seal.
struct Table {
  channel::ReceiverIndex handshake(std::uint32_t device, bool by_smaller = true) {
    const channel::ReceiverIndex index = ++last;
    mesh::NewSession made;
    made.device = device_of(device);
    made.keys = {key_of(1), key_of(static_cast<std::uint8_t>(index))};
    made.index = index;
    made.peer_index = 1000 + index;
    made.link = mesh::LinkId{index};
    made.by_smaller = by_smaller;
    CHECK(table.add(std::move(made), now));
    return index;
  }
  // nullopt: opened.
  std::optional<std::string> refused(channel::ReceiverIndex index, std::uint64_t counter = 0) {
    channel::CipherState cipher(key_of(static_cast<std::uint8_t>(index)));
    cipher.set_nonce(counter);
    channel::DatagramSealer sealer(std::move(cipher), index);
    Bytes wire;
    REQUIRE(sealer.seal(2, {}, wire).ok());
    const auto result = table.open(wire, now);
    if (const auto* why = std::get_if<std::string_view>(&result)) return std::string(*why);
    return std::nullopt;
  }
  // With which index the other end is spoken to; 0: not at all.
  channel::ReceiverIndex seals(std::uint32_t device) {
    Session* session = table.of_device(device_of(device), now);
    if (session == nullptr) return 0;
    Bytes wire;
    REQUIRE(session->sealer.seal(2, {}, wire).ok());
    return channel::datagram_index(wire).value() - 1000;
  }
  SessionTable table;
  Instant now{1000000};
  channel::ReceiverIndex last = 0;
};

}  // namespace

TEST_CASE("the next handshake of a pair gives the keys; the old ones open until it is used") {
  Table rig;
  const auto first = rig.handshake(1);
  rig.now = rig.now + seconds(60);
  const auto second = rig.handshake(1, false);
  CHECK(rig.seals(1) == second);
  CHECK(!rig.refused(first, 5));  // was on its way
  CHECK(rig.seals(1) == second);
  CHECK(!rig.refused(second));
  CHECK(rig.refused(first, 6) == "unknown_index");
  CHECK(rig.table.size() == 1);
}

TEST_CASE("of two handshakes that overlap the one dialled by the smaller device key stays") {
  for (const bool smaller_first : {true, false}) {
    Table rig;
    const auto first = rig.handshake(1, smaller_first);
    rig.now = rig.now + seconds(9);
    const auto second = rig.handshake(1, !smaller_first);
    CHECK(rig.seals(1) == (smaller_first ? first : second));
    CHECK(!rig.refused(first));
    CHECK(rig.seals(1) == (smaller_first ? first : second));
    // Whoever has judged the overlap otherwise, or started anew in between, shows it.
    CHECK(!rig.refused(second));
    CHECK(rig.seals(1) == second);
    CHECK(rig.refused(first, 1) == "unknown_index");
  }
  Table rig;
  rig.handshake(1, true);
  rig.now = rig.now + seconds(10);
  const auto later = rig.handshake(1, false);
  CHECK(rig.seals(1) == later);
}

TEST_CASE("keys live until 24 hours after their stream has ended") {
  Table rig;
  const auto index = rig.handshake(1);
  rig.now = rig.now + seconds(48 * 3600);
  CHECK(rig.seals(1) == index);
  CHECK(!rig.table.next_expiry());
  rig.table.link_ended(mesh::LinkId{index}, rig.now);
  const Instant over = rig.now + milliseconds(limits::kDatagramKeysMs);
  CHECK(rig.table.next_expiry() == over);
  rig.now = over - microseconds(1);
  rig.table.expire(rig.now);
  CHECK(!rig.refused(index));
  CHECK(rig.seals(1) == index);
  rig.now = over;
  CHECK(rig.refused(index, 1) == "unknown_index");
  CHECK(rig.seals(1) == 0);
  rig.table.expire(rig.now);
  CHECK(rig.table.size() == 0);
  CHECK(!rig.table.next_expiry());
}

TEST_CASE("sessions are bounded, and the one whose stream ended first makes room") {
  Table rig;
  for (std::uint32_t i = 0; i < limits::kDatagramSessions; ++i)
    rig.handshake(i);
  mesh::NewSession more;
  more.device = device_of(5000);
  more.index = 5000;
  more.peer_index = 1;
  // All streams stand.
  CHECK(!rig.table.add(std::move(more), rig.now));
  rig.table.link_ended(mesh::LinkId{8}, rig.now);
  rig.now = rig.now + seconds(1);
  rig.table.link_ended(mesh::LinkId{3}, rig.now);
  rig.handshake(5000);
  CHECK(rig.table.size() == limits::kDatagramSessions);
  CHECK(rig.table.of_device(device_of(7), rig.now) == nullptr);
  CHECK(rig.table.of_device(device_of(2), rig.now) != nullptr);
  CHECK(!rig.table.is_free(3));
  CHECK(rig.table.is_free(8));
  CHECK(!rig.table.is_free(0));
}

TEST_CASE("a device has two sessions at the most") {
  Table rig;
  for (int i = 0; i < 20; ++i) {
    rig.handshake(1, i % 3 == 0);
    rig.now = rig.now + seconds(i);
    CHECK(rig.table.size() <= 2);
  }
  rig.table.forget(device_of(1));
  CHECK(rig.table.size() == 0);
}

TEST_CASE("nodes with the real channel settle by datagrams, none of which can be read") {
  SecurePair rig;
  rig.start_both();
  rig.run_for(seconds(5));
  REQUIRE(rig.streams_between(0, 1) == 1);
  rig.dials = false;
  rig.cut(0, 1);
  std::size_t plain = 0;
  rig.on_datagram = [&plain](std::size_t, const std::string&, const Bytes& bytes) {
    if (codec::decode_datagram(bytes[0], ByteView(bytes).subspan(16, bytes.size() - 32)).ok())
      ++plain;
    return true;
  };
  rig.append(0, {"a", 3});
  rig.run_for(seconds(20));
  CHECK(rig.store(1).events() == 3);
  CHECK(rig.engine(0).root() == rig.engine(1).root());
  CHECK(rig.engine(0).counters().datagrams_opened > 5);
  CHECK(plain == 0);
}

}  // namespace ebb::tests
