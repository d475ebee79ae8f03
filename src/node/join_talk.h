// JoinTalk: what is said on one connection of purpose join, from its handshake to the end.
//
// Threads: blocks its thread. For join_client.cc only.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "codec/message.h"
#include "core/bytes.h"
#include "core/result.h"
#include "core/time.h"
#include "mesh/secure_channel.h"
#include "node/join_stream.h"
#include "trust/identity.h"
#include "trust/invite.h"

namespace ebb::node {

// Who asks: keys that nobody knows yet.
struct JoinKeys {
  const trust::Identity& identity;
  const channel::StaticKey& link;
};

// What an inviter has said.
struct JoinAnswer {
  DeviceId inviter;
  Duration round_trip;
  std::optional<codec::AuthRefused> refused;
  std::optional<codec::AuthMesh> mesh;
  std::vector<Bytes> records;
};

// `asking` is called when the inviter has proven that it is the one of the invite, before it is
// asked. kNotFound and kBusy: nobody answered at all; kBadTag: who did has said nothing;
// kBadSignature: it is another node; kUnsupported: of another wire version; kIo: it has gone in the
// middle.
Result<JoinAnswer> talk_to_inviter(JoinStream stream, const trust::Invite& invite,
                                   const JoinKeys& keys, const std::string& label,
                                   const std::function<Status()>& asking);

}  // namespace ebb::node
