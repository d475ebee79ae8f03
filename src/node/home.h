// Home: a device's data directory with its keys and its mesh, apart from the store.
//
// Model:     docs/store_format.md section 1. Keys are 0600 in a 0700 directory and refused when
//            group or others can read them.
// Errors:    init: kExists (the directory has a device already; nothing changed), kBusy (another
//            init or join is at work there), kOutOfRange (a mesh would begin before the program was
//            built), kIo, kMalformed (mesh file), kInvalidArgument (name). load: kNotFound (no
//            device here: run `ebb init`), kPermission, kCorrupt (damaged key file; detail names it
//            and what to do).
// Threads:   pure functions over files; any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.h"
#include "core/result.h"
#include "core/time.h"
#include "node/home_lock.h"
#include "node/key_file.h"
#include "trust/authority_record.h"
#include "trust/genesis.h"
#include "trust/identity.h"
#include "trust/sealed_key.h"

namespace ebb::node {

struct HomePaths {
  std::string dir, config, keys, identity_key, link_key, root_key, issuer_key, issuer_mark,
      mesh_secret, invites, genesis, authority, store, socket, pid, log;
};
HomePaths home_paths(const std::string& dir);

struct InitOptions {
  std::string dir;
  std::string name;  // label; empty: that of the mesh file, else the host's name
  // Text of `ebb mesh export` or of a device's own file (`ebb cert issue`); absent: a mesh of one.
  std::optional<std::string> mesh_file;
  // Of a mesh of one: who may be let in. And what its root's and issuer's key are kept under;
  // empty: nothing. kInvalidArgument with a mesh file.
  std::optional<trust::Admit> admit;
  std::string passphrase;
  WallTime now;
  WallTime built = {};  // of the program, before which no clock is right; 0: not known
};
struct Home {
  HomePaths paths;
  std::unique_ptr<trust::Identity> identity;
  Bytes genesis;
  MeshId mesh;
  trust::MeshSecret secret;
  // What authorities had said when the directory was made: a start takes it into the store. Not
  // verified, but of this mesh.
  std::vector<Bytes> authority;
  // By which this device certifies others; null where it is no issuer, or `issuer_sealed`.
  std::unique_ptr<trust::Identity> issuer;
  bool issuer_sealed = false;  // there is such a key, under a passphrase
};

// What a directory is made of, whoever has made it: init, or who was let in by invite.
struct NewHome {
  Bytes genesis;
  KeyBytes secret;
  KeyBytes identity;
  KeyBytes link;
  std::string name;
  std::vector<std::string> peers = {};  // of its configuration
  std::vector<Bytes> authority;
  // Only where the mesh began.
  std::optional<trust::KeySeed> root, issuer;
  std::string passphrase;  // of these two
};
// Writes it all, the identity last: a directory is a device's when its key is there. What an
// attempt that failed has left is written over.
// Where it fails, keys of root and issuer that it has written are removed, and no others.
Status write_home(const HomeLock& lock, const NewHome& made);
Status write_home(const std::string& dir, const NewHome& made);
// kExists where the directory has a device, or the store of one, already.
Status require_no_device(const std::string& dir);

// Makes directory, keys, genesis, an empty store directory and a commented ebb.toml.
Result<Home> init_home(const InitOptions& options);
// What a run that was killed has left among the keys is removed.
Result<Home> load_home(const std::string& dir);
// The device's X25519 key for links. A directory of before has none: it is made then, and `made`
// is set. kPermission, kCorrupt as of the other keys.
Result<KeyBytes> load_link_key(const HomePaths& paths, bool& made);
// kInvalidArgument (there is none), kBadTag, kBusy, as of signing_key.h; then it is as it was.
Status open_issuer(Home& home, std::string_view passphrase);
// Whether the key of the mesh's root is here and under a passphrase.
Result<bool> root_is_sealed(const std::string& dir);
// Moves the key of the mesh's root to `file`, which may not be there yet: under `passphrase`, or as
// it is if that is empty. One that is under a passphrase already is put under another only with
// that one, `current`. It is removed here when the copy has been read back, and opened where it was
// sealed. kNotFound (no root here), kExists, kInvalidArgument (`current` is missing, or it is the
// root of another mesh), kBadTag (`current` is wrong), kCorrupt; nothing has changed then, and a
// copy that was begun is removed, or the detail says that it is there.
Status export_root(const std::string& dir, const std::string& file, std::string_view passphrase,
                   std::string_view current = {});
// What authorities have said as far as this device knows now, the root's first: what its store
// has, also beside a node that runs; before the first start, what the directory was made with.
Result<std::vector<Bytes>> known_authority(const Home& home);
// The text of `ebb mesh export`.
Result<std::string> export_mesh(const std::string& dir);

}  // namespace ebb::node
