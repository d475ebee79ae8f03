// Any text as an invite, as it is, and any bytes as what is in one whose checksum is right.
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/check.h"
#include "core/limits.h"
#include "trust/hash.h"
#include "trust/invite.h"

using namespace ebb;
using namespace ebb::trust;

namespace {

void check_invite(std::string_view text) {
  const auto read = decode_invite(text);
  if (!read.ok()) return;
  EBB_CHECK(!read->addresses.empty() && read->addresses.size() <= limits::kInviteAddresses);
  EBB_CHECK(read->made < read->expires);
  const auto again = encode_invite(*read);
  EBB_CHECK(again.ok());
  EBB_CHECK(*decode_invite(*again) == *read);
}

std::string with_checksum(ByteView body) {
  const Hash sum = hash({as_bytes("ebb-invite-1"), body});
  Bytes bytes = to_bytes(body);
  append(bytes, sum.view().first(5));
  return "ebb1-" + to_base32(bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  check_invite(as_text(bytes));
  check_invite(with_checksum(bytes));
  return 0;
}
