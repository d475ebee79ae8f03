#include "sim/trace.h"

#include <doctest/doctest.h>

#include <string>

using ebb::Bytes;
using ebb::Hash;
using ebb::Instant;
using ebb::sim::Trace;

namespace {

Hash after(const Bytes& bytes, Instant now = {}, ebb::sim::HostIndex host = 0) {
  Trace trace;
  trace.begin_step(now, host, 1, ebb::mesh::StreamBytes{{}, bytes});
  trace.end_step({});
  return trace.hash();
}

}  // namespace

TEST_CASE("a trace sees every bit of an input, its length, its time and its host") {
  for (std::size_t size = 0; size < 40; ++size) {
    Bytes bytes(size, 0);
    const Hash before = after(bytes);
    CHECK(after(bytes) == before);
    CHECK(after(bytes, Instant{1}) != before);
    CHECK(after(bytes, Instant{}, 1) != before);
    CHECK(after(Bytes(size + 1, 0)) != before);
    for (std::size_t bit = 0; bit < size * 8; ++bit) {
      bytes[bit / 8] = static_cast<std::uint8_t>(1U << (bit % 8));
      CHECK(after(bytes) != before);
      bytes[bit / 8] = 0;
    }
  }
}

TEST_CASE("a trace sees effects, and the order of steps") {
  Trace one;
  Trace other;
  one.note(Instant{1}, 0, "a");
  one.note(Instant{1}, 0, "b");
  other.note(Instant{1}, 0, "b");
  other.note(Instant{1}, 0, "a");
  CHECK(one.hash() != other.hash());
  ebb::mesh::Effects effects;
  effects.sends.push_back({{}, Bytes(3, 1)});
  Trace with;
  Trace without;
  for (Trace* trace : {&with, &without})
    trace->begin_step({}, 0, 1, ebb::mesh::Tick{});
  with.end_step(effects);
  without.end_step({});
  CHECK(with.hash() != without.hash());
}
