#include "node/readers.h"

#include <algorithm>
#include <utility>

#include "core/limits.h"
#include "node/clocks.h"

namespace ebb::node {

Readers::~Readers() { EBB_CHECK(idle()); }

void Readers::run(Lane lane, Work work, Done done) {
  if (lane == Lane::kQuery && cancelled_) {
    return done(Error{ErrorCode::kBusy, "node is stopping", ""});
  }
  LaneState& state = lanes_[static_cast<std::size_t>(lane)];
  if (state.waiting.size() >= limits::kQueriesWaiting) {
    return done(Error{ErrorCode::kBusy, "too many queries", ""});
  }
  state.waiting.push_back({std::move(work), std::move(done), {}, lane});
  start_next(state);
}

bool Readers::idle() const {
  return std::all_of(lanes_.begin(), lanes_.end(), [](const LaneState& lane) {
    return lane.waiting.empty() && std::none_of(lane.slots.begin(), lane.slots.end(),
                                                [](const Slot& slot) { return slot.busy; });
  });
}

void Readers::start_next(LaneState& lane) {
  auto* const slot = std::find_if(lane.slots.begin(), lane.slots.end(),
                                  [](const Slot& candidate) { return !candidate.busy; });
  if (slot == lane.slots.end() || lane.waiting.empty()) return;
  slot->busy = true;
  auto job = std::make_shared<Job>(std::move(lane.waiting.front()));
  lane.waiting.pop_front();
  run_work(
      loop_, [this, slot, job] { read(*slot, *job); },
      [this, slot, job, &lane] {
        slot->busy = false;
        const bool cut = job->cancelled && job->status.ok();
        job->done(cut ? Error{ErrorCode::kBusy, "node is stopping", ""} : job->status);
        start_next(lane);
      });
}

void Readers::read(Slot& slot, Job& job) {
  if (slot.reader == nullptr) {
    Result<std::unique_ptr<store::Reader>> opened = store::Reader::open(dir_);
    if (!opened.ok()) {
      job.status = opened.error();
      return;
    }
    slot.reader = std::move(opened).value();
  }
  if (job.lane == Lane::kQuery) {
    const Instant deadline = monotonic_now() + milliseconds(limits::kQueryMs);
    slot.reader->set_expired([this, &job, deadline] {
      job.cancelled = job.cancelled || cancelled_;
      return job.cancelled || monotonic_now() >= deadline;
    });
  }
  job.work(*slot.reader);
  slot.reader->set_expired(nullptr);
}

void Readers::cancel_queries() {
  cancelled_ = true;
  LaneState& lane = lanes_[static_cast<std::size_t>(Lane::kQuery)];
  for (const Job& job : std::exchange(lane.waiting, {}))
    job.done(Error{ErrorCode::kBusy, "node is stopping", ""});
}

}  // namespace ebb::node
