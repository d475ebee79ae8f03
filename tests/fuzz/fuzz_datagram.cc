// Any bytes as a gossip datagram.
#include <cstddef>
#include <cstdint>

#include "codec/datagram.h"
#include "codec/message.h"
#include "core/check.h"

using namespace ebb;
using namespace ebb::codec;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto datagram = decode_datagram({data, size});
  if (!datagram.ok()) return 0;
  const Bytes again = encode_datagram(*datagram);
  EBB_CHECK(again.size() <= size);
  const auto same = decode_datagram(again);
  EBB_CHECK(same.ok());
  EBB_CHECK(encode_datagram(*same) == again);
  return 0;
}
