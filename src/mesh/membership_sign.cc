// What the issuer on this device signs: one record after the other, each durable before the next.
#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/limits.h"
#include "core/planted.h"
#include "mesh/membership.h"

namespace ebb::mesh {

// A device that asks again, over another link: one certificate is its answer, over the newer one.
bool Membership::joins_wish(const Wish& wish) {
  const auto is_same = [&wish](const Wish& other) {
    return other.link && other.certificate->device == wish.certificate->device;
  };
  const auto waiting = std::find_if(wishes_.begin(), wishes_.end(), is_same);
  if (waiting != wishes_.end()) {
    *waiting = wish;
    return true;
  }
  if (!signed_ || !is_same(signed_->wish)) return false;
  if (signed_->wish.certificate->link_key != wish.certificate->link_key) return false;
  signed_->wish.link = wish.link;
  return true;
}

bool Membership::wish(Wish wish) {
  if (wish.link && joins_wish(wish)) return true;
  // Who asks from afar leaves room to the person at the device.
  const std::size_t room = wish.token ? limits::kIssuesWaiting : limits::kIssuesWaiting / 2;
  if (wishes_.size() >= room) return false;
  wishes_.push_back(std::move(wish));
  return true;
}

bool Membership::was_certified_often(const DeviceId& device, Instant now) const {
  const auto at = certified_.find(device);
  return at != certified_.end() && now - at->second.since < milliseconds(limits::kDayMs) &&
         at->second.times >= limits::kCertificatesPerDeviceDay;
}

void Membership::note_certified(const DeviceId& device, Instant now) {
  const auto is_over = [now](const auto& each) {
    return now - each.second.since >= milliseconds(limits::kDayMs);
  };
  if (certified_.size() >= certified_most_) {
    std::erase_if(certified_, is_over);
    certified_most_ = std::max(limits::kStoredPeers, 2 * certified_.size());
  }
  const auto at = certified_.try_emplace(device, Certified{now, 0}).first;
  if (is_over(*at)) at->second = {now, 0};
  ++at->second.times;
}

std::optional<Wish> Membership::next_wish() {
  if (signed_ || wishes_.empty()) return std::nullopt;
  Wish next = std::move(wishes_.front());
  wishes_.pop_front();
  return next;
}

Status Membership::sign(const Wish& wish, WallTime wall) {
  EBB_CHECK(!signed_);
  EBB_ASSIGN(Bytes record, signed_record(wish, wall));
  signed_ = Signed{wish, std::move(record)};
  if (planted(Bug::kTellRecordEarly)) {
    (void)take(signed_->record, trust::Access::kFull, LinkId{});
  }
  return {};
}

Result<Bytes> Membership::signed_record(const Wish& wish, WallTime wall) const {
  if (!can_issue()) return Error{ErrorCode::kPermission, "this issuer may not certify any more"};
  const trust::Identity& issuer = *config_.issuer;
  const Position end = authority_->end(issuer.device());
  // Whatever stands behind what counts: a fork, a gap, or what has no room.
  if (authority_->fork_proof(issuer.device()) ||
      !authority_->records(issuer.device(), end.seq + 1, 1).empty()) {
    return Error{ErrorCode::kPermission, "the log of this issuer has stopped"};
  }
  trust::AuthorityRecord record;
  record.mesh = mesh_;
  record.authority = issuer.device();
  record.seq = end.seq + 1;
  record.previous = end.seq == 0 ? trust::authority_chain_start(mesh_, issuer.device()) : end.chain;
  record.at = wall;
  record.content = wish.content;
  // Several may have been wanted at once.
  if (auto* policy = std::get_if<trust::record::Policy>(&record.content)) {
    policy->number = authority_->next_policy_number();
  }
  if (wish.certificate) {
    const trust::Standing standing = verdict(wish.certificate->device).standing;
    if (trust::is_taken_off(standing)) {
      return Error{ErrorCode::kPermission, "this device was taken off: it needs a new key"};
    }
    trust::Certificate certificate = *wish.certificate;
    certificate.mesh = mesh_;
    certificate.issuer = issuer.device();
    if (certificate.serial == 0) certificate.serial = record.seq;
    EBB_ASSIGN(Bytes encoded, trust::sign_certificate(issuer, certificate));
    record.content = trust::record::Cert{std::move(encoded)};
  }
  return trust::sign_authority_record(issuer, record);
}

}  // namespace ebb::mesh
