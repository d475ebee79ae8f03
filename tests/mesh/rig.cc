#include "tests/mesh/rig.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace ebb::tests {
namespace {

constexpr WallTime kWallStart{1700000000000};

constexpr std::size_t kPacketBytes = 1200;

}  // namespace

MeshId test_mesh(std::uint8_t number) {
  MeshId mesh;
  mesh.data[0] = number;
  return mesh;
}

WallTime Rig::wall() const { return {kWallStart.ms + now_.us / 1000}; }

std::string Rig::address(std::size_t i) const { return "node" + std::to_string(i) + ":7000"; }

std::size_t Rig::add_node(std::uint8_t seed, const std::vector<std::size_t>& peers) {
  const std::size_t i = nodes_.size();
  nodes_.push_back(std::make_unique<Node>());
  Node& added = *nodes_.back();
  added.store = std::make_unique<FakeStore>(seed);
  added.channels = std::make_unique<PlainChannels>(added.store->device());
  added.config.self = added.store->device();
  added.config.mesh = test_mesh();
  added.config.listen_port = 7000;
  added.config.advertise = address(i);
  for (const std::size_t peer : peers)
    added.config.peers.push_back(address(peer));
  return i;
}

void Rig::start(std::size_t i) {
  Node& started = node(i);
  ++started.generation;
  started.config.channels = started.channels.get();
  started.config.heads = started.store->heads();
  started.config.arrival_head = started.store->arrival_head();
  started.config.epoch = started.store->epoch();
  started.config.cursors = started.store->cursors();
  started.config.incarnation = started.store->incarnation();
  started.config.known_peers = started.seen;
  started.config.presences =
      presences ? started.store->presences() : std::vector<mesh::HeldPresence>{};
  started.config.budgets = started.budgets;
  if (started.membership) {
    started.config.membership = started.membership;
    started.config.membership->stored = started.records_kept;
    started.config.membership->missing = started.missing_kept;
    started.config.membership->floors = started.floors_kept;
  }
  started.engine = std::make_unique<mesh::Engine>(
      started.config, Rng(1000 * i + static_cast<std::uint64_t>(now_.us)));
}

void Rig::Node::keep(mesh::AuthorityUpdate update) {
  for (const auto& gone : update.dropped) {
    std::erase_if(records_kept, [this, &gone](const Bytes& record) {
      const auto read = trust::read_authority_record(config.mesh, record);
      return std::pair(read->record.authority, read->record.position()) == gone;
    });
  }
  for (Bytes& record : update.records) {
    if (std::find(records_kept.begin(), records_kept.end(), record) == records_kept.end()) {
      records_kept.push_back(std::move(record));
    }
  }
  if (update.floors) floors_kept = *update.floors;
  if (update.missing) missing_kept = *update.missing;
}

void Rig::stop(std::size_t i) {
  node(i).engine.reset();
  for (std::size_t s = 0; s < streams_.size(); ++s) {
    if (streams_[s].a == i || streams_[s].b == i) break_stream(s, i);
  }
}

void Rig::input(std::size_t i, mesh::Input input) {
  if (node(i).engine == nullptr) return;
  mesh::Effects effects;
  const WallTime shown{wall().ms + node(i).wall_off_ms};
  node(i).engine->handle(now_, shown, std::move(input), effects);
  apply(i, effects);
}

void Rig::append(std::size_t i, const AppendShape& shape) { input(i, store(i).append(shape)); }

void Rig::run_for(Duration duration) {
  const Instant end = now_ + duration;
  for (;;) {
    Instant next = end;
    std::optional<std::size_t> ticking;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (nodes_[i]->engine == nullptr) continue;
      const std::optional<Instant> deadline = nodes_[i]->engine->next_deadline();
      if (!deadline || *deadline > next || (ticking && *deadline == next)) continue;
      next = std::max(*deadline, now_);
      ticking = i;
    }
    const bool delivery = !due_.empty() && due_.begin()->first <= next;
    if (!delivery && !ticking) break;
    if (delivery) {
      Due due = std::move(due_.begin()->second);
      due_.erase(due_.begin());
      now_ = std::max(now_, due.at);
      carry_out(std::move(due));
    } else {
      now_ = next;
      input(*ticking, mesh::Tick{});
    }
  }
  now_ = end;
}

void Rig::carry_out(Due due) {
  const bool lost =
      due.generation != node(due.node).generation || (due.stream && !streams_[*due.stream].open);
  if (lost) return;
  // With its far end told, a stream that one side closed is gone.
  const bool ends = due.stream && std::holds_alternative<mesh::LinkDown>(due.input);
  if (ends) streams_[*due.stream].open = false;
  if (auto* progress = std::get_if<mesh::SendProgress>(&due.input)) {
    Pipe& pipe = pipe_from(due.node, streams_[*due.stream], progress->link);
    pipe.waiting -= due.left;
    progress->waiting_bytes = pipe.waiting - std::min(pipe.waiting, socket_bytes);
  }
  input(due.node, std::move(due.input));
}

