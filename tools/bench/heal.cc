// bench_heal: what it costs a mesh whose nodes were all cut off to become one again.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "tools/bench/wide_mesh.h"
#include "trust/hash.h"

namespace {

using namespace ebb;
using bench::NodeIndex;
using bench::WideMesh;

constexpr std::string_view kHelp =
    "Usage: bench_heal [--nodes N] [--events N] [--seed N]\n"
    "\n"
    "N nodes (default 100) form an overlay; then each is alone, and appends so many segments of\n"
    "1 KiB (default 20) in ten minutes; then all paths open at the same instant. Tells what is "
    "sent\n"
    "until all hold everything, beside the segments that they lacked. Exit code: 0 the goal is "
    "met,\n"
    "1 not, 2 usage.\n";

struct Arguments {
  bench::WideOptions mesh;
  std::size_t events = 20;
};

bool parse(int argc, char** argv, Arguments& arguments) {
  arguments.mesh.nodes = 100;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view flag = argv[i];
    const std::uint64_t value = std::strtoull(argv[i + 1], nullptr, 10);
    if (flag == "--nodes") {
      arguments.mesh.nodes = value;
    } else if (flag == "--events") {
      arguments.events = value;
    } else if (flag == "--seed") {
      arguments.mesh.seed = value;
    } else {
      return false;
    }
  }
  return argc % 2 == 1 && arguments.mesh.nodes >= 2 && arguments.events >= 1;
}

std::uint64_t all_bytes(const WideMesh& mesh) {
  return mesh.datagram_bytes() + mesh.stream_bytes();
}

// Each node alone for ten minutes.
void live_apart(WideMesh& mesh, const Arguments& arguments) {
  mesh.cut_all();
  const std::size_t nodes = arguments.mesh.nodes;
  const auto appends = static_cast<std::int64_t>(nodes * arguments.events);
  for (std::size_t event = 0; event < arguments.events; ++event) {
    for (std::size_t node = 0; node < nodes; ++node) {
      mesh.append(static_cast<NodeIndex>(node), "events", 1024);
      mesh.run_for(microseconds(600'000'000 / appends));
    }
  }
}

int run(const Arguments& arguments) {
  WideMesh mesh(arguments.mesh);
  const std::size_t nodes = arguments.mesh.nodes;
  for (std::size_t i = 0; i < nodes; ++i) {
    mesh.start(static_cast<NodeIndex>(i));
    mesh.run_for(milliseconds(100));
  }
  mesh.run_for(seconds(180));
  live_apart(mesh, arguments);
  const bench::Traffic before = mesh.traffic();
  const std::uint64_t sent = all_bytes(mesh);
  const std::uint64_t datagrams = mesh.datagram_bytes();
  const std::uint64_t received = mesh.events_received();
  const std::uint64_t redundant = mesh.events_redundant();
  mesh.heal();
  const Instant healed = mesh.now();
  while (mesh.lacking() > 0 && mesh.now() - healed < seconds(3600))
    mesh.run_for(milliseconds(100));
  if (mesh.lacking() > 0) {
    std::printf("%zu nodes lack something after an hour\n", mesh.lacking());
    return 1;
  }
  const double took = static_cast<double>((mesh.now() - healed).us) / 1e6;
  const auto fresh = static_cast<double>(mesh.events_received() - received);
  const auto again = static_cast<double>(mesh.events_redundant() - redundant);
  const double ideal = fresh * static_cast<double>(mesh.segment_bytes());
  const double bytes = static_cast<double>(all_bytes(mesh) - sent);
  std::printf("%zu nodes, %zu segments of %zu B each: whole again after %.1f s\n", nodes,
              arguments.events, mesh.segment_bytes(), took);
  double frames = 0;
  for (const auto& [name, count] : mesh.traffic()) {
    const auto found = before.find(name);
    const std::uint64_t earlier = found == before.end() ? 0 : found->second.bytes_out;
    const auto here = static_cast<double>(count.bytes_out - earlier);
    frames += here;
    std::printf("  %-10s %.3f x\n", name.c_str(), here / ideal);
  }
  const auto by_datagram = static_cast<double>(mesh.datagram_bytes() - datagrams);
  std::printf("  datagrams  %.3f x\n  handshakes and sealing %.3f x\n", by_datagram / ideal,
              (bytes - by_datagram - frames) / ideal);
  std::printf("  copies of a segment a node: %.3f\n", (fresh + again) / fresh);
  const bool met = bytes <= 3 * ideal;
  std::printf("  bytes in all / segments that were lacking: %.2f (goal 3)%s\n", bytes / ideal,
              met ? "" : "  MISSED");
  return met ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) {
    std::fputs(kHelp.data(), stderr);
    return 2;
  }
  if (!trust::crypto_ready()) return 1;
  return run(arguments);
}
