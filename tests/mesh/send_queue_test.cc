#include "mesh/send_queue.h"

#include <doctest/doctest.h>

#include <map>
#include <vector>

namespace ebb::tests {
namespace {

using codec::Priority;
using mesh::kAllPriorities;
using mesh::mask_of;
using mesh::QueuedDelta;
using mesh::SendQueue;

constexpr std::size_t kChunk = 1000;

LogId log_number(std::uint8_t number) {
  LogId log;
  log.data[0] = number;
  return log;
}

QueuedDelta delta(std::uint8_t log, std::size_t bytes, std::uint64_t job = 0) {
  return {log_number(log), {}, {}, {share(Bytes(bytes, log))}, job, false};
}

// What a chunk that left belonged to.
struct Left {
  Priority priority;
  std::size_t bytes = 0;
  std::uint64_t job = 0;  // that ended with it
};

// Sends the next chunk as an engine would; a DELTA is encoded as its segment's bytes.
std::optional<Left> send_next(SendQueue& queue, mesh::PriorityMask allowed = kAllPriorities) {
  const auto priority = queue.next(allowed);
  if (!priority) return std::nullopt;
  if (!queue.has_begun(*priority)) {
    const SendQueue::Item item = queue.take(*priority);
    const auto* segments = std::get_if<QueuedDelta>(&item);
    queue.begin(*priority, item, segments ? *segments->segments[0] : std::get<Bytes>(item));
  }
  Bytes out;
  const std::uint64_t job = queue.take_chunk(*priority, kChunk, out);
  return Left{*priority, out.size() - codec::kChunkHeaderBytes, job};
}

TEST_CASE("control goes before everything, in its order, between the chunks of a frame") {
  SendQueue queue;
  queue.push(Priority::kCatchUp, delta(1, 5000));
  CHECK(send_next(queue)->priority == Priority::kCatchUp);
  queue.push(Priority::kControl, Bytes(10, 1));
  queue.push(Priority::kControl, Bytes(20, 2));
  queue.push(Priority::kLive, delta(2, 100));
  CHECK(send_next(queue)->bytes == 10);
  CHECK(send_next(queue)->bytes == 20);
  CHECK(send_next(queue)->priority == Priority::kLive);
  CHECK(send_next(queue)->priority == Priority::kCatchUp);
}

TEST_CASE("under load the priorities share the link as 8 to 4 to 2 to 1") {
  SendQueue queue;
  for (std::uint8_t i = 1; i < codec::kPriorities; ++i) {
    for (int n = 0; n < 200; ++n)
      queue.push(static_cast<Priority>(i), delta(i, kChunk));
  }
  std::map<Priority, int> chunks;
  for (int n = 0; n < 150; ++n)
    ++chunks[send_next(queue)->priority];
  CHECK(chunks[Priority::kLive] == 80);
  CHECK(chunks[Priority::kCatchUp] == 40);
  CHECK(chunks[Priority::kHistory] == 20);
  CHECK(chunks[Priority::kBulk] == 10);
}

TEST_CASE("what was idle starts at the present: first in line, and without a stored claim") {
  SendQueue queue;
  for (int n = 0; n < 100; ++n) {
    queue.push(Priority::kHistory, delta(3, kChunk));
    queue.push(Priority::kBulk, delta(4, kChunk));
  }
  for (int n = 0; n < 60; ++n)
    send_next(queue);
  for (int n = 0; n < 100; ++n)
    queue.push(Priority::kCatchUp, delta(2, kChunk));
  std::map<Priority, int> chunks;
  CHECK(send_next(queue)->priority == Priority::kCatchUp);
  for (int n = 0; n < 13; ++n)
    ++chunks[send_next(queue)->priority];
  CHECK(chunks[Priority::kHistory] >= 3);
  CHECK(chunks[Priority::kBulk] >= 1);
}

TEST_CASE("logs of one priority take turns of 16 KiB, whatever the size of what they send") {
  SendQueue queue;
  for (int n = 0; n < 40; ++n)
    queue.push(Priority::kCatchUp, delta(1, 64000));
  for (int n = 0; n < 4000; ++n)
    queue.push(Priority::kCatchUp, delta(2, 500));
  std::map<std::uint64_t, std::size_t> bytes;
  std::size_t total = 0;
  while (total < 1200000) {
    const SendQueue::Item item = queue.take(Priority::kCatchUp);
    const auto& sent = std::get<QueuedDelta>(item);
    bytes[sent.log.data[0]] += sent.segments[0]->size();
    total += sent.segments[0]->size();
  }
  CHECK(bytes[1] > 500000);
  CHECK(bytes[2] > 500000);
}

TEST_CASE("what is queued of one log never overtakes what was queued before it") {
  SendQueue queue;
  queue.push(Priority::kHistory, delta(1, 3000, 1));
  CHECK(send_next(queue)->priority == Priority::kHistory);
  queue.push(Priority::kLive, delta(1, 100, 2));  // begun, so it waits behind it
  queue.push(Priority::kLive, delta(2, 100, 3));
  CHECK(send_next(queue)->job == 3);
  CHECK(send_next(queue)->job == 0);
  CHECK(send_next(queue)->job == 1);
  CHECK(send_next(queue)->job == 2);
  // Nothing of it is left: it is free to go where it is put.
  queue.push(Priority::kLive, delta(1, 100));
  CHECK(send_next(queue)->priority == Priority::kLive);
}

TEST_CASE("a priority that may not send is passed over, and its begun frame waits") {
  SendQueue queue;
  queue.push(Priority::kCatchUp, delta(1, 3000));
  send_next(queue);
  const auto but_catch_up =
      static_cast<mesh::PriorityMask>(kAllPriorities & ~mask_of(Priority::kCatchUp));
  CHECK(!send_next(queue, but_catch_up));
  queue.push(Priority::kLive, delta(2, 10));
  CHECK(send_next(queue, but_catch_up)->priority == Priority::kLive);
  CHECK(send_next(queue)->priority == Priority::kCatchUp);
}

TEST_CASE("bytes are those that wait, and none when all has left") {
  SendQueue queue;
  CHECK(queue.empty());
  queue.push(Priority::kControl, Bytes(700, 1));
  queue.push(Priority::kLive, delta(1, 2500));
  CHECK(queue.bytes() >= 3200);
  CHECK(queue.bytes(Priority::kControl) == 700);
  while (send_next(queue)) {
  }
  CHECK(queue.empty());
  CHECK(queue.bytes() == 0);
}

TEST_CASE("what passes an empty queue counts as if it had waited in it") {
  SendQueue waited;
  SendQueue passed;
  for (const Priority priority : {Priority::kCatchUp, Priority::kControl, Priority::kLive,
                                  Priority::kCatchUp, Priority::kBulk, Priority::kCatchUp}) {
    const Bytes message(700, 1);
    waited.push(priority, message);
    REQUIRE(send_next(waited));
    Bytes chunk;
    passed.pass(priority, message, chunk);
    CHECK(chunk.size() == message.size() + codec::kChunkHeaderBytes);
    CHECK(passed.empty());
  }
  // Who goes next, and how often, is the same in both from here on.
  for (SendQueue* queue : {&waited, &passed}) {
    for (int i = 0; i < 12; ++i) {
      for (const Priority priority :
           {Priority::kLive, Priority::kCatchUp, Priority::kHistory, Priority::kBulk}) {
        queue->push(priority, Bytes(500, 1));
      }
    }
  }
  for (int i = 0; i < 48; ++i) {
    const auto first = send_next(waited);
    const auto second = send_next(passed);
    REQUIRE(first);
    REQUIRE(second);
    CHECK(first->priority == second->priority);
  }
}

}  // namespace
}  // namespace ebb::tests
