// Any bytes as the payload of a handshake.
#include <cstddef>
#include <cstdint>

#include "codec/handshake_payload.h"
#include "core/check.h"
#include "core/limits.h"

using namespace ebb;
using namespace ebb::codec;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto payload = decode_handshake_payload(ByteView(data, size));
  if (!payload.ok()) return 0;
  EBB_CHECK(size <= limits::kHandshakePayloadBytes);
  EBB_CHECK(payload->wire_min <= payload->wire_max);
  // What was read once is written and read again as the same.
  EBB_CHECK(*decode_handshake_payload(encode_handshake_payload(*payload)) == *payload);
  return 0;
}
