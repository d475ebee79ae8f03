#include "codec/message.h"

#include <algorithm>

#include "codec/frame.h"
#include "codec/message_types.h"
#include "codec/scope.h"
#include "codec/sync_heads.h"
#include "codec/value.h"
#include "core/check.h"
#include "core/limits.h"

namespace ebb::codec {
namespace {

// Writes each message as an array; `begin` is its header and type.
class MessageWriter {
 public:
  explicit MessageWriter(Bytes& out) : writer_(out) {}

  void operator()(const Hello& m) {
    begin(MessageType::kHello, 16);
    writer_.bin(m.mesh.view());
    writer_.uint(m.wire_min);
    writer_.uint(m.wire_max);
    writer_.uint(m.fold_version);
    writer_.uint(m.features);
    writer_.uint(m.epoch);
    writer_.uint(m.arrival_head);
    writer_.array(2);
    writer_.uint(m.cursor.epoch);
    writer_.uint(m.cursor.arrival);
    writer_.uint(m.changes_since);
    writer_.bin(m.my_scope.view());
    writer_.bin(m.your_scope.view());
    writer_.bin(m.root.view());
    writer_.uint(m.count);
    writer_.integer(m.wall.ms);
    writer_.uint(m.budget_class);
    writer_.bin(m.reconciliation.view());
  }

  void operator()(const YourLogsSummary& m) {
    begin_your_logs(YourLogsKind::kSummary, 2);
    writer_.bin(m.fingerprint.view());
    writer_.uint(m.count);
  }

  void operator()(const YourLogsAsk&) { begin_your_logs(YourLogsKind::kAsk, 0); }

  void operator()(const YourLogsHeads& m) {
    begin_your_logs(YourLogsKind::kHeads, 2);
    signed_heads(m.heads);
    writer_.boolean(m.more);
  }

  void operator()(const SyncListReq& m) {
    begin_sync(SyncReqKind::kList, 1);
    writer_.bin(m.after.view());
  }

  void operator()(const SyncRangesReq& m) {
    begin_sync(SyncReqKind::kRanges, 1);
    ranges(m.ranges);
  }

  void operator()(const SyncCutsReq& m) {
    begin_sync(SyncReqKind::kCuts, 1);
    writer_.bin(pack_cuts(m.cuts));
  }

  void operator()(const SyncHeadsReq& m) {
    begin_sync(SyncReqKind::kHeads, 1);
    log_ids(m.logs);
  }

  void operator()(const SyncAuditReq& m) {
    begin_sync(SyncReqKind::kAudit, 2);
    writer_.bin(pack_prefix(m.prefix));
    writer_.bin(m.fingerprint.view());
  }

  void operator()(const SyncList& m) {
    begin_sync(SyncRespKind::kList, 3);
    writer_.bin(pack_heads(m.heads));
    writer_.boolean(m.more);
    writer_.uint(m.covered);
  }

  void operator()(const SyncRanges& m) {
    begin_sync(SyncRespKind::kRanges, 3);
    ranges(m.ranges);
    writer_.bin(pack_heads(m.heads));
    writer_.uint(m.covered);
  }

  void operator()(const SyncChanges& m) {
    begin_sync(SyncRespKind::kChanges, 4);
    writer_.bin(pack_cut_heads(m.heads));
    writer_.bin(pack_heads(m.whole));
    writer_.uint((m.more ? kChangesMore : 0) | (m.too_many ? kChangesTooMany : 0));
    writer_.uint(m.covered);
  }

  void operator()(const SyncHeads& m) {
    begin_sync(SyncRespKind::kHeads, 1);
    signed_heads(m.heads);
  }

  void operator()(const Want& m) {
    begin(MessageType::kWant, 2);
    writer_.bin(m.reconciliation.view());
    writer_.array(m.ranges.size());
    for (const WantRange& range : m.ranges) {
      writer_.array(3);
      writer_.bin(range.log.view());
      writer_.uint(range.from);
      writer_.uint(range.to);
    }
  }

  void operator()(const Delta& m) {
    begin(MessageType::kDelta, 4);
    writer_.bin(m.reconciliation.view());
    writer_.array(m.keys.size());
    for (const LogKey& key : m.keys)
      log_key(key);
    writer_.array(m.segments.size());
    for (ByteView segment : m.segments)
      writer_.bin(segment);
    writer_.uint((m.last ? kDeltaLast : 0) | (m.flood ? kDeltaFlood : 0));
  }

  void operator()(const Ack& m) {
    begin(MessageType::kAck, 4);
    writer_.bin(m.reconciliation.view());
    writer_.uint(m.credit_bytes);
    log_seqs(m.durable);
    writer_.uint(m.done ? kAckDone : 0);
  }

