#include "tests/mesh/member_rig.h"

#include <utility>

#include "core/check.h"
#include "tests/mesh/plain_channel.h"
#include "trust/hash.h"

namespace ebb::tests {
namespace {

// What an end says first: its length, the device, and its claim.
using Joining = std::map<DeviceId, mesh::InviteId>;

class ClaimChannel final : public mesh::Channel {
 public:
  ClaimChannel(const DeviceId& self, const Joining& joining, mesh::ChannelClaim own)
      : self_(self), joining_(joining), own_(std::move(own)) {}

  void start(Bytes& wire_out) override { append(wire_out, claim_preamble(self_, own_)); }
  std::optional<mesh::ChannelFailure> receive(Bytes wire, Bytes& plain_out, Bytes&) override {
    append(begun_, wire);
    if (!peer_ && begun_.size() >= 2 && begun_.size() >= 2U + read_be16(begun_)) {
      const std::size_t size = read_be16(begun_);
      const ByteView said = ByteView(begun_).subspan(2, size);
      peer_.emplace();
      peer_->device = *DeviceId::from(said.first(DeviceId::kSize));
      peer_->link_key = rig_link_key(peer_->device);
      const auto invite = joining_.find(peer_->device);
      if (invite != joining_.end()) peer_->invite = invite->second;
      const std::size_t certificate = read_be16(said.subspan(DeviceId::kSize));
      const ByteView rest = said.subspan(DeviceId::kSize + 2);
      peer_->claim.certificate = to_bytes(rest.first(certificate));
      peer_->claim.receiver_index = read_be32(rest.subspan(certificate));
      peer_->claim.authority_heads = to_bytes(rest.subspan(certificate + 4));
      begun_.erase(begun_.begin(), begun_.begin() + 2 + static_cast<std::ptrdiff_t>(size));
    }
    if (peer_) append(plain_out, std::exchange(begun_, {}));
    return std::nullopt;
  }
  void seal(Bytes plain, Bytes& wire_out) override { append(wire_out, plain); }
  void finish(Bytes&) override {}
  bool established() const override { return peer_.has_value(); }
  bool ended() const override { return false; }
  const std::optional<mesh::ChannelPeer>& peer() const override { return peer_; }
  mesh::DatagramKeys take_datagram_keys() override {
    const PlainEnd mine{self_, own_.receiver_index};
    const PlainEnd theirs{peer_->device, peer_->claim.receiver_index};
    return {plain_datagram_key(mine, theirs), plain_datagram_key(theirs, mine)};
  }

 private:
  DeviceId self_;
  const Joining& joining_;
  mesh::ChannelClaim own_;
  Bytes begun_;
  std::optional<mesh::ChannelPeer> peer_;
};

class ClaimChannels final : public mesh::Channels {
 public:
  ClaimChannels(const DeviceId& self, const Joining& joining) : self_(self), joining_(joining) {}
  std::uint32_t random_index() const override { return ++drawn_; }
  std::unique_ptr<mesh::Channel> dial(mesh::ChannelClaim own) const override {
    return std::make_unique<ClaimChannel>(self_, joining_, std::move(own));
  }
  std::unique_ptr<mesh::Channel> accept(mesh::ChannelClaim own, mesh::MayAnswer) const override {
    return std::make_unique<ClaimChannel>(self_, joining_, std::move(own));
  }

