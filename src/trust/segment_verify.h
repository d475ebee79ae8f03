// Belief in segments: a segment verifies by itself, can be cut at its start and merged with its
// neighbour, and none of that needs the log before it.
//
// Errors:  verify_segment: kBadSignature, kBadChain (log id is not that of the key), and those of
//          codec/segment.h for bytes that are no segment. Each names the peer's fault, except an
//          event that is invalid under a good signature: that is its author's fault, and comes back
//          as `invalid_from` with ok().
// Threads: pure functions; any thread.
// Spec:    docs/wire_format.md sections 4 and 5
#pragma once

#include <optional>
#include <vector>

#include "codec/segment.h"
#include "core/result.h"
#include "core/shared_bytes.h"
#include "trust/chain.h"
#include "trust/identity.h"

namespace ebb::trust {

// A segment whose signature and inner chain were checked. Shares nothing mutable; cheap to move.
struct VerifiedSegment {
  LogKey key;
  LogId log;
  Seq first_seq = 0;
  std::uint32_t count = 0;
  Hash prev_chain;          // chain(first_seq - 1): still to be compared with what is held
  codec::SegmentHead head;  // of the last event
  Hash chain;               // chain(head.seq)
  Hlc first_hlc;            // of the first event (0 when it is not valid)
  codec::SegmentCodec codec = codec::SegmentCodec::kRaw;  // of `encoded`
  SharedBytes encoded;                                    // whole segment as on the wire
  SharedBytes raw;                                        // decoded body
  // Offsets of the events in `raw`; count + 1 entries, the last is raw->size().
  std::vector<std::uint32_t> offsets;
  // 1-based seq of the first event that is not valid (bytes not canonical, hlc not increasing
  // inside the segment), or 0. Such a segment caps its log at invalid_from - 1.
  Seq invalid_from = 0;

  Seq last_seq() const { return first_seq + count - 1; }
  ByteView event_bytes(std::uint32_t index) const {
    return ByteView(*raw).subspan(offsets[index], offsets[index + 1] - offsets[index]);
  }
};

// Decodes, hashes, checks the signature. `encoded` is kept (shared) in the result.
Result<VerifiedSegment> verify_segment(const LogKey& key, SharedBytes encoded,
                                       const SignatureCheck& signatures = SignatureCheck());

// What a store's own append makes: hashes, signs, encodes with `codec` where that is smaller. `raw`
// holds `offsets.size() - 1` valid events of `key`'s log that follow position (first_seq - 1,
// prev_chain).
struct SealRequest {
  LogKey key;
  LogId log;
  Seq first_seq = 0;
  Hash prev_chain;
  Hlc first_hlc;
  Hlc last_hlc;
  SharedBytes raw;
  std::vector<std::uint32_t> offsets;
  // Behind the last event, for who has hashed the events already; computed when absent.
  std::optional<Hash> chain = std::nullopt;
  codec::SegmentCodec codec = codec::SegmentCodec::kRaw;
};
VerifiedSegment seal_segment(const Identity& identity, SealRequest request);

// The segment without the events before `first_seq`, which must lie inside it. kInvalidArgument
// otherwise.
Result<VerifiedSegment> cut_segment(const VerifiedSegment& segment, Seq first_seq);

// Joins adjacent segments of one log, as encoded, into one with body `codec` (raw where that is not
// smaller); the last head stays. Nothing of them is believed: the result is verified from the chain
// before its first event to the signature behind its last. Errors: kInvalidArgument (none), kGap
// when they are not adjacent, kTooLarge beyond the limits of a segment, and those of
// verify_segment, of which kBadSignature also says that their chains do not meet.
Result<VerifiedSegment> merge_segments(const LogKey& key, const std::vector<SharedBytes>& segments,
                                       codec::SegmentCodec codec);

}  // namespace ebb::trust
