#include "sim/lies.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <utility>

#include "codec/body_reader.h"
#include "core/limits.h"
#include "trust/chain.h"

namespace ebb::sim {
namespace {

template <class Fixed>
void scramble(Fixed& value, Rng& rng) {
  value.data[rng.below(Fixed::kSize)] ^= static_cast<std::uint8_t>(rng.between(1, 255));
}

template <class Element>
Element* one_of(std::vector<Element>& elements, Rng& rng) {
  return elements.empty() ? nullptr : &elements[rng.below(elements.size())];
}

// Another position of a list of heads, or another log.
template <class Head>
void bend_head(Head* head, Rng& rng) {
  if (head == nullptr) return;
  if (rng.chance(1, 3)) {
    scramble(head->log, rng);
  } else {
    head->seq = absurd(rng);
  }
}

struct Bend {
  Rng& rng;

  void operator()(codec::Hello& m) const {
    const std::array<std::uint64_t*, 8> numbers = {
        &m.fold_version, &m.features,      &m.epoch, &m.arrival_head,
        &m.cursor.epoch, &m.changes_since, &m.count, &m.budget_class};
    *numbers[rng.below(numbers.size())] = absurd(rng);
    if (rng.chance(1, 4)) m.wall.ms = static_cast<std::int64_t>(absurd(rng) >> 1);
    if (rng.chance(1, 4)) scramble(m.root, rng);
    if (rng.chance(1, 8)) m.wire_min = absurd(rng);
    if (rng.chance(1, 8)) scramble(m.mesh, rng);
  }
  void operator()(codec::YourLogsSummary& m) const {
    m.count = absurd(rng);
    scramble(m.fingerprint, rng);
  }
  void operator()(codec::YourLogsAsk&) const {}
  void operator()(codec::YourLogsHeads& m) const {
    if (rng.chance(1, 4)) m.more = !m.more;
    codec::SignedHead* head = one_of(m.heads, rng);
    if (head == nullptr) return;
    head->seq = rng.chance(1, 2) ? head->seq + rng.between(1, 9) : absurd(rng);
    if (rng.chance(1, 4)) scramble(head->chain, rng);
  }
  void operator()(codec::SyncListReq& m) const { scramble(m.after, rng); }
  void operator()(codec::SyncRangesReq& m) const {
    bend_range(m.ranges);
    if (!m.ranges.empty() && rng.chance(1, 4)) m.ranges.push_back(m.ranges.front());
  }
  void operator()(codec::SyncCutsReq& m) const {
    if (auto* cut = one_of(m.cuts, rng)) scramble(*cut, rng);
  }
  void operator()(codec::SyncHeadsReq& m) const {
    if (LogId* log = one_of(m.logs, rng)) scramble(*log, rng);
  }
  void operator()(codec::SyncAuditReq& m) const { scramble(m.fingerprint, rng); }
  void operator()(codec::SyncList& m) const {
    if (rng.chance(1, 4)) m.more = !m.more;
    if (rng.chance(1, 4)) m.covered = absurd(rng);
    bend_list(m.heads);
  }
  void operator()(codec::SyncRanges& m) const {
    if (rng.chance(1, 4)) m.covered = absurd(rng);
    bend_range(m.ranges);
    bend_list(m.heads);
  }
  void operator()(codec::SyncChanges& m) const {
    if (rng.chance(1, 4)) m.more = !m.more;
    if (rng.chance(1, 8)) m.too_many = !m.too_many;
    if (rng.chance(1, 4)) m.covered = absurd(rng);
    bend_head(one_of(m.heads, rng), rng);
    bend_list(m.whole);
  }
  void operator()(codec::SyncHeads& m) const {
    codec::SignedHead* head = one_of(m.heads, rng);
    if (head == nullptr) return;
    head->seq = rng.chance(1, 2) ? head->seq + rng.between(1, 9) : absurd(rng);
    if (rng.chance(1, 4)) scramble(head->chain, rng);
  }
  void operator()(codec::Want& m) const {
    codec::WantRange* range = one_of(m.ranges, rng);
    if (range == nullptr) return;
    if (rng.chance(1, 3)) scramble(range->log, rng);
    (rng.chance(1, 2) ? range->from : range->to) = absurd(rng);
  }
  void operator()(codec::Delta& m) const {
    if (rng.chance(1, 2)) m.last = !m.last;
    if (rng.chance(1, 4)) m.flood = !m.flood;
    if (rng.chance(1, 4)) scramble(m.reconciliation, rng);
    if (m.segments.size() > 1 && rng.chance(1, 2)) std::swap(m.segments.front(), m.segments.back());
    if (LogKey* key = one_of(m.keys, rng)) key->incarnation = absurd(rng);
  }
  void operator()(codec::Ack& m) const {
    if (rng.chance(1, 3)) m.done = !m.done;
    if (rng.chance(1, 2)) m.credit_bytes = absurd(rng);
    bend_head(one_of(m.durable, rng), rng);
  }
  void operator()(codec::Have& m) const {
    if (rng.chance(1, 4)) m.covered = absurd(rng);
    bend_head(one_of(m.heads, rng), rng);
  }
  void operator()(codec::Prune& m) const {
    if (LogId* log = one_of(m.logs, rng)) scramble(*log, rng);
  }
  void operator()(codec::Ping& m) const {
    m.nonce = absurd(rng);
    if (rng.chance(1, 2)) m.reply = !m.reply;
  }
  void operator()(codec::Peers& m) const {
    if (codec::PeerAddress* peer = one_of(m.peers, rng)) {
      scramble(peer->device, rng);
      if (rng.chance(1, 2)) peer->address = "10.9.9." + std::to_string(rng.below(256)) + ":7000";
    }
  }
  void operator()(codec::ScopeTold& m) const {
    m.scope = rng.chance(1, 2) ? Scope{ScopeKind::kLeaf, {}, {}} : Scope{};
  }
  void operator()(codec::ScopeRoot& m) const {
    m.count = absurd(rng);
    if (rng.chance(1, 2)) scramble(m.root, rng);
  }
  void operator()(codec::AuthRecords& m) const {
    if (rng.chance(1, 2)) scramble(m.digest, rng);
    if (rng.chance(1, 4)) m.more = !m.more;
    if (rng.chance(1, 4)) m.wall.ms = static_cast<std::int64_t>(absurd(rng) >> 1);
    if (!m.records.empty() && rng.chance(1, 2)) m.records.pop_back();
  }
  void operator()(codec::AuthAsk& m) const { m.label += 'x'; }
  void operator()(codec::AuthRefused& m) const {
    m.code = static_cast<codec::AuthRefusal>(rng.below(12));
  }
  void operator()(codec::AuthMesh& m) const { m.secret.reset(); }
  void operator()(codec::AuthGrant& m) const {
    m.access = static_cast<codec::GrantedAccess>(rng.below(4));
    if (rng.chance(1, 4)) m.roles = absurd(rng);
  }
  void operator()(codec::AuthCompare& m) const {
    scramble(m.digest, rng);
    if (auto* log = one_of(m.logs, rng)) scramble(log->digest, rng);
  }
  void operator()(codec::Bye& m) const { m.code = static_cast<codec::ByeCode>(rng.below(12)); }

