// Invites: those that this device has made, kept so that a crash makes none usable once more.
//
// Model:     an invite is open until its time is over, it was used as often as it may be, or was
//            ended. It is remembered for 7 days beyond its time, so that who comes too late is told
//            so and not met with silence.
// Units:     times in ms since 1970, by this device's clock.
// Ownership: secrets are wiped with it. The file keeps them, for its owner alone.
// Errors:    open: kPermission, kCorrupt; the detail names the file and what to do. make: kBusy
// (too
//            many are remembered), kOutOfRange. All that change something: those of files.h, and
//            then nothing has changed.
// Threads:   not thread-safe; owned by the loop. Writes block until the disk has them: invites are
//            made by people, and used once.
// Limits:    limits::kInvitesTried.
// Spec:      docs/store_format.md section 1
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.h"
#include "core/result.h"
#include "core/time.h"
#include "mesh/access_book.h"
#include "mesh/membership_types.h"
#include "trust/invite.h"

namespace ebb::node {

struct KeptInvite {
  trust::InviteId id;
  trust::InviteSecret secret;
  WallTime made, expires;
  std::uint64_t uses = 1;         // that it is good for
  std::vector<DeviceId> devices;  // that have used it, each once

  std::uint64_t uses_left() const { return uses - devices.size(); }
  bool is_open(WallTime now) const { return now < expires && uses_left() > 0; }
};

class Invites {
 public:
  static Result<Invites> open(const std::string& path);

  // The new one; valid until something changes.
  Result<const KeptInvite*> make(WallTime now, Duration ttl, std::uint64_t uses);
  // kNotFound, kExists (it is over already).
  Status end(const trust::InviteId& id, WallTime now);
  // Once for each device; an invite that is not known means nothing.
  Status use(const trust::InviteId& id, const DeviceId& device);

  // The newest first.
  const std::vector<KeptInvite>& all() const { return kept_; }
  std::vector<mesh::AccessInvite> access() const;
  std::vector<mesh::OpenInvite> for_engine() const;

 private:
  Status replace(std::vector<KeptInvite> kept);
  std::vector<KeptInvite> copy(WallTime now) const;

  std::string path_;
  std::vector<KeptInvite> kept_;
};

inline constexpr Duration kInviteTtl = seconds(3600);
inline constexpr Duration kInviteTtlMax = seconds(std::int64_t{30} * 86400);
inline constexpr std::uint64_t kInviteUsesMax = 10000;

}  // namespace ebb::node
