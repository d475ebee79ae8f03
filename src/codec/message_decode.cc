#include "codec/auth_message.h"
#include "codec/message.h"
#include "codec/message_types.h"
#include "codec/scope.h"
#include "codec/sync_heads.h"
#include "codec/tape.h"
#include "codec/wire_parts.h"
#include "core/limits.h"
#include "core/planted.h"

namespace ebb::codec {
namespace {

// What a decoder of one message reads from: the fields behind its type. A failure sticks in the
// reader and is looked at once, at the end; until then fields are zero.
using Decoder = Message (*)(TapeReader&);
// Of a message of several kinds, with the number of its fields.
using KindDecoder = Message (*)(TapeReader&, std::size_t);

SignedHead read_signed_head(TapeReader& reader) {
  const auto fields = reader.enter(5);
  SignedHead head;
  head.key = read_log_key(reader);
  head.seq = reader.uint();
  head.hlc = {reader.uint()};
  head.chain = reader.fixed<Hash>();
  head.signature = reader.fixed<Signature>();
  reader.leave(fields);
  return head;
}

// What a packed value unpacks to; nothing after a failure, which sticks in the reader.
template <class Unpacked>
Unpacked taken(TapeReader& reader, Result<Unpacked> unpacked) {
  if (unpacked.ok()) return std::move(*unpacked);
  reader.fail(unpacked.error().code);
  return {};
}

std::vector<ListedHead> read_packed_heads(TapeReader& reader) {
  return taken(reader, unpack_heads(reader.bin()));
}

SyncRange read_range(TapeReader& reader) {
  const auto fields = reader.enter(2);
  SyncRange range;
  range.prefix = reader.ok() ? taken(reader, unpack_prefix(reader.bin())) : IdPrefix{};
  const Status children = unpack_children(reader.bin(), range);
  if (!children.ok()) reader.fail(children.error().code);
  reader.leave(fields);
  return range;
}

std::vector<SyncRange> read_ranges(TapeReader& reader) {
  return read_list<SyncRange>(reader, limits::kRangesPerMessage, read_range);
}

std::vector<LogId> read_log_ids(TapeReader& reader) {
  return read_list<LogId>(reader, limits::kHeadsPerMessage,
                          [](TapeReader& element) { return element.fixed<LogId>(); });
}

WantRange read_want_range(TapeReader& reader) {
  const auto fields = reader.enter(3);
  WantRange range;
  range.log = reader.fixed<LogId>();
  range.from = reader.uint();
  range.to = reader.uint();
  reader.leave(fields);
  return range;
}

PeerAddress read_peer_address(TapeReader& reader) {
  const auto fields = reader.enter(2);
  PeerAddress peer;
  peer.device = reader.fixed<DeviceId>();
  peer.address = reader.str(limits::kAddressBytes);
  reader.leave(fields);
  return peer;
}

Message read_hello(TapeReader& reader) {
  Hello m;
  m.mesh = reader.fixed<MeshId>();
  m.wire_min = reader.uint();
  m.wire_max = reader.uint();
  m.fold_version = reader.uint();
  m.features = reader.uint();
  m.epoch = reader.uint();
  m.arrival_head = reader.uint();
  m.cursor = read_cursor(reader);
  m.changes_since = reader.uint();
  m.my_scope = reader.fixed<ScopeHash>();
  m.your_scope = reader.fixed<ScopeHash>();
  m.root = reader.fixed<Fingerprint>();
  m.count = reader.uint();
  m.wall = {reader.integer()};
  m.budget_class = reader.uint();
  m.reconciliation = reader.fixed<ReconciliationId>();
  return m;
}

Message read_summary(TapeReader& reader) {
  YourLogsSummary m;
  m.fingerprint = reader.fixed<Fingerprint>();
  m.count = reader.uint();
  return m;
}

Message read_heads(TapeReader& reader) {
  YourLogsHeads m;
  m.heads = read_list<SignedHead>(reader, limits::kHeadsPerMessage, read_signed_head);
  m.more = reader.boolean();
  return m;
}

// The kind is the first field of a YOUR_LOGS; each has a shape of its own.
Message read_your_logs(TapeReader& reader, std::size_t fields) {
  const std::uint64_t kind = reader.uint();
  if (kind == static_cast<std::uint8_t>(YourLogsKind::kAsk)) return YourLogsAsk{};
  const bool is_summary = kind == static_cast<std::uint8_t>(YourLogsKind::kSummary);
  if (!is_summary && kind != static_cast<std::uint8_t>(YourLogsKind::kHeads)) {
    reader.fail(ErrorCode::kUnsupported);
    return YourLogsAsk{};
  }
  if (fields < 3) reader.fail(ErrorCode::kMalformed);
  return is_summary ? read_summary(reader) : read_heads(reader);
}

SyncList read_sync_list(TapeReader& reader) {
  SyncList m;
  m.heads = read_packed_heads(reader);
  m.more = reader.boolean();
  m.covered = reader.uint();
  return m;
}

SyncRanges read_sync_ranges(TapeReader& reader) {
  SyncRanges m;
  m.ranges = read_ranges(reader);
  m.heads = read_packed_heads(reader);
  m.covered = reader.uint();
  return m;
}

SyncChanges read_sync_changes(TapeReader& reader) {
  SyncChanges m;
  m.heads = taken(reader, unpack_cut_heads(reader.bin()));
  m.whole = read_packed_heads(reader);
  const std::uint64_t flags = reader.uint();
  m.more = (flags & kChangesMore) != 0;
  m.too_many = (flags & kChangesTooMany) != 0;
  m.covered = reader.uint();
  return m;
}

// The kind is the first field; each has a shape of its own, and what follows another kind is for a
// later version to say.
Message read_sync_req(TapeReader& reader, std::size_t fields) {
  const std::uint64_t kind = reader.uint();
  constexpr std::size_t kFields[] = {2, 2, 2, 2, 3};  // by kind, with the kind
  if (reader.ok() && kind < std::size(kFields) && fields < kFields[kind]) {
    reader.fail(ErrorCode::kMalformed);
  }
  switch (static_cast<SyncReqKind>(kind)) {
    case SyncReqKind::kList:
      return SyncListReq{reader.fixed<LogId>()};
    case SyncReqKind::kRanges:
      return SyncRangesReq{read_ranges(reader)};
    case SyncReqKind::kCuts:
      return SyncCutsReq{taken(reader, unpack_cuts(reader.bin()))};
    case SyncReqKind::kHeads:
      return SyncHeadsReq{read_log_ids(reader)};
    case SyncReqKind::kAudit: {
      SyncAuditReq m;
      m.prefix = reader.ok() ? taken(reader, unpack_prefix(reader.bin())) : IdPrefix{};
      m.fingerprint = reader.fixed<Fingerprint>();
      return m;
    }
  }
  reader.fail(ErrorCode::kUnsupported);
  return SyncListReq{};
}

Message read_sync_resp(TapeReader& reader, std::size_t fields) {
  const std::uint64_t kind = reader.uint();
  constexpr std::size_t kFields[] = {4, 4, 5, 2};  // by kind, with the kind
  if (reader.ok() && kind < std::size(kFields) && fields < kFields[kind]) {
    reader.fail(ErrorCode::kMalformed);
  }
  switch (static_cast<SyncRespKind>(kind)) {
    case SyncRespKind::kList:
      return read_sync_list(reader);
    case SyncRespKind::kRanges:
      return read_sync_ranges(reader);
    case SyncRespKind::kChanges:
      return read_sync_changes(reader);
    case SyncRespKind::kHeads:
      return SyncHeads{read_list<SignedHead>(reader, limits::kHeadsPerMessage, read_signed_head)};
  }
  reader.fail(ErrorCode::kUnsupported);
  return SyncHeads{};
}

Message read_want(TapeReader& reader) {
  Want m;
  m.reconciliation = reader.fixed<ReconciliationId>();
  m.ranges = read_list<WantRange>(reader, limits::kHeadsPerMessage, read_want_range);
  return m;
}

Message read_delta(TapeReader& reader) {
  Delta m;
  m.reconciliation = reader.fixed<ReconciliationId>();
  m.keys = read_list<LogKey>(reader, limits::kHeadsPerMessage, read_log_key);
  m.segments = read_list<ByteView>(reader, limits::kElementsPerContainer,
                                   [](TapeReader& element) { return element.bin(); });
  const std::uint64_t flags = reader.uint();
  m.last = (flags & kDeltaLast) != 0;
  m.flood = (flags & kDeltaFlood) != 0;
  return m;
}

Message read_ack(TapeReader& reader) {
  Ack m;
  m.reconciliation = reader.fixed<ReconciliationId>();
  m.credit_bytes = reader.uint();
  m.durable = read_list<LogSeq>(reader, limits::kHeadsPerMessage, read_log_seq);
  m.done = (reader.uint() & kAckDone) != 0;
  return m;
}

Message read_have(TapeReader& reader) {
  Have m;
  m.heads = read_list<LogSeq>(reader, limits::kHeadsPerMessage, read_log_seq);
  m.covered = reader.uint();
  return m;
}

Message read_prune(TapeReader& reader) { return Prune{read_log_ids(reader)}; }

Message read_ping(TapeReader& reader) {
  Ping m;
  m.nonce = reader.uint();
  m.reply = reader.boolean();
  return m;
}

Message read_peers(TapeReader& reader) {
  Peers m;
  m.peers = read_list<PeerAddress>(reader, limits::kPeersPerMessage, read_peer_address);
  m.shuffle = (reader.uint() & kPeersShuffle) != 0;
  return m;
}

Message read_bye(TapeReader& reader) {
  Bye m;
  m.code = static_cast<ByeCode>(reader.uint_up_to(UINT8_MAX));
  m.text = reader.str(limits::kByeTextBytes);
  return m;
}

// As with YOUR_LOGS.
Message read_scope_message(TapeReader& reader, std::size_t fields) {
  const std::uint64_t kind = reader.uint();
  constexpr std::size_t kFields[] = {1 + kScopeFields, 3};  // by kind, with the kind
  if (reader.ok() && kind < std::size(kFields) && fields < kFields[kind]) {
    reader.fail(ErrorCode::kMalformed);
  }
  switch (static_cast<ScopeMessageKind>(kind)) {
    case ScopeMessageKind::kTold:
      return ScopeTold{read_scope(reader)};
    case ScopeMessageKind::kRoot: {
      ScopeRoot m;
      m.root = reader.fixed<Fingerprint>();
      m.count = reader.uint();
      return m;
    }
  }
  reader.fail(ErrorCode::kUnsupported);
  return ScopeRoot{};
}

struct Shape {
  MessageType type;
  std::size_t fields_min;  // behind the type
  std::string_view context;
  Decoder decode;
  KindDecoder decode_kind = nullptr;  // instead
};

constexpr Shape kShapes[] = {
    {MessageType::kHello, 16, "hello", read_hello},
    {MessageType::kYourLogs, 1, "your_logs", nullptr, read_your_logs},
    {MessageType::kSyncReq, 1, "sync_req", nullptr, read_sync_req},
    {MessageType::kSyncResp, 1, "sync_resp", nullptr, read_sync_resp},
    {MessageType::kWant, 2, "want", read_want},
    {MessageType::kDelta, 4, "delta", read_delta},
    {MessageType::kAck, 4, "ack", read_ack},
    {MessageType::kHave, 2, "have", read_have},
    {MessageType::kPrune, 1, "prune", read_prune},
    {MessageType::kPing, 2, "ping", read_ping},
    {MessageType::kPeers, 2, "peers", read_peers},
    {MessageType::kBye, 2, "bye", read_bye},
    {MessageType::kScope, 1, "scope", nullptr, read_scope_message},
    {MessageType::kAuth, 1, "auth", nullptr, read_auth},
};

}  // namespace

Result<Message> decode_message(ByteView frame) {
  if (frame.size() > limits::kFrameBytes) return Error{ErrorCode::kTooLarge, "message"};
  EBB_ASSIGN(const Tape tape, Tape::parse(frame));
  TapeReader header(tape, "message: type");
  const auto elements = header.enter(1);
  const std::uint64_t type = header.uint();
  EBB_RETURN_IF_ERROR(header.status());
  for (const Shape& shape : kShapes) {
    if (static_cast<std::uint64_t>(shape.type) != type) continue;
    TapeReader reader(tape, shape.context);
    reader.enter(1 + shape.fields_min);
    if (planted(Bug::kRefuseLaterFields) && elements.size > 1 + shape.fields_min) break;
    reader.uint();  // the type
    Message message = shape.decode != nullptr ? shape.decode(reader)
                                              : shape.decode_kind(reader, elements.size - 1);
    EBB_RETURN_IF_ERROR(reader.status());
    return message;
  }
  return Error{ErrorCode::kUnsupported, "message: unknown type"};
}

}  // namespace ebb::codec
