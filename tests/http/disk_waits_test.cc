// A disk that does not answer, made by taking the place of fdatasync(2) in this program.
#include <doctest/doctest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <condition_variable>
#include <future>
#include <mutex>

#include "tests/http/api.h"

namespace {

std::mutex mutex;
std::condition_variable changed;
bool disk_hangs = false;      // under mutex
bool somebody_waits = false;  // under mutex

}  // namespace

extern "C" int fdatasync(int descriptor) {
  {
    std::unique_lock<std::mutex> lock(mutex);
    somebody_waits = disk_hangs;
    changed.notify_all();
    changed.wait(lock, [] { return !disk_hangs; });
    somebody_waits = false;
  }
  return static_cast<int>(syscall(SYS_fdatasync, descriptor));
}

namespace {

// From the next sync on, until it goes.
class HungDisk {
 public:
  HungDisk() { set(true); }
  ~HungDisk() { set(false); }
  HungDisk(const HungDisk&) = delete;
  HungDisk& operator=(const HungDisk&) = delete;
  void wait_for_sync() {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [] { return somebody_waits; });
  }

 private:
  static void set(bool hangs) {
    const std::lock_guard<std::mutex> lock(mutex);
    disk_hangs = hangs;
    changed.notify_all();
  }
};

TEST_CASE("a node whose disk hangs tells its status all the same, without the digest") {
  ebb::tests::Api api;
  CHECK(api.get("/v1/status").json()["store"]["write_waits_ms"] == 0);
  CHECK(api.get("/v1/status").json()["digest"].is_string());
  {
    HungDisk disk;
    api.node().on_loop([](ebb::node::Node& node) {
      node.append(ebb::tests::make_batch(1), [](const auto&) {});
      return true;
    });
    disk.wait_for_sync();
    const auto status = api.get("/v1/status").json();
    CHECK(status["digest"].is_null());
    CHECK(status["store"]["write_waits_ms"] > 0);
    CHECK(status["events"] == 0);
  }
  api.wait_for("/v1/status", [](const ebb::tests::HttpAnswer& answer) {
    const auto status = answer.json();
    return status["events"] == 1 && status["digest"].is_string();
  });
}

TEST_CASE("a disk that hangs under the state that a query has written is told like any other") {
  ebb::tests::Api api;
  const auto wait_for = [&api](bool waits) {
    api.wait_for("/v1/status", [waits](const ebb::tests::HttpAnswer& answer) {
      return (answer.json()["store"]["write_waits_ms"] > 0) == waits;
    });
  };
  REQUIRE(api.post("/v1/events", R"({"type":"view"})").status == 200);
  std::promise<ebb::Status> answered;
  {
    HungDisk disk;
    api.node().on_loop([&answered](ebb::node::Node& node) {
      node.query(
          true, [](const ebb::store::Reader&) {},
          [&answered](const ebb::Status& done) { answered.set_value(done); });
      return true;
    });
    disk.wait_for_sync();
    wait_for(true);
  }
  CHECK(answered.get_future().get().ok());
  wait_for(false);
}

}  // namespace
