// AccessBook: what a node dials with and what others may begin a handshake with, as it is now: the
// mesh and its secret, and behind that the invites that are open or ended not long ago.
//
// Model:     a handshake keeps the list that it was begun under, so invites may come and go while
//            handshakes are open.
// Limits:    limits::kInvitesTried invites; those beyond are not tried (the caller brings the
//            newest first).
// Ownership: secrets are erased with the last handshake that has their list.
// Threads:   not thread-safe; owned by the thread of its engine.
// Spec:      docs/wire_format.md sections 12 and 13
#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "channel/access_key.h"
#include "core/ids.h"
#include "trust/invite.h"

namespace ebb::mesh {

struct AccessInvite {
  trust::InviteId id;
  trust::InviteSecret secret;
};

class AccessBook {
 public:
  // One list, and which invite its keys are of: the first `links` of none.
  struct List {
    channel::AccessKeys keys;
    std::size_t links = 0;
    std::vector<trust::InviteId> invites;
    std::optional<trust::InviteId> invite_of(std::size_t index) const {
      if (index < links) return std::nullopt;
      return invites[index - links];
    }
  };

  // `links`: the mesh; behind it the secret that it replaces, if any. At least one.
  explicit AccessBook(channel::AccessKeys links);
  // Of who joins: it dials with the invite, and answers nobody else.
  static std::shared_ptr<AccessBook> of_invite(const MeshId& mesh,
                                               const trust::InviteSecret& secret);

  void set_invites(const MeshId& mesh, const std::vector<AccessInvite>& invites);
  std::shared_ptr<const List> now() const { return now_; }

 private:
  std::shared_ptr<const List> now_;
};

}  // namespace ebb::mesh
