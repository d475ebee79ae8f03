// Segment: a run of consecutive events of one log that ends at a signed head; the unit of storage
// and transfer. This room turns bytes into fields and bodies into events; trust/segment_verify.h
// decides whether to believe them.
//
// Model:     SegmentView points into the encoded bytes; a decoded body is owned bytes.
// Errors:    kMalformed, kNotCanonical, kTooLarge, kUnsupported (codec 2 or later).
// Limits:    limits::kSegmentEvents, kSegmentDecodedBytes; zstd content size is checked against the
//            bound before allocation, window <= 2^18.
// Threads:   pure functions; any thread.
// Spec:      docs/wire_format.md section 5
#pragma once

#include <cstdint>
#include <vector>

#include "codec/event.h"
#include "core/bytes.h"
#include "core/hlc.h"
#include "core/ids.h"
#include "core/result.h"

namespace ebb::codec {

// DO NOT CHANGE: stored and sent.
enum class SegmentCodec : std::uint8_t { kRaw = 0, kZstd = 1, kColumnar = 2 };

struct SegmentHead {
  Seq seq = 0;
  Hlc hlc;
  Signature signature;
  bool operator==(const SegmentHead&) const = default;
};

struct SegmentView {
  LogId log;
  Seq first_seq = 0;
  std::uint32_t count = 0;
  SegmentCodec codec = SegmentCodec::kRaw;
  ByteView body;  // as encoded by `codec`
  Hash prev_chain;
  SegmentHead head;

  Seq last_seq() const { return first_seq + count - 1; }
};

Result<SegmentView> decode_segment(ByteView bytes);
Bytes encode_segment(const SegmentView& segment);

// Event bytes one after another.
Result<Bytes> decode_body(SegmentCodec codec, ByteView body);
// kZstd falls back to kRaw when that is not smaller; the codec that was used comes back.
struct EncodedBody {
  SegmentCodec codec = SegmentCodec::kRaw;
  Bytes bytes;
};
EncodedBody encode_body(SegmentCodec wanted, ByteView raw);

// Splits a decoded body into its events; exactly `count` of them, nothing behind. Views point into
// `raw`. An event of a newer format has `newer_format` set and only bytes. Errors: those of
// decode_event for the first bad event, with its index in `detail`.
struct BodyEvent {
  ByteView bytes;
  EventView event;
  bool newer_format = false;
};
Result<std::vector<BodyEvent>> split_body(ByteView raw, std::uint32_t count);

}  // namespace ebb::codec
