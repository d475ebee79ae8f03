// Genesis: the record that makes a mesh, and the file by which a fleet joins it.
//
// Model:   a mesh is the root key in its genesis; the mesh id is the head of the genesis' hash. The
//          mesh file carries genesis and mesh secret and nothing that signs.
// Errors:  kMalformed, kNotCanonical.
// Threads: pure functions; any thread.
// Spec:    docs/wire_format.md section 2
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"
#include "core/time.h"

namespace ebb::trust {

using MeshSecret = FixedBytes<32, struct MeshSecretTag>;
using GenesisNonce = FixedBytes<16, struct GenesisNonceTag>;

struct Genesis {
  DeviceId root;  // the mesh root's public key
  WallTime created;
  GenesisNonce nonce;
  bool operator==(const Genesis&) const = default;
};

Bytes encode_genesis(const Genesis& genesis);
Result<Genesis> decode_genesis(ByteView bytes);
MeshId mesh_id(ByteView genesis_bytes);

// The file of `ebb mesh export`: text, three lines: "ebb-mesh-1", base32 of genesis, base32 of the
// secret. Whoever reads it may join under admit = "secret", so it is written 0600.
struct MeshFile {
  Bytes genesis;
  MeshSecret secret;
};
std::string encode_mesh_file(const MeshFile& file);
Result<MeshFile> decode_mesh_file(std::string_view text);

}  // namespace ebb::trust
