// One of each thing that goes over the wire, with recognisable values in every field. For the
// tests that take every form apart: vectors, malformed bytes, fuzzing.
//
// Threads: pure functions; any thread.
#pragma once

#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "codec/datagram.h"
#include "codec/event.h"
#include "codec/message.h"
#include "codec/segment.h"
#include "codec/value.h"
#include "core/bytes.h"
#include "core/check.h"

namespace ebb::tests {

// N bytes that count up from `first`.
template <class Fixed>
Fixed counting(std::uint8_t first) {
  Fixed value;
  for (std::size_t i = 0; i < Fixed::kSize; ++i) {
    value.data[i] = static_cast<std::uint8_t>(first + i);
  }
  return value;
}

// {"": null, "deep": [[1.0, -0.0]], "n": -1, "text": "é"} and the like: every type of value.
inline Bytes sample_payload() {
  Bytes out;
  codec::Writer writer(out);
  writer.map(5);
  writer.str("");
  writer.nil();
  writer.str("deep");
  writer.array(2);
  writer.array(2);
  writer.real(1.0);
  writer.real(-0.0);
  writer.boolean(true);
  writer.str("max");
  writer.uint(UINT64_MAX);
  writer.str("n");
  writer.integer(INT64_MIN);
  writer.str("text");
  writer.str("\xc3\xa9\xf0\x9f\x8c\x8a");
  return out;
}

inline constexpr std::int64_t kSampleMs = 1700000000000;

// The n-th event, from 1; odd ones have every optional field, even ones none.
inline Bytes sample_event(std::uint16_t n) {
  const Bytes payload = sample_payload();
  codec::EventView event;
  event.hlc = Hlc::at({kSampleMs}, n);
  event.type = "page.view";
  event.payload = payload;
  if (n % 2 == 1) {
    event.flags = codec::kEventFormat | codec::kFlagSuspectTime;
    event.ts_ms = -1;
    event.source = "till-7";
    event.schema = 300;
    event.id = counting<Uuid>(0x10);
  }
  Bytes out;
  EBB_CHECK(codec::encode_event(event, out).ok());
  return out;
}

inline Bytes sample_body(std::uint16_t events) {
  Bytes raw;
  for (std::uint16_t n = 1; n <= events; ++n)
    append(raw, sample_event(n));
  return raw;
}

// Not signed: the codec does not look.
inline Bytes sample_segment(std::uint16_t events, codec::SegmentCodec wanted) {
  const codec::EncodedBody body = codec::encode_body(wanted, sample_body(events));
  codec::SegmentView segment;
  segment.log = counting<LogId>(0x20);
  segment.first_seq = 1;
  segment.count = events;
  segment.codec = body.codec;
  segment.body = body.bytes;
  segment.prev_chain = counting<Hash>(0x30);
  segment.head = {events, Hlc::at({kSampleMs}, events), counting<Signature>(0x40)};
  return codec::encode_segment(segment);
}

inline codec::Hello sample_hello() {
  codec::Hello hello;
  hello.mesh = counting<MeshId>(0x50);
  hello.wire_max = 2;
  hello.fold_version = 3;
  hello.features = 5;
  hello.epoch = 0x0102030405060708;
  hello.arrival_head = 70000;
  hello.cursor = {0x1112131415161718, 300};
  hello.changes_since = 200;
  hello.my_scope = counting<ScopeHash>(0x60);
  hello.your_scope = counting<ScopeHash>(0x68);
  hello.root = counting<Fingerprint>(0x70);
  hello.count = 12;
  hello.wall = {kSampleMs};
  hello.budget_class = 1;
  hello.reconciliation = counting<ReconciliationId>(0x80);
  return hello;
}

// Every message by a name for files; `segment` must outlive it.
inline std::vector<std::pair<std::string, codec::Message>> sample_messages(ByteView segment) {
  const auto reconciliation = counting<ReconciliationId>(0x80);
  const auto log = counting<LogId>(0x20);
  const LogKey key{counting<DeviceId>(0x90), 0x2122232425262728, "events"};
  const LogKey control{counting<DeviceId>(0x90), 1, "_ebb"};
  const codec::SignedHead head{key, 300, Hlc::at({kSampleMs}, 2), counting<Hash>(0x30),
                               counting<Signature>(0x40)};
  const std::vector<codec::ListedHead> listed{{log, 300, counting<codec::ChainPrefix>(0x30)},
                                              {counting<LogId>(0x21), 1, {}}};
  codec::SyncRange range;
  range.prefix = IdPrefix{}.child(0xa).child(0x5).child(0xf);
  range.children[0] = counting<Fingerprint>(0x70);
  range.children[9] = counting<Fingerprint>(0x71);
  const std::vector<codec::LogSeq> positions{{log, 1}, {counting<LogId>(0x21), 70000}};
  const Bytes secret(MeshSecret::kSize, 0x22);
  // Messages are moved, which a list of initializers does not.
  std::pair<std::string, codec::Message> all[] = {
      {"hello", sample_hello()},
      {"your_logs_summary", codec::YourLogsSummary{counting<Fingerprint>(0x70), 3}},
      {"your_logs_ask", codec::YourLogsAsk{}},
      {"your_logs_heads", codec::YourLogsHeads{{head, head}, true}},
      {"sync_req_list", codec::SyncListReq{log}},
      {"sync_req_ranges", codec::SyncRangesReq{{range, codec::SyncRange{}}}},
      {"sync_req_cuts", codec::SyncCutsReq{{counting<codec::LogCut>(0xa0)}}},
      {"sync_req_heads", codec::SyncHeadsReq{{log}}},
      {"sync_req_audit", codec::SyncAuditReq{range.prefix, counting<Fingerprint>(0x70)}},
      {"sync_resp_list", codec::SyncList{listed, true, 70000}},
      {"sync_resp_ranges", codec::SyncRanges{{range}, listed, 70000}},
      {"sync_resp_changes",
       codec::SyncChanges{{{counting<codec::LogCut>(0xa0), 70000, counting<codec::ChainCut>(0x30)}},
                          listed,
                          true,
                          false,
                          300}},
      {"sync_resp_heads", codec::SyncHeads{{head}}},
      {"want", codec::Want{reconciliation, {{log, 1, 0}, {log, 7, 300}}}},
      {"delta", codec::Delta{reconciliation, {key, control}, {segment, segment}, true, true}},
      {"ack", codec::Ack{reconciliation, 65536, positions, true}},
      {"have", codec::Have{positions, 300}},
      {"prune", codec::Prune{{log}}},
      {"ping", codec::Ping{300, true}},
      {"peers", codec::Peers{{{counting<DeviceId>(0x90), "127.0.0.1:7400"}}, true}},
      {"bye", codec::Bye{codec::ByeCode::kProtocolError, "frame too large"}},
      {"scope_told",
       codec::ScopeTold{{ScopeKind::kPartial, {"a", "b"}, {counting<DeviceId>(0x90)}}}},
      {"scope_told_leaf", codec::ScopeTold{{ScopeKind::kLeaf, {}, {}}}},
      {"scope_root", codec::ScopeRoot{counting<Fingerprint>(0x70), 12}},
      {"auth_records",
       codec::AuthRecords{
           {segment, segment}, true, counting<codec::AuthorityDigest>(0x40), {kSampleMs}}},
      {"auth_ask", codec::AuthAsk{"pump 7, hall 3"}},
      {"auth_refused", codec::AuthRefused{codec::AuthRefusal::kInviteUsed, "used up"}},
      {"auth_mesh", codec::AuthMesh{Bytes(40, 0x11), MeshSecret::from(secret)}},
      {"auth_grant", codec::AuthGrant{codec::GrantedAccess::kRestricted, 7, "expired"}},
      {"auth_compare",
       codec::AuthCompare{counting<codec::AuthorityDigest>(0x40),
                          {{counting<DeviceId>(0x90), counting<codec::AuthorityDigest>(0x50)}}}},
  };
  return {std::make_move_iterator(std::begin(all)), std::make_move_iterator(std::end(all))};
}

inline Bytes message_bytes(const codec::Message& message) {
  Bytes bytes;
  codec::encode_message(message, bytes);
  return bytes;
}

// Every datagram by a name for files; `segment` must outlive it.
inline std::vector<std::pair<std::string, codec::DatagramBody>> sample_datagrams(ByteView segment) {
  const auto log = counting<LogId>(0x20);
  const codec::ListedHead first{log, 300, counting<codec::ChainPrefix>(0x30)};
  const codec::ListedHead second{counting<LogId>(0x21), 70000, counting<codec::ChainPrefix>(0x31)};
  codec::RootDatagram root;
  root.question = 200;
  root.root = counting<Fingerprint>(0x70);
  root.count = 12;
  root.epoch = 0x0102030405060708;
  root.arrival_head = 70000;
  root.cursor = {0x1112131415161718, 300};
  root.view = counting<Fingerprint>(0x40);
  root.view_count = 1;
  root.view_heads = {first};
  root.listen_port = 7400;
  root.answer = true;
  root.my_scope = counting<ScopeHash>(0x60);
  root.your_scope = counting<ScopeHash>(0x68);
  const LogKey key{counting<DeviceId>(0x90), 0x2122232425262728, "events"};
  return {
      {"root", root},
      {"heads", codec::HeadsDatagram{{first, second}}},
      {"want", codec::WantDatagram{{{log, 1}, {counting<LogId>(0x21), 70000}}}},
      {"segments", codec::SegmentsDatagram{{key}, {segment, segment}}},
  };
}

}  // namespace ebb::tests
