// What the issuer on this device signs: one record after the other, each durable before the next.
#include <utility>

#include "core/check.h"
#include "core/limits.h"
#include "core/planted.h"
#include "mesh/membership.h"

namespace ebb::mesh {

bool Membership::wish(Wish wish) {
  const std::size_t reserved = wish.link ? limits::kIssuesReserved : 0;
  if (wishes_.size() + reserved >= limits::kIssuesWaiting) return false;
  wishes_.push_back(std::move(wish));
  return true;
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
  if (wish.certificate) {
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
