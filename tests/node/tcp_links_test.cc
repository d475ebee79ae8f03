#include "node/tcp_links.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/limits.h"
#include "core/unique_fd.h"
#include "node/uv_handles.h"

namespace {

using ebb::Bytes;
using ebb::ErrorCode;
using ebb::mesh::LinkId;
using ebb::node::Endpoint;
using ebb::node::Loop;
using ebb::node::Resolver;
using ebb::node::TcpLinks;

namespace mesh = ebb::mesh;

Endpoint any_port() { return ebb::node::literal_endpoint({"127.0.0.1", 0}).value(); }

// One side: its links and what it heard.
struct Side {
  explicit Side(uv_loop_t* loop)
      : resolver(loop),
        links(loop, resolver, [this](mesh::Input input) { heard.push_back(std::move(input)); }) {}

  template <class T>
  std::vector<T> all() const {
    std::vector<T> found;
    for (const mesh::Input& input : heard) {
      if (const T* one = std::get_if<T>(&input)) found.push_back(*one);
    }
    return found;
  }
  std::size_t bytes_heard() const {
    std::size_t bytes = 0;
    for (const mesh::StreamBytes& part : all<mesh::StreamBytes>())
      bytes += part.bytes.size();
    return bytes;
  }

  std::vector<mesh::Input> heard;
  Resolver resolver;
  TcpLinks links;
};

// Turns the loop until the condition holds or it is plain that it never will.
template <class Holds>
bool run_until(Loop& loop, Holds holds) {
  bool late = false;
  ebb::node::Timer patience(loop.get(), [&late] { late = true; });
  patience.start(ebb::seconds(30));
  while (!holds() && !late)
    uv_run(loop.get(), UV_RUN_ONCE);
  return holds();
}

// Two sides and a link between them, 1 at the dialling one.
struct Pair {
  Pair() : loop(Loop::open().value()), a(loop->get()), b(loop->get()) {
    const auto bound = a.links.listen(any_port());
    REQUIRE(bound.ok());
    address = bound->text();
    b.links.dial(LinkId{1}, address);
    REQUIRE(run_until(*loop, [this] {
      return !a.all<mesh::LinkUp>().empty() && !b.all<mesh::LinkUp>().empty();
    }));
    inbound = a.all<mesh::LinkUp>().front().link;
  }
  std::unique_ptr<Loop> loop;
  Side a, b;
  std::string address;
  LinkId inbound;
};

}  // namespace

TEST_CASE("both ends hear of a link, with ids that never collide") {
  Pair pair;
  const auto at_b = pair.b.all<mesh::LinkUp>();
  REQUIRE(at_b.size() == 1);
  CHECK(at_b[0].dialled);
  CHECK(at_b[0].remote == pair.address);
  CHECK_FALSE(pair.a.all<mesh::LinkUp>()[0].dialled);
  CHECK((pair.inbound.value & mesh::kInboundBit) != 0);
}

TEST_CASE("what is sent before a close arrives") {
  Pair pair;
  pair.b.links.send(LinkId{1}, Bytes(1 << 20, 7));
  pair.b.links.close(LinkId{1}, "done");
  // The engine of the closing side hears at once, and once.
  REQUIRE(pair.b.all<mesh::LinkDown>().size() == 1);
  CHECK(pair.b.all<mesh::LinkDown>()[0].reason == "done");
  REQUIRE(run_until(*pair.loop, [&] { return !pair.a.all<mesh::LinkDown>().empty(); }));
  CHECK(pair.a.bytes_heard() == 1 << 20);
  REQUIRE(run_until(*pair.loop, [&] { return pair.a.links.idle() && pair.b.links.idle(); }));
  CHECK(pair.b.all<mesh::LinkDown>().size() == 1);
}

TEST_CASE(
    "a connection on which nothing was said is gone with its close, whatever the other end does") {
  Pair pair;
  pair.a.links.close(pair.inbound, "no access");
  CHECK(pair.a.links.idle());
  REQUIRE(pair.a.all<mesh::LinkDown>().size() == 1);
  REQUIRE(run_until(*pair.loop, [&] { return !pair.b.all<mesh::LinkDown>().empty(); }));
  CHECK(pair.a.all<mesh::LinkDown>().size() == 1);
}

