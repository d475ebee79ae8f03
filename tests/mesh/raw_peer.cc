#include "tests/mesh/raw_peer.h"

#include <algorithm>
#include <utility>

#include "tests/mesh/rig.h"
#include "trust/fingerprint.h"

namespace ebb::tests {
namespace {

constexpr std::string_view kPreamble = "ebb-plain-1";

}  // namespace

RawPeer::RawPeer(FakeStore& store, std::uint8_t peer_seed, mesh::Config config)
    : store_(store), peer_(peer_seed), config_(std::move(config)) {
  config_.self = store.device();
  config_.mesh = test_mesh();
  config_.heads = store.heads();
  config_.arrival_head = store.arrival_head();
  config_.incarnation = store.incarnation();
  engine_ = std::make_unique<mesh::Engine>(config_, Rng(42));
}

void RawPeer::connect() {
  ++link_.value;
  stream_.clear();
  received_.clear();
  preamble_seen_ = false;
  closed_ = false;
  input(mesh::LinkUp{link_, false, "peer:1"});
  send_bytes(plain_preamble(peer_.device()));
}

void RawPeer::send(const codec::Message& message) {
  Bytes bytes;
  codec::encode_frame(message, bytes);
  send_bytes(bytes);
}

void RawPeer::send_frame(ByteView frame) {
  Bytes bytes;
  append_be32(bytes, static_cast<std::uint32_t>(frame.size()));
  append(bytes, frame);
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

void RawPeer::apply(mesh::Effects& effects) {
  for (const mesh::Send& sent : effects.sends) {
    if (sent.link == link_) append(stream_, sent.bytes);
  }
  const std::size_t preamble = kPreamble.size() + DeviceId::kSize;
  if (!preamble_seen_ && stream_.size() >= preamble) {
    preamble_seen_ = true;
    stream_.erase(stream_.begin(), stream_.begin() + static_cast<std::ptrdiff_t>(preamble));
  }
  while (preamble_seen_ && stream_.size() >= 4) {
    const std::size_t size = read_be32(stream_);
    if (stream_.size() < 4 + size) break;
    const auto begin = stream_.begin() + 4;
    const auto end = begin + static_cast<std::ptrdiff_t>(size);
    received_.emplace_back(begin, end);
    stream_.erase(stream_.begin(), end);
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
    if (commit.segments.empty()) continue;
    ++commits_;
    if (answers_commits) answers_.emplace_back(store_.commit(commit));
  }
  for (const mesh::Read& read : effects.reads) {
    reads_.push_back(read);
    if (answers_reads) answers_.emplace_back(store_.read(read));
  }
}

Bytes plain_preamble(const DeviceId& device) {
  Bytes bytes;
  bytes.reserve(kPreamble.size() + DeviceId::kSize);
  append(bytes, as_bytes(kPreamble));
  append(bytes, device.view());
  return bytes;
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
