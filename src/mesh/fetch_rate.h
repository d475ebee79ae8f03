// FetchRate: how many bytes a second a link has brought of late while it was asked for something,
// and how many of the logs that wait may be asked of it at once.
//
// Model:     time counts only while a question is out, so an idle link keeps its rate; one that
//            owes an answer and brings nothing becomes slower by itself, and stays so when it has
//            answered with nothing. The window of logs begins small, doubles when as many have come
//            quickly, and halves when one took long; both allow for the round trip.
// Units:     bytes a second; 0: not known yet.
// Threads:   not thread-safe; owned by its link.
// Limits:    limits::kLogsAskedAtOnce.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/limits.h"
#include "core/time.h"

namespace ebb::mesh {

class FetchRate {
 public:
  static constexpr std::size_t kWindowAtFirst = 8;
  static constexpr std::size_t kWindowMin = 2;

  // A question went out. Nothing changes where one is out already.
  void asked(Instant now) {
    if (!asking_) since_ = now;
    asking_ = true;
  }
  // In answer; what nobody asked for is none, and makes no link faster.
  void came(Instant now, std::size_t bytes) {
    if (!asking_) return;
    bytes_ += bytes;
    if (now - since_ >= kSample) take_sample(now);
  }
  // All questions are answered.
  void answered(Instant now, Duration round) {
    if (asking_ && rate_ > 0 && now - since_ >= silence(round)) {
      rate_ = std::min(rate_, per_second(bytes_, now - since_));
      since_ = now;
      bytes_ = 0;
    } else if (asking_ && bytes_ > 0 && now > since_) {
      take_sample(now);
    }
    asking_ = false;
  }

  // `begun`: bytes that have come of what is not here whole.
  std::uint64_t bytes_per_second(Instant now, Duration round, std::size_t begun) const {
    const Duration silent = now - since_;
    if (rate_ == 0 && asking_) return per_second(bytes_, silent);
    if (!asking_ || silent < silence(round)) return rate_;
    return std::min(rate_, per_second(bytes_ + begun, silent));
  }
  // It owes an answer and has brought nothing for longer than a round trip explains.
  bool is_silent(Instant now, Duration round, std::size_t begun) const {
    return asking_ && bytes_ + begun == 0 && now - since_ >= silence(round);
  }
  // Nothing is known of it, and it is asked for nothing.
  bool is_untried() const { return rate_ == 0 && !asking_; }

  // One of the logs that were asked for is here, so long after the question went out.
  void log_came(Duration took, Duration round) {
    if (took > std::max(kSlow, round * 4)) {
      window_ = std::max(window_ / 2, kWindowMin);
      quick_ = 0;
    } else if (took > std::max(kQuick, round * 2)) {
      quick_ = 0;
    } else if (++quick_ >= window_) {
      window_ = std::min(window_ * 2, limits::kLogsAskedAtOnce);
      quick_ = 0;
    }
  }
  std::size_t window() const { return window_; }

 private:
  static constexpr Duration kSample = milliseconds(200);
  static constexpr Duration kSilence = seconds(1);
  static constexpr Duration kQuick = milliseconds(500);
  static constexpr Duration kSlow = seconds(2);

  static Duration silence(Duration round) { return std::max(kSilence, round * 2); }
  static std::uint64_t per_second(std::uint64_t bytes, Duration time) {
    return bytes * 1000000 / static_cast<std::uint64_t>(std::max<std::int64_t>(time.us, 1));
  }
  void take_sample(Instant now) {
    const std::uint64_t sample = per_second(bytes_, now - since_);
    rate_ = rate_ == 0 ? sample : (rate_ + sample) / 2;
    since_ = now;
    bytes_ = 0;
  }

  bool asking_ = false;
  Instant since_;            // of what is counted
  std::uint64_t bytes_ = 0;  // since then
  std::uint64_t rate_ = 0;
  std::size_t window_ = kWindowAtFirst;
  std::size_t quick_ = 0;  // logs in a row that came quickly
};

}  // namespace ebb::mesh
