// Engines over the real channel, and what it makes of strangers, forgers and damage.
#include "mesh/secure_channel.h"

#include <doctest/doctest.h>

#include <utility>

#include "channel/handshake.h"
#include "codec/handshake_payload.h"
#include "tests/mesh/secure_rig.h"

namespace ebb::tests {
namespace {

using channel::Handshake;
using channel::HandshakeStep;
using codec::HandshakeEnd;
using mesh::ChannelFault;

// The two ends of one stream.
struct Ends {
  explicit Ends(const MeshId& other_mesh = test_mesh(),
                const trust::MeshSecret& other_secret = kMeshSecret) {
    REQUIRE(trust::crypto_ready().ok());
    first_channels = secure(first_store.identity(), 10, test_mesh(), kMeshSecret);
    second_channels = secure(second_store.identity(), 100, other_mesh, other_secret);
    first = first_channels->dial(first_claim);
    accept();
  }
  // Anew, with another ephemeral key.
  void accept() {
    second = second_channels->accept(second_claim, [this] {
      ++asked;
      return may_answer;
    });
  }
  mesh::ChannelClaim first_claim{0x01020304, to_bytes(as_bytes("a certificate")), {}};
  mesh::ChannelClaim second_claim{0xfffffffe, {}, to_bytes(as_bytes("heads"))};
  FakeStore first_store{1}, second_store{2};
  std::unique_ptr<mesh::Channels> first_channels, second_channels;
  std::unique_ptr<mesh::Channel> first, second;
  int asked = 0;
  bool may_answer = true;
};

// A handshake that a test leads by hand as the dialling end, up to its payload.
struct Forger {
  explicit Forger(Ends& ends) : access(channel::AccessKey::for_link(test_mesh(), kMeshSecret)) {
    handshake = Handshake::initiator(access, initiator_keys());
    Bytes wire, plain, answer;
    handshake->start(wire);
    REQUIRE(!ends.second->receive(wire, plain, answer));
    REQUIRE(handshake->receive(answer).step == HandshakeStep::kAnswer);
  }
  Bytes proof(HandshakeEnd end) const {
    return codec::proof_bytes(end, handshake->transcript(),
                              channel::StaticKey(key_of(0x20)).public_part().view());
  }
  std::optional<mesh::ChannelFailure> say(Ends& ends, const Bytes& payload, Bytes& answer) {
    Bytes wire, plain;
    handshake->answer(payload, wire);
    return ends.second->receive(wire, plain, answer);
  }
  channel::AccessKey access;
  std::unique_ptr<Handshake> handshake;
};

TEST_CASE("two engines over the real channel come to hold the same, and know each other's device") {
  SecurePair rig;
  rig.start_both();
  rig.append(0, {"a", 300, 500});
  rig.append(1, {"b", 5});
  rig.run_for(seconds(5));
  CHECK(rig.engine(0).root() == rig.engine(1).root());
  CHECK(rig.engine(0).links().at(0).peer == rig.store(1).device());
  CHECK(rig.engine(1).links().at(0).peer == rig.store(0).device());
  CHECK(rig.node(0).faults.empty());
  CHECK(rig.node(1).faults.empty());
}

TEST_CASE("another mesh or another secret is met with silence, and the dialling end says so") {
  for (const bool secret : {false, true}) {
    SecurePair rig;
    trust::MeshSecret other = kMeshSecret.copy();
    other.data()[0] ^= 1;
    rig.node(1).channels = secure(rig.store(1).identity(), 100, secret ? test_mesh() : test_mesh(8),
                                  secret ? other : kMeshSecret);
    rig.datagrams = false;
    rig.start_both();
    rig.run_for(seconds(120));
    CHECK(rig.wire_bytes(1, 0) == 0);
    CHECK(rig.engine(1).counters().faults.at("no_access") >= 2);
    const auto peers = rig.engine(0).peers();
    REQUIRE(peers.size() == 1);
    CHECK(peers[0].state == "refused");
    CHECK(peers[0].trouble.find("another secret") != std::string::npos);
    // Said once, however often it is tried.
    REQUIRE(rig.node(0).notices.size() == 1);
    CHECK(rig.node(0).notices[0].kind == mesh::NoticeKind::kUnanswered);
    CHECK(rig.node(0).notices[0].text == rig.address(1) + ": " + peers[0].trouble);
  }
}

TEST_CASE("a byte that is flipped in the middle of a DELTA ends the link, and the next goes on") {
  SecurePair rig;
  rig.start(0);
  for (int i = 0; i < 10; ++i)
    rig.append(0, {"a", 300, 500});
  bool flipped = false;
  rig.breaker = [&](std::size_t from, std::size_t, Bytes& bytes) -> std::optional<std::size_t> {
    if (!flipped && from == 0 && bytes.size() > 10000) {
      bytes[bytes.size() / 2] ^= 1;
      flipped = true;
    }
    return std::nullopt;
  };
  rig.start(1);
  rig.run_for(seconds(60));
  CHECK(flipped);
  REQUIRE(rig.node(1).faults.size() == 1);
  CHECK(rig.node(1).faults[0].reason == "bad_channel");
  CHECK(rig.store(1).events() == rig.store(0).events());
  CHECK(rig.engine(0).root() == rig.engine(1).root());
}

TEST_CASE("an end that was said is told from a cut") {
  SecurePair rig;
  rig.start_both();
  rig.run_for(seconds(2));
  rig.cut(0, 1);
  rig.run_for(milliseconds(100));
  const auto closed = [&](std::size_t i) {
    std::string last;
    for (const mesh::Notice& notice : rig.node(i).notices)
      if (notice.kind == mesh::NoticeKind::kLinkClosed) last = notice.text;
    return last;
  };
  CHECK(closed(1).starts_with("cut off: "));
  rig.run_for(seconds(10));
  rig.input(0, mesh::Shutdown{});
  rig.run_for(milliseconds(100));
  CHECK(closed(1) == "bye: shutting down");
}

TEST_CASE("each end hears what the other claims, its device and its link key") {
  Ends ends;
  Bytes wire, answer, last, plain;
  ends.first->start(wire);
  REQUIRE(!ends.second->receive(wire, plain, answer));
  REQUIRE(!ends.first->receive(answer, plain, last));
  REQUIRE(!ends.second->receive(last, plain, answer));
  REQUIRE(ends.first->peer());
  REQUIRE(ends.second->peer());
  CHECK(ends.first->peer()->claim == ends.second_claim);
  CHECK(ends.second->peer()->claim == ends.first_claim);
  CHECK(ends.first->peer()->device == ends.second_store.device());
  CHECK(ends.first->peer()->link_key.view().size() == trust::LinkKey::kSize);
  CHECK(ends.first->peer()->link_key != ends.second->peer()->link_key);
}

TEST_CASE("without the mac not a byte goes out, at whatever byte it is spoiled") {
  Bytes first;
  {
    Ends ends;
    ends.first->start(first);
  }
  for (std::size_t at = 0; at < first.size(); ++at) {
    Ends ends;
    Bytes wire = first, plain, answer;
    wire[at] ^= 1;
    const auto failure = ends.second->receive(wire, plain, answer);
    CAPTURE(at);
    REQUIRE(failure);
    CHECK(failure->fault == ChannelFault::kNoAccess);
    CHECK(answer.empty());
    CHECK(ends.asked == 0);
    CHECK(ends.second->receive(first, plain, answer));  // it stays so
    CHECK(answer.empty());
  }
}

TEST_CASE("a proof is good for one handshake, one end, one key and one device") {
  const FakeStore author(9);
  const auto payload = [&](const DeviceId& device, ByteView signed_bytes) {
    codec::HandshakePayload made;
    made.device = device;
    made.proof = author.identity().sign(signed_bytes);
    return codec::encode_handshake_payload(made);
  };
  Bytes of_before;
  {
    Ends ends;
    Forger honest(ends);
    Bytes answer;
    of_before = payload(author.device(), honest.proof(HandshakeEnd::kInitiator));
    CHECK(!honest.say(ends, of_before, answer));
    REQUIRE(ends.second->peer());
    CHECK(ends.second->peer()->device == author.device());
  }
  const auto refused = [&](auto make) {
    Ends ends;
    ends.accept();
    Forger forger(ends);
    Bytes answer;
    const auto failure = forger.say(ends, make(forger), answer);
    REQUIRE(failure);
    CHECK(failure->fault == ChannelFault::kBadProof);
    CHECK(answer.empty());
    CHECK(!ends.second->peer());
  };
  refused([&](Forger&) { return of_before; });
  refused([&](Forger& f) { return payload(author.device(), f.proof(HandshakeEnd::kResponder)); });
  refused(
      [&](Forger& f) { return payload(FakeStore(8).device(), f.proof(HandshakeEnd::kInitiator)); });
  refused([&](Forger& f) {
    return payload(author.device(),
                   codec::proof_bytes(HandshakeEnd::kInitiator, f.handshake->transcript(),
                                      channel::StaticKey(key_of(0x21)).public_part().view()));
  });
}

TEST_CASE("who may not be answered hears not a byte, and nothing is computed for him") {
  Ends ends;
  ends.may_answer = false;
  Bytes wire, plain, answer;
  ends.first->start(wire);
  const auto failure = ends.second->receive(wire, plain, answer);
  REQUIRE(failure);
  CHECK(failure->fault == ChannelFault::kNotAnswered);
  CHECK(answer.empty());
  CHECK(ends.asked == 1);
  ends.may_answer = true;
  CHECK(ends.second->receive(wire, plain, answer));  // it stays so
  CHECK(ends.asked == 1);
}

TEST_CASE("where no wire version is common both ends know, and neither has a session") {
  Ends ends;
  ends.second_channels =
      secure(ends.second_store.identity(), 100, test_mesh(), kMeshSecret, {2, 7});
  ends.accept();
  Bytes first, second, third, plain, nothing;
  ends.first->start(first);
  REQUIRE(!ends.second->receive(first, plain, second));
  const auto at_first = ends.first->receive(second, plain, third);
  REQUIRE(at_first);
  CHECK(at_first->fault == ChannelFault::kNoCommonVersion);
  CHECK(at_first->detail == "no common wire version: theirs 2 to 7, ours 1 to 1");
  CHECK(!third.empty());
  const auto at_second = ends.second->receive(third, plain, nothing);
  REQUIRE(at_second);
  CHECK(at_second->fault == ChannelFault::kNoCommonVersion);
  CHECK(at_second->detail == "no common wire version: theirs 1 to 1, ours 2 to 7");
  CHECK(nothing.empty());
  CHECK(plain.empty());
  CHECK(!ends.first->established());
  CHECK(!ends.second->established());
}

TEST_CASE("nodes without a common wire version refuse each other by name") {
  SecurePair rig;
  rig.speak(1, {2, 7});
  rig.start_both();
  rig.run_for(seconds(5));
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(rig.engine(i).links().empty());
    CHECK(rig.engine(i).counters().handshakes_refused.at("no_common_version") >= 1);
    CHECK(rig.node(i).faults.empty());
    CHECK(rig.count(i, "hello").messages_out == 0);
  }
  const auto peers = rig.engine(0).peers();
  REQUIRE(peers.size() == 1);
  CHECK(peers[0].state == "refused");
  CHECK(peers[0].trouble == "no common wire version");
}

TEST_CASE("nodes speak when their wire versions overlap in one") {
  SecurePair rig;
  rig.speak(1, {1, 7});
  rig.start_both();
  rig.run_for(seconds(5));
  CHECK(rig.engine(0).links().size() == 1);
}

}  // namespace
}  // namespace ebb::tests