  void operator()(codec::RootDatagram& m) const {
    const std::array<std::uint64_t*, 6> numbers = {
        &m.count, &m.epoch, &m.arrival_head, &m.cursor.epoch, &m.cursor.arrival, &m.view_count};
    *numbers[rng.below(numbers.size())] = absurd(rng);
    if (rng.chance(1, 4)) scramble(m.root, rng);
    if (rng.chance(1, 8)) scramble(m.view, rng);
    if (rng.chance(1, 8)) m.listen_port = static_cast<std::uint16_t>(absurd(rng));
    bend_list(m.view_heads);
  }
  void operator()(codec::HeadsDatagram& m) const { bend_list(m.heads); }
  void operator()(codec::WantDatagram& m) const { bend_head(one_of(m.logs, rng), rng); }
  void operator()(codec::SegmentsDatagram& m) const {
    if (LogKey* key = one_of(m.keys, rng)) key->incarnation = absurd(rng);
    if (m.segments.size() > 1) std::swap(m.segments.front(), m.segments.back());
  }

  void bend_list(std::vector<codec::ListedHead>& heads) const {
    codec::ListedHead* head = one_of(heads, rng);
    if (head != nullptr && rng.chance(1, 4)) scramble(head->chain, rng);
    if (rng.chance(1, 4) && !heads.empty()) heads.pop_back();
    bend_head(one_of(heads, rng), rng);
  }
  void bend_range(std::vector<codec::SyncRange>& ranges) const {
    codec::SyncRange* range = one_of(ranges, rng);
    if (range == nullptr) return;
    const bool deeper = range->prefix.depth < IdPrefix::kDepthMax && rng.chance(1, 4);
    if (deeper) range->prefix = range->prefix.child(rng.below(IdPrefix::kChildren));
    scramble(range->children[rng.below(IdPrefix::kChildren)], rng);
  }
};

struct Mentioned {
  std::vector<LogId>& logs;

