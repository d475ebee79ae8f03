#include "sim/event_queue.h"

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <vector>

using ebb::Instant;
using ebb::milliseconds;
using ebb::sim::EventQueue;

TEST_CASE("actions run in order of time, then of asking") {
  EventQueue queue;
  std::vector<int> ran;
  queue.at(Instant{20}, [&] { ran.push_back(3); });
  queue.at(Instant{10}, [&] { ran.push_back(1); });
  queue.at(Instant{10}, [&] { ran.push_back(2); });
  while (queue.run_next(Instant{100})) {
  }
  CHECK(ran == std::vector<int>{1, 2, 3});
  CHECK(queue.now() == Instant{100});
}

TEST_CASE("an action may ask for another, and the past means now") {
  EventQueue queue;
  std::vector<std::int64_t> times;
  queue.at(Instant{50}, [&] {
    queue.at(Instant{10}, [&] { times.push_back(queue.now().us); });
    queue.after(milliseconds(1), [&] { times.push_back(queue.now().us); });
  });
  while (queue.run_next(Instant{2000})) {
  }
  CHECK(times == std::vector<std::int64_t>{50, 1050});
}

TEST_CASE("nothing runs beyond the limit") {
  EventQueue queue;
  bool ran = false;
  queue.at(Instant{101}, [&] { ran = true; });
  CHECK_FALSE(queue.run_next(Instant{100}));
  CHECK_FALSE(ran);
  CHECK(queue.run_next(Instant{101}));
  CHECK(ran);
}

TEST_CASE("an action keeps what it captured, small or large, and runs once") {
  EventQueue queue;
  const auto counted = std::make_shared<int>(0);
  std::array<std::int64_t, 40> large{};
  large[39] = 7;
  std::int64_t seen = 0;
  queue.at(Instant{1}, [counted] { ++*counted; });
  queue.at(Instant{2}, [large, counted, &seen] {
    seen = large[39];
    ++*counted;
  });
  CHECK(counted.use_count() == 3);
  while (queue.run_next(Instant{5})) {
  }
  CHECK(*counted == 2);
  CHECK(seen == 7);
  CHECK(counted.use_count() == 1);
}

TEST_CASE("actions that never ran are freed with the queue") {
  const auto counted = std::make_shared<int>(0);
  {
    EventQueue queue;
    for (int i = 0; i < 100; ++i)
      queue.at(Instant{i}, [counted] { ++*counted; });
    while (queue.run_next(Instant{49})) {
    }
  }
  CHECK(*counted == 50);
  CHECK(counted.use_count() == 1);
}
