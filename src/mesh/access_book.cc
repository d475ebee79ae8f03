#include "mesh/access_book.h"

#include "core/check.h"
#include "core/limits.h"

namespace ebb::mesh {

AccessBook::AccessBook(channel::AccessKeys links) {
  EBB_CHECK(!links.empty());
  auto list = std::make_shared<List>();
  list->links = links.size();
  list->keys = std::move(links);
  now_ = std::move(list);
}

std::shared_ptr<AccessBook> AccessBook::of_invite(const MeshId& mesh,
                                                  const trust::InviteSecret& secret) {
  channel::AccessKeys keys;
  keys.push_back(channel::AccessKey::for_join(mesh, secret));
  return std::make_shared<AccessBook>(std::move(keys));
}

void AccessBook::set_invites(const MeshId& mesh, const std::vector<AccessInvite>& invites) {
  auto list = std::make_shared<List>();
  list->links = now_->links;
  for (std::size_t i = 0; i < now_->links; ++i)
    list->keys.push_back(now_->keys[i].copy());
  for (const AccessInvite& invite : invites) {
    if (list->invites.size() == limits::kInvitesTried) break;
    list->keys.push_back(channel::AccessKey::for_join(mesh, invite.secret));
    list->invites.push_back(invite.id);
  }
  now_ = std::move(list);
}

}  // namespace ebb::mesh
