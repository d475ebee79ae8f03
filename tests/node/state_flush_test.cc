#include "node/state_flush.h"

#include <doctest/doctest.h>

#include <memory>
#include <vector>

namespace {

using ebb::ErrorCode;
using ebb::Status;
using ebb::node::Loop;
using ebb::node::StateFlush;

// A store that writes its state when the test says so.
struct Fixture {
  std::unique_ptr<Loop> loop = Loop::open().value();
  std::vector<StateFlush::Done> begun;
  std::unique_ptr<StateFlush> flush = std::make_unique<StateFlush>(
      loop->get(), [this](StateFlush::Done done) { begun.push_back(std::move(done)); });
  int answers = 0, failures = 0;

  void wait() {
    flush->wait([this](const Status& status) { ++(status.ok() ? answers : failures); });
  }
  // Runs the loop until its timer has come, or there is none.
  void run() { uv_run(loop->get(), UV_RUN_ONCE); }
};

TEST_CASE("queries that come while a flush runs share the next, some time later") {
  Fixture f;
  const auto first = uv_hrtime();
  f.wait();
  REQUIRE(f.begun.size() == 1);
  f.flush->note_change();
  for (int i = 0; i < 50; ++i)
    f.wait();
  CHECK(f.begun.size() == 1);
  f.begun[0]({});
  CHECK(f.answers == 1);
  CHECK(f.begun.size() == 1);
  while (f.begun.size() == 1)
    f.run();
  CHECK(uv_hrtime() - first >= 100 * 1000000ULL);
  f.begun[1]({});
  CHECK(f.answers == 51);
}

TEST_CASE("nothing is flushed when nothing was committed since") {
  Fixture f;
  CHECK(f.flush->needed());  // what was there at the start
  f.wait();
  f.wait();  // sees nothing that the one in flight does not write
  REQUIRE(f.begun.size() == 1);
  f.begun[0]({});
  CHECK(f.answers == 2);
  CHECK_FALSE(f.flush->needed());
  f.flush->note_change();
  CHECK(f.flush->needed());
}

TEST_CASE("a change during a flush is not in it") {
  Fixture f;
  f.wait();
  f.flush->note_change();
  f.begun.at(0)({});
  CHECK(f.flush->needed());
}

TEST_CASE("a flush that fails answers those who wait for it, and is needed again") {
  Fixture f;
  f.wait();
  f.begun.at(0)(ebb::Error{ErrorCode::kDiskFull, "state", ""});
  CHECK(f.failures == 1);
  CHECK(f.flush->needed());
}

TEST_CASE("who still waits when a node stops is answered") {
  Fixture f;
  f.wait();
  f.flush->note_change();
  f.wait();
  f.flush->stop();
  CHECK(f.failures == 1);
  f.begun.at(0)({});
  CHECK(f.answers == 1);
  CHECK(f.begun.size() == 1);
}

}  // namespace
