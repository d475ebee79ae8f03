#include "node/device_file.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "channel/noise_keys.h"
#include "core/limits.h"
#include "node/home.h"
#include "trust/authority.h"
#include "trust/genesis.h"
#include "trust/hash.h"
#include "trust/mesh_file.h"

namespace ebb::node {

Result<std::string> make_device_file(const std::string& dir, const std::string& label,
                                     const CertifyDevice& certify) {
  EBB_ASSIGN(const Home home, load_home(dir));
  trust::DeviceKeys keys;
  trust::random_bytes(keys.identity.data(), keys.identity.kSize);
  trust::random_bytes(keys.link.data(), keys.link.kSize);
  keys.label = label;
  EBB_ASSIGN(const auto identity, trust::Identity::from_seed(keys.identity.view()));
  const channel::StaticKey link(*channel::Key::from(keys.link.view()));
  EBB_ASSIGN(Bytes record,
             certify(device_text(identity->device()), to_base32(link.public_part().view()), label));
  trust::MeshFile file{home.genesis, home.secret.copy()};
  // The root's word of whom to believe, and the certificate; the rest is told at first contact.
  EBB_ASSIGN(const trust::Genesis genesis, trust::decode_genesis(home.genesis));
  EBB_ASSIGN(const std::vector<Bytes> all, known_authority(home));
  for (const Bytes& known : all) {
    const auto read = trust::read_authority_record(home.mesh, known);
    if (read.ok() && read->record.authority == genesis.root) file.records.push_back(known);
  }
  file.records.push_back(std::move(record));
  file.device = std::move(keys);
  return trust::encode_mesh_file(file);
}

Result<trust::Admit> known_admit(const std::string& dir) {
  EBB_ASSIGN(const Home home, load_home(dir));
  EBB_ASSIGN(const trust::Genesis genesis, trust::decode_genesis(home.genesis));
  EBB_ASSIGN(const std::vector<Bytes> records, known_authority(home));
  const trust::SignatureCheck signatures;
  trust::Authority authority(home.mesh, genesis.root, signatures);
  WallTime floor = genesis.created;
  // The root's come first, and name the issuers of the rest.
  for (const Bytes& record : records) {
    const auto taken = authority.take(record);
    if (taken.ok() && taken->held) floor = std::max(floor, taken->at);
  }
  return authority.admit(floor);
}

}  // namespace ebb::node
