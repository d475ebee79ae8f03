#include "codec/segment.h"

#include "codec/body_reader.h"
#include "codec/tape.h"
#include "codec/value.h"
#include "core/limits.h"

namespace ebb::codec {
namespace {

constexpr std::size_t kFields = 7;
constexpr std::size_t kHeadFields = 3;

Status check_bounds(const SegmentView& segment) {
  if (segment.first_seq == 0 || segment.count == 0) {
    return Error{ErrorCode::kMalformed, "segment: first_seq or count is 0"};
  }
  if (segment.count > limits::kSegmentEvents) return Error{ErrorCode::kTooLarge, "segment: count"};
  if (segment.body.size() > limits::kSegmentDecodedBytes) {
    return Error{ErrorCode::kTooLarge, "segment: body"};
  }
  if (segment.first_seq > UINT64_MAX - segment.count || segment.head.seq != segment.last_seq()) {
    return Error{ErrorCode::kMalformed, "segment: head is not at its last event"};
  }
  return {};
}

}  // namespace

Result<SegmentView> decode_segment(ByteView bytes) {
  EBB_ASSIGN(const Tape tape, Tape::parse(bytes));
  TapeReader reader(tape, "segment");
  SegmentView segment;
  const auto fields = reader.enter_exactly(kFields);
  segment.log = reader.fixed<LogId>();
  segment.first_seq = reader.uint();
  segment.count = static_cast<std::uint32_t>(reader.uint_up_to(UINT32_MAX));
  const std::uint64_t codec = reader.uint();
  segment.body = reader.bin();
  segment.prev_chain = reader.fixed<Hash>();
  const auto head = reader.enter_exactly(kHeadFields);
  segment.head.seq = reader.uint();
  segment.head.hlc = {reader.uint()};
  segment.head.signature = reader.fixed<Signature>();
  reader.leave(head);
  reader.leave(fields);
  EBB_RETURN_IF_ERROR(reader.status());
  if (codec > static_cast<std::uint64_t>(SegmentCodec::kZstd)) {
    return Error{ErrorCode::kUnsupported, "segment: codec"};
  }
  segment.codec = static_cast<SegmentCodec>(codec);
  EBB_RETURN_IF_ERROR(check_bounds(segment));
  return segment;
}

Bytes encode_segment(const SegmentView& segment) {
  Bytes out;
  out.reserve(segment.body.size() + 192);  // 7 headers, two hashes, a signature and numbers
  Writer writer(out);
  writer.array(kFields);
  writer.bin(segment.log.view());
  writer.uint(segment.first_seq);
  writer.uint(segment.count);
  writer.uint(static_cast<std::uint8_t>(segment.codec));
  writer.bin(segment.body);
  writer.bin(segment.prev_chain.view());
  writer.array(kHeadFields);
  writer.uint(segment.head.seq);
  writer.uint(segment.head.hlc.value);
  writer.bin(segment.head.signature.view());
  return out;
}

Result<std::vector<BodyEvent>> split_body(ByteView raw, std::uint32_t count) {
  std::vector<BodyEvent> events;
  BodyReader reader(raw);
  while (!reader.at_end()) {
    if (events.size() == count) return Error{ErrorCode::kMalformed, "segment: more than its count"};
    EBB_ASSIGN(BodyReader::Next next, reader.next());
    if (next.fault) {
      next.fault->detail = "event " + std::to_string(events.size());
      return *next.fault;
    }
    events.push_back({next.bytes, next.event, next.newer_format});
  }
  if (events.size() != count) return Error{ErrorCode::kMalformed, "segment: less than its count"};
  return events;
}

}  // namespace ebb::codec
