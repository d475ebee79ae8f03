// FetchRate: how many bytes a second a link has brought of late while it was asked for something,
// and how many of the logs that wait may be asked of it at once.
//
// Model:     time counts only while a question is out, so an idle link keeps its rate; one that
//            owes an answer and brings nothing becomes slower by itself. The window of logs begins
//            small, doubles when as many have come quickly, and halves when one took long.
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
  void came(Instant now, std::size_t bytes) {
    bytes_ += bytes;
    if (asking_ && now - since_ >= kSample) take_sample(now);
  }
  // All questions are answered.
  void answered(Instant now) {
    if (asking_ && bytes_ > 0 && now > since_) take_sample(now);
    asking_ = false;
  }

  std::uint64_t bytes_per_second(Instant now) const {
    const Duration silent = now - since_;
    if (rate_ == 0 && asking_) return per_second(bytes_, silent);
    if (!asking_ || silent < kSilence) return rate_;
    return std::min(rate_, per_second(bytes_, silent));
  }

  // One of the logs that were asked for is here, so long after it was asked for.
  void log_came(Duration took) {
    if (took > kSlow) {
      window_ = std::max(window_ / 2, kWindowMin);
      quick_ = 0;
    } else if (took > kQuick) {
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