TEST_CASE("bytes that wait are reported, and that they went") {
  Pair pair;
  pair.b.links.send(LinkId{1}, Bytes(3 << 20, 7));
  const auto waiting = pair.b.all<mesh::SendProgress>();
  REQUIRE_FALSE(waiting.empty());
  CHECK(waiting[0].waiting_bytes > 0);
  REQUIRE(run_until(*pair.loop, [&] { return pair.a.bytes_heard() == 3 << 20; }));
  REQUIRE(run_until(*pair.loop,
                    [&] { return pair.b.all<mesh::SendProgress>().back().waiting_bytes == 0; }));
}

TEST_CASE("a peer that takes nothing is cut off at the bound") {
  Pair pair;
  // The loop does not turn, so nobody reads.
  const std::size_t parts = ebb::limits::kLinkWaitingBytes / (1 << 20) + 8;
  for (std::size_t i = 0; i < parts; ++i)
    pair.b.links.send(LinkId{1}, Bytes(1 << 20, 7));
  REQUIRE(pair.b.all<mesh::LinkDown>().size() == 1);
  CHECK(pair.b.all<mesh::LinkDown>()[0].reason == "the peer reads too slowly");
  for (const auto& progress : pair.b.all<mesh::SendProgress>()) {
    CHECK(progress.waiting_bytes <= ebb::limits::kLinkWaitingBytes);
  }
}

TEST_CASE("a dial that leads nowhere ends with a reason") {
  const auto loop = Loop::open().value();
  Side side(loop->get());
  std::string refused;
  {
    // A port that was free a moment ago.
    Side other(loop->get());
    refused = other.links.listen(any_port()).value().text();
  }
  uv_run(loop->get(), UV_RUN_NOWAIT);
  side.links.dial(LinkId{1}, refused);
  side.links.dial(LinkId{2}, "nonsense");
  REQUIRE(run_until(*loop, [&] { return side.all<mesh::LinkDown>().size() == 2; }));
  CHECK(side.all<mesh::LinkUp>().empty());
  std::map<std::uint64_t, std::string> reasons;
  for (const auto& down : side.all<mesh::LinkDown>())
    reasons[down.link.value] = down.reason;
  CHECK(reasons.at(1) == "connection refused");
  CHECK(reasons.at(2).find("host:port") != std::string::npos);
  CHECK(side.links.idle());
}

TEST_CASE("a dial closed before it came up ends once") {
  const auto loop = Loop::open().value();
  Side a(loop->get());
  Side b(loop->get());
  const std::string address = a.links.listen(any_port()).value().text();
  b.links.dial(LinkId{1}, address);
  b.links.close(LinkId{1}, "changed my mind");
  b.links.dial(LinkId{2}, address);
  REQUIRE(run_until(*loop, [&] { return b.all<mesh::LinkUp>().size() == 1; }));
  CHECK(b.all<mesh::LinkUp>()[0].link == LinkId{2});
  CHECK(b.all<mesh::LinkDown>().size() == 1);
}

TEST_CASE("a name is looked up, and used when it stands for loopback") {
  const auto loop = Loop::open().value();
  Side a(loop->get());
  Side b(loop->get());
  const Endpoint bound = a.links.listen(any_port()).value();
  // In capitals it is a name like any other, found in the hosts file.
  b.links.dial(LinkId{1}, "LOCALHOST:" + std::to_string(bound.port()));
  REQUIRE(run_until(*loop, [&] { return !b.heard.empty(); }));
  CHECK(b.all<mesh::LinkUp>().size() == 1);
}

TEST_CASE("a port in use is busy by name") {
  const auto loop = Loop::open().value();
  Side a(loop->get());
  Side b(loop->get());
  const Endpoint bound = a.links.listen(any_port()).value();
  const auto second = b.links.listen(bound);
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().code == ErrorCode::kBusy);
  CHECK(second.error().context == "port in use");
}

