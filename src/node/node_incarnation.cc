// What a node does when a peer holds more of its log than its own store: a new incarnation, before
// anything else is appended. And when one knows later arrivals than it has: another epoch.
#include <utility>

#include "core/error_words.h"
#include "node/clocks.h"
#include "node/log.h"
#include "node/node_impl.h"

namespace ebb::node {

void Node::Impl::on_rollback_found() {
  if (beginning_incarnation || stopping) return;
  beginning_incarnation = true;
  // They would get numbers that are known to be used.
  for (QueuedAppend& append : store->take_back_appends())
    held_appends.push_back(std::move(append));
  incarnation_pause.reset();
  begin_incarnation();
}

void Node::Impl::begin_incarnation() {
  store->run_writing([this](store::Store& opened) -> StoreThread::Answer {
    auto report = std::make_shared<CommitReport>();
    report->result = opened.begin_incarnation(codec::OpeningReason::kRollback, clock_reading());
    report->clock = opened.clock_judge();
    return [this, report] { on_incarnation(std::move(*report)); };
  });
}

void Node::Impl::on_incarnation(CommitReport report) {
  if (!report.result.ok()) {
    const Error& failure = report.result.error();
    incarnation_error =
        Error{failure.code, "a new incarnation cannot be begun", error_words(failure)};
    log(LogLevel::kError, "incarnation_failed", {{"error", failure.message()}});
    if (stopping) return;
    release_held(incarnation_error);
    incarnation_timer.start(incarnation_pause.next());
    return;
  }
  beginning_incarnation = false;
  incarnation_error.reset();
  on_committed(std::move(report));  // which tells the engine
  if (!stopping) release_held(std::nullopt);
}

void Node::Impl::take_epoch() {
  if (stopping) return;
  epoch_doubted = true;
  store->take_epoch();
}

void Node::Impl::on_epoch_taken(StoreEpoch taken) {
  epoch_doubted = false;
  epoch_timer.stop();
  epoch_pause.reset();
  if (std::exchange(epoch, taken) == taken) return;  // came with an incarnation
  log(LogLevel::kWarn, "epoch_taken");
  driver.feed(mesh::EpochTaken{epoch});
}

void Node::Impl::on_epoch_not_taken(const Error& error) {
  log_limited(LogLevel::kError, "epoch_not_taken", {{"error", error.message()}});
  if (!stopping) epoch_timer.start(epoch_pause.next());
}

// Hands what was held to the store, or refuses it.
void Node::Impl::release_held(const std::optional<Error>& error) {
  for (QueuedAppend& append : std::exchange(held_appends, {})) {
    if (!error) {
      store->append(std::move(append));
      continue;
    }
    queued_events -= append.events;
    queued_bytes -= append.bytes;
    refuse_append(std::move(append), *error);
  }
}

}  // namespace ebb::node
