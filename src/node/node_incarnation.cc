// What a node does when a peer holds more of its log than its own store: a new incarnation, before
// anything else is appended.
#include <algorithm>
#include <utility>

#include "node/clocks.h"
#include "node/log.h"
#include "node/node_impl.h"

namespace ebb::node {
namespace {

constexpr Duration kPauseMin = seconds(1);
constexpr Duration kPauseMax = seconds(60);

}  // namespace

void Node::Impl::on_rollback_found() {
  if (beginning_incarnation || stopping) return;
  beginning_incarnation = true;
  incarnation_pause = kPauseMin;
  begin_incarnation();
}

void Node::Impl::begin_incarnation() {
  store->run([this](store::Store& opened) -> StoreThread::Answer {
    const Status begun = opened.begin_incarnation(wall_now());
    return [this, begun, next = opened.incarnation()] { on_incarnation(begun, next); };
  });
}

void Node::Impl::on_incarnation(const Status& begun, Incarnation next) {
  if (!begun.ok()) {
    incarnation_error =
        Error{begun.error().code, "a new incarnation cannot be begun", begun.error().message()};
    log(LogLevel::kError, "incarnation_failed", {{"error", begun.error().message()}});
    if (stopping) return;
    release_held(incarnation_error);
    incarnation_timer.start(incarnation_pause);
    incarnation_pause = std::min(incarnation_pause * 2, kPauseMax);
    return;
  }
  beginning_incarnation = false;
  incarnation_error.reset();
  incarnation = next;
  log(LogLevel::kWarn, "incarnation_begun", {{"incarnation", std::to_string(next)}});
  driver.feed(mesh::IncarnationBegun{next});
  if (!stopping) release_held(std::nullopt);
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
    refuse_append(std::move(append.done), *error);
  }
}

}  // namespace ebb::node
