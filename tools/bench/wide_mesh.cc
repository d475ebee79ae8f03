#include "tools/bench/wide_mesh.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "core/check.h"

namespace ebb::bench {
namespace {

constexpr std::uint32_t kNoStream = UINT32_MAX;
constexpr WallTime kWallStart{1767225600000};
constexpr double kSigma = 0.5;

std::string address(NodeIndex node) {
  std::string text = "n";  // g++ 12 warns of a sum that begins with a literal
  text += std::to_string(node);
  return text += ":1";
}

MeshId the_mesh() {
  MeshId mesh;
  mesh.data[0] = 7;
  return mesh;
}

std::unique_ptr<sim::StandInIdentity> make_identity(Rng& rng) {
  Bytes seed;
  for (std::size_t i = 0; i < trust::kSeedBytes; i += 8)
    append_be64(seed, rng.next());
  return std::make_unique<sim::StandInIdentity>(seed);
}

// Log-normal with this mean, by a generator of its own.
Duration log_normal(Duration mean, Rng rng) {
  const auto unit = [&rng] {
    return (static_cast<double>(rng.next() >> 11) + 0.5) / 9007199254740992.0;
  };
  const double angle = 2 * std::numbers::pi * unit();
  const double normal = std::sqrt(-2 * std::log(unit())) * std::cos(angle);
  const double factor = std::exp(kSigma * normal - kSigma * kSigma / 2);
  return microseconds(static_cast<std::int64_t>(static_cast<double>(mean.us) * factor));
}

}  // namespace

bool WideMesh::later(const Due& a, const Due& b) {
  return std::pair(a.at, a.order) > std::pair(b.at, b.order);
}

WideMesh::WideMesh(const WideOptions& options)
    : options_(options), rng_(options.seed), nodes_(options.nodes) {
  // As every mesh of the daemon, this one has a secret; handshakes are the longer for it.
  const Bytes secret(32, 1);
  for (Node& node : nodes_) {
    node.identity = make_identity(rng_);
    node.channels = std::make_unique<sim::StandInChannels>(the_mesh(), secret, *node.identity,
                                                           signatures_, rng_.fork());
  }
}

WallTime WideMesh::wall() const { return {kWallStart.ms + now_.us / 1000}; }

mesh::Config WideMesh::config(NodeIndex node) {
  mesh::Config config;
  config.self = nodes_[node].identity->device();
  config.mesh = the_mesh();
  config.signatures = &signatures_;
  config.channels = nodes_[node].channels.get();
  config.epoch = 1;
  config.listen_port = 1;
  config.advertise = address(node);
  config.incarnation = 1;
  for (std::size_t i = 0; i < options_.contacts && !started_.empty(); ++i) {
    config.peers.push_back(address(started_[rng_.below(started_.size())]));
  }
  return config;
}

void WideMesh::start(NodeIndex node) {
  nodes_[node].engine = std::make_unique<mesh::Engine>(config(node), rng_.fork());
  started_.push_back(node);
  step(node, mesh::Tick{});
}

void WideMesh::crash(NodeIndex node) { nodes_[node].engine.reset(); }

void WideMesh::cut_all() {
  cut_ = true;
  std::erase_if(heap_,
                [](const Due& due) { return !std::holds_alternative<mesh::Tick>(due.input); });
  std::make_heap(heap_.begin(), heap_.end(), later);
  for (std::uint32_t id = 0; id < streams_.size(); ++id) {
    Stream& stream = streams_[id];
    if (!std::exchange(stream.open, false)) continue;
    for (std::size_t end : {0u, 1u}) {
      push(now_, stream.ends[end], kNoStream, mesh::LinkDown{stream.links[end], "cut off"});
    }
  }
}

std::size_t WideMesh::running() const {
  return static_cast<std::size_t>(std::count_if(
      nodes_.begin(), nodes_.end(), [](const Node& node) { return node.engine != nullptr; }));
}

void WideMesh::run_for(Duration duration) {
  const Instant end = now_ + duration;
  while (!heap_.empty() && heap_.front().at <= end) {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    Due due = std::move(heap_.back());
    heap_.pop_back();
    now_ = due.at;
    Node& node = nodes_[due.node];
    if (node.engine == nullptr) continue;
    if (due.stream != kNoStream) {
      Stream& stream = streams_[due.stream];
      if (!stream.open) continue;
      if (std::holds_alternative<mesh::LinkDown>(due.input)) stream.open = false;
    } else if (std::holds_alternative<mesh::Tick>(due.input)) {
      if (node.armed != due.at) continue;
      node.armed.reset();
    }
    step(due.node, std::move(due.input));
  }
  now_ = end;
}

void WideMesh::push(Instant at, NodeIndex node, std::uint32_t stream, mesh::Input input) {
  heap_.push_back({at, order_++, node, stream, std::move(input)});
  std::push_heap(heap_.begin(), heap_.end(), later);
}

void WideMesh::step(NodeIndex index, mesh::Input input) {
  Node& node = nodes_[index];
  std::vector<mesh::Input> next;
  next.push_back(std::move(input));
  // The disk answers within the same instant.
  for (std::size_t i = 0; i < next.size(); ++i) {
    mesh::Effects effects;
    mesh::Input current = std::move(next[i]);
    node.engine->handle(now_, wall(), std::move(current), effects);
    ++steps_;
    perform(index, effects, next);
  }
  const std::optional<Instant> deadline = node.engine->next_deadline();
  if (!deadline || (node.armed && *node.armed <= *deadline && *node.armed >= now_)) return;
  node.armed = std::max(*deadline, now_);
  push(*node.armed, index, kNoStream, mesh::Tick{});
}

void WideMesh::perform(NodeIndex index, mesh::Effects& effects, std::vector<mesh::Input>& next) {
  EBB_CHECK(effects.faults.empty());
  for (const mesh::Commit& wanted : effects.commits) {
    if (!wanted.segments.empty()) next.emplace_back(commit(index, wanted));
  }
  for (const mesh::WriteRecord& record : effects.records) {
    if (!options_.presence) break;
    next.emplace_back(store_own(index, kControlTopic, record.type, record.payload));
  }
  for (mesh::Send& wanted : effects.sends) {
    send(index, wanted);
    if (wanted.report) next.emplace_back(mesh::SendProgress{wanted.link, 0});
  }
  for (const mesh::Read& wanted : effects.reads)
    next.emplace_back(read(index, wanted));
  for (mesh::SendDatagram& datagram : effects.datagrams) {
    datagram_bytes_ += datagram.bytes.size();
    const std::optional<NodeIndex> to = listener(datagram.to);
    if (!to || cut_) continue;
    push(now_ + delay_between(index, *to), *to, kNoStream,
         mesh::Datagram{address(index), std::move(datagram.bytes)});
  }
  for (const mesh::Dial& wanted : effects.dials)
    dial(index, wanted);
  for (const mesh::Close& wanted : effects.closes)
    close(index, wanted);
}

void WideMesh::dial(NodeIndex index, const mesh::Dial& dial) {
  const std::optional<NodeIndex> to = listener(dial.address);
  if (!to || cut_ || nodes_[*to].engine == nullptr) {
    push(now_ + seconds(3), index, kNoStream, mesh::LinkDown{dial.link, "no answer"});
    return;
  }
  const mesh::LinkId inbound{mesh::kInboundBit | next_inbound_++};
  const Duration delay = delay_between(index, *to);
  const auto stream = static_cast<std::uint32_t>(streams_.size());
  streams_.push_back({{index, *to}, {dial.link, inbound}, delay, true});
  nodes_[index].streams[dial.link.value] = stream;
  nodes_[*to].streams[inbound.value] = stream;
  push(now_ + delay, *to, stream, mesh::LinkUp{inbound, false, address(index)});
  push(now_ + delay * 2, index, stream, mesh::LinkUp{dial.link, true, dial.address});
}

void WideMesh::send(NodeIndex index, mesh::Send& send) {
  const auto it = nodes_[index].streams.find(send.link.value);
  if (it == nodes_[index].streams.end() || !streams_[it->second].open) return;
  const Stream& stream = streams_[it->second];
  stream_bytes_ += send.bytes.size();
  const std::size_t other = stream.ends[0] == index && stream.links[0] == send.link ? 1 : 0;
  push(now_ + stream.delay, stream.ends[other], it->second,
       mesh::StreamBytes{stream.links[other], std::move(send.bytes)});
}

void WideMesh::close(NodeIndex index, const mesh::Close& close) {
  const auto it = nodes_[index].streams.find(close.link.value);
  if (it == nodes_[index].streams.end()) return;
  const std::uint32_t id = it->second;
  nodes_[index].streams.erase(it);
  const Stream& stream = streams_[id];
  if (!stream.open) return;
  const std::size_t other = stream.ends[0] == index && stream.links[0] == close.link ? 1 : 0;
  push(now_ + stream.delay, stream.ends[other], id, mesh::LinkDown{stream.links[other], "closed"});
}

Duration WideMesh::delay_between(NodeIndex a, NodeIndex b) const {
  if (!options_.log_normal) return options_.delay;
  const std::uint64_t pair = (std::uint64_t{std::min(a, b)} << 32) | std::max(a, b);
  return log_normal(options_.delay, Rng(options_.seed ^ (pair * 0x9e3779b97f4a7c15ULL)));
}

std::optional<NodeIndex> WideMesh::listener(const std::string& text) const {
  if (text.size() < 4 || text[0] != 'n') return std::nullopt;
  const auto node = static_cast<NodeIndex>(std::strtoul(text.c_str() + 1, nullptr, 10));
  return node < nodes_.size() ? std::optional(node) : std::nullopt;
}

Traffic WideMesh::traffic() const {
  Traffic sum;
  for (const Node& node : nodes_) {
    if (node.engine == nullptr) continue;
    for (const auto& [name, count] : node.engine->counters().messages) {
      mesh::MessageCount& all = sum[std::string(name)];
      all.messages_out += count.messages_out;
      all.bytes_out += count.bytes_out;
    }
  }
  return sum;
}

std::uint64_t WideMesh::events_received() const {
  std::uint64_t sum = 0;
  for (const Node& node : nodes_)
    sum += node.engine == nullptr ? 0 : node.engine->counters().events_received;
  return sum;
}

std::uint64_t WideMesh::events_redundant() const {
  std::uint64_t sum = 0;
  for (const Node& node : nodes_)
    sum += node.engine == nullptr ? 0 : node.engine->counters().events_redundant;
  return sum;
}

std::uint64_t WideMesh::presences() const {
  std::uint64_t sum = 0;
  for (const Node& node : nodes_)
    sum += node.engine == nullptr ? 0 : node.engine->presences();
  return sum;
}

std::map<std::size_t, std::size_t> WideMesh::degrees() const {
  std::map<std::size_t, std::size_t> counts;
  for (const Node& node : nodes_) {
    if (node.engine != nullptr) ++counts[node.engine->links().size()];
  }
  return counts;
}

}  // namespace ebb::bench
