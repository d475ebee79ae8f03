#include "codec/handshake_payload.h"

#include <string_view>

#include "codec/tape.h"
#include "codec/value.h"
#include "core/limits.h"

namespace ebb::codec {
namespace {

constexpr std::string_view kProofLabel = "ebb-link-1";
constexpr std::size_t kFields = 8;

}  // namespace

Bytes encode_handshake_payload(const HandshakePayload& payload) {
  Bytes out;
  Writer writer(out);
  writer.array(kFields);
  writer.uint(payload.wire_min);
  writer.uint(payload.wire_max);
  writer.uint(payload.features);
  writer.bin(payload.device.view());
  writer.bin(payload.proof.view());
  writer.uint(payload.receiver_index);
  writer.bin(payload.certificate);
  writer.bin(payload.authority_heads);
  return out;
}

Result<HandshakePayload> decode_handshake_payload(ByteView bytes) {
  if (bytes.size() > limits::kHandshakePayloadBytes) {
    return Error{ErrorCode::kTooLarge, "handshake: payload"};
  }
  EBB_ASSIGN(const Tape tape, Tape::parse(bytes));
  TapeReader reader(tape, "handshake: payload");
  const auto fields = reader.enter(kFields);
  HandshakePayload payload;
  payload.wire_min = reader.uint();
  payload.wire_max = reader.uint();
  payload.features = reader.uint();
  payload.device = reader.fixed<DeviceId>();
  payload.proof = reader.fixed<Signature>();
  payload.receiver_index = static_cast<std::uint32_t>(reader.uint_up_to(UINT32_MAX));
  payload.certificate = to_bytes(reader.bin());
  payload.authority_heads = to_bytes(reader.bin());
  reader.leave(fields);
  EBB_RETURN_IF_ERROR(reader.status());
  if (payload.wire_min > payload.wire_max) {
    return Error{ErrorCode::kMalformed, "handshake: wire versions"};
  }
  return payload;
}

Bytes proof_bytes(HandshakeEnd end, ByteView transcript, ByteView link_key) {
  Bytes bytes;
  bytes.reserve(kProofLabel.size() + 1 + transcript.size() + link_key.size());
  append(bytes, as_bytes(kProofLabel));
  bytes.push_back(static_cast<std::uint8_t>(end));
  append(bytes, transcript);
  append(bytes, link_key);
  return bytes;
}

}  // namespace ebb::codec
