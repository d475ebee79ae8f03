// What a node does for whoever is to become a device of the mesh: invites, and certificates and
// policies that a person here wants signed.
#include <algorithm>
#include <utility>

#include "core/limits.h"
#include "node/clocks.h"
#include "node/log.h"
#include "node/node_impl.h"
#include "trust/hash.h"

namespace ebb::node {
namespace {

Error no_issuer(const Home& home) {
  if (home.issuer_sealed) {
    return {ErrorCode::kPermission, "issuer",
            "this node runs without its issuer's key, which is under a passphrase: start it again "
            "with EBB_PASSPHRASE_FILE, or from a terminal"};
  }
  return {ErrorCode::kPermission, "issuer",
          "this device is no issuer of the mesh: ask for it on the device where the mesh began"};
}

}  // namespace

mesh::MembershipConfig Node::Impl::membership() const {
  mesh::MembershipConfig wanted;
  wanted.genesis = home.genesis;
  wanted.secret = to_bytes(home.secret.view());
  wanted.given = home.authority;
  wanted.label = config.name;
  wanted.link_key = link_key;
  wanted.invites = invites.for_engine();
  wanted.issuer = home.issuer.get();
  return wanted;
}

// Handshakes and engine see what the file has.
void Node::Impl::publish_invites() {
  access->set_invites(home.mesh, invites.access());
  driver.feed(mesh::InvitesChanged{invites.for_engine()});
}

void Node::Impl::on_invite_used(const mesh::InviteUsed& used) {
  const Status kept = invites.use(used.id, used.device);
  log(LogLevel::kInfo, "invite_used",
      {{"invite", to_hex(used.id.view())}, {"device", device_text(used.device)}});
  if (!kept.ok()) log(LogLevel::kError, "invite_not_kept", {{"error", kept.error().message()}});
}

void Node::Impl::on_issued(mesh::Issued issued) {
  const auto waiting = issuing.find(issued.token);
  if (waiting == issuing.end()) return;
  const IssueDone done = std::move(waiting->second);
  issuing.erase(waiting);
  done(std::move(issued.record));
}

void Node::Impl::end_issuing() {
  for (auto& [token, done] : std::exchange(issuing, {}))
    done(stopping_error());
}

Result<MadeInvite> Node::make_invite(Duration ttl, std::uint64_t uses) {
  if (impl_->home.issuer == nullptr) return no_issuer(impl_->home);
  if (!impl_->bound) {
    return Error{
        ErrorCode::kPermission, "invite",
        "this node has listen = \"off\", so nobody could reach it: start it with an address"};
  }
  trust::Invite invite;
  invite.genesis_hash = trust::hash(impl_->home.genesis);
  invite.link_key = impl_->link_key;
  invite.addresses = impl_->told_addresses();
  if (invite.addresses.size() > limits::kInviteAddresses) {
    invite.addresses.resize(limits::kInviteAddresses);
  }
  if (invite.addresses.empty()) {  // a machine without a network
    invite.addresses.push_back("127.0.0.1:" + std::to_string(impl_->bound->port()));
  }
  EBB_ASSIGN(const KeptInvite* kept, impl_->invites.make(wall(), ttl, uses));
  invite.secret = kept->secret.copy();
  invite.made = kept->made;
  invite.expires = kept->expires;
  MadeInvite made{"", kept->id, kept->expires, invite.addresses};
  impl_->publish_invites();
  EBB_ASSIGN(made.line, trust::encode_invite(invite));
  return made;
}

const std::vector<KeptInvite>& Node::invites() const { return impl_->invites.all(); }

Status Node::end_invite(const trust::InviteId& id) {
  EBB_RETURN_IF_ERROR(impl_->invites.end(id, wall()));
  impl_->publish_invites();
  return {};
}

template <class Wanted>
void Node::Impl::issue(Wanted wanted, IssueDone done) {
  if (home.issuer == nullptr || stopping) {
    inbox.post([done = std::move(done), error = stopping ? stopping_error() : no_issuer(home)] {
      done(error);
    });
    return;
  }
  wanted.token = {next_issue++};
  issuing.emplace(wanted.token, std::move(done));
  driver.feed(std::move(wanted));
}

void Node::certify(mesh::IssueWanted wanted, IssueDone done) {
  impl_->issue(std::move(wanted), std::move(done));
}

void Node::set_admit(trust::Admit admit, IssueDone done) {
  impl_->issue(mesh::PolicyWanted{{}, admit}, std::move(done));
}

bool Node::is_issuer() const { return impl_->home.issuer != nullptr; }

}  // namespace ebb::node
