#include "sim/member_checker.h"

#include "trust/authority_record.h"

namespace ebb::sim {
namespace {

constexpr const char* kName = "members";

}  // namespace

void MemberChecker::set_outsider(HostIndex host, const DeviceId& device, bool is_certified) {
  outsider_ = Outsider{host, device, is_certified};
}

void MemberChecker::known(const MeshId& mesh, ByteView record) {
  const auto read = trust::read_authority_record(mesh, record);
  if (!read.ok()) return;
  durable_.insert({read->record.authority, read->record.position()});
  logs_[{read->record.authority, read->record.seq}] = read->record.chain;
}

void MemberChecker::committed(HostIndex host, const store::CommitResult& result) {
  if (!outsider_) return;
  for (const store::HeadAdvance& advance : result.advances) {
    const LogKey& key = advance.head.key;
    const bool of_it = key.device == outsider_->device;
    if (host == outsider_->host) {
      if (!of_it && !outsider_->is_certified) {
        findings_.add(kName, host, "is not let in, and holds events of others");
      }
      continue;
    }
    const bool allowed = outsider_->is_certified && key.topic == kControlTopic;
    if (of_it && !allowed) {
      findings_.add(kName, host, "holds events of an author that may not write them");
    }
  }
}

void MemberChecker::kept(HostIndex host, const MeshId& mesh, const std::vector<Bytes>& records) {
  for (const Bytes& record : records) {
    const auto read = trust::read_authority_record(mesh, record);
    if (!read.ok()) continue;
    const DeviceId& authority = read->record.authority;
    const std::pair<DeviceId, Position> at{authority, read->record.position()};
    const auto issuer = issuers_.find(authority);
    if (issuer != issuers_.end() && issuer->second == host) durable_.insert(at);
    if (!durable_.contains(at)) {
      findings_.add(kName, host, "was told a record that its issuer has not stored");
    }
    const auto [first, is_new] = logs_.try_emplace({authority, at.second.seq}, at.second.chain);
    if (!is_new && first->second != at.second.chain) {
      findings_.add(kName, host, "the log of an issuer has two records of one number");
    }
  }
}

}  // namespace ebb::sim
