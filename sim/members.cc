// Who is a member of a simulated mesh, and as what.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "core/check.h"
#include "sim/cluster.h"
#include "sim/narrow.h"
#include "sim/stand_in_channel.h"

namespace ebb::sim {
namespace {

constexpr std::uint64_t kIssueSoonMs = 5000;
constexpr std::uint64_t kIssueMsMin = 20000;
constexpr std::uint64_t kIssueMsMax = 200000;

constexpr std::uint64_t kAllRoles =
    trust::roles::kReader | trust::roles::kWriter | trust::roles::kRelay;

trust::Validity around(WallTime now, std::int64_t from_days, std::int64_t to_days) {
  return {{now.ms + from_days * limits::kDayMs}, {now.ms + to_days * limits::kDayMs}};
}

}  // namespace

// Behind a NAT nobody would find it. Where host 0 is to be set back it is one that is.
std::vector<HostIndex> Cluster::issuer_hosts() const {
  std::vector<HostIndex> hosts;
  if (options_.restore) hosts.push_back(0);
  for (HostIndex host = 1; host < options_.nodes && hosts.size() < options_.issuers; ++host) {
    if (!behind_nat_[host] && !options_.has_part(host)) hosts.push_back(host);
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
    if (index == options_.blind) roles = trust::roles::kWriter;
    const bool ended = index == options_.expired;
    const bool narrow = index == options_.narrow;
    paper_->certify(hosts_[index]->device(), hosts_[index]->link_key(), roles,
                    narrow ? narrow_prefix(options_) : "",
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
    hosts_[index]->join(std::move(config), index == options_.outsider || index == options_.narrow);
  }
  limit_members();
}

// Whoever writes what it may not differs from all others in that, and in nothing else.
void Cluster::limit_members() {
  const auto all = [](std::string_view) { return true; };
  const auto none = [](std::string_view) { return false; };
  const auto control = [](std::string_view topic) { return topic == kControlTopic; };
  if (options_.outsider) {
    const HostIndex host = *options_.outsider;
    const DeviceId& device = hosts_[host]->device();
    if (options_.outsider_is_certified) {
      members_.limit({host, device, control, all});
    } else {
      members_.limit({host, device, none, none});
    }
    ledger_.excuse(host);
    latency_.leave_out(host);
  }
  if (options_.narrow) {
    const HostIndex host = *options_.narrow;
    const std::string prefix = narrow_prefix(options_);
    const auto writes = [prefix](std::string_view topic) {
      return topic == kControlTopic || topic.starts_with(prefix);
    };
    members_.limit({host, hosts_[host]->device(), writes, all});
    ledger_.excuse(host, [writes](std::string_view topic) { return !writes(topic); });
    latency_.leave_out(host);
  }
  if (options_.blind) {
    const HostIndex host = *options_.blind;
    members_.limit({host, hosts_[host]->device(), all, control});
    hosts_[host]->make_blind();
    latency_.leave_out(host);
  }
}

// A person at each issuer wants certificates for cards that are never seen: now and then, and soon
// after a start, when the issuer may know the least of what it has signed.
void Cluster::schedule_issues() {
  if (paper_ == nullptr) return;
  for (const HostIndex host : issuer_hosts())
    issue_again(host);
}

void Cluster::issue_soon(HostIndex host) {
  if (hosts_[host]->mark() == nullptr) return;
  const auto ms = static_cast<std::int64_t>(issue_rng_.below(kIssueSoonMs));
  queue_.after(milliseconds(ms), [this, host] { want_certificate(host); });
}

void Cluster::issue_again(HostIndex host) {
  const auto ms = static_cast<std::int64_t>(issue_rng_.between(kIssueMsMin, kIssueMsMax));
  queue_.after(milliseconds(ms), [this, host] {
    if (!chaos_) return;
    want_certificate(host);
    issue_again(host);
  });
}

void Cluster::want_certificate(HostIndex host) {
  mesh::IssueWanted wanted;
  wanted.token.value = ++issues_;
  for (std::uint8_t& byte : wanted.device.data)
    byte = static_cast<std::uint8_t>(issue_rng_.next());
  wanted.link_key = stand_in_link_key(wanted.device);
  wanted.label = "card " + std::to_string(issues_);
  hosts_[host]->deliver(std::move(wanted));
}

bool Cluster::is_held_elsewhere(HostIndex host) const {
  for (HostIndex other = 0; other < hosts_.size(); ++other) {
    if (other == host || !hosts_[other]->running()) continue;
    const auto kept = hosts_[other]->storage().store()->authority();
    EBB_CHECK(kept.ok());
    if (!hosts_[host]->mark()->is_behind(kept->records, paper_->records())) return true;
  }
  return false;
}

// An issuer that was set back, and had told nobody who still has it, signs no more, by design.
// Where none is left that does, who is to be let in by one stays outside.
void Cluster::excuse_unadmitted() {
  if (paper_ == nullptr) return;
  for (const HostIndex host : issuer_hosts()) {
    if (!hosts_[host]->waits() || is_held_elsewhere(host)) return;
  }
  for (const auto& host : {options_.late, options_.expired}) {
    if (!host) continue;
    hosts_[*host]->excuse();
    ledger_.excuse(*host);
  }
}

void Cluster::kept_records(HostIndex host, const std::vector<Bytes>& records) {
  if (paper_ != nullptr && hosts_[host]->honest()) members_.kept(host, paper_->mesh(), records);
}

}  // namespace ebb::sim
