// RawMember: at the other end of a link of a node of a MemberRig (0, or `at`) a test that says
// whatever it likes.
//
// Ownership: borrows the rig, whose stray sends it takes; one at a time.
// Threads:   not thread-safe; one test.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "codec/frame.h"
#include "codec/message.h"
#include "mesh/channel.h"
#include "tests/mesh/member_rig.h"

namespace ebb::tests {

class RawMember {
 public:
  RawMember(MemberRig& rig, const DeviceId& device, std::size_t at = 0);
  RawMember(const RawMember&) = delete;
  RawMember& operator=(const RawMember&) = delete;
  ~RawMember();

  // A new inbound connection of this device, which claims that.
  void connect(const mesh::ChannelClaim& claim = {});
  void send(const codec::Message& message);
  void send_at_once(const codec::Message& first, const codec::Message& second);
  // Hears what there is of authorities, has nothing to tell, and grants full access; HELLO and what
  // follows it.
  void become_member();
  void greet();
  // Takes what waits in the driver of node 0, once. False: nothing waits.
  bool drain();

  // Of the messages of type T that came and were not taken, the oldest; those before it are passed
  // over. What it views lives in this.
  template <class T>
  std::optional<T> take() {
    while (!frames_.empty()) {
      taken_ = std::move(frames_.front());
      frames_.pop_front();
      Result<codec::Message> message = codec::decode_message(taken_);
      if (!message.ok()) continue;
      if (T* found = std::get_if<T>(&*message)) return std::move(*found);
    }
    return std::nullopt;
  }
  void forget_received() { frames_.clear(); }
  const DeviceId& device() const { return device_; }

  bool reports = true;           // the driver takes everything at once, and says so
  std::size_t bytes_came = 0;    // of the link, since it was made
  std::size_t record_bytes = 0;  // of records of authorities in AUTH that came
  std::size_t batches = 0;       // of these, to their ends

 private:
  void send_frames(Bytes frames);
  void hear(ByteView bytes);

  MemberRig& rig_;
  std::size_t at_;
  DeviceId device_;
  mesh::LinkId link_;
  codec::FrameSplitter splitter_;
  Bytes preamble_;
  bool preamble_seen_ = false;
  bool report_due_ = false;
  std::deque<Bytes> frames_;
  Bytes taken_;
};

}  // namespace ebb::tests
