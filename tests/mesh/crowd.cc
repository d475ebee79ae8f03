#include "tests/mesh/crowd.h"

#include <algorithm>

#include "core/check.h"
#include "tests/mesh/raw_peer.h"
#include "tests/mesh/rig.h"

namespace ebb::tests {

Crowd::Crowd(std::size_t peers) : peers_(peers) {
  for (std::size_t i = 0; i < peers; ++i)
    peers_[i].identity = std::make_unique<FakeStore>(static_cast<std::uint8_t>(100 + i));
}

void Crowd::greet() {
  mesh::Config config;
  config.self = store.device();
  config.channels = &channels_;
  config.mesh = test_mesh();
  config.heads = store.heads();
  config.arrival_head = store.arrival_head();
  config.incarnation = store.incarnation();
  engine = std::make_unique<mesh::Engine>(config, Rng(42));
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    input(mesh::LinkUp{link_of(i), false, "peer" + std::to_string(i) + ":1"});
    send_bytes(i, plain_preamble(peers_[i].identity->device()));
    codec::Hello hello;
    hello.mesh = test_mesh();
    hello.reconciliation.data[15] = 9;
    hello.count = 1000;
    send(i, hello);
    send(i, codec::YourLogsSummary{});
  }
}

void Crowd::send(std::size_t peer, const codec::Message& message) {
  Bytes bytes;
  codec::encode_frame(message, bytes);
  send_bytes(peer, std::move(bytes));
}

void Crowd::send_bytes(std::size_t peer, Bytes bytes) {
  if (!peers_[peer].closed) input(mesh::StreamBytes{link_of(peer), std::move(bytes)});
}

void Crowd::input(mesh::Input input) {
  step(std::move(input));
  while (!answers_.empty()) {
    mesh::Input answer = std::move(answers_.front());
    answers_.pop_front();
    step(std::move(answer));
  }
}

void Crowd::run_for(Duration duration) {
  const Instant end = now + duration;
  for (;;) {
    const std::optional<Instant> next = engine->next_deadline();
    if (!next || *next > end) break;
    now = std::max(now, *next);
    input(mesh::Tick{});
  }
  now = end;
}

void Crowd::step(mesh::Input input) {
  mesh::Effects effects;
  engine->handle(now, WallTime{1700000000000}, std::move(input), effects);
  peak_bytes_ = std::max(peak_bytes_, engine->queued_bytes());
  apply(effects);
}

void Crowd::apply(mesh::Effects& effects) {
  for (const mesh::Send& send : effects.sends)
    take(peers_[(send.link.value & ~mesh::kInboundBit) - 1], send);
  for (const mesh::Close& close : effects.closes)
    peers_[(close.link.value & ~mesh::kInboundBit) - 1].closed = true;
  for (const mesh::Commit& commit : effects.commits) {
    if (commit.segments.empty()) {
      static_cast<void>(store.commit(commit));
    } else if (answers_commits) {
      answers_.emplace_back(store.commit(commit));
    }
  }
  for (const mesh::Read& read : effects.reads)
    answers_.emplace_back(store.read(read));
}

void Crowd::take(Peer& peer, const mesh::Send& send) {
  if (!peer.reads) {
    peer.in_driver += send.bytes.size();
  } else if (send.report) {
    answers_.emplace_back(mesh::SendProgress{send.link, 0});
  }
  const std::size_t skipped = std::min(peer.preamble_left, send.bytes.size());
  peer.preamble_left -= skipped;
  peer.splitter.push(ByteView(send.bytes).subspan(skipped));
  for (;;) {
    const Result<ByteView> frame = peer.splitter.next();
    EBB_CHECK(frame.ok());
    if (frame->empty()) return;
    peer.frames.push_back(to_bytes(*frame));
    const Result<codec::Message> message = codec::decode_message(*frame);
    const auto* ping = message.ok() ? std::get_if<codec::Ping>(&*message) : nullptr;
    if (!peer.reads || ping == nullptr || ping->reply) continue;
    Bytes bytes;
    codec::encode_frame(codec::Ping{ping->nonce, true}, bytes);
    answers_.emplace_back(mesh::StreamBytes{send.link, std::move(bytes)});
  }
}

}  // namespace ebb::tests
