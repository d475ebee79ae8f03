// AccessKey: what an end must know to be answered, made of purpose, mesh and secret.
//
// Model:     two ends with equal arguments have equal keys, and keys of different arguments have
//            nothing in common.
// Ownership: secrets are erased with it.
// Threads:   immutable; any thread.
// Spec:      docs/wire_format.md section 12
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "channel/noise_pattern.h"
#include "channel/secret.h"
#include "core/bytes.h"
#include "core/ids.h"
#include "trust/genesis.h"
#include "trust/invite.h"

namespace ebb::channel {

// What a handshake, or a mac, is for. DO NOT CHANGE: hashed.
enum class Purpose : std::uint8_t { kLink = 1, kJoin = 2, kBeacon = 3 };

using trust::InviteSecret;

inline constexpr std::size_t kMacBytes = 16;
using Mac = FixedBytes<kMacBytes, struct MacTag>;

class AccessKey {
 public:
  // Between devices of a mesh, which may have a secret.
  static AccessKey for_link(const MeshId& mesh, const trust::MeshSecret& secret);
  static AccessKey for_link(const MeshId& mesh);  // which has none
  // Between who was invited and who invites.
  static AccessKey for_join(const MeshId& mesh, const InviteSecret& secret);

  // Of beacons, which have no handshake: mac() and fits() alone mean something.
  static AccessKey for_beacon(const MeshId& mesh, const trust::MeshSecret& secret);

  AccessKey copy() const;

  const NoisePattern& pattern() const { return psk_ ? kNoiseXxPsk3 : kNoiseXx; }
  const Bytes& prologue() const { return prologue_; }
  std::optional<Key> psk() const;
  // Of a mac and the Noise message behind it.
  std::size_t first_message_bytes() const;
  Mac mac(ByteView message) const;
  // In a time that does not tell where they differ.
  bool fits(const Mac& mac, ByteView message) const;

 private:
  AccessKey() = default;
  AccessKey(Purpose purpose, const MeshId& mesh, ByteView secret);

  Bytes prologue_;
  Key mac_key_;
  std::optional<Key> psk_;
};

using AccessKeys = std::vector<AccessKey>;
// Those that are answered now; valid until the caller gives way.
using AcceptedKeys = std::function<std::span<const AccessKey>()>;

}  // namespace ebb::channel
