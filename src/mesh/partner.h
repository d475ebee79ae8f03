// Partner: a device with live datagram keys that datagrams are exchanged with, and the exchange in
// hand. Plain data; what happens to it is in gossip.h and settle.h, its keys and its address are in
// sessions.h.
//
// Threads: not thread-safe; part of the engine.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "codec/datagram.h"
#include "core/ids.h"
#include "core/time.h"

namespace ebb::mesh {

// A question that has not been answered in time.
struct GivenUp {
  codec::QuestionNumber question = 0;
  Instant sent;
};

// What both ends held when they differed.
struct DifferentRoots {
  Fingerprint mine, theirs;
  bool operator==(const DifferentRoots&) const = default;
};

// What came of dialling an address because roots differed (gossip_dial.h).
struct DifferenceDials {
  std::uint32_t count = 0;  // since the roots were equal, or something new was missing
  Instant last;
  DifferentRoots roots;   // then
  bool left_out = false;  // the last link left something out, and the next may again
  bool limited = false;   // it might not carry everything: the roots differ for good
};

struct Partner {
  DeviceId device;
  std::string listens;  // where it may be dialled; empty: unknown
  bool chosen = false;  // by us, to be kept for a while
  Instant since, last;  // chosen or met; heard
  std::optional<Duration> rtt;
  // Handshake and counter of its last root: one from before it says nothing any more.
  std::pair<std::uint64_t, std::uint64_t> told;

  // What it said of itself and of us in its last root.
  Fingerprint root;
  codec::Cursor cursor;
  bool own_settled = false;     // it shows nothing of ours that is not here
  std::uint64_t own_views = 0;  // that it has told: answers of the store are about one of them
  std::size_t own_checks = 0;   // that the store has not answered
  bool heads_wait = false;      // for those

  // The exchange in hand.
  std::optional<Instant> asked;        // our root is not answered
  codec::QuestionNumber question = 0;  // the last
  std::optional<GivenUp> given_up;     // the oldest that counts
  std::optional<Instant> begun;        // when it last began one
  std::uint32_t silences = 0;          // questions without an answer
  std::uint32_t rounds = 0;            // answers that still differed
  std::optional<DifferentRoots> differed;
  bool old = false;               // one side lacks what live pushes would have brought by now
  bool disputed = false;          // it shows what no datagram makes good: a link finds out
  std::size_t budget = 0;         // datagrams that may still be sent
  std::size_t reads_left = 0;     // and reads made for it
  std::size_t segments_left = 0;  // datagrams with segments that are still taken
  bool heads_sent = false;
  std::optional<Arrival> heads_last;  // those that came after it were listed in the round before
  std::map<LogId, Seq> lacking;       // shown by it, not in hand here
  std::set<LogId> wanted;             // asked of it last: segments of no other log are taken
  std::optional<Instant> want_at;     // then they are asked for
  std::optional<Instant> again_at;    // then its root is asked for again
};

// A read whose segments go out by datagram, or that a position of our own is compared with.
struct DatagramRead {
  DeviceId partner;
  LogId log;
  std::optional<codec::ListedHead> own_shown;
  std::uint64_t own_view = 0;
};

}  // namespace ebb::mesh
