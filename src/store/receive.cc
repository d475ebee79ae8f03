#include "store/receive.h"

#include <utility>

#include "core/limits.h"
#include "store/store.h"
#include "trust/chain.h"

namespace ebb::store {

Result<SegmentOutcome> ReceiveStage::add(const trust::VerifiedSegment& segment) {
  if (segment.first_seq == 0 || segment.count == 0 || segment.last_seq() > limits::kSeqMax) {
    return SegmentOutcome::kRefused;
  }
  const LogRow* known = logs_.find(segment.log);
  if (known == nullptr) {
    if (logs_.log_count() >= limits::kKnownLogs - limits::kOwnLogsKept) {
      return SegmentOutcome::kTooManyLogs;
    }
    if (logs_.log_count_of(segment.key.device) >= limits::kLogsPerDevice) {
      return SegmentOutcome::kTooManyLogs;
    }
    if (segment.first_seq != 1) return SegmentOutcome::kGap;
    if (segment.prev_chain != trust::chain_start(segment.key)) return SegmentOutcome::kFork;
    return store(segment, nullptr);
  }
  EBB_ASSIGN(const SegmentOutcome outcome, judge(segment, *known));
  if (outcome != SegmentOutcome::kStored) return outcome;
  const Seq next = known->head.held.seq + 1;
  if (segment.first_seq == next) return store(segment, known);
  EBB_ASSIGN(const trust::VerifiedSegment rest, trust::cut_segment(segment, next));
  return store(rest, known);
}

Result<SegmentOutcome> ReceiveStage::judge(const trust::VerifiedSegment& segment,
                                           const LogRow& row) const {
  const Position& held = row.head.held;
  if (segment.last_seq() <= held.seq) return judge_held(segment, row);
  if (row.head.capped) return SegmentOutcome::kRefused;
  if (segment.first_seq > held.seq + 1) return SegmentOutcome::kGap;
  if (chain_inside(segment, held.seq) != held.chain) return SegmentOutcome::kFork;
  return SegmentOutcome::kStored;
}

// Nothing new in it: still, another chain where ours is at hand is evidence.
Result<SegmentOutcome> ReceiveStage::judge_held(const trust::VerifiedSegment& segment,
                                                const LogRow& row) const {
  const Position& held = row.head.held;
  if (segment.last_seq() == held.seq) {
    return segment.chain == held.chain ? SegmentOutcome::kDuplicate : SegmentOutcome::kFork;
  }
  EBB_ASSIGN(const std::optional<Hash> chain,
             segments_.chain_before(row.n, segment.last_seq() + 1));
  const bool differs = chain && *chain != segment.chain;
  return differs ? SegmentOutcome::kFork : SegmentOutcome::kDuplicate;
}

Result<SegmentOutcome> ReceiveStage::store(const trust::VerifiedSegment& segment,
                                           const LogRow* known) {
  Seq invalid_from = segment.invalid_from;
  const bool follows = known != nullptr && known->head.held.seq != 0;
  if (follows && segment.first_hlc <= known->head.hlc) invalid_from = segment.first_seq;
  const auto edit_row = [&]() -> LogRow& {
    return known != nullptr ? logs_.edit(segment.log)
                            : logs_.create(segment.key, segment.log, segment.prev_chain);
  };
  if (invalid_from == segment.first_seq) {
    edit_row().head.capped = true;
    return SegmentOutcome::kRefused;
  }
  const Seq to = invalid_from == 0 ? segment.last_seq() : invalid_from - 1;
  EBB_ASSIGN(DecodedRun decoded, decode_run(segment, to));
  EBB_ASSIGN(const bool admitted, quotas_.admit(segment.key, decoded.days));
  if (!admitted) return SegmentOutcome::kOverQuota;

  LogRow& row = edit_row();
  HeadRecord& head = row.head;
  if (invalid_from != 0) head.capped = true;
  const bool packed = segment.codec != codec::SegmentCodec::kRaw;
  EBB_RETURN_IF_ERROR(segments_.insert(row.n, segment, decoded.zone, packed));
  head.held = {to, chain_inside(segment, to)};
  head.hlc = decoded.last_hlc;
  // No signature ends at a cap.
  head.signature = invalid_from == 0 ? segment.head.signature : Signature{};
  runs_.push_back({row.n, std::move(decoded.run)});
  return SegmentOutcome::kStored;
}

}  // namespace ebb::store