  void operator()(const Have& m) {
    begin(MessageType::kHave, 2);
    log_seqs(m.heads);
    writer_.uint(m.covered);
  }

  void operator()(const Prune& m) {
    begin(MessageType::kPrune, 1);
    log_ids(m.logs);
  }

  void operator()(const Ping& m) {
    begin(MessageType::kPing, 2);
    writer_.uint(m.nonce);
    writer_.boolean(m.reply);
  }

  void operator()(const Peers& m) {
    begin(MessageType::kPeers, 2);
    writer_.array(m.peers.size());
    for (const PeerAddress& peer : m.peers) {
      writer_.array(2);
      writer_.bin(peer.device.view());
      writer_.str(peer.address);
    }
    writer_.uint(m.shuffle ? kPeersShuffle : 0);
  }

  void operator()(const Bye& m) {
    begin(MessageType::kBye, 2);
    writer_.uint(static_cast<std::uint8_t>(m.code));
    writer_.str(m.text);
  }

  void operator()(const ScopeTold& m) {
    begin(MessageType::kScope, 1 + kScopeFields);
    writer_.uint(static_cast<std::uint8_t>(ScopeMessageKind::kTold));
    write_scope(writer_, m.scope);
  }

  void operator()(const ScopeRoot& m) {
    begin(MessageType::kScope, 3);
    writer_.uint(static_cast<std::uint8_t>(ScopeMessageKind::kRoot));
    writer_.bin(m.root.view());
    writer_.uint(m.count);
  }

  void operator()(const AuthRecords& m) {
    begin_auth(AuthKind::kRecords, 4);
    writer_.array(m.records.size());
    for (const ByteView record : m.records)
      writer_.bin(record);
    writer_.boolean(m.more);
    writer_.bin(m.digest.view());
    writer_.integer(m.wall.ms);
  }

  void operator()(const AuthAsk& m) {
    begin_auth(AuthKind::kAsk, 1);
    writer_.str(m.label);
  }

  void operator()(const AuthRefused& m) {
    begin_auth(AuthKind::kRefused, 2);
    writer_.uint(static_cast<std::uint8_t>(m.code));
    writer_.str(m.text);
  }

  void operator()(const AuthMesh& m) {
    begin_auth(AuthKind::kMesh, 2);
    writer_.bin(m.genesis);
    writer_.bin(m.secret ? m.secret->view() : ByteView());
  }

  void operator()(const AuthGrant& m) {
    begin_auth(AuthKind::kGrant, 3);
    writer_.uint(static_cast<std::uint8_t>(m.access));
    writer_.uint(m.roles);
    writer_.str(m.text);
  }

  void operator()(const AuthCompare& m) {
    begin_auth(AuthKind::kCompare, 2);
    writer_.bin(m.digest.view());
    writer_.array(m.logs.size());
    for (const AuthorityLogDigest& log : m.logs) {
      writer_.array(2);
      writer_.bin(log.authority.view());
      writer_.bin(log.digest.view());
    }
  }

 private:
  void begin(MessageType type, std::size_t fields) {
    writer_.array(1 + fields);
    writer_.uint(static_cast<std::uint8_t>(type));
  }

  void begin_your_logs(YourLogsKind kind, std::size_t fields) {
    begin(MessageType::kYourLogs, 1 + fields);
    writer_.uint(static_cast<std::uint8_t>(kind));
  }

  void begin_auth(AuthKind kind, std::size_t fields) {
    begin(MessageType::kAuth, 1 + fields);
    writer_.uint(static_cast<std::uint8_t>(kind));
  }

  void begin_sync(SyncReqKind kind, std::size_t fields) {
    begin(MessageType::kSyncReq, 1 + fields);
    writer_.uint(static_cast<std::uint8_t>(kind));
  }

  void begin_sync(SyncRespKind kind, std::size_t fields) {
    begin(MessageType::kSyncResp, 1 + fields);
    writer_.uint(static_cast<std::uint8_t>(kind));
  }

  void signed_heads(const std::vector<SignedHead>& heads) {
    writer_.array(heads.size());
    for (const SignedHead& head : heads) {
      writer_.array(5);
      log_key(head.key);
      writer_.uint(head.seq);
      writer_.uint(head.hlc.value);
      writer_.bin(head.chain.view());
      writer_.bin(head.signature.view());
    }
  }

  void ranges(const std::vector<SyncRange>& ranges) {
    writer_.array(ranges.size());
    for (const SyncRange& range : ranges) {
      writer_.array(2);
      writer_.bin(pack_prefix(range.prefix));
      writer_.bin(pack_children(range));
    }
  }

