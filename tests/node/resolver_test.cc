#include "node/resolver.h"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/limits.h"
#include "node/udp_socket.h"

namespace {

using ebb::ErrorCode;
using ebb::Result;
using ebb::node::Endpoint;
using ebb::node::Loop;
using ebb::node::Resolver;

Endpoint local() { return ebb::node::literal_endpoint({"127.0.0.1", 0}).value(); }

// A name service that answers when the test says so.
struct Names {
  std::mutex mutex;
  std::condition_variable changed;
  bool answers = false;
  int asked = 0, answered = 0;
  Result<std::vector<Endpoint>> answer = std::vector<Endpoint>{local()};

  static Resolver::Lookup lookup_of(const std::shared_ptr<Names>& names) {
    return [names](const std::string&) {
      std::unique_lock<std::mutex> lock(names->mutex);
      ++names->asked;
      names->changed.notify_all();
      names->changed.wait(lock, [&names] { return names->answers; });
      ++names->answered;
      names->changed.notify_all();
      return names->answer;
    };
  }
  void let_go() {
    const std::lock_guard<std::mutex> lock(mutex);
    answers = true;
    changed.notify_all();
  }
  void wait_asked(int times) {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [&] { return asked >= times; });
  }
  void wait_answered(int times) {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [&] { return answered >= times; });
  }
};

struct Fixture {
  std::unique_ptr<Loop> loop = Loop::open().value();
  std::shared_ptr<Names> names = std::make_shared<Names>();
  std::optional<Resolver> resolver{std::in_place, loop->get(), Names::lookup_of(names)};
  ~Fixture() { names->let_go(); }

  template <class Holds>
  void run_until(Holds holds) {
    bool late = false;
    ebb::node::Timer patience(loop->get(), [&late] { late = true; });
    patience.start(ebb::seconds(30));
    while (!holds() && !late)
      uv_run(loop->get(), UV_RUN_ONCE);
    REQUIRE(holds());
  }
};

TEST_CASE("all who want one name share one lookup, and the answer is kept") {
  Fixture f;
  std::vector<std::uint16_t> ports;
  for (int i = 0; i < 100; ++i) {
    f.resolver->resolve("hub.test:" + std::to_string(7000 + i), [&ports](const auto& endpoint) {
      REQUIRE(endpoint.ok());
      ports.push_back(endpoint->port());
    });
  }
  CHECK(ports.empty());
  f.names->wait_asked(1);
  f.names->let_go();
  f.run_until([&ports] { return ports.size() == 100; });
  CHECK(ports.front() == 7000);
  CHECK(ports.back() == 7099);
  CHECK(f.resolver->known("hub.test:1"));
  bool at_once = false;
  f.resolver->resolve("hub.test:1", [&at_once](const auto& endpoint) { at_once = endpoint.ok(); });
  CHECK(at_once);
  CHECK(f.names->asked == 1);
}

TEST_CASE("a datagram to a name not looked up yet is dropped, and asks for the name once") {
  Fixture f;
  ebb::node::UdpSocket socket(f.loop->get(), *f.resolver, [](const auto&) {});
  REQUIRE(socket.bind(local()).ok());
  for (int i = 0; i < 100; ++i)
    socket.send("hub.test:7401", ebb::Bytes(10));
  CHECK_FALSE(f.resolver->known("hub.test:7401"));
  f.names->wait_asked(1);
  f.names->let_go();
  f.run_until([&f] { return f.resolver->known("hub.test:7401").has_value(); });
  CHECK(f.names->asked == 1);
  socket.close();
}

TEST_CASE("a loop ends while names are still looked up") {
  const auto names = std::make_shared<Names>();
  int answers = 0;
  {
    const auto loop = Loop::open().value();
    Resolver resolver(loop->get(), Names::lookup_of(names));
    resolver.resolve("slow.test:1", [&answers](const auto&) { ++answers; });
    names->wait_asked(1);
  }
  // Only now would the name service answer; nobody hears it.
  CHECK(names->answered == 0);
  names->let_go();
  names->wait_answered(1);
  CHECK(answers == 0);
}

TEST_CASE("only so many names are looked up at once, and all in the end") {
  Fixture f;
  constexpr int kNames = 20;
  int answers = 0;
  for (int i = 0; i < kNames; ++i)
    f.resolver->resolve("n" + std::to_string(i) + ".test:1", [&](const auto&) { ++answers; });
  f.names->wait_asked(ebb::limits::kLookupsAtOnce);
  CHECK(f.names->asked == ebb::limits::kLookupsAtOnce);
  f.names->let_go();
  f.run_until([&answers] { return answers == kNames; });
  CHECK(f.names->asked == kNames);
}

TEST_CASE(
    "a name that is unknown is refused with the address as it was given, and any place is taken") {
  Fixture f;
  f.names->answer = ebb::Error{ErrorCode::kInvalidArgument, "name", "no such name"};
  std::optional<ebb::Error> error;
  const auto keep = [&error](const auto& endpoint) { error = endpoint.error(); };
  f.resolver->resolve("a.test:1", keep);
  f.names->let_go();
  f.run_until([&error] { return error.has_value(); });
  CHECK(error->code == ErrorCode::kInvalidArgument);
  CHECK(error->detail == "a.test:1: no such name");
  error.reset();
  f.names->answer = std::vector<Endpoint>{ebb::node::literal_endpoint({"192.0.2.1", 0}).value()};
  std::string found;
  f.resolver->resolve("b.test:1", [&found](const auto& endpoint) { found = endpoint->text(); });
  f.run_until([&found] { return !found.empty(); });
  CHECK(found == "192.0.2.1:1");
}

}  // namespace
