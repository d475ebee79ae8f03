#include "sim/liar.h"

#include <algorithm>
#include <utility>

#include "channel/datagrams.h"
#include "core/check.h"
#include "core/limits.h"
#include "sim/lies.h"

namespace ebb::sim {
namespace {

constexpr std::size_t kKept = 64;      // frames
constexpr std::size_t kKeptLogs = 32;  // ids
constexpr std::size_t kInventedHeads = 20;

void put(ByteView frame, Bytes& out) { codec::append_frame(codec::Priority::kControl, frame, out); }

class LyingChannel final : public mesh::Channel {
 public:
  LyingChannel(std::unique_ptr<mesh::Channel> honest, Liar& liar)
      : honest_(std::move(honest)), liar_(liar) {}

  void start(Bytes& wire_out) override { honest_->start(wire_out); }
  std::optional<mesh::ChannelFailure> receive(Bytes wire, Bytes& plain_out,
                                              Bytes& wire_out) override {
    return honest_->receive(std::move(wire), plain_out, wire_out);
  }
  void seal(Bytes plain, Bytes& wire_out) override {
    honest_->seal(liar_.bend(stream_, plain), wire_out);
  }
  void finish(Bytes& wire_out) override { honest_->finish(wire_out); }
  bool established() const override { return honest_->established(); }
  bool ended() const override { return honest_->ended(); }
  const std::optional<mesh::ChannelPeer>& peer() const override { return honest_->peer(); }
  mesh::DatagramKeys take_datagram_keys() override {
    mesh::DatagramKeys keys = honest_->take_datagram_keys();
    liar_.keep_datagram_key(honest_->peer()->claim.receiver_index, keys.outward.copy());
    return keys;
  }

