// Two ends of a channel with keys that are the same in each run, for tests.
//
// Threads: not thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "channel/handshake.h"
#include "core/bytes.h"

namespace ebb::tests {

inline const MeshId kMesh = *MeshId::from(as_bytes("mesh of 16 bytes"));
inline const trust::MeshSecret kMeshSecret =
    *trust::MeshSecret::from(as_bytes("a mesh secret that has 32 bytes."));
inline const channel::InviteSecret kInviteSecret =
    *channel::InviteSecret::from(as_bytes("an invite's secret of 32 bytes.."));

inline channel::Key key_of(std::uint8_t first) {
  Bytes bytes(32);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(first + i);
  return *channel::Key::from(bytes);
}

// What a responder is to accept, which must outlive it.
inline channel::AcceptedKeys accepting(std::span<const channel::AccessKey> accepted) {
  return [accepted] { return accepted; };
}
inline channel::AcceptedKeys accepting(const channel::AccessKey& access) {
  return accepting(std::span<const channel::AccessKey>(&access, 1));
}

inline channel::HandshakeKeys initiator_keys() {
  return {channel::StaticKey(key_of(0x20)), key_of(0x40)};
}
inline channel::HandshakeKeys responder_keys() {
  return {channel::StaticKey(key_of(0x60)), key_of(0x80)};
}

// What went over the wire, and what the ends had of it.
struct Spoken {
  std::vector<Bytes> messages;
  Bytes heard_by_initiator;  // payload of message 2
  Bytes heard_by_responder;  // payload of message 3
};

inline constexpr std::string_view kSecondPayload = "I am the one who was dialled";
inline constexpr std::string_view kThirdPayload = "and I am the one who dials";

// The whole handshake; both ends are done, or the program stops.
inline Spoken speak(channel::Handshake& initiator, channel::Handshake& responder) {
  using channel::HandshakeStep;
  Spoken spoken;
  spoken.messages.resize(3);
  initiator.start(spoken.messages[0]);
  EBB_CHECK(responder.receive(spoken.messages[0]).step == HandshakeStep::kAnswer);
  EBB_CHECK(responder.answer(as_bytes(kSecondPayload), spoken.messages[1]) == HandshakeStep::kMore);
  EBB_CHECK(initiator.receive(spoken.messages[1]).step == HandshakeStep::kAnswer);
  spoken.heard_by_initiator = to_bytes(initiator.payload());
  EBB_CHECK(initiator.answer(as_bytes(kThirdPayload), spoken.messages[2]) == HandshakeStep::kDone);
  EBB_CHECK(responder.receive(spoken.messages[2]).step == HandshakeStep::kDone);
  spoken.heard_by_responder = to_bytes(responder.payload());
  return spoken;
}

}  // namespace ebb::tests
