// What a person at this device has an issuer sign.
#include <algorithm>
#include <string_view>
#include <utility>

#include "mesh/admission.h"
#include "mesh/certificate_validity.h"
#include "mesh/certify.h"

namespace ebb::mesh {
namespace {

std::optional<trust::Certificate> known_certificate(const Context& ctx, const DeviceId& device) {
  if (ctx.membership == nullptr) return std::nullopt;
  const Bytes encoded = ctx.membership->authority().certificate_of(device);
  const auto read = trust::read_certificate(ctx.config.mesh, encoded);
  if (encoded.empty() || !read.ok()) return std::nullopt;
  return read->certificate;
}

// For a person at this device, who is answered.
void issue_by_hand(Context& ctx, Wish wish) {
  const Token token = *wish.token;
  const auto refuse_with = [&](ErrorCode code, std::string_view why) {
    ctx.out->issued.push_back({token, Error{code, why}});
  };
  if (ctx.membership == nullptr || ctx.membership->config().issuer == nullptr) {
    return refuse_with(ErrorCode::kNotFound, "no issuer here");
  }
  Membership& membership = *ctx.membership;
  // Before the first step has ended nobody has judged the time; then it is, before it is signed.
  const Status may = membership.links_judged == 0 ? Status() : may_sign(ctx);
  if (!may.ok()) {
    ctx.out->issued.push_back({token, may.error()});
    return;
  }
  if (!membership.wish(std::move(wish))) refuse_with(ErrorCode::kBusy, "too many wait");
}

}  // namespace

void issue(Context& ctx, const IssueWanted& wanted) {
  const trust::Terms usual;
  trust::Certificate certificate;
  certificate.device = wanted.device;
  certificate.roles = usual.roles;
  certificate.prefixes = usual.prefixes;
  Duration lasts = usual.lasts();
  WallTime after{-1};  // it has to be newer than the one that it changes
  if (wanted.link_key) {
    certificate.link_key = *wanted.link_key;
  } else {
    const auto known = known_certificate(ctx, wanted.device);
    if (!known) {
      ctx.out->issued.push_back(
          {wanted.token, Error{ErrorCode::kNotFound, "no certificate of this device is known"}});
      return;
    }
    certificate = *known;
    certificate.serial += 1;
    lasts = length_of(*known);
    after = known->validity.not_before;
  }
  if (wanted.label) certificate.label = *wanted.label;
  // What is on the device stays on it, whatever it may do.
  if (wanted.roles) {
    certificate.roles = *wanted.roles | (certificate.roles & trust::roles::kIssuer);
  }
  if (wanted.prefixes) certificate.prefixes = *wanted.prefixes;
  certificate.validity = validity_of(ctx.wall, wanted.validity.value_or(lasts));
  certificate.validity.not_before =
      std::max(certificate.validity.not_before, WallTime{after.ms + 1});
  issue_by_hand(ctx, {wanted.token, std::nullopt, std::nullopt, {}, std::move(certificate)});
}

void issue(Context& ctx, const PolicyWanted& wanted) {
  // Its number is the next one when it is signed.
  issue_by_hand(ctx, {wanted.token, std::nullopt, std::nullopt,
                      trust::record::Policy{0, wanted.admit}, std::nullopt});
}

void change_invites(Context& ctx, InvitesChanged& changed) {
  if (ctx.membership != nullptr) ctx.membership->config().invites = std::move(changed.invites);
}

}  // namespace ebb::mesh
