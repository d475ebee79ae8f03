// AccessBook: what a node dials with and what others may begin a handshake with, as it is now: the
// mesh and its secret, and behind that the invites that are open or ended not long ago.
//
// Model:     a handshake looks here when the first message of the other end has come, and keeps
// what
//            it has found; so invites may come and go while handshakes are open.
// Limits:    limits::kInvitesTried invites; those beyond are not tried (the caller brings the
// newest
//            first).
// Ownership: must outlive the channels that look here. Secrets are erased when they go.
// Threads:   not thread-safe; owned by the thread of its engine.
// Spec:      docs/wire_format.md sections 12 and 13
#pragma once

#include <optional>
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
  // `links`: the mesh; behind it the secret that it replaces, if any. At least one (checked).
  explicit AccessBook(channel::AccessKeys links);
  AccessBook(const AccessBook&) = delete;
  AccessBook& operator=(const AccessBook&) = delete;

  void set_invites(const MeshId& mesh, const std::vector<AccessInvite>& invites);
  // Its place in memory stays; the first is dialled with.
  const channel::AccessKeys& keys() const { return keys_; }
  // Of the key at this place now; none: one of the mesh itself.
  std::optional<trust::InviteId> invite_of(std::size_t index) const;

 private:
  channel::AccessKeys keys_;
  std::size_t links_;
  std::vector<trust::InviteId> invites_;
};

// Of who joins, which dials with the invite and answers nobody else.
channel::AccessKeys keys_of_invite(const MeshId& mesh, const trust::InviteSecret& secret);

}  // namespace ebb::mesh
