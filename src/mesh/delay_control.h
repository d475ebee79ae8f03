// DelayControl: how much catch-up, history and bulk may be on its way on a link, so that what is
// live does not stand behind it: they fill what nobody needs, and give way before a queue is felt.
//
// Model:     pings are marks in the stream. An answered ping shows that everything sent before it
//            has arrived, and how long the round took. Added delay = the lesser of the last two
//            rounds (a single late one is an accident, not a queue) less the least round of the
//            last five to ten minutes. The window of unanswered bytes doubles with each answered
//            mark while the added delay is below a quarter of kAddedDelayMax, grows by a chunk
//            below it, and halves above. It grows only when it was in the way.
// Units:     bytes.
// Threads:   not thread-safe; owned by its link. Integers only: the same inputs, the same window.
// Limits:    the window stays between two of the smallest chunks and kInboundBytesPerPeer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/limits.h"
#include "core/time.h"

namespace ebb::mesh {

class DelayControl {
 public:
  static constexpr Duration kAddedDelayMax = milliseconds(100);
  static constexpr std::size_t kWindowMin = 2 * limits::kDatagramBytes;
  static constexpr std::size_t kWindowMax = limits::kInboundBytesPerPeer;

  bool may_send() const { return unanswered() < window_; }
  void sent(std::size_t bytes);
  // A mark would help: a good part of the window is out.
  bool wants_mark() const { return unanswered() >= window_ / 2; }

  // A ping goes out behind what was sent. Of several the last one counts.
  void marked() { marked_ = sent_; }
  // That ping was answered.
  void answered(Instant now, Duration round, std::size_t chunk_bytes);

  std::size_t window() const { return window_; }
  std::uint64_t unanswered() const { return sent_ - arrived_; }
  // What the queues on the way add, as of the last answers.
  Duration added_delay() const { return added_; }

 private:
  void note_base(Instant now, Duration round);

  std::size_t window_ = std::size_t{16} << 10;
  std::uint64_t sent_ = 0, marked_ = 0, arrived_ = 0;
  bool was_limited_ = false;
  std::optional<Duration> base_, base_before_;  // the least of this and of the last period
  Instant period_since_;
  std::optional<Duration> last_round_;
  Duration added_;
};

}  // namespace ebb::mesh
