// Crowd: one engine and many peers that say what a test lets them say. They read nothing unless
// they are told to: their drivers never report, their stores never answer.
//
// Ownership: owns the engine, its store and the peers.
// Threads:   not thread-safe; one test.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "codec/frame.h"
#include "codec/message.h"
#include "mesh/engine.h"
#include "tests/mesh/fake_store.h"
#include "tests/mesh/plain_channel.h"

namespace ebb::tests {

class Crowd {
 public:
  explicit Crowd(std::size_t peers);
  // All of them connect and greet; what they hold differs from what the engine holds.
  void greet();

  void send(std::size_t peer, const codec::Message& message);
  void send_bytes(std::size_t peer, Bytes bytes);
  void input(mesh::Input input);
  // Ticks whenever the engine wants it.
  void run_for(Duration duration);

  std::size_t size() const { return peers_.size(); }
  bool closed(std::size_t peer) const { return peers_[peer].closed; }
  void set_reading(std::size_t peer) { peers_[peer].reads = true; }
  // Messages of type T that the engine has sent to the peer.
  template <class T>
  std::size_t count(std::size_t peer) const {
    std::size_t count = 0;
    for (const Bytes& frame : peers_[peer].frames) {
      const Result<codec::Message> message = codec::decode_message(frame);
      if (message.ok() && std::holds_alternative<T>(*message)) ++count;
    }
    return count;
  }
  // Bytes that stand in the driver of a peer that does not read.
  std::size_t in_driver(std::size_t peer) const { return peers_[peer].in_driver; }
  // The most that the engine held at the end of any step.
  std::size_t peak_bytes() const { return peak_bytes_; }

  FakeStore store{1};
  bool answers_commits = true;
  std::unique_ptr<mesh::Engine> engine;
  Instant now{1000000};

 private:
  struct Peer {
    std::unique_ptr<FakeStore> identity;
    codec::FrameSplitter splitter;
    std::size_t preamble_left = kPlainPreambleBytes;
    std::vector<Bytes> frames;
    std::size_t in_driver = 0;
    bool reads = false;
    bool closed = false;
  };
  static mesh::LinkId link_of(std::size_t peer) { return {mesh::kInboundBit | (peer + 1)}; }
  void step(mesh::Input input);
  void apply(mesh::Effects& effects);
  void take(Peer& peer, const mesh::Send& send);

  std::vector<Peer> peers_;
  PlainChannels channels_{store.device()};
  std::deque<mesh::Input> answers_;
  std::size_t peak_bytes_ = 0;
};

}  // namespace ebb::tests
