// Home: a device's data directory with its keys and its mesh, apart from the store.
//
// Model:     docs/store_format.md section 1. Keys are 0600 in a 0700 directory and refused when
//            group or others can read them.
// Errors:    init: kExists (the directory has a device already; nothing changed), kIo, kMalformed
//            (mesh file), kInvalidArgument (name). load: kNotFound (no device here: run `ebb
//            init`), kPermission, kCorrupt (damaged key file; detail names it and what to do).
// Threads:   pure functions over files; any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/ids.h"
#include "core/result.h"
#include "core/time.h"
#include "node/key_file.h"
#include "trust/genesis.h"
#include "trust/identity.h"

namespace ebb::node {

struct HomePaths {
  std::string dir, config, keys, identity_key, link_key, root_key, mesh_secret, genesis, store,
      socket, pid, log;
};
HomePaths home_paths(const std::string& dir);

struct InitOptions {
  std::string dir;
  std::string name;                      // label; empty: the host's name
  std::optional<std::string> mesh_file;  // text of an exported mesh; absent: a mesh of one
  WallTime now;
};
struct Home {
  HomePaths paths;
  std::unique_ptr<trust::Identity> identity;
  Bytes genesis;
  MeshId mesh;
  trust::MeshSecret secret;
};

// Makes directory, keys, genesis, an empty store directory and a commented ebb.toml.
Result<Home> init_home(const InitOptions& options);
Result<Home> load_home(const std::string& dir);
// The device's X25519 key for links. A directory of before has none: it is made then, and `made`
// is set. kPermission, kCorrupt as of the other keys.
Result<KeyBytes> load_link_key(const HomePaths& paths, bool& made);
// The text of `ebb mesh export`.
Result<std::string> export_mesh(const std::string& dir);

}  // namespace ebb::node
