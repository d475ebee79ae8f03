#include "sim/planted_bugs.h"

#include <algorithm>
#include <array>

namespace ebb::sim {

#ifdef EBB_PLANTED_BUGS

namespace {

constexpr std::array kTable = {
    PlantedInfo{Bug::kAcknowledgeBeforeDurable, "acknowledge_before_durable",
                "clients are told before the commit"},
    PlantedInfo{Bug::kAnswerUnstored, "answer_unstored",
                "every 50th foreign segment is answered as stored, and is not"},
    PlantedInfo{Bug::kStoreGoesBack, "store_goes_back",
                "what is left after a kill is the store of the start before"},
    PlantedInfo{Bug::kReuseSeq, "reuse_seq", "a log goes on with the number of its last event"},
    PlantedInfo{Bug::kSameIncarnationAfterRestore, "same_incarnation_after_restore",
                "a restored store goes on in the incarnation of the backup"},
    PlantedInfo{Bug::kForgetEpoch, "forget_epoch", "every new store takes the same epoch"},
    PlantedInfo{Bug::kKeepDoubtedEpoch, "keep_doubted_epoch",
                "a store of which a peer knows later arrivals keeps its epoch"},
    PlantedInfo{Bug::kLateEpoch, "late_epoch",
                "what waits for the disk is stored before the other epoch"},
    PlantedInfo{Bug::kForgetClientIds, "forget_client_ids", "client ids are not stored"},
    PlantedInfo{Bug::kCutOneTooMany, "cut_one_too_many",
                "a segment that is read from its middle begins an event late"},
    PlantedInfo{Bug::kMergeLosesSegment, "merge_loses_segment",
                "a merge leaves the last of its segments out"},
    PlantedInfo{Bug::kOneArrivalACommit, "one_arrival_a_commit",
                "all heads of a commit get the same arrival number"},
    PlantedInfo{Bug::kTellFromStart, "tell_from_start",
                "a commit tells of a log from its first event on"},
    PlantedInfo{Bug::kFirstPresenceStays, "first_presence_stays",
                "the first presence of a device is kept for its newest"},
    PlantedInfo{Bug::kForgetScope, "forget_scope",
                "a store that starts with another scope keeps its epoch and cursors"},
    PlantedInfo{Bug::kTrustFutureStamps, "trust_future_stamps",
                "stamps of others pull a clock as far ahead as they like"},
    PlantedInfo{Bug::kSameStamp, "same_stamp", "a clock that stands gives a stamp twice"},
    PlantedInfo{Bug::kFoldBeforeCommit, "fold_before_commit",
                "what is received is folded even if its commit fails"},
    PlantedInfo{Bug::kFoldRepeats, "fold_repeats", "an event that comes again counts again"},
    PlantedInfo{Bug::kForgetEarlyKills, "forget_early_kills",
                "a removal that comes before what it removes is forgotten"},
    PlantedInfo{Bug::kKeepErasedState, "keep_erased_state",
                "what leaves the state stays in its table"},
    PlantedInfo{Bug::kStoreTotalsOnce, "store_totals_once",
                "a counter that was stored once is never stored again"},
    PlantedInfo{Bug::kForgetDoubt, "forget_doubt",
                "a cursor beyond a peer's arrivals is dropped before the peer has another epoch"},
    PlantedInfo{Bug::kCursorEarly, "cursor_early",
                "a cursor moves before what was listed is stored"},
    PlantedInfo{Bug::kDropLastOfPage, "drop_last_of_page", "a list lacks its last head"},
    PlantedInfo{Bug::kArrivalBeforeCommit, "arrival_before_commit",
                "HELLO counts arrivals whose commits are under way"},
    PlantedInfo{Bug::kDropLastSegment, "drop_last_segment",
                "the last answer to a WANT lacks its last segment"},
    PlantedInfo{Bug::kDropLastHave, "drop_last_have", "HAVE lacks its last head"},
    PlantedInfo{Bug::kAskNobodyAfterCut, "ask_nobody_after_cut",
                "what was asked of a link that ended is asked of nobody else"},
    PlantedInfo{Bug::kReadsNeverEnd, "reads_never_end", "reads that are done count as under way"},
    PlantedInfo{Bug::kKeepEndedParts, "keep_ended_parts",
                "a part of a log stays with its link when that has ended"},
    PlantedInfo{Bug::kCreditNeverReturned, "credit_never_returned",
                "what is stored gives its sender no credit back"},
    PlantedInfo{Bug::kRefuseLaterFields, "refuse_later_fields",
                "a message with a field more is not known"},
    PlantedInfo{Bug::kRefuseLaterMessages, "refuse_later_messages",
                "a message of an unknown type is a fault"},
    PlantedInfo{Bug::kSkipSignature, "skip_signature",
                "segments are taken whoever signed their heads"},
    PlantedInfo{Bug::kTrustYourLogs, "trust_your_logs",
                "what a peer says of our own logs is believed without a signature"},
    PlantedInfo{Bug::kPauseForEver, "pause_for_ever",
                "after a failed commit nothing is asked for any more"},
    PlantedInfo{Bug::kKeepEndedLinks, "keep_ended_links", "links that have ended stay in memory"},
    PlantedInfo{Bug::kCursorByDatagram, "cursor_by_datagram",
                "a root datagram's arrival head is taken for a cursor, whatever differs"},
    PlantedInfo{Bug::kIgnoreScope, "ignore_scope", "logs beyond a scope are told, sent and taken"},
    PlantedInfo{Bug::kDeafToBeacons, "deaf_to_beacons", "what is heard nearby is not dialled"},
    PlantedInfo{Bug::kTellRecordEarly, "tell_record_early",
                "what an issuer signs is told before it is stored"},
    PlantedInfo{Bug::kSkipAuthorCheck, "skip_author_check",
                "events are taken whatever their author may write"},
    PlantedInfo{Bug::kHelloBeforeRecords, "hello_before_records",
                "whoever proves a device is greeted"},
    PlantedInfo{Bug::kIgnoreMark, "ignore_mark", "an issuer signs on whatever its store has lost"},
    PlantedInfo{Bug::kIgnorePrefix, "ignore_prefix",
                "events are taken whatever topics their author may write"},
    PlantedInfo{Bug::kTellTheBlind, "tell_the_blind", "who may not read is told all"},
    PlantedInfo{Bug::kSkipRecordTag, "skip_record_tag",
                "what a link brings is believed without its tag"},
    PlantedInfo{Bug::kSkipDatagramTag, "skip_datagram_tag",
                "a datagram counts as authentic whatever its tag"},
    PlantedInfo{Bug::kSkipReplayWindow, "skip_replay_window",
                "a datagram is taken as often as it comes"},
    PlantedInfo{Bug::kPlainDatagrams, "plain_datagrams", "datagrams go out as they are"},
    PlantedInfo{Bug::kSkipFirstMac, "skip_first_mac",
                "a first message is answered whatever its mac"},
    PlantedInfo{Bug::kForgetSecret, "forget_secret",
                "the secret of the mesh is not mixed into the keys of a link"},
    PlantedInfo{Bug::kBelieveAnswer, "believe_answer",
                "the device that an answer names is believed before a record opens"},
    PlantedInfo{Bug::kIgnoreQuota, "ignore_quota",
                "an author's events are taken beyond its quota of a day"},
};
static_assert(kTable.size() == kBugs);

}  // namespace

std::span<const PlantedInfo> planted_bugs() { return kTable; }

#else

std::span<const PlantedInfo> planted_bugs() { return {}; }

#endif

std::optional<Bug> bug_named(std::string_view name) {
  const auto bugs = planted_bugs();
  const auto found = std::find_if(bugs.begin(), bugs.end(),
                                  [&](const PlantedInfo& info) { return info.name == name; });
  if (found == bugs.end()) return std::nullopt;
  return found->bug;
}

std::string_view bug_name(Bug bug) {
  for (const PlantedInfo& info : planted_bugs()) {
    if (info.bug == bug) return info.name;
  }
  return "none";
}

}  // namespace ebb::sim
