#include "node/home.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "core/data_directory.h"
#include "core/limits.h"
#include "node/clocks.h"
#include "node/config.h"
#include "node/config_keys.h"
#include "node/files.h"
#include "node/issuer_mark.h"
#include "node/key_file.h"
#include "node/new_mesh.h"
#include "node/signing_key.h"
#include "store/reader.h"
#include "trust/hash.h"
#include "trust/mesh_file.h"

namespace ebb::node {
namespace {

constexpr std::size_t kGenesisFileBytes = 4096;

KeyBytes random_key() {
  KeyBytes key;
  trust::random_bytes(key.data().data(), key.data().size());
  return key;
}

KeyBytes key_bytes(ByteView bytes) {
  KeyBytes key;
  std::copy(bytes.begin(), bytes.end(), key.data().begin());
  return key;
}

// Of this mesh, which says nothing of whether they hold.
Status require_records(const MeshId& mesh, const std::vector<Bytes>& records) {
  for (const Bytes& encoded : records) {
    const auto read = trust::read_authority_record(mesh, encoded);
    if (!read.ok()) return read.error();
  }
  return {};
}

// `name`: empty where nobody has said one.
Result<NewHome> home_of_file(const std::string& text, const std::string& name) {
  EBB_ASSIGN(const trust::MeshFile file, trust::decode_mesh_file(text));
  EBB_RETURN_IF_ERROR(require_records(trust::mesh_id(file.genesis), file.records));
  NewHome made;
  made.genesis = file.genesis;
  made.secret = key_bytes(file.secret.view());
  made.authority = file.records;
  made.name = name;
  if (!file.device) {
    made.identity = random_key();
    made.link = random_key();
    return made;
  }
  made.identity = key_bytes(file.device->identity.view());
  made.link = key_bytes(file.device->link.view());
  if (name.empty()) made.name = file.device->label;
  return made;
}

Error occupied(const HomePaths& paths) {
  return {ErrorCode::kExists, "device",
          paths.dir + " has a device already: run " + ebb_command("up", paths.dir) +
              ", or choose another --dir"};
}

Error orphaned(const std::string& key, const char* whose) {
  return {ErrorCode::kExists, "key file",
          key + " is " + whose +
              ", and is not written over: move it to a safe place, or choose another --dir"};
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "device";
  return name.data();
}

// Writes a directory, and takes back what would be in the way of the next attempt.
class HomePen {
 public:
  HomePen(const HomePaths& paths, const NewHome& made) : paths_(paths), made_(made) {}
  Status write();

 private:
  Status write_signing_keys();
  Status write_rest();
  Status note(const std::string& path, Status written) {
    if (written.ok()) written_.push_back(path);
    return written;
  }