void Rig::cut(std::size_t a, std::size_t b) {
  for (std::size_t s = 0; s < streams_.size(); ++s) {
    const Stream& stream = streams_[s];
    if ((stream.a == a && stream.b == b) || (stream.a == b && stream.b == a)) {
      break_stream(s, std::nullopt);
    }
  }
}

std::size_t Rig::streams_between(std::size_t a, std::size_t b) const {
  return static_cast<std::size_t>(
      std::count_if(streams_.begin(), streams_.end(), [&](const Stream& stream) {
        const bool joins = (stream.a == a && stream.b == b) || (stream.a == b && stream.b == a);
        return joins && stream.open;
      }));
}

mesh::MessageCount Rig::count(std::size_t i, std::string_view name) {
  const auto& messages = engine(i).counters().messages;
  const auto it = messages.find(name);
  return it == messages.end() ? mesh::MessageCount{} : it->second;
}

std::uint64_t Rig::wire_bytes(std::size_t from, std::size_t to) const {
  const auto it = wire_bytes_.find({from, to});
  return it == wire_bytes_.end() ? 0 : it->second;
}

std::uint64_t Rig::all_wire_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& [pair, each] : wire_bytes_)
    bytes += each;
  return bytes;
}

void Rig::apply(std::size_t i, mesh::Effects& effects) {
  Node& acting = node(i);
  for (mesh::Notice& notice : effects.notices) {
    const bool set_back = notice.kind == mesh::NoticeKind::kSetBackFound;
    if (set_back && takes_epochs) {
      later(commit_delay, i, mesh::EpochTaken{acting.store->take_epoch()});
    }
    acting.notices.push_back(std::move(notice));
  }
  for (mesh::Issued& issued : effects.issued)
    acting.issued.push_back(std::move(issued));
  for (const mesh::InviteUsed& used : effects.invites)
    acting.invites_used.push_back(used);
  for (const mesh::PeerClockMoved& moved : effects.clocks)
    acting.clocks.push_back(moved);
  for (mesh::PeerFault& fault : effects.faults)
    acting.faults.push_back(std::move(fault));
  for (mesh::Send& send : effects.sends)
    deliver(i, send);
  for (const mesh::SendDatagram& datagram : effects.datagrams) {
    const std::optional<std::size_t> to = listener(datagram.to);
    const bool kept = !on_datagram || on_datagram(i, datagram.to, datagram.bytes);
    const bool passes = kept && to && datagrams && !(parted && parted(i, *to));
    if (passes) later(latency, *to, mesh::Datagram{address(i), datagram.bytes});
  }
  for (const mesh::Dial& wanted : effects.dials)
    dial(i, wanted);
  for (const mesh::Close& close : effects.closes) {
    const std::optional<std::size_t> stream = stream_of(i, close.link);
    if (!stream) continue;
    // What was sent before the close still arrives.
    const Stream& closing = streams_[*stream];
    const bool is_a = closing.a == i && closing.at_a == close.link;
    const Instant all_left = is_a ? closing.from_a.free_at : closing.from_b.free_at;
    later(std::max(all_left - now_, Duration{}) + latency, is_a ? closing.b : closing.a,
          mesh::LinkDown{is_a ? closing.at_b : closing.at_a, "closed"}, *stream);
  }
  for (mesh::Commit& commit : effects.commits) {
    for (const mesh::Reconciliation& row : commit.reconciliations)
      acting.rows.push_back(row);
    for (const mesh::PeerSeen& seen : commit.peers)
      acting.seen.push_back(seen);
    for (const mesh::BudgetSpent& spent : commit.budgets)
      acting.budgets.push_back(spent);
    mesh::Committed answer = acting.store->commit(commit);
    if (!presences) answer.presences.clear();
    const bool authority = !commit.authority.empty();
    if (authority && fails_authority && fails_authority(i)) {
      answer.failed = Error{ErrorCode::kIo, "authority"};
    } else if (authority) {
      acting.keep(std::move(commit.authority));
    }
    if (!commit.segments.empty() || authority) later(commit_delay, i, std::move(answer));
  }
  for (const mesh::WriteRecord& record : effects.records) {
    acting.records.push_back(record);
    if (!presences) continue;
    acting.store->wall_ms = static_cast<std::uint64_t>(wall().ms + acting.wall_off_ms);
    later(commit_delay, i, acting.store->write(record));
  }
  for (const mesh::Read& read : effects.reads) {
    acting.reads.push_back(read);
    later(read_delay, i, acting.store->read(read));
  }
}