TEST_CASE("more connections than there is room for are closed, those before stay") {
  const auto loop = Loop::open().value();
  Side a(loop->get());
  const std::string address = a.links.listen(any_port()).value().text();
  std::vector<std::unique_ptr<Side>> others;
  const std::size_t room = a.links.room().inbound;
  // Each side may have as many itself: two sides make more than one takes.
  for (int i = 0; i < 2; ++i)
    others.push_back(std::make_unique<Side>(loop->get()));
  const std::size_t wanted = room + 10;
  for (std::size_t i = 0; i < wanted; ++i) {
    others[i % 2]->links.dial(LinkId{i + 1}, address);
  }
  const auto downs = [&] {
    return others[0]->all<mesh::LinkDown>().size() + others[1]->all<mesh::LinkDown>().size();
  };
  REQUIRE(run_until(*loop, [&] { return downs() == 10; }));
  CHECK(a.all<mesh::LinkUp>().size() == room);
  CHECK(a.all<mesh::LinkDown>().empty());
  // Whom it wants to reach itself has room all the same.
  Side c(loop->get());
  a.links.dial(LinkId{1}, c.links.listen(any_port()).value().text());
  REQUIRE(run_until(*loop, [&] { return a.all<mesh::LinkUp>().size() > room; }));
  CHECK(a.all<mesh::LinkUp>().back().dialled);
}

TEST_CASE("where few files may be open there are fewer connections, and each kind has its part") {
  using ebb::node::connection_room;
  namespace limits = ebb::limits;
  const ebb::node::ConnectionRoom usual = connection_room(1024);
  CHECK(usual.inbound == limits::kLinks + limits::kNewcomers + limits::kHalfOpen);
  CHECK(usual.all == usual.inbound + limits::kDialRoom);
  CHECK(usual.half_open == limits::kHalfOpen);
  CHECK(connection_room(SIZE_MAX).all == usual.all);
  for (std::size_t files = 0; files < 1024; ++files) {
    const ebb::node::ConnectionRoom room = connection_room(files);
    CHECK((files < 40 || room.all <= files - limits::kReservedDescriptors));
    CHECK(room.all > room.inbound);
    CHECK(room.half_open >= limits::kHalfOpenMin);
    CHECK(room.half_open < room.inbound);
  }
}

TEST_CASE("of many who come at once a few are accepted in each turn, and all in the end") {
  constexpr std::size_t kCome = 5 * ebb::limits::kAcceptsAtOnce;
  const auto loop = Loop::open().value();
  Side a(loop->get());
  const Endpoint at = a.links.listen(any_port()).value();
  std::vector<ebb::UniqueFd> others;
  for (std::size_t i = 0; i < kCome; ++i) {
    others.emplace_back(::socket(AF_INET, SOCK_STREAM, 0));
    REQUIRE(::connect(others.back().get(), at.address(), sizeof(sockaddr_in)) == 0);
  }
  std::size_t before = 0;
  REQUIRE(run_until(*loop, [&] {
    const std::size_t now = a.all<mesh::LinkUp>().size();
    // UV_RUN_ONCE looks at timers twice: the last of them belongs to the next turn.
    CHECK(now - before <= ebb::limits::kAcceptsAtOnce + 1);
    before = now;
    return now == kCome;
  }));
}

TEST_CASE("sides may go while everything is under way") {
  const auto loop = Loop::open().value();
  auto a = std::make_unique<Side>(loop->get());
  const std::string address = a->links.listen(any_port()).value().text();
  for (int turns = 0; turns < 12; ++turns) {
    Side b(loop->get());
    b.links.dial(LinkId{1}, address);
    b.links.dial(LinkId{2}, "LOCALHOST:1");
    for (int i = 0; i < turns; ++i) {
      uv_run(loop->get(), UV_RUN_NOWAIT);
      b.links.send(LinkId{1}, Bytes(1 << 20, 7));
      if (i == 8) b.links.close_all("end");
    }
  }
  a.reset();
  uv_run(loop->get(), UV_RUN_NOWAIT);
}
