// The channel against the bytes in tests/vectors/channel.txt.
#include "tests/vectors/vector_file.h"

#include <doctest/doctest.h>

#include "channel/datagrams.h"
#include "channel/records.h"
#include "tests/channel/ends.h"
#include "trust/hash.h"

using namespace ebb;
using namespace ebb::channel;
using namespace ebb::tests;

namespace {

AccessKey access_of(const std::string& name) {
  if (name == "link") return AccessKey::for_link(kMesh);
  if (name == "secret") return AccessKey::for_link(kMesh, kMeshSecret);
  return AccessKey::for_join(kMesh, kInviteSecret);
}

// Plays the handshake of a name, compares it, and gives what the responder has of it.
SessionKeys play(const VectorFile& file, const std::string& name) {
  const AccessKey access = access_of(name);
  const auto initiator = Handshake::initiator(access, initiator_keys());
  const auto responder = Handshake::responder(accepting(access), responder_keys());
  const Spoken spoken = speak(*initiator, *responder);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(to_hex(spoken.messages[i]) ==
          to_hex(file.at(name + " message " + std::to_string(i + 1))));
  }
  CHECK(initiator->transcript() == file.at(name + " transcript"));
  return responder->take_keys();
}

}  // namespace

TEST_CASE("the bytes of a handshake are those of the vectors") {
  REQUIRE(trust::crypto_ready().ok());
  const VectorFile file("channel.txt");
  for (const char* name : {"link", "secret", "join"}) {
    CAPTURE(name);
    play(file, name);
  }
}

TEST_CASE("the bytes of records and datagrams are those of the vectors") {
  REQUIRE(trust::crypto_ready().ok());
  const VectorFile file("channel.txt");
  const SessionKeys keys = play(file, "link");
  Bytes wire;
  RecordSealer first(CipherState(keys.stream.from_initiator.copy()));
  first.seal(as_bytes("first"), wire);
  first.finish(wire);
  CHECK(to_hex(wire) == to_hex(file.at("records of who dials")));
  RecordSealer other(CipherState(keys.stream.from_responder.copy()));
  wire.clear();
  other.seal(as_bytes("answer"), wire);
  CHECK(to_hex(wire) == to_hex(file.at("record of the other end")));

  RecordSealer later(CipherState(keys.stream.from_initiator.copy()));
  for (std::uint64_t i = 0; i <= limits::kRecordsPerKey; ++i) {
    wire.clear();
    later.seal(as_bytes("later"), wire);
  }
  CHECK(to_hex(wire) == to_hex(file.at("record 65536 of who dials")));

  DatagramSealer datagrams(CipherState(keys.datagrams.from_initiator.copy()), 0x01020304);
  wire.clear();
  REQUIRE(datagrams.seal(3, as_bytes("gossip"), wire).ok());
  CHECK(to_hex(wire) == to_hex(file.at("datagram of who dials")));
  CipherState used(keys.datagrams.from_responder.copy());
  used.set_nonce(limits::kDatagramsPerKey - 1);
  DatagramSealer last(std::move(used), 0x01020304);
  wire.clear();
  REQUIRE(last.seal(3, {}, wire).ok());
  CHECK(to_hex(wire) == to_hex(file.at("last datagram of the other end")));
}
