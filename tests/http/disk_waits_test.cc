// A disk that does not answer, made by taking the place of fdatasync(2) in this program.
#include <doctest/doctest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <condition_variable>
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

}  // namespace
