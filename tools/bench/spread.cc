// bench_spread: how news spread among thousands of engines in one process, on virtual time.
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "tools/bench/wide_mesh.h"
#include "trust/hash.h"

namespace {

using namespace ebb;
using bench::NodeIndex;
using bench::Traffic;
using bench::WideMesh;
using bench::WideOptions;

constexpr std::string_view kHelp =
    "Usage: bench_spread [--nodes N] [--authors N] [--log-normal] [--presence] [--seed N]\n"
    "                    [--short]\n"
    "\n"
    "Starts N engines (default 10000) that know three addresses each, lets the overlay form, then\n"
    "measures how segments of 1 KiB spread: in a healthy mesh, with 10 % of the nodes crashed in\n"
    "silence a moment before, and after 30 % more fell at once. --presence: each node writes into\n"
    "its control log where it is, as a device does. --short: the healthy mesh only.\n"
    "Exit code: 0 all goals met, 1 not, 2 usage.\n";

struct Arguments {
  WideOptions mesh;
  std::size_t authors = 100;
  bool brief = false;
};

bool parse(int argc, char** argv, Arguments& arguments) {
  arguments.mesh.nodes = 10000;
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--log-normal") {
      arguments.mesh.log_normal = true;
    } else if (flag == "--presence") {
      arguments.mesh.presence = true;
    } else if (flag == "--short") {
      arguments.brief = true;
    } else if (i + 1 < argc && (flag == "--nodes" || flag == "--authors" || flag == "--seed")) {
      const std::uint64_t value = std::strtoull(argv[++i], nullptr, 10);
      if (flag == "--nodes") arguments.mesh.nodes = value;
      if (flag == "--authors") arguments.authors = value;
      if (flag == "--seed") arguments.mesh.seed = value;
    } else {
      return false;
    }
  }
  return arguments.mesh.nodes >= 10 && arguments.authors >= 1 &&
         arguments.authors * 2 <= arguments.mesh.nodes;
}

bool goal(const char* what, double figure, double limit, const char* unit) {
  const bool met = figure <= limit;
  std::printf("  %-52s %9.3f %s (goal %g)%s\n", what, figure, unit, limit, met ? "" : "  MISSED");
  return met;
}

std::uint64_t bytes_of(const Traffic& traffic, std::string_view name) {
  const auto it = traffic.find(name);
  return it == traffic.end() ? 0 : it->second.bytes_out;
}

constexpr std::string_view kSpreading[] = {"delta", "have", "want", "ack", "prune"};

std::uint64_t spreading_bytes(const Traffic& traffic) {
  std::uint64_t sum = 0;
  for (const std::string_view name : kSpreading)
    sum += bytes_of(traffic, name);
  return sum;
}

std::uint64_t frame_bytes(const Traffic& traffic) {
  std::uint64_t sum = 0;
  for (const auto& [name, count] : traffic)
    sum += count.bytes_out;
  return sum;
}

class Spread {
 public:
  explicit Spread(const Arguments& arguments)
      : arguments_(arguments), mesh_(arguments.mesh), rng_(arguments.mesh.seed + 1) {}

  bool run() {
    form();
    first_segments();
    bool good = healthy();
    good = idle() && good;
    if (arguments_.brief) return good;
    good = crashes() && good;
    return survivors() && good;
  }

