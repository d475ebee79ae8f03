// Faults: the classes of what is done to a run, and FaultCounts, so that a run without faults
// cannot pass for a hard one.
//
// Model:   one row of kFaultTable a class. A class of single packets is counted and asserted like
//          every other, but is left out of the number of faults a run: there are thousands.
//          A new class is a row here, a row in the plan (sim/fault_plan.cc) and an Injector that
//          knows it (sim/injector.h).
// Threads: values; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ebb::sim {

enum class Fault : std::uint8_t {
  // Single packets.
  kDatagramLost,
  kDatagramDuplicated,
  kDatagramReordered,
  kDatagramForged,   // a copy comes from another address or much later, or invented bytes like it
  kDatagramFlipped,  // a byte is another
  kStreamDelayed,    // a lost packet of a stream: everything behind it waits
  // Paths and connections.
  kStreamReset,      // both ends see the connection end, bytes under way are gone
  kStreamFlipped,    // a byte of a stream is another when it comes
  kPartition,        // nothing passes between two groups, both ways
  kPartitionSized,   // the same, the size of the smaller group drawn first
  kPartitionOneWay,  // nothing passes from one group to the other
  kIsolation,        // one host is cut off
  kIsolationOneWay,  // one host hears nobody, or is heard by nobody
  kClog,             // one direction of one pair stands still for some seconds
  kNarrowPath,       // one pair has a small part of its rate, and room for few packets
  kBlackHole,        // of one pair: small packets pass, large ones never do
  kHalfOpen,         // one end of a connection is gone, the other has not heard
  kSlowReader,       // a host takes very little from its sockets
  kAddressChange,    // a host is, or comes back, under another address
  kBehindNat,        // a host that cannot be dialled, from start to end
  kHealStorm,        // one after the other is cut off, then all paths open at once
  // Hosts.
  kCleanStop,
  kKill,           // the process ends between two instructions; the machine closes its connections
  kPowerLoss,      // the host is gone without a word to anyone
  kPause,          // the process stands still, its connections stay
  kSleep,          // the machine stands still, its monotonic clock goes on
  kRestore,        // a host comes back with a backup of its store, as `restored`
  kDiskLost,       // a host comes back with its key and an empty store
  kLateStart,      // a host that joins with an empty store when others have long begun
  kClockStep,      // the wall clock jumps by up to ten years, back or forth
  kClockWalk,      // the wall clock runs too fast or too slow
  kClockAtBoot,    // the wall clock starts in 1970 and is set right later
  kNoDescriptors,  // a host can neither dial nor accept
  // Disks, as the store's caller sees them.
  kCommitFails,  // one commit stores nothing and says so
  kCommitsFail,  // all of them, for a while
  kCommitLate,   // up to two seconds
  kDiskStall,    // nothing is written or read for up to half a minute
  kReadFails,
  kReadLate,
  kDiskFull,
  kTailLost,      // a commit under way when the power goes is not there afterwards
  kCommitUntold,  // a commit under way at a kill is there, and nobody was told
  // Messages of a host that lies (sim/liar.h).
  kLieBytes,     // some are others
  kLieFields,    // numbers, ids and flags are others
  kLieAgain,     // one comes again and again
  kLieOld,       // one of before, maybe of another link
  kLieOrder,     // one comes behind the next
  kLieSilence,   // one does not come
  kLieClaims,    // events that nobody has are announced
  kLieSegments,  // segments are forged
  // Of strangers (sim/strangers.h): how they answer a dial,
  kStrangerSilent,   // not at all
  kStrangerNoise,    // with bytes of chance
  kStrangerReplays,  // with what another has answered in a handshake that was overheard
  kStrangerAnswers,  // with a message 2, without the secret
  kStrangerNames,    // with one that names a device that it is not
  kStrangerRelays,   // by passing all on to some host
  kStrangerFlips,    // a byte of what is passed on is another
  // and how they dial.
  kStrangerGuesses,  // under another secret
  kStrangerRepeats,  // with a first message that was overheard
  kStrangerNoMac,    // with no mac
  // Of beacons on a local network (sim/lan.h).
  kBeaconStale,     // says where somebody was
  kBeaconRepeated,  // comes again and again
  kBeaconStrange,   // leads to a stranger, or to nobody
};
inline constexpr std::size_t kFaultClasses = static_cast<std::size_t>(Fault::kBeaconStrange) + 1;
inline constexpr Fault kFirstStranger = Fault::kStrangerSilent;
inline constexpr Fault kLastStranger = Fault::kStrangerNoMac;
inline constexpr Fault kFirstBeacon = Fault::kBeaconStale;
inline constexpr Fault kFirstLie = Fault::kLieBytes;
inline constexpr std::size_t kLies =
    static_cast<std::size_t>(kFirstStranger) - static_cast<std::size_t>(kFirstLie);