void Rig::dial(std::size_t i, const mesh::Dial& dial) {
  node(i).dial_times.push_back(now_);
  const std::optional<std::size_t> to = dials ? listener(dial.address) : std::nullopt;
  if (!to || (parted && parted(i, *to))) {
    later(latency, i, mesh::LinkDown{dial.link, "refused"});
    return;
  }
  const mesh::LinkId inbound{mesh::kInboundBit | next_inbound_++};
  streams_.push_back({i, *to, dial.link, inbound, true, {}, {}});
  const std::size_t stream = streams_.size() - 1;
  later(latency, i, mesh::LinkUp{dial.link, true, dial.address}, stream);
  later(latency, *to, mesh::LinkUp{inbound, false, address(i)}, stream);
}

void Rig::deliver(std::size_t i, mesh::Send& send) {
  const std::optional<std::size_t> stream = stream_of(i, send.link);
  if (!stream && on_stray_send) on_stray_send(send);
  if (!stream || node(i).mute) return;
  const Stream& carrying = streams_[*stream];
  const bool is_a = carrying.a == i && carrying.at_a == send.link;
  const std::size_t to = is_a ? carrying.b : carrying.a;
  const mesh::LinkId at = is_a ? carrying.at_b : carrying.at_a;
  if (const std::uint64_t limit = rate ? rate(i, to) : 0; limit > 0) {
    wire_bytes_[{i, to}] += send.bytes.size();
    send_slowly(i, *stream, send.link, send.bytes, limit);
    if (send.report) later(Duration{}, i, mesh::SendProgress{send.link, 0}, *stream);
    return;
  }
  if (send.report) later(Duration{}, i, mesh::SendProgress{send.link, 0}, *stream);
  const std::optional<std::size_t> kept = breaker ? breaker(i, to, send.bytes) : std::nullopt;
  if (!kept) {
    wire_bytes_[{i, to}] += send.bytes.size();
    later(latency, to, mesh::StreamBytes{at, std::move(send.bytes)}, *stream);
    return;
  }
  send.bytes.resize(std::min(*kept, send.bytes.size()));
  later(latency, to, mesh::StreamBytes{at, std::move(send.bytes)});
  break_stream(*stream, std::nullopt);
}

Rig::Pipe& Rig::pipe_from(std::size_t i, Stream& stream, mesh::LinkId link) {
  return stream.a == i && stream.at_a == link ? stream.from_a : stream.from_b;
}

// In packets, each of which leaves when those before it have.
void Rig::send_slowly(std::size_t i, std::size_t index, mesh::LinkId link, ByteView bytes,
                      std::uint64_t limit) {
  const Stream& stream = streams_[index];
  const bool is_a = stream.a == i && stream.at_a == link;
  const std::size_t to = is_a ? stream.b : stream.a;
  const mesh::LinkId at = is_a ? stream.at_b : stream.at_a;
  Pipe& pipe = pipe_from(i, streams_[index], link);
  pipe.waiting += bytes.size();
  while (!bytes.empty()) {
    const ByteView packet = bytes.first(std::min<std::size_t>(bytes.size(), kPacketBytes));
    bytes = bytes.subspan(packet.size());
    const auto us = static_cast<std::int64_t>(packet.size() * 1000000 / limit);
    pipe.free_at = std::max(pipe.free_at, now_) + microseconds(us);
    const Duration leaves = pipe.free_at - now_;
    due_.emplace(pipe.free_at, Due{pipe.free_at, i, node(i).generation, mesh::SendProgress{link, 0},
                                   index, packet.size()});
    later(leaves + latency, to, mesh::StreamBytes{at, to_bytes(packet)}, index);
  }
}

void Rig::break_stream(std::size_t index, std::optional<std::size_t> silent_for) {
  Stream& stream = streams_[index];
  if (!stream.open) return;
  stream.open = false;
  if (silent_for != stream.a) later(latency, stream.a, mesh::LinkDown{stream.at_a, "reset"});
  if (silent_for != stream.b) later(latency, stream.b, mesh::LinkDown{stream.at_b, "reset"});
}

void Rig::later(Duration delay, std::size_t to, mesh::Input input,
                std::optional<std::size_t> stream) {
  due_.emplace(now_ + delay,
               Due{now_ + delay, to, node(to).generation, std::move(input), stream, 0});
}

std::optional<std::size_t> Rig::stream_of(std::size_t i, mesh::LinkId link) const {
  for (std::size_t s = 0; s < streams_.size(); ++s) {
    const Stream& stream = streams_[s];
    const bool here =
        (stream.a == i && stream.at_a == link) || (stream.b == i && stream.at_b == link);
    if (here && stream.open) return s;
  }
  return std::nullopt;
}

std::optional<std::size_t> Rig::listener(const std::string& wanted) const {
  const auto alias = aliases.find(wanted);
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const bool there = alias != aliases.end() ? alias->second == i : address(i) == wanted;
    if (nodes_[i]->engine != nullptr && nodes_[i]->listening && there) return i;
  }
  return std::nullopt;
}

}  // namespace ebb::tests