 private:
  void form() {
    const std::size_t nodes = arguments_.mesh.nodes;
    for (std::size_t i = 0; i < nodes; ++i) {
      mesh_.start(static_cast<NodeIndex>(i));
      mesh_.run_for(microseconds(60'000'000 / static_cast<std::int64_t>(nodes)));
    }
    mesh_.run_for(seconds(180));
    std::printf("overlay of %zu nodes:", nodes);
    for (const auto& [links, count] : mesh_.degrees())
      std::printf(" %zu with %zu links,", count, links);
    std::printf(" %llu steps\n", static_cast<unsigned long long>(mesh_.steps()));
    std::printf("  until then %.0f B a node on streams, %.0f B by datagram\n",
                static_cast<double>(mesh_.stream_bytes()) / static_cast<double>(nodes),
                static_cast<double>(mesh_.datagram_bytes()) / static_cast<double>(nodes));
    if (arguments_.mesh.presence) {
      std::printf("  a node knows of %.1f others where they are\n",
                  static_cast<double>(mesh_.presences()) / static_cast<double>(nodes));
    }
    for (std::size_t i = 0; i < arguments_.authors; ++i) {
      authors_.push_back(static_cast<NodeIndex>(i * nodes / arguments_.authors));
    }
  }

  // Each author once, within `span`, at random moments; then `rest` for all to arrive.
  void round(Duration span, Duration rest) {
    mesh_.forget_deliveries();
    std::vector<std::pair<std::uint64_t, NodeIndex>> when;
    for (const NodeIndex author : authors_) {
      const std::uint64_t at = rng_.below(static_cast<std::uint64_t>(span.us));
      if (mesh_.runs(author)) when.emplace_back(at, author);
    }
    std::sort(when.begin(), when.end());
    const Instant begin = mesh_.now();
    for (const auto& [at, author] : when) {
      const Instant due = begin + microseconds(static_cast<std::int64_t>(at));
      if (due > mesh_.now()) mesh_.run_for(due - mesh_.now());
      mesh_.append(author, "events", 1024);
    }
    mesh_.run_for(rest);
  }

  void first_segments() { round(seconds(10), seconds(30)); }

  // The time, in ms, after which 99 % of the other running nodes had the segment: the slowest
  // segment and the middle one.
  std::pair<double, double> to_99_percent() const {
    std::vector<double> times;
    const std::size_t others = mesh_.running() - 1;
    for (bench::Delivery delivery : mesh_.deliveries()) {
      const std::size_t wanted = (others * 99 + 99) / 100;
      std::sort(delivery.delays_us.begin(), delivery.delays_us.end());
      const bool reached = delivery.delays_us.size() >= wanted;
      times.push_back(reached ? delivery.delays_us[wanted - 1] / 1000.0 : 1e9);
    }
    std::sort(times.begin(), times.end());
    return {times.back(), times[times.size() / 2]};
  }

  bool healthy() {
    const Traffic before = mesh_.traffic();
    const std::uint64_t sent = mesh_.stream_bytes();
    const std::uint64_t received = mesh_.events_received();
    const std::uint64_t redundant = mesh_.events_redundant();
    round(seconds(10), seconds(5));
    const Traffic after = mesh_.traffic();
    const auto segments = static_cast<double>(mesh_.deliveries().size());
    const double nodes = static_cast<double>(mesh_.running() - 1);
    const auto fresh = static_cast<double>(mesh_.events_received() - received);
    const auto again = static_cast<double>(mesh_.events_redundant() - redundant);
    std::printf("healthy, second segments of %.0f authors, %zu B each:\n", segments,
                mesh_.segment_bytes());
    for (const std::string_view name : kSpreading) {
      std::printf(
          "  %-6s %.1f B a node and segment\n", std::string(name).c_str(),
          static_cast<double>(bytes_of(after, name) - bytes_of(before, name)) / nodes / segments);
    }
    const double ideal = nodes * segments * static_cast<double>(mesh_.segment_bytes());
    // What sealing adds to these messages is not told apart from what it adds to others (upkeep of
    // links, presences): all that streams took in this time is counted.
    const auto bytes = static_cast<double>(mesh_.stream_bytes() - sent);
    const auto frames = static_cast<double>(frame_bytes(after) - frame_bytes(before));
    const auto spreading = static_cast<double>(spreading_bytes(after) - spreading_bytes(before));
    std::printf("  these in all %.3f x, other messages %.3f x, their sealing %.3f x\n",
                spreading / ideal, (frames - spreading) / ideal, (bytes - frames) / ideal);
    const auto [slowest, middle] = to_99_percent();
    bool good = goal("delivery to 99 %, slowest segment", slowest, 100, "ms");
    std::printf("  %-52s %9.3f ms\n", "delivery to 99 %, middle segment", middle);
    good = goal("payload copies a node", (fresh + again) / (nodes * segments), 1.2, "") && good;
    return goal("bytes on streams / ((N-1) x segment)", bytes / ideal, 1.3, "") && good;
  }

