#include "sim/paper_mesh.h"

#include <utility>

#include "core/check.h"
#include "sim/stand_in_identity.h"
#include "trust/genesis.h"

namespace ebb::sim {

std::unique_ptr<trust::Identity> random_identity(Rng& rng, bool real) {
  Bytes seed;
  for (std::size_t i = 0; i < trust::kSeedBytes; i += 8)
    append_be64(seed, rng.next());
  if (!real) return std::make_unique<StandInIdentity>(seed);
  auto identity = trust::Identity::from_seed(seed);
  EBB_CHECK(identity.ok());
  return std::move(identity).value();
}

PaperMesh::PaperMesh(Rng& rng, bool real, WallTime made, std::size_t issuers)
    : made_(made), root_(random_identity(rng, real)) {
  trust::Genesis genesis{root_->device(), made_, {}};
  for (std::uint8_t& byte : genesis.nonce.data)
    byte = static_cast<std::uint8_t>(rng.next());
  genesis_ = trust::encode_genesis(genesis);
  mesh_ = trust::mesh_id(genesis_);
  root_end_ = {0, trust::authority_chain_start(mesh_, root_->device())};
  for (std::size_t i = 0; i < issuers; ++i) {
    issuers_.push_back({random_identity(rng, real), {}});
    const DeviceId& device = issuers_.back().key->device();
    issuers_.back().end = {0, trust::authority_chain_start(mesh_, device)};
    const trust::Validity validity{made_, {made_.ms + 3000 * limits::kDayMs}};
    auto certificate = trust::sign_issuer_certificate(
        *root_, {mesh_, i + 1, device, "issuer " + std::to_string(i), validity});
    write(*root_, root_end_, trust::record::IssuerAdd{std::move(certificate).value()});
  }
  of_root_ = records_.size();
}

void PaperMesh::write(const trust::Identity& key, Position& end, trust::record::Content content) {
  trust::AuthorityRecord record;
  record.mesh = mesh_;
  record.authority = key.device();
  record.seq = end.seq + 1;
  record.previous = end.chain;
  record.at = made_;
  record.content = std::move(content);
  records_.push_back(std::move(trust::sign_authority_record(key, record)).value());
  end = trust::read_authority_record(mesh_, records_.back())->record.position();
}

void PaperMesh::certify(const DeviceId& device, const trust::LinkKey& link_key, std::uint64_t roles,
                        const std::string& prefix, const trust::Validity& validity) {
  Issuer& issuer = issuers_[certified_++ % issuers_.size()];
  trust::Certificate certificate;
  certificate.mesh = mesh_;
  certificate.serial = certified_;
  certificate.device = device;
  certificate.link_key = link_key;
  certificate.label = "host " + std::to_string(certified_);
  certificate.roles = roles;
  certificate.prefixes = {prefix};
  certificate.validity = validity;
  certificate.issuer = issuer.key->device();
  auto encoded = trust::sign_certificate(*issuer.key, certificate);
  write(*issuer.key, issuer.end, trust::record::Cert{std::move(encoded).value()});
}

void PaperMesh::admit_by_secret() {
  Issuer& issuer = issuers_.front();
  write(*issuer.key, issuer.end, trust::record::Policy{1, trust::Admit::kSecret});
}

mesh::MembershipConfig PaperMesh::config(bool whole) const {
  mesh::MembershipConfig config;
  config.genesis = genesis_;
  config.given = records_;
  if (!whole) config.given.resize(of_root_);
  return config;
}

}  // namespace ebb::sim
