#include "node/home.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include "core/data_directory.h"
#include "node/config.h"
#include "node/config_keys.h"
#include "node/files.h"
#include "node/key_file.h"
#include "trust/hash.h"

namespace ebb::node {
namespace {

constexpr std::size_t kGenesisFileBytes = 4096;

struct MeshKeys {
  Bytes genesis;
  KeyBytes secret;
  // Only where the mesh began.
  std::optional<KeyBytes> root;
};

KeyBytes random_key() {
  KeyBytes key;
  trust::random_bytes(key.data().data(), key.data().size());
  return key;
}

Result<MeshKeys> joined_mesh(const std::string& mesh_file) {
  EBB_ASSIGN(const trust::MeshFile file, trust::decode_mesh_file(mesh_file));
  EBB_ASSIGN([[maybe_unused]] const trust::Genesis genesis, trust::decode_genesis(file.genesis));
  MeshKeys keys;
  keys.genesis = file.genesis;
  std::copy(file.secret.data.begin(), file.secret.data.end(), keys.secret.data().begin());
  return keys;
}

Result<MeshKeys> new_mesh(WallTime now) {
  MeshKeys keys;
  keys.root = random_key();
  keys.secret = random_key();
  EBB_ASSIGN(const auto root, trust::Identity::from_seed(keys.root->view()));
  trust::Genesis genesis;
  genesis.root = root->device();
  genesis.created = now;
  trust::random_bytes(genesis.nonce.data.data(), genesis.nonce.data.size());
  keys.genesis = trust::encode_genesis(genesis);
  return keys;
}

Status refuse_occupied(const HomePaths& paths) {
  if (file_exists(paths.identity_key)) {
    return Error{ErrorCode::kExists, "device",
                 paths.dir + " has a device already: run `ebb up --dir " + shell_word(paths.dir) +
                     "`, or choose another --dir"};
  }
  if (file_exists(paths.store + "/ebb.db")) {
    return Error{ErrorCode::kExists, "store",
                 paths.store + " holds the store of a device whose key is not here: put " +
                     paths.identity_key + " back, or choose another --dir"};
  }
  return {};
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "device";
  return name.data();
}

// The identity is written last: a directory is a device's when its key is there.
Status write_home(const HomePaths& paths, const MeshKeys& mesh, const KeyBytes& seed,
                  const std::string& name) {
  EBB_RETURN_IF_ERROR(make_directory(paths.dir));
  EBB_RETURN_IF_ERROR(make_directory(paths.keys));
  EBB_RETURN_IF_ERROR(make_directory(paths.store));
  EBB_RETURN_IF_ERROR(require_private(paths.keys, "run `chmod 700 " + paths.keys + "`"));
  if (mesh.root) EBB_RETURN_IF_ERROR(write_key_file(paths.root_key, kRootKind, *mesh.root));
  EBB_RETURN_IF_ERROR(write_key_file(paths.mesh_secret, kMeshSecretKind, mesh.secret));
  EBB_RETURN_IF_ERROR(write_key_file(paths.link_key, kLinkKind, random_key()));
  EBB_RETURN_IF_ERROR(write_file_durable(paths.genesis, to_base32(mesh.genesis) + "\n", 0600));
  if (!file_exists(paths.config)) {
    EBB_RETURN_IF_ERROR(write_file_durable(paths.config, config_template(name), 0600));
  }
  return write_key_file(paths.identity_key, kIdentityKind, seed);
}

Result<Bytes> read_genesis(const std::string& path) {
  if (!file_exists(path)) {
    return Error{ErrorCode::kNotFound, "genesis",
                 path + " is missing: copy it from the directory of any device of the mesh"};
  }
  EBB_ASSIGN(std::string text, read_file(path, kGenesisFileBytes));
  if (text.ends_with('\n')) text.pop_back();
  std::optional<Bytes> bytes = from_base32(text);
  if (!bytes || !trust::decode_genesis(*bytes).ok()) {
    return Error{ErrorCode::kCorrupt, "genesis",
                 path + " is damaged: copy it from the directory of any device of the mesh"};
  }
  return std::move(*bytes);
}

Status require_device(const HomePaths& paths) {
  if (file_exists(paths.identity_key)) {
    return require_private(paths.keys, "run `chmod 700 " + paths.keys + "`");
  }
  if (file_exists(paths.store + "/ebb.db")) {
    return Error{ErrorCode::kNotFound, "key file",
                 paths.identity_key +
                     " is missing, but a store is here: put the key back from "
                     "your copy, or run `ebb init` in another directory"};
  }
  return Error{
      ErrorCode::kNotFound, "device",
      "no device in " + paths.dir + ": run `ebb init --dir " + shell_word(paths.dir) + "` first"};
}

}  // namespace

HomePaths home_paths(const std::string& dir) {
  HomePaths paths;
  paths.dir = dir;
  while (paths.dir.size() > 1 && paths.dir.ends_with('/'))
    paths.dir.pop_back();
  const auto in_dir = [&paths](std::string_view name) {
    return (std::filesystem::path(paths.dir) / name).string();
  };
  paths.config = in_dir(kConfigFile);
  paths.keys = in_dir("keys");
  paths.identity_key = in_dir("keys/identity.key");
  paths.link_key = in_dir("keys/link.key");
  paths.root_key = in_dir("keys/root.key");
  paths.mesh_secret = in_dir("keys/mesh.secret");
  paths.genesis = in_dir("mesh.genesis");
  paths.store = in_dir("store");
  paths.socket = in_dir(kSocketFile);
  paths.pid = in_dir(kPidFile);
  paths.log = in_dir(kLogFile);
  return paths;
}

Result<Home> init_home(const InitOptions& options) {
  EBB_RETURN_IF_ERROR(trust::crypto_ready());
  const HomePaths paths = home_paths(options.dir);
  EBB_RETURN_IF_ERROR(refuse_occupied(paths));
  EBB_ASSIGN(const MeshKeys mesh,
             options.mesh_file ? joined_mesh(*options.mesh_file) : new_mesh(options.now));
  const std::string name = options.name.empty() ? host_name() : options.name;
  // What is written must be readable again.
  Config config;
  EBB_RETURN_IF_ERROR(find_config_key("node.name")->set(config, name));
  EBB_RETURN_IF_ERROR(write_home(paths, mesh, random_key(), name));
  return load_home(options.dir);
}

Result<Home> load_home(const std::string& dir) {
  EBB_RETURN_IF_ERROR(trust::crypto_ready());
  Home home;
  home.paths = home_paths(dir);
  EBB_RETURN_IF_ERROR(require_device(home.paths));
  EBB_ASSIGN(const KeyBytes seed, read_key_file(home.paths.identity_key, kIdentityKind));
  EBB_ASSIGN(const KeyBytes secret, read_key_file(home.paths.mesh_secret, kMeshSecretKind));
  EBB_ASSIGN(home.genesis, read_genesis(home.paths.genesis));
  EBB_ASSIGN(home.identity, trust::Identity::from_seed(seed.view()));
  home.mesh = trust::mesh_id(home.genesis);
  home.secret.data = trust::MeshSecret::from(secret.view())->data;
  return home;
}

Result<KeyBytes> load_link_key(const HomePaths& paths, bool& made) {
  made = !file_exists(paths.link_key);
  if (made) EBB_RETURN_IF_ERROR(write_key_file(paths.link_key, kLinkKind, random_key()));
  return read_key_file(paths.link_key, kLinkKind);
}

Result<std::string> export_mesh(const std::string& dir) {
  EBB_ASSIGN(const Home home, load_home(dir));
  return trust::encode_mesh_file({home.genesis, home.secret});
}

}  // namespace ebb::node
