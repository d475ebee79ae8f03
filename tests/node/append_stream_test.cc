#include "node/append_stream.h"

#include <doctest/doctest.h>

#include <future>
#include <memory>
#include <optional>
#include <vector>

#include "node/node.h"
#include "tests/node/node_thread.h"
#include "tests/temp_dir.h"

namespace {

using ebb::ErrorCode;
using ebb::node::AppendPart;
using ebb::node::AppendStream;
using ebb::node::Node;
using ebb::tests::make_batch;
using ebb::tests::make_config;
using ebb::tests::make_home;
using ebb::tests::NodeThread;
using ebb::tests::TempDir;

struct Part {
  ebb::store::AppendBatch batch;
  std::optional<AppendStream> stream;
};

// Appends all in one turn of the loop; what became of each, empty: stored.
std::vector<std::optional<ErrorCode>> append_all(NodeThread& node, std::vector<Part> parts) {
  struct Answers {
    std::vector<std::optional<ErrorCode>> codes;
    std::size_t waiting = 0;
    std::promise<void> all;
  };
  auto answers = std::make_shared<Answers>();
  answers->codes.resize(parts.size());
  answers->waiting = parts.size();
  auto future = answers->all.get_future();
  node.on_loop([answers, parts = std::move(parts)](Node& n) {
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const bool more_soon = i + 1 < parts.size();
      const auto done = [answers, i](const auto& answer) {
        if (!answer.ok()) answers->codes[i] = answer.error().code;
        if (--answers->waiting == 0) answers->all.set_value();
      };
      n.append(parts[i].batch, done, AppendPart{more_soon, parts[i].stream});
    }
    return true;
  });
  future.get();
  return answers->codes;
}

std::uint64_t events_of(NodeThread& node) {
  return node.on_loop([](Node& n) { return n.counters().events_appended; });
}

TEST_CASE("behind a part that is refused nothing of its stream is stored, and all of others") {
  const TempDir dir;
  NodeThread node(make_home(dir / "a"), make_config());
  REQUIRE(node.started().ok());
  const AppendStream broken;
  const AppendStream whole;
  ebb::store::AppendBatch bad = make_batch(1);
  bad.topic = "No Such Topic";
  using Codes = std::vector<std::optional<ErrorCode>>;
  CHECK(append_all(node, {{make_batch(1), broken},
                          {make_batch(1), whole},
                          {bad, broken},
                          {make_batch(1), broken},
                          {make_batch(1), whole},
                          {make_batch(1), std::nullopt}}) ==
        Codes{std::nullopt, std::nullopt, ErrorCode::kInvalidArgument, ErrorCode::kBusy,
              std::nullopt, std::nullopt});
  CHECK(append_all(node, {{make_batch(1), broken}, {make_batch(1), whole}}) ==
        Codes{ErrorCode::kBusy, std::nullopt});
  CHECK(events_of(node) == 5);
}

TEST_CASE("behind a transaction that found the disk full nothing of its streams is stored") {
  const TempDir dir;
  ebb::node::Config config = make_config();
  config.disk_budget_bytes = 512 << 10;
  NodeThread node(make_home(dir / "a"), config);
  REQUIRE(node.started().ok());
  const AppendStream stream;
  std::uint64_t stored = 0;
  auto answer = append_all(node, {{make_batch(10, 4096), stream}}).at(0);
  for (int i = 0; i < 1000 && !answer; ++i) {
    stored += 10;
    answer = append_all(node, {{make_batch(10, 4096), stream}}).at(0);
  }
  REQUIRE(answer == ErrorCode::kDiskFull);
  // There is room for what follows, and it would stand behind a hole.
  CHECK(append_all(node, {{make_batch(1), stream}}).at(0) == ErrorCode::kBusy);
  CHECK(append_all(node, {{make_batch(1), std::nullopt}}).at(0) == std::nullopt);
  CHECK(events_of(node) == stored + 1);
}

}  // namespace
