// MemberRig: a rig whose nodes are a mesh with a root and certificates. Channels prove nothing, and
// say what an end claims.
//
// Model:   node 0 is an issuer, and certified by itself; so is whom certify() names. The root's key
//          is the rig's.
// Threads: not thread-safe; one test.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/mesh/rig.h"
#include "tests/trust/log_writer.h"
#include "trust/authority_record.h"
#include "trust/certificate.h"
#include "trust/genesis.h"
#include "trust/identity.h"

namespace ebb::tests {

inline constexpr std::int64_t kDayMs = limits::kDayMs;
inline constexpr std::uint64_t kAllRoles =
    trust::roles::kReader | trust::roles::kWriter | trust::roles::kRelay;

// The link key of a device's channels here.
trust::LinkKey rig_link_key(const DeviceId& device);

// What an end of a channel says first here.
Bytes claim_preamble(const DeviceId& device, const mesh::ChannelClaim& own);

class MemberRig : public Rig {
 public:
  // The mesh and the certificate of its issuer began so long ago.
  explicit MemberRig(std::int64_t age_days = 100);

  struct Terms {
    std::uint64_t roles = kAllRoles;
    std::vector<std::string> prefixes = {""};
    std::int64_t from_days = -10;  // from now
    std::int64_t to_days = 300;
    std::uint8_t link_key = 0;  // not 0: another than that of its channels
  };

  // One more node, which dials those; with the records so far.
  std::size_t add_member(const std::vector<std::size_t>& peers = {});
  std::size_t add_member(const std::vector<std::size_t>& peers, const Terms& terms);
  // The same that has no certificate, nor anything but the genesis.
  std::size_t add_stranger(const std::vector<std::size_t>& peers = {});
  // The same that has a key of an issuer of its own, whom the root certifies.
  std::size_t add_issuer(const std::vector<std::size_t>& peers, const Terms& terms);
  // By node 0's issuer, known to all nodes that are added or started later.
  void certify(std::size_t i);
  void certify(std::size_t i, const Terms& terms);
  void admit_by_secret();
  // As node 0 would write it.
  Bytes write(trust::record::Content content);
  Bytes write_as_root(trust::record::Content content);

  trust::Standing standing(std::size_t i);
  // What every node of the list holds of authorities is the same.
  bool agree(const std::vector<std::size_t>& nodes);
  std::uint64_t not_admitted(std::size_t i) { return engine(i).counters().peers_not_admitted; }

  // Whose channels are of purpose join, at their other ends, and by which invite.
  std::map<DeviceId, mesh::InviteId> joining;
  std::unique_ptr<trust::Identity> root;
  Bytes genesis;
  std::vector<Bytes> records;  // so far

 private:
  std::size_t add(const std::vector<std::size_t>& peers);
  void certify_issuer(const DeviceId& issuer, std::uint64_t serial);
  std::int64_t age_days_;
  std::optional<LogWriter> root_log_, issuer_log_;
};

}  // namespace ebb::tests
