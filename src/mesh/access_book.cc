#include "mesh/access_book.h"

#include <utility>

#include "core/check.h"
#include "core/limits.h"

namespace ebb::mesh {

AccessBook::AccessBook(channel::AccessKeys links) : keys_(std::move(links)), links_(keys_.size()) {
  EBB_CHECK(links_ > 0);
}

void AccessBook::set_invites(const MeshId& mesh, const std::vector<AccessInvite>& invites) {
  keys_.erase(keys_.begin() + static_cast<std::ptrdiff_t>(links_), keys_.end());
  invites_.clear();
  for (const AccessInvite& invite : invites) {
    if (invites_.size() == limits::kInvitesTried) break;
    keys_.push_back(channel::AccessKey::for_join(mesh, invite.secret));
    invites_.push_back(invite.id);
  }
}

std::optional<trust::InviteId> AccessBook::invite_of(std::size_t index) const {
  if (index < links_) return std::nullopt;
  return invites_.at(index - links_);
}

channel::AccessKeys keys_of_invite(const MeshId& mesh, const trust::InviteSecret& secret) {
  channel::AccessKeys keys;
  keys.push_back(channel::AccessKey::for_join(mesh, secret));
  return keys;
}

}  // namespace ebb::mesh
