// RawPeer: one engine, and at the other end of a link a test that says whatever it likes.
//
// Ownership: owns the engine; the frames it keeps are decoded copies without segment bytes alive.
// Threads:   not thread-safe; one test.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "codec/frame.h"
#include "codec/message.h"
#include "mesh/engine.h"
#include "tests/mesh/fake_store.h"
#include "tests/mesh/plain_channel.h"

namespace ebb::tests {

class RawPeer {
 public:
  // The engine is that of `store`; the peer is the device of seed `peer_seed`.
  RawPeer(FakeStore& store, std::uint8_t peer_seed, mesh::Config config = {});

  // A new inbound connection; the preamble of the peer is sent with it.
  void connect();
  void send(const codec::Message& message);
  void send_frame(ByteView frame);  // cut into chunks
  void send_bytes(ByteView bytes);
  void input(mesh::Input input);
  // Ticks whenever the engine wants it, until then.
  void run_until(Instant at);
  // connect(), HELLO and both YOUR_LOGS with the peer's set of heads being `root` of `count`.
  void greet(const std::vector<mesh::StoredHead>& heads = {});

  // The oldest message of type T that the engine sent and the test has not taken; messages before
  // it are passed over.
  template <class T>
  std::optional<T> take() {
    while (!received_.empty()) {
      const Bytes frame = std::move(received_.front());
      received_.pop_front();
      const Result<codec::Message> message = codec::decode_message(frame);
      if (!message.ok()) continue;
      if (const T* found = std::get_if<T>(&*message)) return *found;
    }
    return std::nullopt;
  }
  std::size_t messages_waiting() const { return received_.size(); }
  void forget_received() { received_.clear(); }
  // Of the chunks that the engine has sent with this priority, without their headers.
  std::size_t bytes_sent_as(codec::Priority priority) const {
    return bytes_sent_as_[codec::index_of(priority)];
  }

  bool closed() const { return closed_; }
  const std::vector<mesh::PeerFault>& faults() const { return faults_; }
  const std::vector<mesh::Notice>& notices() const { return notices_; }
  const std::vector<mesh::Read>& reads() const { return reads_; }
  const std::vector<mesh::Reconciliation>& rows() const { return rows_; }
  const std::vector<mesh::CursorMoved>& cursors() const { return cursors_; }
  std::size_t commits() const { return commits_; }
  bool faulted_with(std::string_view reason) const;
  mesh::Engine& engine() { return *engine_; }
  const FakeStore& self() const { return peer_; }
  codec::Hello hello() const;

  Instant now{1000000};
  bool answers_reads = true;
  bool answers_commits = true;
  bool answers_pings = true;
  bool reports = true;  // the driver takes everything at once, and says so when it is asked

 private:
  void step(mesh::Input input);
  void apply(mesh::Effects& effects);
  bool answer_ping(ByteView frame);
  void count_chunks(ByteView chunks);

  FakeStore& store_;
  FakeStore peer_;
  PlainChannels channels_;
  mesh::Config config_;
  std::unique_ptr<mesh::Engine> engine_;
  mesh::LinkId link_{mesh::kInboundBit};
  Bytes stream_;  // until the preamble has come whole
  codec::FrameSplitter splitter_;
  std::array<std::size_t, codec::kPriorities> bytes_sent_as_{};
  bool preamble_seen_ = false;
  bool closed_ = false;
  std::deque<Bytes> received_;
  std::deque<mesh::Input> answers_;  // of the store, in the order of the effects
  std::vector<mesh::PeerFault> faults_;
  std::vector<mesh::Notice> notices_;
  std::vector<mesh::Read> reads_;
  std::vector<mesh::Reconciliation> rows_;
  std::vector<mesh::CursorMoved> cursors_;
  std::size_t commits_ = 0;
};

// A DELTA of these segments with the key of their log.
codec::Delta delta_of(const std::vector<trust::VerifiedSegment>& segments,
                      const ReconciliationId& id = {});

}  // namespace ebb::tests