  void log_ids(const std::vector<LogId>& logs) {
    writer_.array(logs.size());
    for (const LogId& log : logs)
      writer_.bin(log.view());
  }

  void log_key(const LogKey& key) {
    writer_.array(3);
    writer_.bin(key.device.view());
    writer_.uint(key.incarnation);
    writer_.str(key.topic);
  }

  void log_seqs(const std::vector<LogSeq>& positions) {
    writer_.array(positions.size());
    for (const LogSeq& position : positions) {
      writer_.array(2);
      writer_.bin(position.log.view());
      writer_.uint(position.seq);
    }
  }

  Writer writer_;
};

struct Name {
  std::string_view operator()(const Hello&) const { return "hello"; }
  std::string_view operator()(const YourLogsSummary&) const { return "your_logs"; }
  std::string_view operator()(const YourLogsAsk&) const { return "your_logs"; }
  std::string_view operator()(const YourLogsHeads&) const { return "your_logs"; }
  std::string_view operator()(const SyncListReq&) const { return "sync_req"; }
  std::string_view operator()(const SyncRangesReq&) const { return "sync_req"; }
  std::string_view operator()(const SyncCutsReq&) const { return "sync_req"; }
  std::string_view operator()(const SyncHeadsReq&) const { return "sync_req"; }
  std::string_view operator()(const SyncAuditReq&) const { return "sync_req"; }
  std::string_view operator()(const SyncList&) const { return "sync_resp"; }
  std::string_view operator()(const SyncRanges&) const { return "sync_resp"; }
  std::string_view operator()(const SyncChanges&) const { return "sync_resp"; }
  std::string_view operator()(const SyncHeads&) const { return "sync_resp"; }
  std::string_view operator()(const Want&) const { return "want"; }
  std::string_view operator()(const Delta&) const { return "delta"; }
  std::string_view operator()(const Ack&) const { return "ack"; }
  std::string_view operator()(const Have&) const { return "have"; }
  std::string_view operator()(const Prune&) const { return "prune"; }
  std::string_view operator()(const Ping&) const { return "ping"; }
  std::string_view operator()(const Peers&) const { return "peers"; }
  std::string_view operator()(const Bye&) const { return "bye"; }
  std::string_view operator()(const ScopeTold&) const { return "scope"; }
  std::string_view operator()(const ScopeRoot&) const { return "scope"; }
  std::string_view operator()(const AuthRecords&) const { return "auth"; }
  std::string_view operator()(const AuthAsk&) const { return "auth"; }
  std::string_view operator()(const AuthRefused&) const { return "auth"; }
  std::string_view operator()(const AuthMesh&) const { return "auth"; }
  std::string_view operator()(const AuthGrant&) const { return "auth"; }
  std::string_view operator()(const AuthCompare&) const { return "auth"; }
};

}  // namespace

std::string_view message_name(const Message& message) { return std::visit(Name{}, message); }

void encode_message(const Message& message, Bytes& out) {
  const std::size_t begin = out.size();
  std::visit(MessageWriter(out), message);
  // Whoever builds a message splits it before it gets this large.
  EBB_CHECK(out.size() - begin <= limits::kFrameBytes);
}

void add_field(Bytes& message) {
  constexpr std::uint8_t kShort = 0x90;  // up to 15 elements
  constexpr std::uint8_t kLong = 0xdc;   // and two bytes of count
  EBB_CHECK(!message.empty() && (message[0] == kLong || (message[0] & 0xf0) == kShort));
  if (message[0] == kLong) {
    EBB_CHECK(message[2] < 0xff);
    ++message[2];
  } else if (message[0] < kShort + 15) {
    ++message[0];
  } else {
    message[0] = kLong;
    message.insert(message.begin() + 1, {0, 16});
  }
  Writer(message).uint(kWireVersion + 1);
}

Bytes later_message() {
  constexpr std::uint64_t kType = 200;
  Bytes message;
  Writer writer(message);
  writer.array(2);
  writer.uint(kType);
  writer.uint(kWireVersion + 1);
  return message;
}

void append_frame(Priority priority, ByteView message, Bytes& out) {
  while (!message.empty()) {
    const std::size_t size = std::min(message.size(), limits::kChunkBytes);
    append_chunk(priority, message.first(size), size < message.size(), out);
    message = message.subspan(size);
  }
}

void encode_frame(const Message& message, Bytes& out) {
  Bytes bytes;
  encode_message(message, bytes);
  append_frame(Priority::kControl, bytes, out);
}

}  // namespace ebb::codec
