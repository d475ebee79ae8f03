// Any bytes as a message, and as a stream of frames.
#include <cstddef>
#include <cstdint>

#include "codec/frame.h"
#include "codec/message.h"
#include "core/check.h"
#include "core/limits.h"

using namespace ebb;
using namespace ebb::codec;

namespace {

// What was accepted is what is sent again; only fields of later versions may be lost.
void check_message(ByteView bytes) {
  const auto message = decode_message(bytes);
  if (!message.ok()) return;
  Bytes encoded;
  encode_message(*message, encoded);
  EBB_CHECK(encoded.size() <= bytes.size());
  const auto again = decode_message(encoded);
  EBB_CHECK(again.ok());
  Bytes same;
  encode_message(*again, same);
  EBB_CHECK(same == encoded);
}

void check_stream(ByteView bytes) {
  FrameSplitter splitter;
  // In two pieces, so that frames cross the cut.
  splitter.push(bytes.first(bytes.size() / 2));
  for (int piece = 0; piece < 2; ++piece) {
    while (true) {
      const auto frame = splitter.next();
      if (!frame.ok()) return;
      EBB_CHECK(splitter.buffered_bytes() <= limits::kBegunBytes + bytes.size());
      if (frame->empty()) break;
      check_message(*frame);
    }
    splitter.push(bytes.subspan(bytes.size() / 2));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  check_message(bytes);
  check_stream(bytes);
  return 0;
}