  bool idle() {
    mesh_.run_for(seconds(60));
    const std::uint64_t stream = mesh_.stream_bytes();
    const Traffic before = mesh_.traffic();
    const std::uint64_t datagrams = mesh_.datagram_bytes();
    constexpr double kSeconds = 300;
    mesh_.run_for(seconds(300));
    std::size_t ends = 0;
    for (const auto& [links, count] : mesh_.degrees())
      ends += links * count;
    const double links = static_cast<double>(ends) / 2;
    std::printf("idle for 300 s, %.0f links:\n", links);
    const Traffic after = mesh_.traffic();
    for (const auto& [name, count] : after) {
      const std::uint64_t bytes = count.bytes_out - bytes_of(before, name);
      if (bytes == 0) continue;
      std::printf("  %-9s %.3f B/s a link\n", name.c_str(),
                  static_cast<double>(bytes) / links / kSeconds);
    }
    const bool good =
        goal("bytes a link, both ways, sealed",
             static_cast<double>(mesh_.stream_bytes() - stream) / links / kSeconds, 8, "B/s");
    // What a node sends is received somewhere: both count.
    const double sent = static_cast<double>(mesh_.datagram_bytes() - datagrams);
    return goal("a node's upkeep beyond its links, in and out",
                2 * sent / static_cast<double>(mesh_.running()) / kSeconds, 30, "B/s") &&
           good;
  }

  void crash_some(std::size_t percent) {
    const std::size_t wanted = arguments_.mesh.nodes * percent / 100;
    for (std::size_t crashed = 0; crashed < wanted;) {
      const auto node = static_cast<NodeIndex>(rng_.below(arguments_.mesh.nodes));
      if (!mesh_.runs(node)) continue;
      mesh_.crash(node);
      ++crashed;
    }
  }

  bool crashes() {
    crash_some(10);
    round(seconds(5), seconds(5));
    const auto [slowest, middle] = to_99_percent();
    std::printf("10 %% crashed in silence just before, %zu authors left:\n",
                mesh_.deliveries().size());
    std::printf("  %-52s %9.3f ms\n", "delivery to 99 %, middle segment", middle);
    const bool good = goal("delivery to 99 %, slowest segment", slowest, 250, "ms");
    mesh_.run_for(seconds(120));
    return good;
  }

  bool survivors() {
    crash_some(30);
    round(seconds(1), seconds(1));
    const Instant begin = mesh_.now();
    std::printf("30 %% more fell at once: %zu of %zu lack something after 1 s,\n", mesh_.lacking(),
                mesh_.running());
    while (mesh_.lacking() > 0 && mesh_.now() - begin < seconds(1200))
      mesh_.run_for(seconds(5));
    const bool good = mesh_.lacking() == 0;
    std::printf("  all %zu hold everything after: %s, %lld s\n", mesh_.running(),
                good ? "yes" : "no  MISSED",
                static_cast<long long>((mesh_.now() - begin).ms() / 1000));
    return good;
  }

  Arguments arguments_;
  WideMesh mesh_;
  Rng rng_;
  std::vector<NodeIndex> authors_;
};

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) {
    std::fputs(kHelp.data(), stderr);
    return 2;
  }
  if (!trust::crypto_ready()) return 1;
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  const bool good = Spread(arguments).run();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("memory: %ld MiB, processor: %ld s\n", usage.ru_maxrss / 1024,
              static_cast<long>(usage.ru_utime.tv_sec));
  return good ? 0 : 1;
}
