#include "tests/mesh/raw_peer.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "tests/mesh/rig.h"
#include "trust/fingerprint.h"

namespace ebb::tests {

RawPeer::RawPeer(FakeStore& store, std::uint8_t peer_seed, mesh::Config config)
    : store_(store), peer_(peer_seed), channels_(store.device()), config_(std::move(config)) {
  config_.channels = &channels_;
  config_.self = store.device();
  config_.mesh = test_mesh();
  config_.heads = store.heads();
  config_.arrival_head = store.arrival_head();
  config_.epoch = store.epoch();
  config_.incarnation = store.incarnation();
  engine_ = std::make_unique<mesh::Engine>(config_, Rng(42));
}

void RawPeer::connect() {
  ++link_.value;
  stream_.clear();
  splitter_ = {};
  received_.clear();
  preamble_seen_ = false;
  closed_ = false;
  // Each from a host of its own: no source may begin too many handshakes.
  const std::uint64_t host = link_.value & ~mesh::kInboundBit;
  input(mesh::LinkUp{link_, false, "peer" + std::to_string(host) + ":1"});
  send_bytes(plain_preamble(peer_.device()));
}

void RawPeer::send(const codec::Message& message) {
  Bytes bytes;
  codec::encode_frame(message, bytes);
  send_bytes(bytes);
}

void RawPeer::send_frame(ByteView frame) {
  Bytes bytes;
  codec::append_frame(codec::Priority::kControl, frame, bytes);
  send_bytes(bytes);
}

void RawPeer::send_bytes(ByteView bytes) { input(mesh::StreamBytes{link_, to_bytes(bytes)}); }

void RawPeer::input(mesh::Input input) {
  step(std::move(input));
  while (!answers_.empty()) {
    mesh::Input answer = std::move(answers_.front());
    answers_.pop_front();
    step(std::move(answer));
  }
}

void RawPeer::step(mesh::Input input) {
  mesh::Effects effects;
  engine_->handle(now, WallTime{1700000000000}, std::move(input), effects);
  apply(effects);
}

void RawPeer::run_until(Instant at) {
  for (;;) {
    const std::optional<Instant> next = engine_->next_deadline();
    if (!next || *next > at) break;
    now = std::max(now, *next);
    input(mesh::Tick{});
  }
  now = at;
}

codec::Hello RawPeer::hello() const {
  codec::Hello hello;
  hello.mesh = test_mesh();
  hello.reconciliation.data[15] = 9;
  return hello;
}

void RawPeer::greet(const std::vector<mesh::StoredHead>& heads) {
  connect();
  trust::FingerprintSum root;
  trust::FingerprintSum theirs;
  for (const mesh::StoredHead& head : heads) {
    root.add(head.log, head.held);
    if (head.key.device == config_.self) theirs.add(head.log, head.held);
  }
  codec::Hello first = hello();
  first.root = root.fingerprint();
  first.count = root.count();
  send(first);
  send(codec::YourLogsSummary{theirs.fingerprint(), theirs.count()});
}

bool RawPeer::faulted_with(std::string_view reason) const {
  return !faults_.empty() && faults_.back().reason == reason;
}

// True when that is done: such a ping is no news for the test.
bool RawPeer::answer_ping(ByteView frame) {
  const Result<codec::Message> message = codec::decode_message(frame);
  const auto* ping = message.ok() ? std::get_if<codec::Ping>(&*message) : nullptr;
  if (ping == nullptr || ping->reply || !answers_pings) return false;
  Bytes bytes;
  codec::encode_frame(codec::Ping{ping->nonce, true}, bytes);
  answers_.emplace_back(mesh::StreamBytes{link_, std::move(bytes)});
  return true;
}

void RawPeer::count_chunks(ByteView chunks) {
  while (chunks.size() >= codec::kChunkHeaderBytes) {
    const std::uint32_t header = read_be32(chunks.first(codec::kChunkHeaderBytes));
    const std::size_t piece = header & 0xffffffU;
    bytes_sent_as_.at(header >> 24U & 7U) += piece;
    chunks = chunks.subspan(codec::kChunkHeaderBytes + piece);
  }
}

void RawPeer::apply(mesh::Effects& effects) {
  for (const mesh::Send& sent : effects.sends) {
    if (sent.link == link_) append(stream_, sent.bytes);
    if (sent.report && reports) answers_.emplace_back(mesh::SendProgress{sent.link, 0});
  }
  constexpr std::size_t preamble = kPlainPreambleBytes;
  if (!preamble_seen_ && stream_.size() >= preamble) {
    preamble_seen_ = true;
    stream_.erase(stream_.begin(), stream_.begin() + static_cast<std::ptrdiff_t>(preamble));
  }
  if (preamble_seen_) count_chunks(stream_);
  if (preamble_seen_) splitter_.push(std::exchange(stream_, {}));
  while (preamble_seen_) {
    const Result<ByteView> frame = splitter_.next();
    EBB_CHECK(frame.ok());
    if (frame->empty()) break;
    if (!answer_ping(*frame)) received_.push_back(to_bytes(*frame));
  }
  for (const mesh::Close& close : effects.closes)
    closed_ = closed_ || close.link == link_;
  for (mesh::PeerFault& fault : effects.faults)
    faults_.push_back(std::move(fault));
  for (mesh::Notice& notice : effects.notices)
    notices_.push_back(std::move(notice));
  for (const mesh::Commit& commit : effects.commits) {
    for (const mesh::Reconciliation& row : commit.reconciliations)
      rows_.push_back(row);
    for (const mesh::CursorMoved& moved : commit.cursors)
      cursors_.push_back(moved);
    if (commit.segments.empty()) continue;
    ++commits_;
    if (answers_commits) answers_.emplace_back(store_.commit(commit));
  }
  for (const mesh::Read& read : effects.reads) {
    reads_.push_back(read);
    if (answers_reads) answers_.emplace_back(store_.read(read));
  }
}

codec::Delta delta_of(const std::vector<trust::VerifiedSegment>& segments,
                      const ReconciliationId& id) {
  codec::Delta delta;
  delta.reconciliation = id;
  for (const trust::VerifiedSegment& segment : segments) {
    if (delta.keys.empty()) delta.keys.push_back(segment.key);
    delta.segments.emplace_back(*segment.encoded);
  }
  return delta;
}

}  // namespace ebb::tests
