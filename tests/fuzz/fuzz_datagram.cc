// Any bytes as what a datagram of each type says.
#include <cstddef>
#include <cstdint>

#include "codec/datagram.h"
#include "codec/message.h"
#include "core/check.h"

using namespace ebb;
using namespace ebb::codec;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  for (std::uint8_t type = 0; type < 6; ++type) {
    const auto datagram = decode_datagram(type, {data, size});
    if (!datagram.ok()) continue;
    EBB_CHECK(datagram_type(*datagram) == type);
    const Bytes again = encode_datagram(*datagram);
    EBB_CHECK(again.size() <= size);
    const auto same = decode_datagram(type, again);
    EBB_CHECK(same.ok());
    EBB_CHECK(encode_datagram(*same) == again);
  }
  return 0;
}
