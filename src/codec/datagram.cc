#include "codec/message.h"
#include "codec/tape.h"
#include "codec/value.h"
#include "core/check.h"
#include "core/limits.h"

namespace ebb::codec {
namespace {

constexpr std::uint8_t kPlainGossip = 1;
constexpr std::uint8_t kDatagramVersion = 1;
constexpr std::size_t kReservedAt = 2;
constexpr std::size_t kReceiverAt = 4;
constexpr std::size_t kCounterAt = 8;
constexpr std::size_t kHeaderBytes = 16;
constexpr std::size_t kBodyFields = 8;

Status check_header(ByteView bytes) {
  if (bytes.size() > limits::kDatagramBytes) return Error{ErrorCode::kTooLarge, "datagram"};
  if (bytes.size() < kHeaderBytes) return Error{ErrorCode::kMalformed, "datagram: header"};
  if (bytes[0] != kPlainGossip || bytes[1] != kDatagramVersion) {
    return Error{ErrorCode::kUnsupported, "datagram: type or version"};
  }
  if (read_be16(bytes.subspan(kReservedAt)) != 0 || read_be32(bytes.subspan(kReceiverAt)) != 0) {
    return Error{ErrorCode::kMalformed, "datagram: header"};
  }
  return {};
}

}  // namespace

Bytes encode_datagram(const GossipDatagram& datagram) {
  Bytes out{kPlainGossip, kDatagramVersion};
  append_be16(out, 0);
  append_be32(out, 0);
  append_be64(out, datagram.counter);
  Writer writer(out);
  writer.array(kBodyFields);
  writer.bin(datagram.mesh.view());
  writer.bin(datagram.device.view());
  writer.bin(datagram.root.view());
  writer.uint(datagram.count);
  writer.uint(datagram.epoch);
  writer.uint(datagram.arrival_head);
  writer.uint(datagram.listen_port);
  writer.boolean(datagram.answer);
  EBB_CHECK(out.size() <= limits::kDatagramBytes);
  return out;
}

Result<GossipDatagram> decode_datagram(ByteView bytes) {
  EBB_RETURN_IF_ERROR(check_header(bytes));
  EBB_ASSIGN(const Tape tape, Tape::parse(bytes.subspan(kHeaderBytes)));
  TapeReader reader(tape, "datagram");
  GossipDatagram datagram;
  datagram.counter = read_be64(bytes.subspan(kCounterAt));
  reader.enter(kBodyFields);
  datagram.mesh = reader.fixed<MeshId>();
  datagram.device = reader.fixed<DeviceId>();
  datagram.root = reader.fixed<Fingerprint>();
  datagram.count = reader.uint();
  datagram.epoch = reader.uint();
  datagram.arrival_head = reader.uint();
  datagram.listen_port = static_cast<std::uint16_t>(reader.uint_up_to(UINT16_MAX));
  datagram.answer = reader.boolean();
  EBB_RETURN_IF_ERROR(reader.status());
  return datagram;
}

}  // namespace ebb::codec
