#include "node/new_mesh.h"

#include <utility>

#include "channel/noise_keys.h"
#include "core/limits.h"
#include "trust/certificate.h"
#include "trust/hash.h"

namespace ebb::node {
namespace {

using trust::Identity;
namespace record = trust::record;

constexpr std::uint64_t kFirstRoles = trust::roles::kReader | trust::roles::kWriter |
                                      trust::roles::kRelay | trust::roles::kAdmin |
                                      trust::roles::kIssuer;

// Writes the log of one authority from its beginning.
class AuthorityPen {
 public:
  AuthorityPen(const Identity& authority, const MeshId& mesh, WallTime now)
      : authority_(authority) {
    next_.mesh = mesh;
    next_.authority = authority.device();
    next_.previous = trust::authority_chain_start(mesh, authority.device());
    next_.at = now;
  }
  Status write(record::Content content, std::vector<Bytes>& out) {
    ++next_.seq;
    next_.content = std::move(content);
    EBB_ASSIGN(Bytes encoded, trust::sign_authority_record(authority_, next_));
    EBB_ASSIGN(const auto read, trust::decode_authority_record(next_.mesh, encoded));
    next_.previous = read.chain;
    out.push_back(std::move(encoded));
    return {};
  }

 private:
  const Identity& authority_;
  trust::AuthorityRecord next_;
};

KeyBytes random_key() {
  KeyBytes key;
  trust::random_bytes(key.data().data(), key.data().size());
  return key;
}

trust::LinkKey public_link_key(const KeyBytes& link) {
  const channel::StaticKey key(*channel::Key::from(link.view()));
  return trust::LinkKey{key.public_part().data};
}

Result<Bytes> certify_device(const Identity& issuer, const NewHome& made, const MeshId& mesh,
                             WallTime now) {
  EBB_ASSIGN(const auto identity, Identity::from_seed(made.identity.view()));
  trust::Certificate certificate;
  certificate.mesh = mesh;
  certificate.serial = 1;
  certificate.device = identity->device();
  certificate.link_key = public_link_key(made.link);
  certificate.label = made.name;
  certificate.roles = kFirstRoles;
  certificate.prefixes = {""};
  certificate.validity = {now, {now.ms + limits::kCertificateMs}};
  certificate.issuer = issuer.device();
  return trust::sign_certificate(issuer, certificate);
}

}  // namespace

Result<NewHome> new_mesh(const std::string& name, std::optional<trust::Admit> admit, WallTime now) {
  NewHome made;
  made.name = name;
  made.identity = random_key();
  made.link = random_key();
  made.secret = random_key();
  made.root = trust::KeySeed::random();
  made.issuer = trust::KeySeed::random();
  const auto root = made.root->identity();
  const auto issuer = made.issuer->identity();
  trust::Genesis genesis;
  genesis.root = root->device();
  genesis.created = now;
  trust::random_bytes(genesis.nonce.data.data(), genesis.nonce.data.size());
  made.genesis = trust::encode_genesis(genesis);
  const MeshId mesh = trust::mesh_id(made.genesis);

  trust::IssuerCertificate first;
  first.mesh = mesh;
  first.serial = 1;
  first.issuer = issuer->device();
  first.label = name;
  first.validity = {now, {now.ms + limits::kIssuerCertificateMs}};
  EBB_ASSIGN(Bytes of_issuer, trust::sign_issuer_certificate(*root, first));
  EBB_ASSIGN(Bytes of_device, certify_device(*issuer, made, mesh, now));
  EBB_RETURN_IF_ERROR(AuthorityPen(*root, mesh, now)
                          .write(record::IssuerAdd{std::move(of_issuer)}, made.authority));
  AuthorityPen pen(*issuer, mesh, now);
  EBB_RETURN_IF_ERROR(pen.write(record::Cert{std::move(of_device)}, made.authority));
  if (admit) EBB_RETURN_IF_ERROR(pen.write(record::Policy{1, *admit}, made.authority));
  return made;
}

}  // namespace ebb::node
