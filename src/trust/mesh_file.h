// MeshFile: the file by which devices join a mesh without an invite, and the file in which a
// device's directory keeps what authorities said when it was made.
//
// Model:     text, a line for each thing, the last of which proves that all are there and as they
//            were. A mesh file says what the mesh is and what it takes to be answered in it; one
//            that was made for a single device (`ebb cert issue`) has that device's keys, too, and
//            is good for one device.
// Ownership: whoever reads it may ask to be let in, and of a device's file be that device: it is
//            written for its owner alone. Secrets are wiped with the value; the text is its
//            caller's to wipe.
// Errors:    kMalformed (no such file), kUnsupported (of another version), kCorrupt (a line is
//            missing or damaged), kTooLarge (encode: more than the bounds).
// Threads:   pure functions; any thread.
// Limits:    limits::kMeshFileBytes, kAuthorityFileBytes.
// Spec:      docs/store_format.md section 1
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"
#include "core/secret.h"
#include "trust/genesis.h"

namespace ebb::trust {

struct DeviceKeys {
  Secret<32> identity;  // seed of the device's Ed25519 key
  Secret<32> link;      // its X25519 key
  std::string label;
};

struct MeshFile {
  Bytes genesis;
  MeshSecret secret;
  std::vector<Bytes> records = {};  // of authorities, the root's first; not verified
  std::optional<DeviceKeys> device = std::nullopt;
};
Result<std::string> encode_mesh_file(const MeshFile& file);
Result<MeshFile> decode_mesh_file(std::string_view text);

// The text of mesh.authority. Not verified: who takes the records does that.
Result<std::string> encode_authority_file(const std::vector<Bytes>& records);
Result<std::vector<Bytes>> decode_authority_file(std::string_view text);

}  // namespace ebb::trust
