// Any bytes as the payload of a record of the mesh.
#include <cstddef>
#include <cstdint>

#include "codec/record.h"
#include "codec/value.h"
#include "core/check.h"
#include "core/limits.h"

using namespace ebb;
using namespace ebb::codec;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  // What was read once is written and read again as the same.
  if (const auto opening = decode_opening(bytes); opening.ok()) {
    EBB_CHECK(opening->closes.size() <= limits::kRecordLogs);
    const Bytes again = encode_opening(*opening);
    EBB_CHECK(validate(again, limits::kPayloadBytes, limits::kDepth).ok());
    EBB_CHECK(*decode_opening(again) == *opening);
  }
  if (const auto fix = decode_clock_fix(bytes); fix.ok()) {
    EBB_CHECK(fix->ranges.size() <= limits::kRecordLogs);
    const Bytes again = encode_clock_fix(*fix);
    EBB_CHECK(validate(again, limits::kPayloadBytes, limits::kDepth).ok());
    EBB_CHECK(*decode_clock_fix(again) == *fix);
  }
  if (const auto presence = decode_presence(bytes); presence.ok()) {
    EBB_CHECK(presence->addresses.size() <= limits::kPresenceAddresses);
    const Bytes again = encode_presence(*presence);
    EBB_CHECK(validate(again, limits::kPayloadBytes, limits::kDepth).ok());
    EBB_CHECK(*decode_presence(again) == *presence);
  }
  return 0;
}
