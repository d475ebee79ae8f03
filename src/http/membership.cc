#include "http/membership.h"

#include <string_view>

#include "core/limits.h"
#include "http/handlers.h"

namespace ebb::http {
namespace {

using trust::Standing;

constexpr std::string_view kAnew =
    "to be of the mesh again, join as another device, "
    "in another directory (`ebb join`)";

// It is asked for from two thirds of the time on, so with a sixth left half of the time for it is
// over and no issuer was met.
bool is_overdue(const node::MembershipStatus& status) {
  if (!status.renewal_due || !status.certificate) return false;
  const trust::Validity& validity = status.certificate->validity;
  const std::int64_t whole = validity.not_after.ms - validity.not_before.ms;
  return validity.not_after.ms - status.judged_at.ms < whole / 6;
}

std::string with_refusal(std::string text, const node::MembershipStatus& status) {
  if (status.last_refusal.empty()) return text;
  return text + "; the last that was asked says: " + as_utf8(status.last_refusal);
}

std::optional<Verdict> standing_verdict(const node::MembershipStatus& status) {
  switch (status.standing) {
    case Standing::kRevoked:
      return Verdict{"bad",
                     "this device was revoked: no other node lets it in or takes what it "
                     "writes; " +
                         std::string(kAnew)};
    case Standing::kRetired:
      return Verdict{"bad",
                     "this device was retired: its events stay, and no other node lets it "
                     "in; " +
                         std::string(kAnew)};
    case Standing::kExpired:
      return Verdict{"warn",
                     with_refusal("its certificate has expired: it gives its events, and gets none "
                                  "until it is renewed; leave it where it meets an issuer",
                                  status)};
    case Standing::kIssuerExpired:
      return Verdict{"warn",
                     "the issuer that has certified this device has expired: nothing is "
                     "exchanged until the root certifies that issuer again"};
    case Standing::kNotYetValid:
    case Standing::kIssuerNotYetValid:
      return Verdict{"warn", "its certificate begins later by this clock, which is behind: set it"};
    case Standing::kCertified:
      return std::nullopt;
    default:
      return Verdict{"warn",
                     with_refusal("this device has no certificate: nothing is exchanged until an "
                                  "issuer certifies it (docs/cli.md, \"Who is of the mesh\")",
                                  status)};
  }
}

}  // namespace

void write_terms(JsonWriter& out, std::uint64_t roles, const std::vector<std::string>& prefixes) {
  out.key("roles").begin_array();
  for (const std::string_view role : trust::role_names(roles))
    out.value(role);
  out.end_array().key("prefixes").begin_array();
  for (const std::string& prefix : prefixes)
    out.value(prefix);
  out.end_array();
}

void write_membership(JsonWriter& out, const node::MembershipStatus& status) {
  std::optional<std::int64_t> until, days;
  if (status.certificate) {
    until = status.certificate->validity.not_after.ms;
    days = (*until - status.judged_at.ms) / limits::kDayMs;
  }
  out.begin_object().field("standing", trust::standing_name(status.standing));
  out.field("until_ms", until).field("days_left", days);
  const trust::Certificate none;
  const trust::Certificate& own = status.certificate ? *status.certificate : none;
  write_terms(out, own.roles, own.prefixes);
  out.field("renewal_due", status.renewal_due).field("issuers", status.issuers);
  out.field("issues", status.is_issuer).field("waits_for_member", status.waits_for_member);
  out.field("suspended", status.suspended);
  out.field("admit", status.admit == trust::Admit::kSecret ? "secret" : "invite");
  out.field("clock_overruled", status.clock_overruled);
  out.field("last_refusal", as_utf8(status.last_refusal)).end_object();
}

std::optional<Verdict> membership_verdict(const node::MembershipStatus& status) {
  if (!status.on) return std::nullopt;
  if (status.suspended) {
    return Verdict{"bad",
                   "the whole mesh is suspended: of an issuer's log something may be missing "
                   "that takes devices away, and only the root can end that log"};
  }
  if (auto verdict = standing_verdict(status)) return verdict;
  if (status.waits_for_member) {
    return Verdict{"warn",
                   "the issuer on this device signs nothing: its store lacks what it has "
                   "signed, until another device of the mesh brings it"};
  }
  if (status.clock_overruled) {
    return Verdict{"warn",
                   "the clock of this machine is more than a day from those of most peers, "
                   "and certificates are judged by theirs: set it"};
  }
  if (is_overdue(status)) {
    return Verdict{"warn", with_refusal("its certificate ends soon and was not renewed: leave it "
                                        "where it meets an issuer",
                                        status)};
  }
  return std::nullopt;
}

}  // namespace ebb::http
