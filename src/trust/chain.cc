#include "trust/chain.h"

#include "core/check.h"
#include "core/limits.h"
#include "trust/hash.h"

namespace ebb::trust {
namespace {

constexpr std::string_view kLogLabel = "ebb-log-1";
constexpr std::string_view kChainLabel = "ebb-chain-1";
constexpr std::string_view kHeadLabel = "ebb-head-1";
constexpr std::string_view kEventIdLabel = "ebb-event-id-1";
constexpr std::size_t kHeadBytes = 74;

// The first bytes of a hash.
template <class Short>
Short head_of(const Hash& hash) {
  Short value;
  std::memcpy(value.data.data(), hash.data.data(), Short::kSize);
  return value;
}

}  // namespace

Bytes log_key_bytes(const LogKey& key) {
  EBB_CHECK(key.topic.size() <= limits::kTopicBytes);
  Bytes bytes;
  bytes.reserve(DeviceId::kSize + 8 + 1 + key.topic.size());
  append(bytes, key.device.view());
  append_be64(bytes, key.incarnation);
  bytes.push_back(static_cast<std::uint8_t>(key.topic.size()));
  append(bytes, as_bytes(key.topic));
  return bytes;
}

LogId log_id(const LogKey& key) {
  return head_of<LogId>(hash({as_bytes(kLogLabel), log_key_bytes(key)}));
}

Hash chain_start(const LogKey& key) { return hash({as_bytes(kChainLabel), log_key_bytes(key)}); }

Hash event_hash(ByteView event_bytes) { return hash(event_bytes); }

Hash chain_next(const Hash& previous, const Hash& event) {
  std::array<std::uint8_t, 2 * Hash::kSize> joined{};
  std::memcpy(joined.data(), previous.data.data(), Hash::kSize);
  std::memcpy(joined.data() + Hash::kSize, event.data.data(), Hash::kSize);
  return hash(ByteView(joined));
}

Bytes head_bytes(const HeadFields& head) {
  Bytes bytes;
  bytes.reserve(kHeadBytes);
  append(bytes, as_bytes(kHeadLabel));
  append(bytes, head.log.view());
  append_be64(bytes, head.seq);
  append_be64(bytes, head.hlc.value);
  append(bytes, head.chain.view());
  EBB_CHECK(bytes.size() == kHeadBytes);
  return bytes;
}

Uuid derived_event_id(const Dot& dot) {
  Bytes seq;
  append_be64(seq, dot.seq);
  Uuid id = head_of<Uuid>(hash({as_bytes(kEventIdLabel), dot.log.view(), seq}));
  id.data[6] = static_cast<std::uint8_t>((id.data[6] & 0x0f) | 0x80);  // version 8
  id.data[8] = static_cast<std::uint8_t>((id.data[8] & 0x3f) | 0x80);  // variant 10
  return id;
}

}  // namespace ebb::trust
