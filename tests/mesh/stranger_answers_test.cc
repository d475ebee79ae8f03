// Who answers a dial and knows the mesh id, but not its secret: he comes as far as message 2, and
// nothing that he says there is held against anybody, or taken for true.
#include <doctest/doctest.h>

#include <optional>

#include "channel/noise_handshake.h"
#include "codec/handshake_payload.h"
#include "mesh/engine.h"
#include "tests/mesh/secure_rig.h"

namespace ebb::tests {
namespace {

using channel::AccessKey;
using channel::NoiseHandshake;

const std::string kAddress = "a:1";

// An engine that dials one address, and the stranger there.
class StrangerRig {
 public:
  StrangerRig() {
    REQUIRE(trust::crypto_ready().ok());
    mesh::Config config;
    config.self = store_.device();
    config.mesh = test_mesh();
    config.incarnation = 1;
    config.peers = {kAddress};
    channels_ = secure(store_.identity(), 10, test_mesh(), kMeshSecret);
    config.channels = channels_.get();
    engine_.emplace(std::move(config), Rng(5));
  }

  // Dials when it is due, and hands out message 1.
  Bytes next_dial() {
    while (effects_.dials.empty()) {
      now_ = engine_->next_deadline().value_or(now_);
      feed(mesh::Tick{});
    }
    link_ = effects_.dials.front().link;
    effects_ = {};
    feed(mesh::LinkUp{link_, true, kAddress});
    REQUIRE(effects_.sends.size() == 1);
    return effects_.sends[0].bytes;
  }

  // Message 2 by somebody with another secret; `spoil` makes the proof a wrong one.
  void answer(const Bytes& first, bool spoil, std::uint64_t wire = codec::kWireVersion) {
    trust::MeshSecret other = kMeshSecret.copy();
    other.data()[0] ^= 1;
    const AccessKey access = AccessKey::for_link(test_mesh(), other);
    NoiseHandshake handshake(access.pattern(), channel::sha256(),
                             {channel::Role::kResponder,
                              access.prologue(),
                              channel::StaticKey(key_of(0x70)),
                              key_of(0x71),
                              {},
                              access.psk()});
    Bytes nothing;
    REQUIRE(handshake.read_message(ByteView(first).subspan(2 + channel::kMacBytes), nothing).ok());
    codec::HandshakePayload payload;
    payload.wire_min = payload.wire_max = wire;
    payload.device = claimed_.device();
    const Bytes signed_bytes =
        codec::proof_bytes(codec::HandshakeEnd::kResponder, handshake.transcript(),
                           channel::StaticKey(key_of(0x70)).public_part().view());
    payload.proof = (spoil ? store_ : claimed_).identity().sign(signed_bytes);
    Bytes message;
    REQUIRE(handshake.write_message(codec::encode_handshake_payload(payload), message).ok());
    Bytes wire_bytes;
    append_be16(wire_bytes, static_cast<std::uint16_t>(message.size()));
    append(wire_bytes, message);
    effects_ = {};
    feed(mesh::StreamBytes{link_, wire_bytes});
  }

  void hang_up() { feed(mesh::LinkDown{link_, "gone"}); }
  mesh::KnownPeer peer() const { return engine_->peers().at(0); }
  const mesh::Counters& counters() const { return engine_->counters(); }
  const mesh::Effects& effects() const { return effects_; }
  Instant now() const { return now_; }

 private:
  void feed(mesh::Input input) { engine_->handle(now_, WallTime{}, std::move(input), effects_); }

  FakeStore store_{1}, claimed_{2};
  std::unique_ptr<mesh::Channels> channels_;
  std::optional<mesh::Engine> engine_;
  mesh::Effects effects_;
  mesh::LinkId link_;
  Instant now_{1000000};
};

TEST_CASE("whoever answers a dial is no device before a record of his opens") {
  StrangerRig rig;
  rig.answer(rig.next_dial(), false);
  CHECK(!rig.effects().sends.empty());  // message 3, and what only the secret opens
  CHECK(rig.effects().closes.empty());
  CHECK(!rig.peer().device);
  CHECK(!rig.peer().last_heard);
  rig.hang_up();
  CHECK(!rig.peer().device);
  CHECK(rig.peer().state == "never");
}

TEST_CASE("a wrong proof of whoever answers a dial ends it, and the address is tried as before") {
  StrangerRig rig;
  const Instant start = rig.now();
  for (std::uint64_t i = 1; i <= 5; ++i) {
    rig.answer(rig.next_dial(), true);
    REQUIRE(rig.effects().closes.size() == 1);
    CHECK(rig.effects().sends.empty());  // not a byte of message 3
    rig.hang_up();
    CHECK(rig.counters().faults.at("bad_proof") == i);
  }
  CHECK(!rig.peer().device);
  CHECK(rig.now() - start < seconds(1 + 2 + 4 + 8 + 16));
}

TEST_CASE("versions that whoever answers a dial claims keep nobody away for long") {
  StrangerRig rig;
  const Instant start = rig.now();
  for (int i = 0; i < 5; ++i) {
    rig.answer(rig.next_dial(), false, codec::kWireVersion + 7);
    CHECK(rig.effects().closes.size() == 1);
    rig.hang_up();
  }
  CHECK(rig.now() - start < seconds(1 + 2 + 4 + 8 + 16));
}

}  // namespace
}  // namespace ebb::tests
