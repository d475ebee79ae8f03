// PaperMesh: the root and the issuers of a simulated mesh, and what they have written before it
// begins.
//
// Model:     hosts are certified one after the other, by issuers in turn; what is signed and judged
//            is as in the daemon, with the signatures of the run.
// Ownership: owns the keys, which the issuers' hosts use while the run lasts.
// Threads:   not thread-safe; owned by one run.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/rng.h"
#include "mesh/membership_types.h"

namespace ebb::sim {

std::unique_ptr<trust::Identity> random_identity(Rng& rng, bool real);

class PaperMesh {
 public:
  // Made at this time. `real`: with Ed25519.
  PaperMesh(Rng& rng, bool real, WallTime made, std::size_t issuers);

  const MeshId& mesh() const { return mesh_; }
  const trust::Identity& issuer(std::size_t i) const { return *issuers_[i].key; }
  std::size_t issuers() const { return issuers_.size(); }
  // Its role of an issuer is told by who knows it.
  void certify(const DeviceId& device, const trust::LinkKey& link_key, std::uint64_t roles,
               const std::string& prefix, const trust::Validity& validity);
  void admit_by_secret();
  const std::vector<Bytes>& records() const { return records_; }
  // For a host that has all of it, or the root's alone.
  mesh::MembershipConfig config(bool whole) const;

 private:
  struct Issuer {
    std::unique_ptr<trust::Identity> key;
    Position end;
  };
  void write(const trust::Identity& key, Position& end, trust::record::Content content);

  WallTime made_;
  std::unique_ptr<trust::Identity> root_;
  Position root_end_;
  Bytes genesis_;
  MeshId mesh_;
  std::vector<Issuer> issuers_;
  std::vector<Bytes> records_;
  std::size_t of_root_ = 0;  // records, at the beginning
  std::uint64_t certified_ = 0;
};

}  // namespace ebb::sim
