// Any bytes as a segment, believed or not, and as a compressed body.
#include <cstddef>
#include <cstdint>

#include "codec/segment.h"
#include "core/check.h"
#include "core/limits.h"
#include "trust/hash.h"
#include "trust/segment_verify.h"

using namespace ebb;
using namespace ebb::codec;

namespace {

void check_body(SegmentCodec codec, ByteView body, std::uint32_t count) {
  const auto raw = decode_body(codec, body);
  if (!raw.ok()) return;
  EBB_CHECK(raw->size() <= limits::kSegmentDecodedBytes);
  const auto events = split_body(*raw, count);
  if (events.ok()) EBB_CHECK(events->size() == count);
}

void check_segment(ByteView bytes) {
  const auto segment = decode_segment(bytes);
  if (!segment.ok()) return;
  EBB_CHECK(equal(encode_segment(*segment), bytes));
  check_body(segment->codec, segment->body, segment->count);
}

// Nobody can sign for this key, so nothing is believed.
void check_belief(ByteView bytes) {
  const LogKey key{{}, 1, "events"};
  EBB_CHECK(!trust::verify_segment(key, share(to_bytes(bytes))).ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  EBB_CHECK(trust::crypto_ready().ok());
  const ByteView bytes(data, size);
  check_segment(bytes);
  check_belief(bytes);
  check_body(SegmentCodec::kZstd, bytes, 1);
  check_body(SegmentCodec::kRaw, bytes, 3);
  return 0;
}
