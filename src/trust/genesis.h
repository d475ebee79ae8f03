// Genesis: the record that makes a mesh.
//
// Model:   a mesh is the root key in its genesis; the mesh id is the head of the genesis' hash.
// Errors:  kMalformed, kNotCanonical.
// Threads: pure functions; any thread.
// Spec:    docs/wire_format.md section 2
#pragma once

#include <cstdint>

#include "core/bytes.h"
#include "core/ids.h"
#include "core/mesh_secret.h"
#include "core/result.h"
#include "core/time.h"

namespace ebb::trust {

using ebb::MeshSecret;
using GenesisNonce = FixedBytes<16, struct GenesisNonceTag>;

struct Genesis {
  DeviceId root;     // the mesh root's public key
  WallTime created;  // at most limits::kTrustTimeMax, and not before 1970
  GenesisNonce nonce;
  bool operator==(const Genesis&) const = default;
};

Bytes encode_genesis(const Genesis& genesis);
Result<Genesis> decode_genesis(ByteView bytes);
MeshId mesh_id(ByteView genesis_bytes);

}  // namespace ebb::trust
