#include "codec/datagram.h"

#include <iterator>
#include <utility>

#include "codec/tape.h"
#include "codec/value.h"
#include "codec/wire_parts.h"
#include "core/check.h"
#include "core/limits.h"

namespace ebb::codec {
namespace {

// DO NOT CHANGE: sent.
enum class DatagramType : std::uint8_t { kRoot = 1, kHeads = 2, kWant = 3, kSegments = 4 };

constexpr std::size_t kFields[] = {13, 1, 1, 2};  // by type
static_assert(std::size(kFields) == std::variant_size_v<DatagramBody>);

class BodyWriter {
 public:
  explicit BodyWriter(Writer& writer) : writer_(writer) {}

  void operator()(const RootDatagram& m) {
    writer_.array(13);
    writer_.uint(m.question);
    writer_.bin(m.root.view());
    writer_.uint(m.count);
    writer_.uint(m.epoch);
    writer_.uint(m.arrival_head);
    writer_.array(2);
    writer_.uint(m.cursor.epoch);
    writer_.uint(m.cursor.arrival);
    writer_.bin(m.view.view());
    writer_.uint(m.view_count);
    heads(m.view_heads);
    writer_.uint(m.listen_port);
    writer_.boolean(m.answer);
    writer_.bin(m.my_scope.view());
    writer_.bin(m.your_scope.view());
  }

  void operator()(const HeadsDatagram& m) {
    writer_.array(1);
    heads(m.heads);
  }

  void operator()(const WantDatagram& m) {
    writer_.array(1);
    writer_.array(m.logs.size());
    for (const LogSeq& wanted : m.logs) {
      writer_.array(2);
      writer_.bin(wanted.log.view());
      writer_.uint(wanted.seq);
    }
  }

  void operator()(const SegmentsDatagram& m) {
    writer_.array(2);
    writer_.array(m.keys.size());
    for (const LogKey& key : m.keys) {
      writer_.array(3);
      writer_.bin(key.device.view());
      writer_.uint(key.incarnation);
      writer_.str(key.topic);
    }
    writer_.array(m.segments.size());
    for (ByteView segment : m.segments)
      writer_.bin(segment);
  }

 private:
  void heads(const std::vector<ListedHead>& list) {
    writer_.array(list.size());
    for (const ListedHead& head : list) {
      writer_.array(3);
      writer_.bin(head.log.view());
      writer_.uint(head.seq);
      writer_.bin(head.chain.view());
    }
  }

  Writer& writer_;
};

std::vector<ListedHead> read_heads(TapeReader& reader, std::size_t most) {
  const auto list = reader.enter_list(most);
  std::vector<ListedHead> heads;
  heads.reserve(list.size);
  for (std::size_t i = 0; i < list.size && reader.ok(); ++i) {
    const auto fields = reader.enter(3);
    ListedHead head;
    head.log = reader.fixed<LogId>();
    head.seq = reader.uint();
    head.chain = reader.fixed<ChainPrefix>();
    reader.leave(fields);
    heads.push_back(head);
  }
  reader.leave(list);
  return heads;
}

RootDatagram read_root(TapeReader& reader) {
  RootDatagram m;
  m.question = static_cast<QuestionNumber>(reader.uint_up_to(UINT8_MAX));
  if (m.question == 0) reader.fail(ErrorCode::kMalformed);
  m.root = reader.fixed<Fingerprint>();
  m.count = reader.uint();
  m.epoch = reader.uint();
  m.arrival_head = reader.uint();
  m.cursor = read_cursor(reader);
  m.view = reader.fixed<Fingerprint>();
  m.view_count = reader.uint();
  m.view_heads = read_heads(reader, limits::kViewPerDatagram);
  m.listen_port = static_cast<std::uint16_t>(reader.uint_up_to(UINT16_MAX));
  m.answer = reader.boolean();
  m.my_scope = reader.fixed<ScopeHash>();
  m.your_scope = reader.fixed<ScopeHash>();
  return m;
}

WantDatagram read_want(TapeReader& reader) {
  return {read_list<LogSeq>(reader, limits::kHeadsPerDatagram, read_log_seq)};
}

SegmentsDatagram read_segments(TapeReader& reader) {
  SegmentsDatagram m;
  m.keys = read_list<LogKey>(reader, limits::kHeadsPerDatagram, read_log_key);
  m.segments = read_list<ByteView>(reader, limits::kHeadsPerDatagram,
                                   [](TapeReader& each) { return each.bin(); });
  return m;
}

DatagramBody read_body(DatagramType type, TapeReader& reader) {
  switch (type) {
    case DatagramType::kRoot:
      return read_root(reader);
    case DatagramType::kHeads:
      return HeadsDatagram{read_heads(reader, limits::kHeadsPerDatagram)};
    case DatagramType::kWant:
      return read_want(reader);
    case DatagramType::kSegments:
      return read_segments(reader);
  }
  reader.fail(ErrorCode::kUnsupported);
  return HeadsDatagram{};
}

}  // namespace

std::uint8_t datagram_type(const DatagramBody& body) {
  return static_cast<std::uint8_t>(body.index() + 1);
}

Bytes encode_datagram(const DatagramBody& body) {
  Bytes out;
  Writer writer(out);
  std::visit(BodyWriter(writer), body);
  // Whoever builds a datagram counts before it gets this large.
  EBB_CHECK(out.size() <= kDatagramBodyBytes);
  return out;
}

Result<DatagramBody> decode_datagram(std::uint8_t type, ByteView plain) {
  if (plain.size() > kDatagramBodyBytes) return Error{ErrorCode::kTooLarge, "datagram"};
  if (type < 1 || type > std::variant_size_v<DatagramBody>) {
    return Error{ErrorCode::kUnsupported, "datagram: type"};
  }
  EBB_ASSIGN(const Tape tape, Tape::parse(plain));
  TapeReader reader(tape, "datagram");
  const auto fields = reader.enter(kFields[type - 1]);
  DatagramBody body = read_body(static_cast<DatagramType>(type), reader);
  reader.leave(fields);
  EBB_RETURN_IF_ERROR(reader.status());
  return body;
}

}  // namespace ebb::codec
