#include "channel/beacon.h"

#include "core/check.h"

namespace ebb::channel {
namespace {

constexpr std::uint8_t kLayout = 1;
constexpr std::size_t kSigned = kBeaconBytes - kMacBytes;

}  // namespace

Bytes write_beacon(const AccessKey& key, const Beacon& beacon) {
  EBB_CHECK(beacon.port != 0);
  Bytes bytes;
  bytes.reserve(kBeaconBytes);
  bytes.push_back(kLayout);
  append(bytes, beacon.nonce.view());
  bytes.push_back(static_cast<std::uint8_t>(beacon.port >> 8));
  bytes.push_back(static_cast<std::uint8_t>(beacon.port & 0xff));
  append(bytes, key.mac(bytes).view());
  return bytes;
}

Result<Beacon> read_beacon(const AccessKey& key, ByteView bytes) {
  if (bytes.empty()) return Error{ErrorCode::kMalformed, "beacon", "empty"};
  if (bytes[0] != kLayout) return Error{ErrorCode::kUnsupported, "beacon", "of another layout"};
  if (bytes.size() != kBeaconBytes) return Error{ErrorCode::kMalformed, "beacon", "length"};
  const ByteView body = bytes.first(kSigned);
  if (!key.fits(*Mac::from(bytes.subspan(kSigned)), body)) {
    return Error{ErrorCode::kBadSignature, "beacon", "of another mesh"};
  }
  Beacon beacon;
  beacon.nonce = *BeaconNonce::from(body.subspan(1, BeaconNonce::kSize));
  beacon.port = static_cast<std::uint16_t>(body[kSigned - 2] << 8 | body[kSigned - 1]);
  if (beacon.port == 0) return Error{ErrorCode::kMalformed, "beacon", "port"};
  return beacon;
}

}  // namespace ebb::channel