  void operator()(const codec::Have& m) const { take(m.heads); }
  void operator()(const codec::Ack& m) const { take(m.durable); }
  void operator()(const codec::SyncList& m) const { take(m.heads); }
  void operator()(const codec::SyncRanges& m) const { take(m.heads); }
  template <class Other>
  void operator()(const Other&) const {}

  template <class Heads>
  void take(const Heads& heads) const {
    if (!heads.empty()) logs.push_back(heads.front().log);
  }
};

// The chain behind the last event of the body.
std::optional<Hash> chain_of(ByteView raw, const codec::SegmentView& view) {
  Hash chain = view.prev_chain;
  codec::BodyReader reader(raw);
  for (std::uint32_t i = 0; i < view.count; ++i) {
    const auto next = reader.next();
    if (!next.ok()) return std::nullopt;
    chain = trust::chain_next(chain, trust::event_hash(next->bytes));
  }
  return chain;
}

}  // namespace

std::uint64_t absurd(Rng& rng) {
  constexpr std::array<std::uint64_t, 7> kOdd = {0,
                                                 1,
                                                 limits::kSeqMax,
                                                 limits::kSeqMax + 1,
                                                 std::uint64_t{1} << 63,
                                                 std::numeric_limits<std::uint64_t>::max() - 1,
                                                 std::numeric_limits<std::uint64_t>::max()};
  if (rng.chance(1, 2)) return rng.below(1000);
  return kOdd[rng.below(kOdd.size())];
}

LogId random_log(Rng& rng) {
  LogId log;
  for (std::uint8_t& byte : log.data)
    byte = static_cast<std::uint8_t>(rng.below(256));
  return log;
}

std::vector<LogId> mentioned_logs(ByteView frame) {
  std::vector<LogId> logs;
  const Result<codec::Message> message = codec::decode_message(frame);
  if (message.ok()) std::visit(Mentioned{logs}, *message);
  return logs;
}

bool may_come_again(ByteView frame) {
  const Result<codec::Message> message = codec::decode_message(frame);
  if (!message.ok()) return false;
  return std::holds_alternative<codec::Have>(*message) ||
         std::holds_alternative<codec::Ping>(*message) ||
         std::holds_alternative<codec::Prune>(*message) ||
         std::holds_alternative<codec::Peers>(*message);
}

bool bend_datagram_body(std::uint8_t type, Bytes& plain, Rng& rng) {
  Result<codec::DatagramBody> body = codec::decode_datagram(type, plain);
  if (!body.ok()) return false;
  std::visit(Bend{rng}, *body);
  Bytes bent = codec::encode_datagram(*body);
  plain = std::move(bent);
  return true;
}

void bend_message(codec::Message& message, Rng& rng) {
  std::visit([&rng](auto& m) { Bend{rng}(m); }, message);
}

std::optional<Bytes> forge_segment(ByteView segment, const trust::Identity& liar, Rng& rng) {
  Result<codec::SegmentView> view = codec::decode_segment(segment);
  if (!view.ok()) return std::nullopt;
  if (rng.chance(1, 4)) {
    if (rng.chance(1, 2)) scramble(view->log, rng);
    if (rng.chance(1, 2)) scramble(view->prev_chain, rng);
    view->first_seq += rng.between(1, 9);
    view->head.seq = view->last_seq();
    return codec::encode_segment(*view);
  }
  Result<Bytes> raw = codec::decode_body(view->codec, view->body);
  if (!raw.ok() || raw->empty()) return std::nullopt;
  const auto sign = [&](const Hash& chain) {
    return liar.sign(trust::head_bytes({view->log, view->head.seq, view->head.hlc, chain}));
  };
  const std::optional<Hash> honest = chain_of(*raw, *view);
  const bool own = honest && sign(*honest) == view->head.signature;
  (*raw)[raw->size() - 1 - rng.below(std::min<std::size_t>(raw->size(), 8))] ^= 1;
  const codec::EncodedBody body = codec::encode_body(view->codec, *raw);
  view->codec = body.codec;
  view->body = body.bytes;
  const std::optional<Hash> chain = chain_of(*raw, *view);
  if (chain && !own && rng.chance(1, 2)) view->head.signature = sign(*chain);
  return codec::encode_segment(*view);
}

}  // namespace ebb::sim
