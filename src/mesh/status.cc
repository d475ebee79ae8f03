#include "mesh/status.h"

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "mesh/overlay.h"
#include "mesh/scope.h"

namespace ebb::mesh {
namespace {

std::string_view state_name(const Link& link) {
  switch (link.phase) {
    case Phase::kConnecting:
    case Phase::kChannel:
      return "connecting";
    case Phase::kGreeting:
      return "greeting";
    case Phase::kReconciling:
      return "reconciling";
    case Phase::kLive:
      return link.incomplete ? "incomplete" : "in_sync";
  }
  return "connecting";
}

std::string_view access_name(const std::optional<codec::GrantedAccess>& access) {
  if (!access) return {};
  switch (*access) {
    case codec::GrantedAccess::kFull:
      return "full";
    case codec::GrantedAccess::kRestricted:
      return "restricted";
    case codec::GrantedAccess::kRecords:
      return "records";
    case codec::GrantedAccess::kNone:
      break;
  }
  return "none";
}

void add_log(LinkStatus& status, const Link& link, const LogEntry& entry) {
  if (entry.has_key && !in_both_scopes(link, entry.key)) return;
  const int slot = link.slot;
  const PeerLog* peer = entry.find_peer(slot);
  const Seq there = peer == nullptr ? 0 : peer->announced;
  if (there > entry.held.seq) status.missing_here += there - entry.held.seq;
  if (entry.held.seq > there) status.missing_there += entry.held.seq - there;
  ++((entry.lazy & slot_bit(slot)) == 0 ? status.eager_logs : status.lazy_logs);
}

std::optional<LogKey> key_of(const Context& ctx, const LogEntry& entry) {
  if (entry.has_key) return entry.key;
  for (const Link& link : ctx.links) {
    const auto named = link.keys.find(entry.id);
    if (named != link.keys.end()) return named->second;
  }
  return std::nullopt;
}

}  // namespace

MissingLogs missing_logs_of(const Context& ctx, std::size_t named_max) {
  MissingLogs missing;
  for (const auto& [log, entry] : ctx.heads.entries()) {
    if (entry.known <= entry.held.seq) continue;
    ++missing.count;
    if (missing.logs.size() == named_max) continue;
    missing.logs.push_back({log, key_of(ctx, entry), entry.held.seq, entry.known});
  }
  return missing;
}

std::vector<LinkStatus> link_statuses(const Context& ctx) {
  std::vector<LinkStatus> list;
  std::vector<std::pair<std::size_t, const Link*>>
      slots;  // of those that have one, by place in the list
  for (const Link& link : ctx.links) {
    LinkStatus status;
    status.link = link.id;
    status.peer = link.peer;
    status.remote = link.remote;
    status.dialled = link.dialled;
    status.state = state_name(link);
    status.rtt = link.srtt;
    status.bytes_in = link.bytes_in;
    status.bytes_out = link.bytes_out;
    status.since = link.since;
    if (link.scope) status.scope = scope_name(link.scope->kind);
    status.access = access_name(link.admission.given);
    status.access_there = access_name(link.admission.granted);
    status.relay = is_relay(link);
    status.may_relay = link.takes_others;
    status.waiting_bytes = link.queue.bytes();
    status.rate = link.rate.bytes_per_second();
    status.held_back = ctx.budget.allowed(link.link_class) != kAllPriorities;
    if (link.link_class != LinkBudget::kNone) {
      status.link_class = ctx.budget.settings(link.link_class).name;
    }
    if (link.slot != kNoSlot) slots.emplace_back(list.size(), &link);
    list.push_back(std::move(status));
  }
  if (slots.empty()) return list;
  for (const auto& each : ctx.heads.entries()) {
    // Found once, which takes over what happened to links; the table is large and the links are
    // few.
    const LogEntry& entry = *ctx.heads.find(each.first);
    for (const auto& [index, link] : slots)
      add_log(list[index], *link, entry);
  }
  return list;
}

std::vector<BudgetStatus> budget_statuses(const Context& ctx) {
  std::vector<BudgetStatus> list;
  for (std::size_t i = 0; i < ctx.budget.size(); ++i) {
    const int link_class = static_cast<int>(i);
    BudgetStatus status;
    status.settings = ctx.budget.settings(link_class);
    status.spent_today = ctx.budget.spent_today(link_class);
    for (const Link& link : ctx.links) {
      if (link.link_class != link_class) continue;
      status.waiting_bytes += link.queue.bytes();
      ++status.links;
    }
    list.push_back(std::move(status));
  }
  return list;
}

MembershipStatus membership_status(const Context& ctx) {
  MembershipStatus status;
  if (ctx.membership == nullptr) return status;
  const Membership& membership = *ctx.membership;
  trust::Verdict own = membership.own();
  status.on = true;
  status.standing = own.standing;
  status.certificate = std::move(own.certificate);
  status.renewal_due = own.renewal_due;
  status.judged_at = membership.judged();
  status.clock_overruled = membership.clock_overruled();
  status.issuers = membership.authority().issuers(membership.judged());
  status.is_issuer = membership.can_issue();
  status.waits_for_member = membership.waits_for_member();
  status.suspended = membership.authority().is_suspended();
  status.admit = membership.authority().admit(membership.floor());
  status.last_refusal = membership.last_refusal;
  return status;
}

// Nobody may write only in what nobody has allowed it yet: before its first certificate a device
// writes what others will take when they know one.
Status may_append_here(const Context& ctx, std::string_view topic) {
  if (ctx.membership == nullptr) return {};
  const Membership& membership = *ctx.membership;
  const trust::Authority& authority = membership.authority();
  const DeviceId& self = ctx.config.self;
  if (authority.certificate_of(self).empty() || authority.is_suspended() ||
      authority.may_write(self, topic)) {
    return {};
  }
  const trust::Verdict own = membership.own();
  if (own.standing == trust::Standing::kRevoked) {
    return Error{ErrorCode::kPermission, "this device was revoked",
                 "no other node takes what it writes: give it a new key and join again"};
  }
  if (own.certificate && !own.certificate->has_role(trust::roles::kWriter)) {
    return Error{ErrorCode::kPermission, "this device lacks the role writer",
                 "on the device with the issuer's key: ebb cert change " +
                     device_text(self).substr(0, 8) + " --roles reader,writer,relay"};
  }
  std::string allowed;
  if (own.certificate) {
    for (const std::string& prefix : own.certificate->prefixes)
      allowed += (allowed.empty() ? "" : ", ") + prefix;
  }
  return Error{ErrorCode::kPermission, "this device may not write to this topic",
               std::string(topic) + " begins with none of: " + allowed +
                   "; for more, on the device with the issuer's key: ebb cert change " +
                   device_text(self).substr(0, 8) + " --prefix ..."};
}

}  // namespace ebb::mesh
