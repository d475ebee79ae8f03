// What a node does for whoever is to become a device of the mesh: invites, and certificates and
// policies that a person here wants signed.
#include <algorithm>
#include <cstdlib>
#include <utility>

#include "core/data_directory.h"
#include "core/limits.h"
#include "node/clocks.h"
#include "node/log.h"
#include "node/node_impl.h"
#include "trust/genesis.h"
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

// Nothing is signed before the mesh began; nullopt: it is later than that, or this clock was never
// right since the program was built, which is told otherwise.
std::optional<std::string> before_the_mesh(const Home& home, WallTime now, WallTime built) {
  const auto genesis = trust::decode_genesis(home.genesis);
  if (!genesis.ok() || now < built) return std::nullopt;
  if (genesis->created.ms - now.ms <= limits::kTimeFloorMs) return std::nullopt;
  return "this mesh began at " + utc_text(genesis->created) + ", and it is " + utc_text(now) +
         " here: if that is wrong, set this clock, and ask again; if this clock is right, the mesh "
         "was begun by a clock that was ahead, and can certify nobody before then: begin a new "
         "mesh (`ebb init` in another directory)";
}

// What an issuer that was set back waits for, and what is to be done where it waits in vain.
std::string set_back_text(const Home& home, const std::optional<Position>& signed_to) {
  const std::string mark = home.paths.issuer_mark;
  const std::string waits =
      signed_to ? "the store lacks what the issuer on this device has signed, up to its record " +
                      std::to_string(signed_to->seq) +
                      ": nothing is signed before that record has come back from another device "
                      "of the mesh"
                : mark +
                      " does not say how far the issuer on this device has signed: nothing is "
                      "signed before another device of the mesh was heard";
  if (!signed_to) return waits;
  return waits + "; where it is lost for good, stop the node, remove " + mark +
         ", and start it again (docs/cli.md says what that risks)";
}

}  // namespace

// Why whoever came with an invite now would be refused; nullopt: nothing.
std::optional<Error> Node::Impl::cannot_issue() const {
  const auto refused = [](std::string why) { return Error{ErrorCode::kPermission, "issuer", why}; };
  if (auto early = before_the_mesh(home, wall_now(), config.built)) return refused(*early);
  const ClockStatus status = clock_status();
  if (status.suspect) return refused(status.why + ": " + status.next + ", then ask again");
  const mesh::MembershipStatus known = driver.engine().membership();
  const std::int64_t off = std::llabs(wall_now().ms - known.judged_at.ms);
  if (known.clock_overruled || off > limits::kTimeFloorMs) {
    return refused(
        "the clock of this machine is not that of the mesh: set it, or have a time service set it, "
        "then ask again");
  }
  if (!known.is_issuer) {
    return refused("the issuer on this device may not certify any more: " +
                   ebb_command("status", home.paths.dir) + " tells why");
  }
  if (known.waits_for_member) return refused(set_back_text(home, issuer_mark.end()));
  return std::nullopt;
}

mesh::MembershipConfig Node::Impl::membership() const {
  mesh::MembershipConfig wanted;
  wanted.genesis = home.genesis;
  wanted.secret = home.secret.copy();
  wanted.given = home.authority;
  wanted.label = config.name;
  wanted.link_key = link_key;
  wanted.invites = invites.for_engine();
  wanted.issuer = home.issuer.get();
  return wanted;
}

bool Node::Impl::find_set_back(const std::vector<Bytes>& stored) const {
  if (!issuer_mark.is_behind(stored, home.authority)) return false;
  log(LogLevel::kError, "issuer_set_back", {{"text", set_back_text(home, issuer_mark.end())}});
  return true;
}

// What an invite gave is signed only when the use is written: until then it waits, counted.
void Node::Impl::commit(mesh::Commit commit) {
  issuer_mark.note(commit.token, commit.authority);
  const bool signs =
      home.issuer != nullptr &&
      IssuerMark::end_of(home.mesh, home.issuer->device(), commit.authority.records).seq > 0;
  if (!signs || invites.is_kept()) return store->commit(std::move(commit));
  held_commits.push_back(std::move(commit));
  retry_issuing_later();
}

