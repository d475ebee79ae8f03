#include "mesh/send_queue.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace ebb::mesh {
namespace {

// How far the clock of a priority runs for a byte: the inverse of its share. Control has no share.
constexpr std::array<std::uint64_t, codec::kPriorities> kPace{0, 1, 2, 4, 8};

// What a DELTA without segments comes to.
constexpr std::size_t kItemBytes = 32;

std::size_t bytes_of(const SendQueue::Item& item) {
  if (const Bytes* message = std::get_if<Bytes>(&item)) return message->size();
  std::size_t bytes = kItemBytes;
  for (const SharedBytes& segment : std::get<QueuedDelta>(item).segments)
    bytes += segment->size();
  return bytes;
}

LogId log_of(const SendQueue::Item& item) {
  const QueuedDelta* delta = std::get_if<QueuedDelta>(&item);
  return delta == nullptr ? LogId{} : delta->log;
}

}  // namespace

void SendQueue::push(codec::Priority priority, Bytes message) {
  EBB_CHECK(!message.empty());
  push(priority, LogId{}, Item(std::move(message)));
}

void SendQueue::push(codec::Priority priority, QueuedDelta delta) {
  const LogId log = delta.log;
  const auto waiting = lane_of_.find(log);
  push(waiting == lane_of_.end() ? priority : waiting->second, log, Item(std::move(delta)));
}

void SendQueue::push(codec::Priority priority, const LogId& log, Item item) {
  Lane& lane = this->lane(priority);
  const std::size_t bytes = bytes_of(item);
  lane.bytes += bytes;
  total_bytes_ += bytes;
  if (!log.is_zero()) lane_of_[log] = priority;
  Flow& flow = lane.flows[log];
  if (flow.items.empty()) lane.turns.push_back(log);
  flow.bytes += bytes;
  flow.items.push_back(std::move(item));
}

void SendQueue::pass(codec::Priority priority, ByteView message, Bytes& out) {
  EBB_CHECK(empty());
  codec::append_chunk(priority, message, false, out);
  if (priority == codec::Priority::kControl) return;
  Lane& lane = this->lane(priority);
  present_ = std::max(present_, lane.clock);
  lane.clock = present_ + message.size() * kPace[codec::index_of(priority)];
}

std::size_t SendQueue::bytes(PriorityMask priorities) const {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < codec::kPriorities; ++i) {
    const auto priority = static_cast<codec::Priority>(i);
    if ((priorities & mask_of(priority)) != 0) bytes += lane(priority).bytes;
  }
  return bytes;
}

bool SendQueue::has_begun(codec::Priority priority) const {
  return lane(priority).begun.has_value();
}

std::optional<codec::Priority> SendQueue::next(PriorityMask allowed) {
  std::optional<codec::Priority> best;
  for (std::size_t i = 0; i < codec::kPriorities; ++i) {
    const auto priority = static_cast<codec::Priority>(i);
    Lane& candidate = lane(priority);
    if (candidate.bytes == 0 || (allowed & mask_of(priority)) == 0) continue;
    if (priority == codec::Priority::kControl) return priority;
    candidate.clock = std::max(candidate.clock, present_);
    if (!best || candidate.clock < lane(*best).clock) best = priority;
  }
  return best;
}

std::size_t SendQueue::waiting_of(const LogId& log) const {
  const auto where = lane_of_.find(log);
  if (where == lane_of_.end()) return 0;
  const auto flow = lane(where->second).flows.find(log);
  return flow == lane(where->second).flows.end() ? 0 : flow->second.bytes;
}

SendQueue::Item SendQueue::take(codec::Priority priority, std::size_t quantum) {
  EBB_CHECK(quantum > 0);
  Lane& lane = this->lane(priority);
  EBB_CHECK(!lane.begun && !lane.turns.empty());
  for (;;) {
    const LogId log = lane.turns.front();
    Flow& flow = lane.flows[log];
    if (!std::exchange(flow.has_turn, true)) flow.deficit += quantum;
    const std::size_t bytes = bytes_of(flow.items.front());
    if (flow.deficit < bytes) {
      flow.has_turn = false;
      lane.turns.pop_front();
      lane.turns.push_back(log);
      continue;
    }
    flow.deficit -= bytes;
    flow.bytes -= bytes;
    Item item;
    item = std::move(flow.items.front());
    flow.items.pop_front();
    if (flow.items.empty()) {
      lane.turns.pop_front();
      lane.flows.erase(log);
    }
    lane.bytes -= bytes;
    total_bytes_ -= bytes;
    return item;
  }
}

void SendQueue::begin(codec::Priority priority, const Item& item, Bytes message) {
  Lane& lane = this->lane(priority);
  EBB_CHECK(!lane.begun && !message.empty());
  lane.bytes += message.size();
  total_bytes_ += message.size();
  const QueuedDelta* delta = std::get_if<QueuedDelta>(&item);
  lane.begun = Frame{std::move(message), 0, log_of(item), delta == nullptr ? 0 : delta->job};
}

std::uint64_t SendQueue::take_chunk(codec::Priority priority, std::size_t bytes_max, Bytes& out) {
  Lane& lane = this->lane(priority);
  EBB_CHECK(lane.begun && bytes_max > 0);
  Frame& frame = *lane.begun;
  const ByteView rest = ByteView(frame.message).subspan(frame.sent);
  const std::size_t size = std::min(rest.size(), bytes_max);
  codec::append_chunk(priority, rest.first(size), size < rest.size(), out);
  frame.sent += size;
  lane.bytes -= size;
  total_bytes_ -= size;
  present_ = std::max(present_, lane.clock);
  lane.clock += size * kPace[codec::index_of(priority)];
  if (size < rest.size()) return 0;
  const std::uint64_t job = frame.job;
  const LogId log = frame.log;
  lane.begun.reset();
  ended(lane, log);
  return job;
}

// A frame of the log has left: it is free again when nothing of it is left behind.
void SendQueue::ended(Lane& lane, const LogId& log) {
  if (!log.is_zero() && !lane.flows.contains(log)) lane_of_.erase(log);
}

}  // namespace ebb::mesh
