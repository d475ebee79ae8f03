// JoinClient: makes a device of this directory by an invite.
//
// Model:     each address of the invite is dialled, the best first, until one answers who has the
//            invite's link key and secret. It is asked for a certificate and says what the mesh is;
//            all of it is checked against the invite before the directory becomes a device's. A
//            join that failed leaves none. Keys that an inviter may have certified already, though
//            its answer did not come, are kept for the next attempt, which is then no other device.
// Errors:    of context "join", whose detail is a sentence that says what happened and what to do:
//            kCorrupt, kMalformed, kUnsupported, kTooLarge (the line), kOutOfRange (over, or a
//            clock is wrong), kNotFound (nobody could be reached, or who was is silent), kExists
//            (used up), kPermission (refused for another reason), kBadSignature (what was told does
//            not hold); others as of home.h.
// Units:     `now` by this machine's clock, ms since 1970.
// Threads:   a blocking function; any thread.
// Limits:    limits::kAuthority*Bytes of what is told; a connection 5 s, silence 30 s.
// Spec:      docs/wire_format.md sections 7, 12 and 13
#pragma once

#include <functional>
#include <string>

#include "core/ids.h"
#include "core/result.h"
#include "core/time.h"

namespace ebb::node {

struct JoinOptions {
  std::string dir;
  std::string line;  // the invite
  std::string name;  // label; empty: the host's name
  WallTime now;
  WallTime built = {};              // of the program, before which no clock is right; 0: not known
  Duration patience = seconds(20);  // with who is there and says nothing
  // Told what is done, a line each: for people.
  std::function<void(const std::string&)> progress;
};

struct Joined {
  DeviceId device;
  DeviceId inviter;
  std::string address;  // of it
  Duration round_trip;  // of the handshake
};

Result<Joined> join_mesh(const JoinOptions& options);

}  // namespace ebb::node
