// Invites: those that this device has made, kept so that a crash makes none usable once more.
//
// Model:     an invite is open until its time is over, it was used as often as it may be, or was
//            ended. Its time is judged by the latest that this clock has shown since it was made,
//            so a clock that is set back opens none that was over, nor gives one more time. It is
//            remembered for 7 days beyond its time, so that who comes too late is told so and not
//            met with silence; then its secret is in memory and file no more.
// Units:     times in ms since 1970, by this device's clock.
// Ownership: secrets are wiped with it. The file keeps them, for its owner alone.
// Errors:    open: kPermission, kCorrupt; the detail names the file and what to do. make: kBusy
// (too
//            many are remembered, or they are good for too many uses), kOutOfRange. make, end:
//            those of files.h, and then nothing has changed. use, keep: the same, but what was
//            counted stays counted here, and the next write takes it along.
// Threads:   not thread-safe; owned by the loop. Writes block until the disk has them: invites are
//            made by people, and used once.
// Limits:    limits::kInvitesTried; kInviteUsesMax each, kInviteUsesHeld of all.
// Spec:      docs/store_format.md section 1
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.h"
#include "core/result.h"
#include "core/time.h"
#include "mesh/access_book.h"
#include "mesh/membership_types.h"
#include "trust/invite.h"
#include "trust/terms.h"

namespace ebb::node {

struct KeptInvite {
  trust::InviteId id;
  trust::InviteSecret secret;
  WallTime made, expires;
  WallTime seen;                  // the latest that the clock has shown since it was made
  std::uint64_t uses = 1;         // that it is good for
  std::vector<DeviceId> devices;  // that have used it, each once
  bool ended = false;             // by a person
  trust::Terms terms = {};        // of the certificates that it gives

  std::uint64_t uses_left() const { return uses - devices.size(); }
  bool is_over(WallTime now) const { return ended || std::max(now, seen) >= expires; }
  bool is_open(WallTime now) const { return !is_over(now) && uses_left() > 0; }
};

class Invites {
 public:
  static Result<Invites> open(const std::string& path);

  // The new one; valid until something changes.
  Result<const KeptInvite*> make(WallTime now, Duration ttl, std::uint64_t uses,
                                 trust::Terms terms = {});
  // kNotFound, kExists (it is over already).
  Status end(const trust::InviteId& id, WallTime now);
  // Once for each device; an invite that is not known means nothing.
  Status use(const trust::InviteId& id, const DeviceId& device);
  // Writes what could not be written.
  Status keep();
  bool is_kept() const { return !unkept_; }
  // Remembers what the clock shows, and forgets those that were over for long. Written each
  // kSeenStep, and where that has changed one; `changed`: it has since the last time.
  Status note_time(WallTime now, bool& changed);
  // Until time has to be noted; nullopt: there are none.
  std::optional<Duration> next_look(WallTime now) const;

  // The newest first.
  const std::vector<KeptInvite>& all() const { return kept_; }
  std::vector<mesh::AccessInvite> access() const;
  // One that is over expires at 0 there, by whatever clock.
  std::vector<mesh::OpenInvite> for_engine() const;

 private:
  Status write(const std::vector<KeptInvite>& kept);
  Status replace(std::vector<KeptInvite> kept);
  std::vector<KeptInvite> copy(WallTime now) const;

  std::string path_;
  std::vector<KeptInvite> kept_;
  bool unkept_ = false;  // the file says less
  WallTime written_{0};  // the time that it was written with
};

inline constexpr Duration kInviteTtl = seconds(3600);
inline constexpr Duration kInviteTtlMax = seconds(std::int64_t{30} * 86400);
inline constexpr std::uint64_t kInviteUsesMax = 10000;
inline constexpr std::uint64_t kInviteUsesHeld = 100000;
inline constexpr Duration kSeenStep = seconds(600);

}  // namespace ebb::node
