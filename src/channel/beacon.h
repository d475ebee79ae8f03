// The beacon by which nodes of a mesh on one local network find each other.
//
// Model:   says at which port its sender listens, to whoever knows the mesh (and its secret), and
//          nothing to anybody else: neither mesh nor device can be told from it, nor that two are
//          of one sender. It can be repeated by anybody; what follows from it is a dial, which
//          proves everything anew.
// Threads: pure.
// Errors:  read_beacon: kMalformed, kUnsupported (a later layout), kBadSignature (of another mesh,
//          or with another secret).
// Spec:    docs/wire_format.md section 12
#pragma once

#include <cstdint>

#include "channel/access_key.h"
#include "core/bytes.h"
#include "core/result.h"

namespace ebb::channel {

using BeaconNonce = FixedBytes<16, struct BeaconNonceTag>;

struct Beacon {
  BeaconNonce nonce;       // random, another one each time
  std::uint16_t port = 0;  // for links, TCP and UDP; not 0
  bool operator==(const Beacon&) const = default;
};

inline constexpr std::size_t kBeaconBytes = 1 + BeaconNonce::kSize + 2 + kMacBytes;

// `key`: AccessKey::for_beacon.
Bytes write_beacon(const AccessKey& key, const Beacon& beacon);
Result<Beacon> read_beacon(const AccessKey& key, ByteView bytes);

}  // namespace ebb::channel
