#include "mesh/admission.h"

namespace ebb::mesh {

void on_auth(Context&, Link&, const codec::AuthRecords&) {}
void on_auth(Context&, Link&, const codec::AuthAsk&) {}
void on_auth(Context&, Link&, const codec::AuthRefused&) {}
void on_auth(Context&, Link&, const codec::AuthMesh&) {}
void on_auth(Context&, Link&, const codec::AuthGrant&) {}
void on_auth(Context&, Link&, const codec::AuthCompare&) {}

void issue(Context& ctx, const IssueWanted& wanted) {
  ctx.out->issued.push_back({wanted.token, Error{ErrorCode::kNotFound, "no issuer here"}});
}
void issue(Context& ctx, const PolicyWanted& wanted) {
  ctx.out->issued.push_back({wanted.token, Error{ErrorCode::kNotFound, "no issuer here"}});
}
void change_invites(Context&, InvitesChanged&) {}

}  // namespace ebb::mesh
