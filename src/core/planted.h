// Planted bugs: deliberate mistakes, one line each, that show that the simulator's checkers find
// what they are there for. Chosen at run time; in a build without -Dplanted_bugs=true there are
// none, and every question for one is a constant `false`.
//
// Model:   at most one bug is planted, for a thread and as long as a PlantedScope lives.
//          Rationale: a mistake has to stand where it would be made, in the middle of functions
//          that nobody would give an argument for it.
// Threads: each has its own; the daemon plants none in any of its threads.
// Spec:    docs/simulation.md
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/check.h"

namespace ebb {

enum class Bug : std::uint8_t {
  kNone,
  // The store, and its caller.
  kAcknowledgeBeforeDurable,
  kAnswerUnstored,
  kStoreGoesBack,
  kReuseSeq,
  kSameIncarnationAfterRestore,
  kForgetEpoch,
  kKeepDoubtedEpoch,
  kLateEpoch,
  kForgetClientIds,
  kCutOneTooMany,
  kMergeLosesSegment,
  kOneArrivalACommit,
  kTellFromStart,
  kFirstPresenceStays,
  kForgetScope,
  // Clocks.
  kTrustFutureStamps,
  kSameStamp,
  // Folds.
  kFoldBeforeCommit,
  kFoldRepeats,
  kForgetEarlyKills,
  kKeepErasedState,
  kStoreTotalsOnce,
  // The engine.
  kForgetDoubt,
  kCursorEarly,
  kDropLastOfPage,
  kArrivalBeforeCommit,
  kDropLastSegment,
  kDropLastHave,
  kAskNobodyAfterCut,
  kReadsNeverEnd,
  kKeepEndedParts,
  kCreditNeverReturned,
  kRefuseLaterFields,
  kRefuseLaterMessages,
  kSkipSignature,
  kTrustYourLogs,
  kPauseForEver,
  kKeepEndedLinks,
  kCursorByDatagram,
  kIgnoreScope,
  kDeafToBeacons,
  // Membership.
  kTellRecordEarly,
  kSkipAuthorCheck,
  kHelloBeforeRecords,
  kIgnoreMark,
  kIgnorePrefix,
  kTellTheBlind,
  // Channels.
  kSkipRecordTag,
  kSkipDatagramTag,
  kSkipReplayWindow,
  kPlainDatagrams,
  kSkipFirstMac,
  kForgetSecret,
  kBelieveAnswer,
  // Quotas.
  kIgnoreQuota,
};
inline constexpr std::size_t kBugs = static_cast<std::size_t>(Bug::kIgnoreQuota);  // but kNone

#ifdef EBB_PLANTED_BUGS

inline constexpr bool kBugsArePlanted = true;

inline constinit thread_local Bug planted_bug = Bug::kNone;

inline bool planted(Bug bug) { return planted_bug == bug; }

class PlantedScope {
 public:
  explicit PlantedScope(Bug bug) : before_(planted_bug) { planted_bug = bug; }
  ~PlantedScope() { planted_bug = before_; }
  PlantedScope(const PlantedScope&) = delete;
  PlantedScope& operator=(const PlantedScope&) = delete;

 private:
  Bug before_;
};

#else

inline constexpr bool kBugsArePlanted = false;

constexpr bool planted(Bug) { return false; }

class PlantedScope {
 public:
  explicit PlantedScope(Bug bug) { EBB_CHECK(bug == Bug::kNone); }
  ~PlantedScope() {}
  PlantedScope(const PlantedScope&) = delete;
  PlantedScope& operator=(const PlantedScope&) = delete;
};

#endif

}  // namespace ebb