 private:
  DeviceId self_;
  const Joining& joining_;
  mutable std::uint32_t drawn_ = 0;
};

}  // namespace

Bytes claim_preamble(const DeviceId& device, const mesh::ChannelClaim& own) {
  Bytes said = to_bytes(device.view());
  append_be16(said, static_cast<std::uint16_t>(own.certificate.size()));
  append(said, own.certificate);
  append_be32(said, own.receiver_index);
  append(said, own.authority_heads);
  Bytes wire;
  append_be16(wire, static_cast<std::uint16_t>(said.size()));
  append(wire, said);
  return wire;
}

trust::LinkKey rig_link_key(const DeviceId& device) {
  return trust::LinkKey{trust::hash({as_bytes("link"), device.view()}).data};
}

MemberRig::MemberRig(std::int64_t age_days) : age_days_(age_days) {
  EBB_CHECK(trust::crypto_ready().ok());
  const Bytes seed(trust::kSeedBytes, 0x77);
  root = std::move(trust::Identity::from_seed(seed)).value();
  genesis = trust::encode_genesis(
      {root->device(), {wall().ms - age_days * kDayMs}, trust::GenesisNonce{}});
  const std::size_t first = add({});
  const MeshId mesh = trust::mesh_id(genesis);
  const trust::Identity& issuer = store(first).identity();
  node(first).membership->issuer = &issuer;
  root_log_.emplace(*root, mesh);
  issuer_log_.emplace(issuer, mesh);
  certify_issuer(issuer.device(), 1);
  certify(first, {kAllRoles | trust::roles::kIssuer, {""}});
}

void MemberRig::certify_issuer(const DeviceId& issuer, std::uint64_t serial) {
  const trust::Validity validity{{wall().ms - age_days_ * kDayMs}, {wall().ms + 900 * kDayMs}};
  const trust::IssuerCertificate certificate{trust::mesh_id(genesis), serial, issuer, "issuer",
                                             validity};
  records.push_back(root_log_->write(
      trust::record::IssuerAdd{
          std::move(trust::sign_issuer_certificate(*root, certificate)).value()},
      validity.not_before));
}

std::size_t MemberRig::add_issuer(const std::vector<std::size_t>& peers, const Terms& terms) {
  const std::size_t i = add(peers);
  const trust::Identity& issuer = store(i).identity();
  node(i).membership->issuer = &issuer;
  certify_issuer(issuer.device(), records.size());
  certify(i, terms);
  return i;
}

std::size_t MemberRig::add(const std::vector<std::size_t>& peers) {
  const std::size_t i = add_node(static_cast<std::uint8_t>(size() + 1), peers);
  Node& added = node(i);
  const DeviceId& device = added.store->device();
  added.channels = std::make_unique<ClaimChannels>(device, joining);
  added.config.mesh = trust::mesh_id(genesis);
  added.membership.emplace();
  added.membership->genesis = genesis;
  added.membership->label = "node " + std::to_string(i);
  added.membership->link_key = rig_link_key(device);
  return i;
}

std::size_t MemberRig::add_member(const std::vector<std::size_t>& peers) {
  return add_member(peers, {});
}

std::size_t MemberRig::add_member(const std::vector<std::size_t>& peers, const Terms& terms) {
  const std::size_t i = add(peers);
  certify(i, terms);
  return i;
}

std::size_t MemberRig::add_stranger(const std::vector<std::size_t>& peers) { return add(peers); }

void MemberRig::certify(std::size_t i) { certify(i, {}); }

void MemberRig::certify(std::size_t i, const Terms& terms) {
  trust::Certificate certificate;
  certificate.mesh = trust::mesh_id(genesis);
  certificate.serial = records.size();
  certificate.device = store(i).device();
  certificate.link_key = rig_link_key(certificate.device);
  if (terms.link_key != 0) certificate.link_key.data.fill(terms.link_key);
  certificate.label = "node " + std::to_string(i);
  certificate.roles = terms.roles;
  certificate.prefixes = terms.prefixes;
  certificate.validity = {{wall().ms + terms.from_days * kDayMs},
                          {wall().ms + terms.to_days * kDayMs}};
  certificate.issuer = issuer_log_->authority();
  const trust::Identity& issuer = store(0).identity();
  write(trust::record::Cert{std::move(trust::sign_certificate(issuer, certificate)).value()});
  for (std::size_t other = 0; other < size(); ++other) {
    if (other == i || node(other).engine != nullptr) continue;
    node(other).membership->given = records;
  }
  node(i).membership->given = records;
}

void MemberRig::admit_by_secret() {
  write(trust::record::Policy{1, trust::Admit::kSecret});
  for (std::size_t i = 0; i < size(); ++i)
    node(i).membership->given = records;
}

Bytes MemberRig::write(trust::record::Content content) {
  records.push_back(issuer_log_->write(std::move(content), wall()));
  return records.back();
}

Bytes MemberRig::write_as_root(trust::record::Content content) {
  records.push_back(root_log_->write(std::move(content), wall()));
  return records.back();
}

trust::Standing MemberRig::standing(std::size_t i) { return engine(i).membership().standing; }

bool MemberRig::agree(const std::vector<std::size_t>& nodes) {
  for (const std::size_t i : nodes) {
    if (engine(i).root() != engine(nodes.front()).root()) return false;
  }
  return true;
}

}  // namespace ebb::tests