// Of which each seed has a half; lies need a liar, and what strangers do needs one,
// and beacons a local network.
inline constexpr std::size_t kDrawnClasses = static_cast<std::size_t>(kFirstLie);

struct FaultInfo {
  std::string_view name;
  bool packet = false;  // done to single packets
};

// In the order of Fault.
inline constexpr std::array<FaultInfo, kFaultClasses> kFaultTable = {{
    {"datagram_lost", true},
    {"datagram_duplicated", true},
    {"datagram_reordered", true},
    {"datagram_forged", true},
    {"datagram_flipped", true},
    {"stream_delayed", true},
    {"stream_reset"},
    {"stream_flipped"},
    {"partition"},
    {"partition_sized"},
    {"partition_one_way"},
    {"isolation"},
    {"isolation_one_way"},
    {"clog"},
    {"narrow_path"},
    {"black_hole"},
    {"half_open"},
    {"slow_reader"},
    {"address_change"},
    {"behind_nat"},
    {"heal_storm"},
    {"clean_stop"},
    {"kill"},
    {"power_loss"},
    {"pause"},
    {"sleep"},
    {"restore"},
    {"disk_lost"},
    {"late_start"},
    {"clock_step"},
    {"clock_walk"},
    {"clock_at_boot"},
    {"no_descriptors"},
    {"commit_fails"},
    {"commits_fail"},
    {"commit_late"},
    {"disk_stall"},
    {"read_fails"},
    {"read_late"},
    {"disk_full"},
    {"tail_lost"},
    {"commit_untold"},
    {"lie_bytes", true},
    {"lie_fields", true},
    {"lie_again", true},
    {"lie_old", true},
    {"lie_order", true},
    {"lie_silence", true},
    {"lie_claims", true},
    {"lie_segments", true},
    {"stranger_silent", true},
    {"stranger_noise", true},
    {"stranger_replays", true},
    {"stranger_answers", true},
    {"stranger_names", true},
    {"stranger_relays", true},
    {"stranger_flips", true},
    {"stranger_guesses", true},
    {"stranger_repeats", true},
    {"stranger_no_mac", true},
    {"beacon_stale", true},
    {"beacon_repeated", true},
    {"beacon_strange", true},
}};

inline std::string_view fault_name(Fault fault) {
  return kFaultTable[static_cast<std::size_t>(fault)].name;
}

class FaultCounts {
 public:
  void count(Fault fault) { ++counts_[static_cast<std::size_t>(fault)]; }
  std::uint64_t of(Fault fault) const { return counts_[static_cast<std::size_t>(fault)]; }
  std::uint64_t total() const { return sum(true); }
  // Without what is done to single packets.
  std::uint64_t beyond_packets() const { return sum(false); }
  void add(const FaultCounts& other) {
    for (std::size_t i = 0; i < kFaultClasses; ++i)
      counts_[i] += other.counts_[i];
  }

 private:
  std::uint64_t sum(bool packets) const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < kFaultClasses; ++i) {
      if (packets || !kFaultTable[i].packet) sum += counts_[i];
    }
    return sum;
  }
  std::array<std::uint64_t, kFaultClasses> counts_{};
};

}  // namespace ebb::sim