// What is durable may be told when it is marked; until then it is as if the disk had not answered.
void Node::Impl::mark_signed(std::vector<mesh::Committed>& news) {
  for (mesh::Committed& item : news) {
    if (item.failed) {
      issuer_mark.forget(item.token);
    } else if (!mark(item.token)) {
      unmarked.push_back(std::exchange(item.token, mesh::Token{}));
    }
  }
}

bool Node::Impl::mark(const mesh::Token& token) {
  const Status marked = issuer_mark.keep(token);
  if (marked.ok()) return true;
  log_limited(LogLevel::kError, "signed_not_marked", {{"error", marked.error().message()}});
  retry_issuing_later();
  return false;
}

void Node::Impl::retry_issuing_later() {
  if (issuing_retry_due || stopping) return;
  issuing_retry_due = true;
  issuing_timer.start(issuing_pause.next());
}

void Node::Impl::retry_issuing() {
  issuing_retry_due = false;
  if (const Status kept = invites.keep(); !kept.ok()) {
    log_limited(LogLevel::kError, "invite_not_kept", {{"error", kept.error().message()}});
    return retry_issuing_later();
  }
  for (mesh::Commit& held : std::exchange(held_commits, {}))
    store->commit(std::move(held));
  for (const mesh::Token& token : std::exchange(unmarked, {})) {
    if (!mark(token)) {
      unmarked.push_back(token);
      continue;
    }
    mesh::Committed done;
    done.token = token;
    driver.feed(std::move(done));
  }
  if (!issuing_retry_due) issuing_pause.reset();
}

// Invites end by the latest that the clock has shown, whatever it shows later.
void Node::Impl::watch_invites() {
  bool changed = false;
  const Status kept = invites.note_time(wall_now(), changed);
  if (!kept.ok()) {
    log_limited(LogLevel::kError, "invite_not_kept", {{"error", kept.error().message()}});
    retry_issuing_later();
  }
  if (changed) publish_invites();
  plan_invites();
}

void Node::Impl::plan_invites() {
  const std::optional<Duration> next = invites.next_look(wall_now());
  // The timer of a node that stops would be left running when its loop ends.
  if (!next || stopping) return invites_timer.stop();
  invites_timer.start(*next);
}

// Handshakes and engine see what the file has.
void Node::Impl::publish_invites() {
  access->set_invites(home.mesh, invites.access());
  driver.feed(mesh::InvitesChanged{invites.for_engine()});
  plan_invites();
}

void Node::Impl::on_invite_used(const mesh::InviteUsed& used) {
  const Status kept = invites.use(used.id, used.device);
  log(LogLevel::kInfo, "invite_used",
      {{"invite", to_hex(used.id.view())}, {"device", device_text(used.device)}});
  if (kept.ok()) return;
  log(LogLevel::kError, "invite_not_kept", {{"error", kept.error().message()}});
  retry_issuing_later();
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

Result<MadeInvite> Node::make_invite(Duration ttl, std::uint64_t uses, trust::Terms terms) {
  if (impl_->stopping) return stopping_error();
  if (impl_->home.issuer == nullptr) return no_issuer(impl_->home);
  if (!impl_->bound) {
    return Error{
        ErrorCode::kPermission, "invite",
        "this node has listen = \"off\", so nobody could reach it: start it with an address"};
  }
  if (const auto refused = impl_->cannot_issue()) return *refused;
  trust::Invite invite;
  invite.genesis_hash = trust::hash(impl_->home.genesis);
  invite.link_key = impl_->link_key;
  invite.addresses = impl_->told_addresses();
  std::erase_if(invite.addresses, is_link_scoped);
  if (invite.addresses.size() > limits::kInviteAddresses) {
    invite.addresses.resize(limits::kInviteAddresses);
  }
  if (invite.addresses.empty()) {  // a machine without a network
    invite.addresses.push_back("127.0.0.1:" + std::to_string(impl_->bound->port()));
  }
  EBB_ASSIGN(const KeptInvite* kept, impl_->invites.make(wall(), ttl, uses, std::move(terms)));
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
  if (impl_->stopping) return stopping_error();
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
