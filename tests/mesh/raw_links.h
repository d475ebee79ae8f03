// RawLinks: one engine with several links, at the other ends of which a test says whatever it
// likes.
//
// Ownership: owns the engine; borrows its store.
// Threads:   not thread-safe; one test.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "codec/frame.h"
#include "codec/message.h"
#include "core/check.h"
#include "mesh/engine.h"
#include "tests/mesh/raw_peer.h"
#include "tests/mesh/rig.h"
#include "trust/fingerprint.h"

namespace ebb::tests {

class RawLinks {
 public:
  explicit RawLinks(FakeStore& store, mesh::Config config = {})
      : store_(store), channels_(store.device()) {
    config.channels = &channels_;
    config.self = store.device();
    config.mesh = test_mesh();
    config.heads = store.heads();
    config.epoch = store.epoch();
    engine_ = std::make_unique<mesh::Engine>(config, Rng(42));
  }

  // A peer of this seed has greeted, and tells these heads when it is asked. The number of its
  // link.
  std::size_t join(std::uint8_t seed, const std::vector<mesh::StoredHead>& heads) {
    const std::size_t i = connect(seed);
    greet(i, {}, heads);
    return i;
  }
  // The same in two steps; of the HELLO the test sets what it likes.
  std::size_t connect(std::uint8_t seed) {
    const std::size_t i = peers_.size();
    Peer& peer = peers_.emplace_back();
    peer.link.value = mesh::kInboundBit | (i + 1);
    input(mesh::LinkUp{peer.link, false, "peer" + std::to_string(i) + ":1"});
    input(mesh::StreamBytes{peer.link, plain_preamble(FakeStore(seed).device())});
    return i;
  }
  void greet(std::size_t i, codec::Hello hello, const std::vector<mesh::StoredHead>& heads) {
    Peer& peer = peers_[i];
    trust::FingerprintSum root;
    for (const mesh::StoredHead& head : heads) {
      root.add(head.log, head.held);
      peer.list.push_back({head.log, head.held.seq, {}});
    }
    hello.mesh = test_mesh();
    hello.reconciliation.data[15] = static_cast<std::uint8_t>(i + 1);
    hello.root = root.fingerprint();
    hello.count = root.count();
    send(i, hello);
    send(i, codec::YourLogsSummary{});
  }
  void leave(std::size_t i) { input(mesh::LinkDown{peers_[i].link, "gone"}); }
  void send(std::size_t i, const codec::Message& message) {
    Bytes bytes;
    codec::encode_frame(message, bytes);
    input(mesh::StreamBytes{peers_[i].link, std::move(bytes)});
  }
  void run_for(Duration time) {
    const Instant end = now + time;
    for (;;) {
      const std::optional<Instant> next = engine_->next_deadline();
      if (!next || *next > end) break;
      now = std::max(now, *next);
      input(mesh::Tick{});
    }
    now = end;
  }
  // The oldest WANT to the peer that was not taken.
  std::optional<codec::Want> take_want(std::size_t i) {
    std::deque<codec::Want>& wants = peers_[i].wants;
    if (wants.empty()) return std::nullopt;
    codec::Want want = std::move(wants.front());
    wants.pop_front();
    return want;
  }
  bool faulted() const { return faulted_; }
  // As they moved.
  const std::vector<mesh::CursorMoved>& cursors() const { return cursors_; }
  mesh::Engine& engine() { return *engine_; }

  Instant now{1000000};

 private:
  struct Peer {
    mesh::LinkId link;
    Bytes stream;  // until the preamble has come whole
    bool preamble_seen = false;
    codec::FrameSplitter splitter;
    std::vector<codec::ListedHead> list;
    std::deque<codec::Want> wants;
  };

  void input(mesh::Input first) {
    inputs_.push_back(std::move(first));
    while (!inputs_.empty()) {
      mesh::Input next = std::move(inputs_.front());
      inputs_.pop_front();
      mesh::Effects effects;
      engine_->handle(now, WallTime{1700000000000}, std::move(next), effects);
      apply(effects);
    }
  }
  void apply(mesh::Effects& effects) {
    for (const mesh::Send& sent : effects.sends) {
      for (Peer& peer : peers_) {
        if (peer.link == sent.link) hear(peer, sent.bytes);
      }
      if (sent.report) inputs_.emplace_back(mesh::SendProgress{sent.link, 0});
    }
    faulted_ = faulted_ || !effects.faults.empty();
    for (const mesh::Commit& commit : effects.commits) {
      cursors_.insert(cursors_.end(), commit.cursors.begin(), commit.cursors.end());
      if (!commit.segments.empty()) inputs_.emplace_back(store_.commit(commit));
    }
    for (const mesh::Read& read : effects.reads)
      inputs_.emplace_back(store_.read(read));
  }
  void hear(Peer& peer, ByteView bytes) {
    append(peer.stream, bytes);
    const std::size_t preamble = plain_preamble(DeviceId{}).size();
    if (!peer.preamble_seen) {
      if (peer.stream.size() < preamble) return;
      peer.preamble_seen = true;
      peer.stream.erase(peer.stream.begin(),
                        peer.stream.begin() + static_cast<std::ptrdiff_t>(preamble));
    }
    peer.splitter.push(std::exchange(peer.stream, {}));
    for (;;) {
      const Result<ByteView> frame = peer.splitter.next();
      EBB_CHECK(frame.ok());
      if (frame->empty()) return;
      const Result<codec::Message> message = codec::decode_message(*frame);
      if (message.ok()) answer(peer, *message);
    }
  }
  // Pings and the question for its heads a peer answers by itself.
  void answer(Peer& peer, const codec::Message& message) {
    Bytes bytes;
    if (const auto* ping = std::get_if<codec::Ping>(&message); ping != nullptr && !ping->reply) {
      codec::encode_frame(codec::Ping{ping->nonce, true}, bytes);
    } else if (std::holds_alternative<codec::SyncListReq>(message)) {
      codec::SyncList list;
      list.heads = peer.list;
      codec::encode_frame(list, bytes);
    } else if (const auto* want = std::get_if<codec::Want>(&message)) {
      peer.wants.push_back(*want);
    }
    if (!bytes.empty()) inputs_.emplace_back(mesh::StreamBytes{peer.link, std::move(bytes)});
  }

  FakeStore& store_;
  PlainChannels channels_;
  std::unique_ptr<mesh::Engine> engine_;
  std::vector<Peer> peers_;
  std::deque<mesh::Input> inputs_;
  std::vector<mesh::CursorMoved> cursors_;
  bool faulted_ = false;
};

}  // namespace ebb::tests
