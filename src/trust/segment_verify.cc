#include "trust/segment_verify.h"

#include <algorithm>
#include <optional>

#include "codec/body_reader.h"
#include "core/check.h"
#include "core/limits.h"
#include "core/planted.h"

namespace ebb::trust {
namespace {

// What one pass over a decoded body finds.
struct Scan {
  std::vector<std::uint32_t> offsets = {0};
  Hash chain;
  std::optional<Hlc> first_hlc;
  std::optional<Hlc> last_hlc;              // nullopt: the last event is not valid
  std::optional<std::uint32_t> invalid_at;  // index of the first event that is not valid
};

// Hashes every event onto `prev_chain`, and judges them up to the first that is not valid.
Result<Scan> scan_body(ByteView raw, std::uint32_t count, const Hash& prev_chain) {
  Scan scan;
  scan.chain = prev_chain;
  // Every event takes a byte at least, so a claimed count cannot reserve more than was received.
  scan.offsets.reserve(std::min<std::size_t>(count, raw.size()) + 1);
  codec::BodyReader reader(raw);
  for (std::uint32_t i = 0; i < count; ++i) {
    EBB_ASSIGN(const codec::BodyReader::Next next, reader.next());
    scan.chain = chain_next(scan.chain, event_hash(next.bytes));
    scan.offsets.push_back(scan.offsets.back() + static_cast<std::uint32_t>(next.bytes.size()));
    if (scan.invalid_at) continue;
    const bool increases = !scan.last_hlc || next.event.hlc > *scan.last_hlc;
    if (next.fault || !increases) {
      scan.invalid_at = i;
      scan.last_hlc.reset();
    } else {
      scan.last_hlc = next.event.hlc;
      if (i == 0) scan.first_hlc = next.event.hlc;
    }
  }
  if (!reader.at_end()) return Error{ErrorCode::kMalformed, "segment: bytes behind its events"};
  return scan;
}

// Encodes the body and the segment around it from the other fields of `segment`.
void encode(VerifiedSegment& segment, codec::SegmentCodec wanted) {
  const codec::EncodedBody body = codec::encode_body(wanted, *segment.raw);
  segment.codec = body.codec;
  segment.encoded = share(codec::encode_segment({.log = segment.log,
                                                 .first_seq = segment.first_seq,
                                                 .count = segment.count,
                                                 .codec = body.codec,
                                                 .body = body.bytes,
                                                 .prev_chain = segment.prev_chain,
                                                 .head = segment.head}));
}

Bytes signed_bytes(const VerifiedSegment& segment) {
  return head_bytes({.log = segment.log,
                     .seq = segment.head.seq,
                     .hlc = segment.head.hlc,
                     .chain = segment.chain});
}

void take_scan(VerifiedSegment& segment, Scan scan) {
  segment.chain = scan.chain;
  segment.first_hlc = scan.first_hlc.value_or(Hlc{});
  segment.offsets = std::move(scan.offsets);
  segment.invalid_from = scan.invalid_at ? segment.first_seq + *scan.invalid_at : 0;
}

}  // namespace

Result<VerifiedSegment> verify_segment(const LogKey& key, SharedBytes encoded,
                                       const SignatureCheck& signatures) {
  EBB_CHECK(encoded != nullptr);
  EBB_ASSIGN(const codec::SegmentView view, codec::decode_segment(*encoded));
  if (log_id(key) != view.log) return Error{ErrorCode::kBadChain, "segment: of another log"};
  EBB_ASSIGN(Bytes raw, codec::decode_body(view.codec, view.body));
  EBB_ASSIGN(Scan scan, scan_body(raw, view.count, view.prev_chain));
  // The signature covers the head's hlc, but an author that states another than its last event's
  // has signed a head of no event.
  if (scan.last_hlc && *scan.last_hlc != view.head.hlc) {
    return Error{ErrorCode::kMalformed, "segment: hlc of the head is not that of its last event"};
  }
  VerifiedSegment segment;
  segment.key = key;
  segment.log = view.log;
  segment.first_seq = view.first_seq;
  segment.count = view.count;
  segment.prev_chain = view.prev_chain;
  segment.head = view.head;
  segment.codec = view.codec;
  segment.encoded = std::move(encoded);
  segment.raw = share(std::move(raw));
  take_scan(segment, std::move(scan));
  const bool holds = signatures.holds(key.device, signed_bytes(segment), segment.head.signature);
  if (!holds && !planted(Bug::kSkipSignature)) {
    return Error{ErrorCode::kBadSignature, "segment"};
  }
  return segment;
}

VerifiedSegment seal_segment(const Identity& identity, SealRequest request) {
  EBB_CHECK(identity.device() == request.key.device);
  EBB_CHECK(request.raw != nullptr && request.offsets.size() >= 2 && request.first_seq >= 1);
  EBB_CHECK(request.offsets.size() <= limits::kSegmentEvents + 1);
  EBB_CHECK(request.offsets.front() == 0 && request.offsets.back() == request.raw->size());
  EBB_CHECK(request.raw->size() <= limits::kSegmentDecodedBytes);
  VerifiedSegment segment;
  segment.key = std::move(request.key);
  segment.log = request.log;
  segment.first_seq = request.first_seq;
  segment.count = static_cast<std::uint32_t>(request.offsets.size() - 1);
  segment.prev_chain = request.prev_chain;
  segment.first_hlc = request.first_hlc;
  segment.raw = std::move(request.raw);
  segment.offsets = std::move(request.offsets);
  segment.chain = request.chain.value_or(segment.prev_chain);
  for (std::uint32_t i = 0; !request.chain && i < segment.count; ++i) {
    segment.chain = chain_next(segment.chain, event_hash(segment.event_bytes(i)));
  }
  segment.head.seq = segment.last_seq();
  segment.head.hlc = request.last_hlc;
  segment.head.signature = identity.sign(signed_bytes(segment));
  encode(segment, request.codec);
  return segment;
}

Result<VerifiedSegment> cut_segment(const VerifiedSegment& segment, Seq first_seq) {
  if (first_seq < segment.first_seq || first_seq > segment.last_seq()) {
    return Error{ErrorCode::kInvalidArgument, "segment: cut outside of it"};
  }
  if (first_seq == segment.first_seq) return segment;
  const auto skipped = static_cast<std::uint32_t>(first_seq - segment.first_seq);
  VerifiedSegment rest;
  rest.key = segment.key;
  rest.log = segment.log;
  rest.first_seq = first_seq;
  rest.count = segment.count - skipped;
  rest.head = segment.head;
  rest.prev_chain = segment.prev_chain;
  for (std::uint32_t i = 0; i < skipped; ++i) {
    rest.prev_chain = chain_next(rest.prev_chain, event_hash(segment.event_bytes(i)));
  }
  rest.raw = share(to_bytes(ByteView(*segment.raw).subspan(segment.offsets[skipped])));
  EBB_ASSIGN(Scan scan, scan_body(*rest.raw, rest.count, rest.prev_chain));
  take_scan(rest, std::move(scan));
  EBB_CHECK(rest.chain == segment.chain);
  encode(rest, segment.codec);
  return rest;
}

Result<VerifiedSegment> merge_segments(const LogKey& key, const std::vector<SharedBytes>& segments,
                                       codec::SegmentCodec codec) {
  if (segments.empty()) return Error{ErrorCode::kInvalidArgument, "segments: nothing to merge"};
  codec::SegmentView merged;
  Bytes raw;
  for (const SharedBytes& encoded : segments) {
    EBB_ASSIGN(const codec::SegmentView view, codec::decode_segment(*encoded));
    if (merged.count == 0) {
      merged = view;
      merged.count = 0;
    }
    if (view.log != merged.log || view.first_seq != merged.first_seq + merged.count) {
      return Error{ErrorCode::kGap, "segments are not adjacent"};
    }
    EBB_ASSIGN(const Bytes body, codec::decode_body(view.codec, view.body));
    append(raw, body);
    merged.count += view.count;
    merged.head = view.head;
    if (raw.size() > limits::kSegmentDecodedBytes || merged.count > limits::kSegmentEvents) {
      return Error{ErrorCode::kTooLarge, "segments: together"};
    }
  }
  const codec::EncodedBody body = codec::encode_body(codec, raw);
  merged.codec = body.codec;
  merged.body = body.bytes;
  return verify_segment(key, share(codec::encode_segment(merged)));
}

}  // namespace ebb::trust
