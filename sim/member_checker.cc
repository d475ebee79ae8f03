#include "sim/member_checker.h"

#include "trust/authority_record.h"

namespace ebb::sim {
namespace {

constexpr const char* kName = "members";

}  // namespace

void MemberChecker::known(const MeshId& mesh, ByteView record) {
  const auto read = trust::read_authority_record(mesh, record);
  if (!read.ok()) return;
  durable_.insert({read->record.authority, read->record.position()});
  logs_[{read->record.authority, read->record.seq}] = read->record.chain;
}

void MemberChecker::committed(HostIndex host, const store::CommitResult& result) {
  if (limited_.empty()) return;
  for (const store::HeadAdvance& advance : result.advances) {
    const LogKey& key = advance.head.key;
    for (const Limits& limits : limited_) {
      const bool of_it = key.device == limits.device;
      if (host == limits.host) {
        if (!of_it && !limits.holds(key.topic)) {
          findings_.add(kName, host, "holds events of others that it may not read");
        }
      } else if (of_it && !limits.writes(key.topic)) {
        findings_.add(kName, host, "holds events of an author that may not write them");
      }
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
    // What its own host alone holds may go with its disk, and was told to nobody.
    const std::pair<DeviceId, Seq> number{authority, at.second.seq};
    const bool is_own = issuer != issuers_.end() && issuer->second == host;
    const auto told = is_own ? logs_.find(number) : logs_.emplace(number, at.second.chain).first;
    if (told != logs_.end() && told->second != at.second.chain) {
      findings_.add(kName, host, "the log of an issuer has two records of one number");
    }
  }
}

}  // namespace ebb::sim