  const HomePaths& paths_;
  const NewHome& made_;
  std::vector<std::string> written_;  // keys of a mesh that nobody has joined
};

Status HomePen::write() {
  Status status = write_signing_keys();
  if (status.ok()) status = write_rest();
  if (status.ok() || file_exists(paths_.identity_key)) return status;
  for (const std::string& path : written_)
    std::remove(path.c_str());
  return status;
}

Status HomePen::write_signing_keys() {
  if (made_.root) {
    EBB_RETURN_IF_ERROR(note(paths_.root_key, write_signing_key(paths_.root_key, kRootKind,
                                                                *made_.root, made_.passphrase)));
  }
  if (!made_.issuer) return {};
  const DeviceId issuer = made_.issuer->identity()->device();
  const Position end = IssuerMark::end_of(trust::mesh_id(made_.genesis), issuer, made_.authority);
  EBB_RETURN_IF_ERROR(note(paths_.issuer_mark, IssuerMark::write(paths_.issuer_mark, issuer, end)));
  return note(paths_.issuer_key,
              write_signing_key(paths_.issuer_key, kIssuerKind, *made_.issuer, made_.passphrase));
}

Status HomePen::write_rest() {
  EBB_RETURN_IF_ERROR(write_key_file(paths_.mesh_secret, kMeshSecretKind, made_.secret));
  EBB_RETURN_IF_ERROR(write_key_file(paths_.link_key, kLinkKind, made_.link));
  EBB_RETURN_IF_ERROR(write_file_durable(paths_.genesis, to_base32(made_.genesis) + "\n", 0600));
  EBB_ASSIGN(const std::string authority, trust::encode_authority_file(made_.authority));
  EBB_RETURN_IF_ERROR(write_file_durable(paths_.authority, authority, 0600));
  if (!file_exists(paths_.config)) {
    EBB_RETURN_IF_ERROR(
        write_file_durable(paths_.config, config_template(made_.name, made_.peers), 0600));
  }
  return write_key_file(paths_.identity_key, kIdentityKind, made_.identity);
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

Result<std::vector<Bytes>> read_authority(const std::string& path, const MeshId& mesh) {
  if (!file_exists(path)) return std::vector<Bytes>{};  // a directory of before
  const std::string fix =
      ": remove it; what it had to say comes from the other devices, unless "
      "this one is the only one";
  EBB_ASSIGN(const std::string text, read_file(path, limits::kAuthorityFileBytes));
  auto records = trust::decode_authority_file(text);
  if (!records.ok()) {
    return Error{ErrorCode::kCorrupt, "authority", path + " is damaged" + fix};
  }
  if (!require_records(mesh, *records).ok()) {
    return Error{ErrorCode::kInvalidArgument, "authority", path + " is of another mesh" + fix};
  }
  return records;
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
  return Error{ErrorCode::kNotFound, "device",
               "no device in " + paths.dir + ": run " + ebb_command("init", paths.dir) + " first"};
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
  paths.issuer_key = in_dir("keys/issuer.key");
  paths.issuer_mark = in_dir("keys/issuer.signed");
  paths.mesh_secret = in_dir("keys/mesh.secret");
  paths.invites = in_dir("keys/invites");
  paths.genesis = in_dir("mesh.genesis");
  paths.authority = in_dir("mesh.authority");
  paths.store = in_dir("store");
  paths.socket = in_dir(kSocketFile);
  paths.pid = in_dir(kPidFile);
  paths.log = in_dir(kLogFile);
  return paths;
}

Status require_no_device(const std::string& dir) {
  const HomePaths paths = home_paths(dir);
  if (file_exists(paths.identity_key)) return occupied(paths);
  if (file_exists(paths.store + "/ebb.db")) {
    return Error{ErrorCode::kExists, "store",
                 paths.store + " holds the store of a device whose key is not here: put " +
                     paths.identity_key + " back, or choose another --dir"};
  }
  if (file_exists(paths.root_key)) return orphaned(paths.root_key, "the key of a mesh's root");
  if (file_exists(paths.issuer_key)) return orphaned(paths.issuer_key, "an issuer's key");
  return {};
}

Status write_home(const HomeLock& lock, const NewHome& made) {
  const HomePaths paths = home_paths(lock.dir());
  EBB_RETURN_IF_ERROR(require_no_device(paths.dir));
  EBB_RETURN_IF_ERROR(make_directory(paths.keys));
  EBB_RETURN_IF_ERROR(make_directory(paths.store));
  EBB_RETURN_IF_ERROR(require_private(paths.keys, "run `chmod 700 " + paths.keys + "`"));
  clear_leftovers(paths.keys, false);
  return HomePen(paths, made).write();
}

Status write_home(const std::string& dir, const NewHome& made) {
  EBB_RETURN_IF_ERROR(require_no_device(dir));
  EBB_ASSIGN(const HomeLock lock, HomeLock::take(home_paths(dir).dir));
  return write_home(lock, made);
}

Result<Home> init_home(const InitOptions& options) {
  EBB_RETURN_IF_ERROR(trust::crypto_ready());
  EBB_RETURN_IF_ERROR(require_no_device(options.dir));
  if (options.mesh_file && (options.admit || !options.passphrase.empty())) {
    return Error{
        ErrorCode::kInvalidArgument, "init",
        "who may join, and the keys of root and issuer, belong to a mesh that begins here"};
  }
  // What begins here carries this time for good, and would be before all that it says later.
  if (!options.mesh_file && options.now < options.built) {
    return Error{ErrorCode::kOutOfRange, "init",
                 "the clock of this machine is wrong: it shows " + utc_text(options.now) +
                     ", and this ebb was built at " + utc_text(options.built) +
                     "; set it (`date -u` shows it), and run this again"};
  }
  const std::string own = options.name.empty() ? host_name() : options.name;
  Config config;
  EBB_RETURN_IF_ERROR(find_config_key("node.name")->set(config, own));
  EBB_ASSIGN(NewHome made, options.mesh_file ? home_of_file(*options.mesh_file, options.name)
                                             : new_mesh(own, options.admit, options.now));
  if (made.name.empty()) made.name = own;
  // What is written must be readable again: the file may have brought another name.
  EBB_RETURN_IF_ERROR(find_config_key("node.name")->set(config, made.name));
  made.passphrase = options.passphrase;
  const Status written = write_home(options.dir, made);
  erase_text(made.passphrase);
  EBB_RETURN_IF_ERROR(written);
  return load_home(options.dir);
}

Result<Home> load_home(const std::string& dir) {
  EBB_RETURN_IF_ERROR(trust::crypto_ready());
  Home home;
  home.paths = home_paths(dir);
  EBB_RETURN_IF_ERROR(require_device(home.paths));
  clear_leftovers(home.paths.keys, true);
  EBB_ASSIGN(const KeyBytes seed, read_key_file(home.paths.identity_key, kIdentityKind));
  EBB_ASSIGN(const KeyBytes secret, read_key_file(home.paths.mesh_secret, kMeshSecretKind));
  EBB_ASSIGN(home.genesis, read_genesis(home.paths.genesis));
  EBB_ASSIGN(home.identity, trust::Identity::from_seed(seed.view()));
  home.mesh = trust::mesh_id(home.genesis);
  home.secret = *trust::MeshSecret::from(secret.view());
  EBB_ASSIGN(home.authority, read_authority(home.paths.authority, home.mesh));
  if (!file_exists(home.paths.issuer_key)) return home;
  EBB_ASSIGN(home.issuer_sealed, needs_passphrase(home.paths.issuer_key));
  if (!home.issuer_sealed) EBB_RETURN_IF_ERROR(open_issuer(home, {}));
  return home;
}

Status open_issuer(Home& home, std::string_view passphrase) {
  EBB_ASSIGN(const trust::KeySeed seed,
             read_signing_key(home.paths.issuer_key, kIssuerKind, passphrase));
  home.issuer = seed.identity();
  home.issuer_sealed = false;
  return {};
}

Result<KeyBytes> load_link_key(const HomePaths& paths, bool& made) {
  made = !file_exists(paths.link_key);
  if (made) EBB_RETURN_IF_ERROR(write_key_file(paths.link_key, kLinkKind, random_key()));
  return read_key_file(paths.link_key, kLinkKind);
}

Result<std::vector<Bytes>> known_authority(const Home& home) {
  const auto reader = store::Reader::open(home.paths.store);
  if (!reader.ok()) {
    if (reader.error().code == ErrorCode::kNotFound) return home.authority;
    return reader.error();
  }
  EBB_ASSIGN(std::vector<Bytes> records, (*reader)->authority());
  EBB_ASSIGN(const trust::Genesis genesis, trust::decode_genesis(home.genesis));
  std::stable_partition(records.begin(), records.end(), [&](const Bytes& encoded) {
    const auto read = trust::read_authority_record(home.mesh, encoded);
    return read.ok() && read->record.authority == genesis.root;
  });
  return records;
}

Result<std::string> export_mesh(const std::string& dir) {
  EBB_ASSIGN(const Home home, load_home(dir));
  EBB_ASSIGN(std::vector<Bytes> known, known_authority(home));
  trust::MeshFile file{home.genesis, home.secret.copy()};
  // The root's records say whom to believe; the rest comes from those, and is given as far as it
  // fits: of a large mesh the file stays a small one.
  std::size_t bytes = 0;
  for (Bytes& encoded : known) {
    bytes += 2 * encoded.size();
    if (bytes > limits::kMeshFileBytes / 2) break;
    file.records.push_back(std::move(encoded));
  }
  return trust::encode_mesh_file(file);
}

}  // namespace ebb::node
