// What strangers say, each in his way.
#include <utility>

#include "sim/strangers.h"

namespace ebb::sim {
namespace {

constexpr std::size_t kLengthBytes = 2;  // in front of a message
constexpr std::uint64_t kNoiseBytesMax = 400;
constexpr std::uint64_t kFlipEvery = 50;  // of what is passed on
constexpr Duration kPatience = seconds(15);

// The first message in `bytes`, without its length; nullopt: it has not come whole.
std::optional<Bytes> take_message(Bytes& bytes) {
  if (bytes.size() < kLengthBytes) return std::nullopt;
  const std::size_t end = kLengthBytes + read_be16(bytes);
  if (bytes.size() < end) return std::nullopt;
  const auto at = bytes.begin() + static_cast<std::ptrdiff_t>(end);
  Bytes message(bytes.begin() + kLengthBytes, at);
  bytes.erase(bytes.begin(), at);
  return message;
}

}  // namespace

void Strangers::close_within(Stranger& stranger, mesh::LinkId link, Duration longest) {
  const auto us = static_cast<std::int64_t>(rng_.below(static_cast<std::uint64_t>(longest.us)));
  world_.queue.after(microseconds(us),
                     [this, place = stranger.place, link] { world_.network.close(place, link); });
}

// Now and then behind a length that could be one.
void Strangers::say_noise(Stranger& stranger, mesh::LinkId link) {
  const std::uint64_t size = rng_.between(1, kNoiseBytesMax);
  Bytes noise;
  if (rng_.chance(1, 2)) append_be16(noise, static_cast<std::uint16_t>(size));
  for (std::uint64_t i = 0; i < size; ++i)
    noise.push_back(static_cast<std::uint8_t>(rng_.next()));
  world_.network.send(stranger.place, link, std::move(noise), false);
}

void Strangers::begin_dialled(Stranger& stranger, mesh::LinkId link, Talk& talk) {
  close_within(stranger, link, kPatience);
  Bytes said;
  if (talk.way == Fault::kStrangerRepeats) {
    const Overheard::Handshake* const heard = overheard_.draw(rng_);
    if (heard == nullptr) return;
    Bytes rest = heard->said[0];
    const std::optional<Bytes> first = take_message(rest);
    if (!first) return;
    append_be16(said, static_cast<std::uint16_t>(first->size()));
    append(said, *first);
    talk.behind = std::move(rest);
  } else {
    said = talk.end->first(talk.way == Fault::kStrangerGuesses);
  }
  world_.counts.count(talk.way);
  world_.network.send(stranger.place, link, std::move(said), false);
}

// An answer has to come, as the mac is right; and that is all.
void Strangers::hear_repeated(Stranger& stranger, mesh::LinkId link, Talk& talk, Bytes bytes) {
  append(talk.came, bytes);
  if (talk.stage == 0 && take_message(talk.came)) {
    talk.stage = 1;
    if (!talk.behind.empty()) {
      world_.network.send(stranger.place, link, std::exchange(talk.behind, {}), false);
    }
  }
  if (talk.stage == 1 && !talk.came.empty()) {
    talk.stage = 2;
    world_.checker.went_on(talk.host);
  }
}

void Strangers::replay(Stranger& stranger, mesh::LinkId link, Talk& talk) {
  if (talk.stage++ > 0) return;
  const Overheard::Handshake* const heard = overheard_.draw(rng_);
  if (heard == nullptr) return world_.network.close(stranger.place, link);
  world_.counts.count(talk.way);
  world_.network.send(stranger.place, link, heard->said[1], false);
}

void Strangers::hear_answered(Stranger& stranger, mesh::LinkId link, Talk& talk, Bytes bytes) {
  if (talk.stage > 1) return;
  append(talk.came, bytes);
  while (const std::optional<Bytes> message = take_message(talk.came)) {
    if (talk.stage++ > 0) {
      if (talk.end->reads(*message)) world_.checker.was_read(talk.host);
      if (rng_.chance(1, 2)) say_noise(stranger, link);
      return;
    }
    DeviceId named = stranger.identity->device();
    if (talk.way == Fault::kStrangerNames) named = hosts_[rng_.below(hosts_.size())];
    std::optional<Bytes> answer = talk.end->answer(*message, named);
    if (!answer) return world_.network.close(stranger.place, link);
    world_.counts.count(talk.way);
    world_.network.send(stranger.place, link, std::move(*answer), false);
  }
}

void Strangers::pass_on(Stranger& stranger, mesh::LinkId link, Talk& talk, Bytes bytes) {
  const auto other = stranger.talks.find(*talk.other);
  if (other == stranger.talks.end()) return;
  if (!other->second.up) return append(other->second.behind, bytes);
  bool bent = world_.network.bytes_since_flip(stranger.place, link).has_value();
  if (!calm_ && options_.has(Fault::kStrangerFlips) && rng_.chance(1, kFlipEvery)) {
    world_.counts.count(Fault::kStrangerFlips);
    std::uint8_t& byte = bytes[rng_.below(bytes.size())];
    byte = static_cast<std::uint8_t>(byte ^ rng_.between(1, 255));
    bent = true;
  }
  if (bent) return world_.network.send_bent(stranger.place, *talk.other, std::move(bytes));
  world_.network.send(stranger.place, *talk.other, std::move(bytes), false);
}

}  // namespace ebb::sim
