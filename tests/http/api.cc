#include "tests/http/api.h"

#include <doctest/doctest.h>
#include <poll.h>

#include <chrono>
#include <sstream>

namespace ebb::tests {
namespace {

constexpr int kLookAgainMs = 5;
constexpr std::chrono::seconds kPatience{20};

}  // namespace

Api::Api(http::ServerOptions options, WallTime built) { start("", {}, options, built); }

Api::Api(const Api& other, http::ServerOptions options) {
  const std::string listen =
      other.node_->on_loop([](node::Node& node) { return node.status().listen; });
  start(other.dir(), {listen}, options);
}

void Api::start(const std::string& mesh_of, std::vector<std::string> peers,
                http::ServerOptions options, WallTime built) {
  socket_ = (dir_ / "api.sock").string();
  node::Config config = make_config(std::move(peers));
  config.built = built;
  node_ = std::make_unique<NodeThread>(make_home(dir(), mesh_of), std::move(config));
  REQUIRE(node_->started().ok());
  const Status served = node_->on_loop([this, options](node::Node& node) -> Status {
    auto started = http::Server::start(node, socket_, options);
    if (!started) return started.error();
    server_ = std::move(started).value();
    return {};
  });
  REQUIRE(served.ok());
}

Api::~Api() {
  node_->on_loop([this](node::Node&) {
    server_.reset();
    return true;
  });
  node_->stop();
}

std::uint64_t Api::events() { return get("/v1/digest").json().at("events"); }

std::vector<nlohmann::json> Api::read(const std::string& query) {
  const HttpAnswer answer = get("/v1/events" + query);
  INFO(answer.body);
  REQUIRE(answer.status == 200);
  std::vector<nlohmann::json> events;
  std::istringstream lines(answer.body);
  for (std::string line; std::getline(lines, line);)
    events.push_back(nlohmann::json::parse(line));
  return events;
}

void Api::wait_for(std::string_view target, const std::function<bool(const HttpAnswer&)>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    const HttpAnswer answer = get(target);
    if (holds(answer)) return;
    INFO("last answer: ", answer.body);
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    poll(nullptr, 0, kLookAgainMs);
  }
}

}  // namespace ebb::tests
