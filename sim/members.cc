// Who is a member of a simulated mesh, and as what.
#include <algorithm>
#include <utility>

#include "sim/cluster.h"

namespace ebb::sim {
namespace {

constexpr std::uint64_t kAllRoles =
    trust::roles::kReader | trust::roles::kWriter | trust::roles::kRelay;

trust::Validity around(WallTime now, std::int64_t from_days, std::int64_t to_days) {
  return {{now.ms + from_days * limits::kDayMs}, {now.ms + to_days * limits::kDayMs}};
}

}  // namespace

// Behind a NAT nobody would find it; and host 0 is the one whose store may be set back.
std::vector<HostIndex> Cluster::issuer_hosts() const {
  std::vector<HostIndex> hosts;
  for (HostIndex host = 1; host < options_.nodes && hosts.size() < options_.issuers; ++host) {
    const bool other = host == options_.late || host == options_.expired ||
                       host == options_.outsider || host == options_.liar_host();
    if (!behind_nat_[host] && !other) hosts.push_back(host);
  }
  if (hosts.empty()) hosts.push_back(0);
  return hosts;
}

void Cluster::join_members(WallTime now) {
  if (paper_ == nullptr) return;
  const std::vector<HostIndex> issuers = issuer_hosts();
  const std::int64_t begun = options_.renewals ? -250 : -20;  // days
  for (HostIndex index = 0; index < hosts_.size(); ++index) {
    const bool outside = index == options_.outsider;
    if (index == options_.late || (outside && !options_.outsider_is_certified)) continue;
    const bool is_issuer = std::count(issuers.begin(), issuers.end(), index) > 0;
    std::uint64_t roles = is_issuer ? kAllRoles | trust::roles::kIssuer : kAllRoles;
    if (outside) roles = trust::roles::kReader;
    const bool ended = index == options_.expired;
    paper_->certify(hosts_[index]->device(), hosts_[index]->link_key(), roles,
                    ended ? around(now, -200, -2) : around(now, begun, 300 + begun));
  }
  if (options_.late) paper_->admit_by_secret();
  for (const Bytes& record : paper_->records())
    members_.known(paper_->mesh(), record);
  for (HostIndex index = 0; index < hosts_.size(); ++index) {
    mesh::MembershipConfig config = paper_->config(index != options_.late);
    for (std::size_t i = 0; i < issuers.size() && i < paper_->issuers(); ++i) {
      if (issuers[i] != index) continue;
      config.issuer = &paper_->issuer(i);
      members_.set_issuer(config.issuer->device(), index);
    }
    hosts_[index]->join(std::move(config), index == options_.outsider);
  }
  if (!options_.outsider) return;
  const HostIndex outsider = *options_.outsider;
  members_.set_outsider(outsider, hosts_[outsider]->device(), options_.outsider_is_certified);
  ledger_.excuse(outsider);
  latency_.leave_out(outsider);
}

void Cluster::kept_records(HostIndex host, const std::vector<Bytes>& records) {
  if (paper_ != nullptr && hosts_[host]->honest()) members_.kept(host, paper_->mesh(), records);
}

}  // namespace ebb::sim
