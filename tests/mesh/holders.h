// Holders: two nodes that hold the same logs of others, and a third that lacks them.
//
// Threads: not thread-safe; one test.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "tests/mesh/many_logs.h"
#include "tests/mesh/rig.h"

namespace ebb::tests {

inline constexpr std::uint64_t kHolderRate = 1000000;
inline constexpr std::size_t kReader = 2;

// Two holders that reach each other only through the node that lacks what they have. Rates are of
// the links from them, in bytes a second.
struct Holders : Rig {
  explicit Holders(std::array<std::uint64_t, 2> rates_in) : rates(rates_in) {
    add_node(1);
    add_node(2);
    add_node(3, {0, 1});
    parted = [](std::size_t a, std::size_t b) { return a + b == 1; };
    rate = [this](std::size_t from, std::size_t) { return from < kReader ? rates.at(from) : 0; };
    socket_bytes = std::size_t{16} << 10;
    commit_delay = milliseconds(2);
    latency = milliseconds(5);
  }
  // A long log of somebody else: `segments` of 40 events and about 17 kB each.
  void write_long_log(std::size_t segments, std::size_t of_second) {
    for (std::size_t i = 0; i < segments; ++i)
      write({topic, 40, 400}, i < of_second);
  }
  void write(const AppendShape& shape, bool on_both = true) {
    const auto segment = author.append(shape).own_segments.at(0);
    store_segment(store(0), segment);
    if (on_both) store_segment(store(1), segment);
    events += shape.count;
  }
  // So many logs of the same size, whole on both.
  void write_logs(std::size_t logs, std::size_t segments) {
    Authors authors(4);
    for (std::size_t i = 0; i < logs * segments; ++i) {
      const std::size_t log = i % logs;
      const auto segment = authors.append(log % 4, 1 + log / 4, {"t", 40, 400});
      for (const std::size_t holder : {0U, 1U})
        store_segment(store(holder), segment);
    }
    events += logs * segments * 40;
  }
  void start_all() {
    for (std::size_t i = 0; i < size(); ++i)
      start(i);
  }
  // The time until the reader has all of it; nullopt when it has not in `patience`.
  std::optional<Duration> fetch(Duration patience) {
    const Instant begun = now();
    while (now() - begun < patience) {
      run_for(milliseconds(50));
      look();
      if (store(kReader).events() == events) return now() - begun;
    }
    return std::nullopt;
  }
  void look() {
    const mesh::Sharing sharing = engine(kReader).sharing();
    queued_max = std::max(queued_max, engine(kReader).queued_bytes());
    staged_max = std::max(staged_max, sharing.staged_bytes);
    shared_max = std::max(shared_max, sharing.logs);
  }
  // Until so much is there, which has to happen.
  void run_until_events(std::uint64_t wanted) {
    while (store(kReader).events() < wanted) {
      run_for(milliseconds(20));
      look();
    }
  }
  std::uint64_t redundant() { return engine(kReader).counters().events_redundant; }
  std::uint64_t sent_by(std::size_t holder) { return engine(holder).counters().events_sent; }

  std::array<std::uint64_t, 2> rates;
  FakeStore author{9};
  std::string topic = "long";
  std::uint64_t events = 0;
  // Of the reader: in hand, of that staged, and logs shared at once.
  std::size_t queued_max = 0, staged_max = 0, shared_max = 0;
};

}  // namespace ebb::tests
