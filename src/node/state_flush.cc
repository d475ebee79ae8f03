#include "node/state_flush.h"

#include <utility>

#include "core/limits.h"
#include "node/clocks.h"

namespace ebb::node {
namespace {

constexpr Duration kFlushEvery = milliseconds(100);

}  // namespace

StateFlush::StateFlush(uv_loop_t* loop, std::function<void(Done)> flush)
    : flush_(std::move(flush)), timer_(loop, [this] { begin_if_due(); }) {}

void StateFlush::wait(Done done) {
  EBB_CHECK(needed());
  if (stopped_) return done(Error{ErrorCode::kBusy, "node is stopping", ""});
  if (waiting_.size() + running_.size() >= limits::kQueriesWaiting) {
    return done(Error{ErrorCode::kBusy, "too many queries", ""});
  }
  // Nothing was committed since the one in flight began: it holds all there is.
  if (!dirty_) return running_.push_back(std::move(done));
  waiting_.push_back(std::move(done));
  begin_if_due();
}

void StateFlush::begin_if_due() {
  if (in_flight_ || stopped_ || waiting_.empty()) return;
  const Instant now = monotonic_now();
  if (begun_ && now - *begun_ < kFlushEvery) return timer_.start(*begun_ + kFlushEvery - now);
  timer_.stop();
  begun_ = now;
  in_flight_ = true;
  dirty_ = false;
  running_ = std::exchange(waiting_, {});
  flush_([this](const Status& status) { ended(status); });
}

void StateFlush::ended(const Status& status) {
  in_flight_ = false;
  if (!status.ok()) dirty_ = true;
  for (const Done& done : std::exchange(running_, {}))
    done(status);
  begin_if_due();
}

void StateFlush::stop() {
  stopped_ = true;
  timer_.stop();
  for (const Done& done : std::exchange(waiting_, {}))
    done(Error{ErrorCode::kBusy, "node is stopping", ""});
}

}  // namespace ebb::node
