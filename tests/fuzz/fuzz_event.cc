// Any bytes as an event, as a payload and as a body of events.
#include <cstddef>
#include <cstdint>

#include "codec/body_reader.h"
#include "codec/event.h"
#include "codec/value.h"
#include "core/check.h"
#include "core/limits.h"

using namespace ebb;
using namespace ebb::codec;

namespace {

// Whatever is accepted has one encoding only, the one that came.
void check_event(ByteView bytes) {
  const auto event = decode_event(bytes);
  if (!event.ok()) return;
  Bytes again;
  EBB_CHECK(encode_event(*event, again).ok());
  EBB_CHECK(equal(again, bytes));
  EBB_CHECK(to_json(event->payload).ok());
}

void check_value(ByteView bytes) {
  const bool valid = validate(bytes, limits::kPayloadBytes, limits::kDepth).ok();
  const auto json = to_json(bytes);
  EBB_CHECK(!valid || json.ok());
  for (const char* key : {"", "n", "text", "zz"}) {
    const auto found = map_get(bytes, key);
    if (!found) continue;
    EBB_CHECK(found->data() >= bytes.data());
    EBB_CHECK(found->data() + found->size() <= bytes.data() + bytes.size());
    EBB_CHECK(!valid || validate(*found, limits::kPayloadBytes, limits::kDepth).ok());
  }
}

// A body that is walked to its end has every byte in exactly one event.
void check_body(ByteView bytes) {
  BodyReader reader(bytes);
  std::size_t walked = 0;
  while (!reader.at_end()) {
    const auto next = reader.next();
    if (!next.ok()) return;
    EBB_CHECK(!next->bytes.empty() && next->bytes.data() == bytes.data() + walked);
    walked += next->bytes.size();
    if (!next->fault && !next->newer_format) EBB_CHECK(decode_event(next->bytes).ok());
  }
  EBB_CHECK(walked == bytes.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  check_event(bytes);
  check_value(bytes);
  check_body(bytes);
  return 0;
}
