#include "sim/strangers.h"

#include <utility>
#include <variant>

#include "sim/paper_mesh.h"

namespace ebb::sim {
namespace {

constexpr Duration kSilenceMax = seconds(20);
constexpr std::uint64_t kDialMsMin = 10000;
constexpr std::uint64_t kDialMsMax = 60000;

}  // namespace

Strangers::Strangers(const World& world, const Options& options, const MeshId& mesh, Rng rng)
    : world_(world), options_(options), mesh_(mesh), rng_(rng) {
  for (std::size_t i = 0; i < options_.strangers; ++i) {
    Stranger stranger;
    stranger.place = static_cast<HostIndex>(options_.nodes + i);
    stranger.identity = random_identity(rng_, options_.real);
    strangers_.push_back(std::move(stranger));
  }
}

std::vector<DeviceId> Strangers::devices() const {
  std::vector<DeviceId> devices;
  for (const Stranger& stranger : strangers_)
    devices.push_back(stranger.identity->device());
  return devices;
}

void Strangers::begin(std::vector<DeviceId> hosts) {
  hosts_ = std::move(hosts);
  world_.network.set_overhear([this](std::uint64_t connection, std::size_t side, ByteView bytes) {
    overheard_.hear(connection, side, bytes);
  });
  for (Stranger& stranger : strangers_) {
    world_.network.host_up(stranger.place);
    dial_again(stranger);
  }
}

std::optional<Fault> Strangers::draw_way(Ways ways) {
  std::vector<Fault> open;
  for (auto i = static_cast<std::size_t>(ways.first); i <= static_cast<std::size_t>(ways.second);
       ++i) {
    if (options_.enabled[i]) open.push_back(static_cast<Fault>(i));
  }
  if (open.empty()) return std::nullopt;
  return open[rng_.below(open.size())];
}

std::unique_ptr<StrangerEnd> Strangers::make_end(const Stranger& stranger) {
  return make_stranger_end({options_.real_channel, options_.secret, mesh_, *stranger.identity},
                           rng_.fork());
}

mesh::LinkId Strangers::dial(Stranger& stranger, Talk talk) {
  const mesh::LinkId link{stranger.next_link++};
  const std::string& address = world_.network.current_address(talk.host);
  stranger.talks.emplace(link, std::move(talk));
  world_.network.dial(stranger.place, link, address);
  return link;
}

void Strangers::dial_again(Stranger& stranger) {
  const auto ms = static_cast<std::int64_t>(rng_.between(kDialMsMin, kDialMsMax));
  world_.queue.after(milliseconds(ms), [this, &stranger] {
    if (const auto way = draw_way({Fault::kStrangerGuesses, Fault::kStrangerNoMac})) {
      Talk talk;
      talk.way = *way;
      talk.host = static_cast<HostIndex>(rng_.below(options_.nodes));
      talk.end = make_end(stranger);
      dial(stranger, std::move(talk));
    }
    dial_again(stranger);
  });
}

void Strangers::deliver(HostIndex place, mesh::Input input) {
  Stranger& stranger = strangers_[place - options_.nodes];
  if (const auto* up = std::get_if<mesh::LinkUp>(&input)) {
    if (!up->dialled) return answer(stranger, up->link);
    came_up(stranger, up->link);
  } else if (const auto* down = std::get_if<mesh::LinkDown>(&input)) {
    went_down(stranger, down->link);
  } else if (auto* stream = std::get_if<mesh::StreamBytes>(&input)) {
    hear(stranger, stream->link, std::move(stream->bytes));
  }
}

void Strangers::answer(Stranger& stranger, mesh::LinkId link) {
  const auto way = draw_way({Fault::kStrangerSilent, Fault::kStrangerRelays});
  if (!way) return world_.network.close(stranger.place, link);
  Talk talk;
  talk.way = *way;
  talk.up = true;
  talk.host = world_.network.other_end(stranger.place, link);
  if (*way == Fault::kStrangerAnswers || *way == Fault::kStrangerNames) {
    talk.end = make_end(stranger);
  }
  if (*way == Fault::kStrangerRelays) {
    Talk on;
    on.way = *way;
    on.host = static_cast<HostIndex>(rng_.below(options_.nodes));
    on.other = link;
    talk.other = dial(stranger, std::move(on));
  }
  stranger.talks.emplace(link, std::move(talk));
  if (*way != Fault::kStrangerSilent && *way != Fault::kStrangerNoise) return;
  world_.counts.count(*way);
  if (*way == Fault::kStrangerNoise) say_noise(stranger, link);
  if (rng_.chance(1, 2)) close_within(stranger, link, kSilenceMax);
}

void Strangers::came_up(Stranger& stranger, mesh::LinkId link) {
  const auto found = stranger.talks.find(link);
  if (found == stranger.talks.end()) return;
  Talk& talk = found->second;
  talk.up = true;
  if (talk.way != Fault::kStrangerRelays) return begin_dialled(stranger, link, talk);
  world_.counts.count(talk.way);
  const auto other = stranger.talks.find(*talk.other);
  Bytes waiting = std::exchange(talk.behind, {});
  if (other == stranger.talks.end() || waiting.empty()) return;
  pass_on(stranger, *talk.other, other->second, std::move(waiting));
}

// Who has been passed on hears that the other is gone.
void Strangers::went_down(Stranger& stranger, mesh::LinkId link) {
  const auto found = stranger.talks.find(link);
  if (found == stranger.talks.end()) return;
  const std::optional<mesh::LinkId> other = found->second.other;
  stranger.talks.erase(found);
  if (other) world_.network.close(stranger.place, *other);
}

void Strangers::hear(Stranger& stranger, mesh::LinkId link, Bytes bytes) {
  const auto found = stranger.talks.find(link);
  if (found == stranger.talks.end()) return;
  Talk& talk = found->second;
  world_.checker.passed(talk.host, bytes);
  switch (talk.way) {
    case Fault::kStrangerReplays:
      return replay(stranger, link, talk);
    case Fault::kStrangerAnswers:
    case Fault::kStrangerNames:
      return hear_answered(stranger, link, talk, std::move(bytes));
    case Fault::kStrangerRelays:
      return pass_on(stranger, link, talk, std::move(bytes));
    case Fault::kStrangerRepeats:
      return hear_repeated(stranger, link, talk, std::move(bytes));
    case Fault::kStrangerGuesses:
    case Fault::kStrangerNoMac:
      return world_.checker.answered(talk.host);
    default:
      return;  // silence and noise hear nothing
  }
}

}  // namespace ebb::sim