 private:
  std::unique_ptr<mesh::Channel> honest_;
  Liar& liar_;
  Liar::Stream stream_;
};

}  // namespace

std::unique_ptr<mesh::Channel> LyingChannels::dial(mesh::ChannelClaim own) const {
  return std::make_unique<LyingChannel>(honest_.dial(std::move(own)), liar_);
}

std::unique_ptr<mesh::Channel> LyingChannels::accept(mesh::ChannelClaim own,
                                                     mesh::MayAnswer may_answer) const {
  return std::make_unique<LyingChannel>(honest_.accept(std::move(own), std::move(may_answer)),
                                        liar_);
}

Bytes Liar::bend(Stream& stream, ByteView bytes) {
  Bytes out;
  stream.frames.push(bytes);
  for (;;) {
    const Result<ByteView> frame = stream.frames.next();
    if (!frame.ok() || frame->empty()) return out;
    say(stream, *frame, out);
  }
}

void Liar::keep_datagram_key(channel::ReceiverIndex index, channel::Key key) {
  datagram_keys_.insert_or_assign(index, channel::CipherState(std::move(key)));
}

Bytes Liar::bend_datagram(ByteView bytes) {
  const auto lies = [this](Fault lie) {
    return options_.has(lie) && rng_.chance(options_.lies_permille, 1000);
  };
  const bool flips = lies(Fault::kLieBytes);
  const bool invents = lies(Fault::kLieFields);
  const auto key = datagram_keys_.find(channel::datagram_index(bytes).value_or(0));
  if ((!flips && !invents) || key == datagram_keys_.end()) return to_bytes(bytes);
  const ByteView header = bytes.first(channel::kDatagramHeaderBytes);
  const std::uint64_t counter = read_be64(header.subspan(8));
  channel::CipherState& cipher = key->second;
  Bytes plain;
  cipher.set_nonce(counter);
  if (!cipher.decrypt(header, bytes.subspan(header.size()), plain).ok()) return to_bytes(bytes);
  if (flips) {
    counts_.count(Fault::kLieBytes);
    flip(plain, 0);
  }
  if (invents && bend_datagram_body(header[0], plain, rng_)) counts_.count(Fault::kLieFields);
  Bytes out = to_bytes(header);
  cipher.set_nonce(counter);
  EBB_CHECK(cipher.encrypt(header, plain, out).ok());
  return out;
}

void Liar::say(Stream& stream, ByteView frame, Bytes& out) {
  keep(frame);
  const std::vector<Bytes> held_back = std::exchange(stream.held_back, {});
  const auto lie = static_cast<Fault>(static_cast<std::size_t>(kFirstLie) + rng_.below(kLies));
  const bool lies = rng_.chance(options_.lies_permille, 1000) && options_.has(lie);
  const std::size_t begin = out.size();
  if (lies) {
    bend_frame(stream, frame, lie, out);
  } else {
    put(frame, out);
  }
  for (const Bytes& late : held_back)
    put(late, out);
  if (options_.floods > 0 && may_come_again(frame)) flood(out, begin);
}

void Liar::flood(Bytes& out, std::size_t begin) {
  counts_.count(Fault::kLieAgain);
  const Bytes said(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end());
  for (std::uint64_t i = 0; i < options_.floods; ++i)
    append(out, said);
}

void Liar::bend_frame(Stream& stream, ByteView frame, Fault lie, Bytes& out) {
  const std::size_t begin = out.size();
  switch (lie) {
    case Fault::kLieBytes:
      put(frame, out);
      flip(out, begin);
      break;
    case Fault::kLieFields:
      if (!change_field(frame, out)) return put(frame, out);
      break;
    case Fault::kLieAgain:
      for (std::uint64_t i = rng_.between(2, 20); i > 0; --i)
        put(frame, out);
      break;
    case Fault::kLieOld:
      put(kept_[rng_.below(kept_.size())], out);
      if (rng_.chance(1, 2)) put(frame, out);
      break;
    case Fault::kLieOrder:
      stream.held_back.push_back(to_bytes(frame));
      break;
    case Fault::kLieSilence:
      break;
    case Fault::kLieClaims:
      put(frame, out);
      claim(out);
      break;
    case Fault::kLieSegments:
      if (!forge(frame, out)) return put(frame, out);
      break;
    default:
      return put(frame, out);
  }
  counts_.count(lie);
}

void Liar::keep(ByteView frame) {
  if (kept_.size() < kKept) {
    kept_.push_back(to_bytes(frame));
  } else {
    kept_[rng_.below(kKept)] = to_bytes(frame);
  }
  for (const LogId& log : mentioned_logs(frame)) {
    if (logs_.size() < kKeptLogs) {
      logs_.push_back(log);
    } else {
      logs_[rng_.below(kKeptLogs)] = log;
    }
  }
}

bool Liar::change_field(ByteView frame, Bytes& out) {
  Result<codec::Message> message = codec::decode_message(frame);
  if (!message.ok()) return false;
  bend_message(*message, rng_);
  Bytes bent;
  codec::encode_message(*message, bent);
  put(bent, out);
  return true;
}

bool Liar::forge(ByteView frame, Bytes& out) {
  Result<codec::Message> message = codec::decode_message(frame);
  auto* delta = message.ok() ? std::get_if<codec::Delta>(&*message) : nullptr;
  if (delta == nullptr || delta->segments.empty()) return false;
  const std::size_t at = rng_.below(delta->segments.size());
  const auto forged = forge_segment(delta->segments[at], identity_, rng_);
  if (!forged) return false;
  delta->segments[at] = *forged;
  Bytes bent;
  codec::encode_message(*delta, bent);
  put(bent, out);
  return true;
}

void Liar::claim(Bytes& out) {
  codec::Have have;
  for (std::uint64_t i = rng_.between(1, kInventedHeads); i > 0; --i) {
    const bool invented = logs_.empty() || rng_.chance(1, 4);
    const LogId log = invented ? random_log(rng_) : logs_[rng_.below(logs_.size())];
    have.heads.push_back({log, absurd(rng_)});
  }
  Bytes message;
  codec::encode_message(have, message);
  put(message, out);
}

void Liar::flip(Bytes& bytes, std::size_t from) {
  for (std::uint64_t i = rng_.between(1, 4); i > 0 && bytes.size() > from; --i) {
    const std::size_t at = from + rng_.below(bytes.size() - from);
    bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ rng_.between(1, 255));
  }
}

}  // namespace ebb::sim
