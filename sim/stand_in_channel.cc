#include "sim/stand_in_channel.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "codec/handshake_payload.h"
#include "core/limits.h"
#include "core/planted.h"
#include "sim/stand_in_messages.h"
#include "trust/hash.h"

namespace ebb::sim {
namespace {

constexpr std::size_t kHeaderBytes = 2;
constexpr std::size_t kLengthBytes = 2;  // in front of a message
constexpr std::uint16_t kEndBit = 0x8000;

// Numbered in its direction; the header is under the tag.
std::uint64_t record_tag(std::uint64_t key, std::uint64_t number, std::uint16_t header,
                         ByteView plain) {
  KeyedHash hash(key);
  hash.word(number);
  hash.word(header);
  hash.bytes(plain);
  return hash.value();
}

mesh::ChannelFailure broken(const char* what) { return {mesh::ChannelFault::kBroken, what}; }

class StandInChannel final : public mesh::Channel {
 public:
  StandInChannel(const StandInMessages& messages, const trust::Identity& identity,
                 const trust::SignatureCheck& signatures, const StandInMessages::Nonce& nonce,
                 bool dialled, mesh::ChannelClaim own, mesh::MayAnswer may_answer)
      : messages_(messages),
        identity_(identity),
        signatures_(signatures),
        dialled_(dialled),
        own_(std::move(own)),
        may_answer_(std::move(may_answer)),
        nonces_{nonce, nonce} {}

  void start(Bytes& wire_out) override {
    if (!dialled_) return;
    messages_.write(0, nonces_, {}, wire_out);
    next_ = 1;
  }

  std::optional<mesh::ChannelFailure> receive(Bytes wire, Bytes& plain_out,
                                              Bytes& wire_out) override {
    if (failed_) return failed_;
    if (!begun_.empty()) {
      append(begun_, wire);
      wire = std::exchange(begun_, {});
    }
    std::size_t at = 0;
    while (!failed_ && next_ < 3 && wire.size() - at >= kLengthBytes) {
      const std::size_t size = read_be16(ByteView(wire).subspan(at));
      failed_ = judge_length(size);
      if (failed_ || wire.size() - at - kLengthBytes < size) break;
      failed_ = take_message(ByteView(wire).subspan(at + kLengthBytes, size), wire_out);
      at += kLengthBytes + size;
    }
    if (failed_ || !peer_) {
      begun_ = to_bytes(ByteView(wire).subspan(at));
    } else {
      failed_ = take_records(std::move(wire), at, plain_out);
    }
    return failed_;
  }

  void seal(Bytes plain, Bytes& wire_out) override {
    ByteView rest(plain);
    while (!rest.empty()) {
      const std::size_t size = std::min(rest.size(), limits::kSealedRecordBytes);
      seal_one(rest.first(size), 0, wire_out);
      rest = rest.subspan(size);
    }
  }
  void finish(Bytes& wire_out) override { seal_one({}, kEndBit, wire_out); }
  bool established() const override { return peer_.has_value(); }
  bool ended() const override { return ended_; }
  const std::optional<mesh::ChannelPeer>& peer() const override { return peer_; }
  mesh::DatagramKeys take_datagram_keys() override {
    return {messages_.datagram_key(nonces_, dialled_), messages_.datagram_key(nonces_, !dialled_)};
  }

 private:
  std::optional<mesh::ChannelFailure> judge_length(std::size_t size) const {
    const bool is_possible =
        size >= messages_.least_bytes(next_) && size <= messages_.most_bytes(next_);
    if (is_possible) return std::nullopt;
    if (next_ == 0) return mesh::ChannelFailure{mesh::ChannelFault::kNoAccess, ""};
    return broken("stand-in: length");
  }

  void say_hello(std::size_t number, Bytes& wire_out) {
    codec::HandshakePayload payload;
    payload.device = identity_.device();
    payload.proof = identity_.sign(StandInMessages::proven(nonces_, dialled_));
    payload.receiver_index = own_.receiver_index;
    payload.certificate = own_.certificate;
    payload.authority_heads = own_.authority_heads;
    messages_.write(number, nonces_, codec::encode_handshake_payload(payload), wire_out);
  }

  std::optional<mesh::ChannelFailure> take_message(ByteView message, Bytes& wire_out) {
    const std::size_t number = next_++;
    if (number != 2) nonces_[number] = StandInMessages::nonce_of(message);
    const bool fits = messages_.fits(number, nonces_, message);
    if (number == 0) {
      if (!fits && !planted(Bug::kSkipFirstMac)) {
        return mesh::ChannelFailure{mesh::ChannelFault::kNoAccess, ""};
      }
      if (!may_answer_()) return mesh::ChannelFailure{mesh::ChannelFault::kNotAnswered, ""};
      say_hello(1, wire_out);
      next_ = 2;
      return std::nullopt;
    }
    if (!fits) return broken("stand-in: message");
    Result<codec::HandshakePayload> payload =
        codec::decode_handshake_payload(messages_.payload_of(number, message));
    if (!payload.ok()) return broken("stand-in: payload");
    if (!signatures_.holds(payload->device, StandInMessages::proven(nonces_, !dialled_),
                           payload->proof)) {
      return mesh::ChannelFailure{mesh::ChannelFault::kBadProof, ""};
    }
    if (number == 1) say_hello(2, wire_out);
    next_ = 3;
    key_out_ = messages_.record_key(nonces_, dialled_);
    key_in_ = messages_.record_key(nonces_, !dialled_);
    peer_ = mesh::ChannelPeer{payload->device,
                              stand_in_link_key(payload->device),
                              {payload->receiver_index, std::move(payload->certificate),
                               std::move(payload->authority_heads)},
                              std::nullopt};
    return std::nullopt;
  }

  // Of `wire` from `at` on; what has not come whole is kept.
  std::optional<mesh::ChannelFailure> take_records(Bytes wire, std::size_t at, Bytes& plain_out) {
    for (;;) {
      const ByteView rest = ByteView(wire).subspan(at);
      if (!rest.empty() && ended_) return broken("stand-in: bytes behind the end");
      if (rest.size() < kHeaderBytes) return keep(std::move(wire), at);
      const std::uint16_t header = read_be16(rest);
      const std::size_t size = header & static_cast<std::uint16_t>(~kEndBit);
      const bool end = (header & kEndBit) != 0;
      if (end ? size != 0 : size == 0 || size > limits::kSealedRecordBytes) {
        return broken("stand-in: header");
      }
      if (rest.size() < kHeaderBytes + size + kStandInTagBytes) return keep(std::move(wire), at);
      const ByteView plain = rest.subspan(kHeaderBytes, size);
      const std::uint64_t tag = record_tag(key_in_, number_in_++, header, plain);
      const bool fits = tag_fits(tag, rest.subspan(kHeaderBytes + size));
      if (!fits && !planted(Bug::kSkipRecordTag)) return broken("stand-in: tag");
      ended_ = end;
      at += kHeaderBytes + size + kStandInTagBytes;
      if (plain_out.empty() && at == wire.size()) {
        // As a rule one record came, and its bytes need no other place.
        wire.resize(at - kStandInTagBytes);
        wire.erase(wire.begin(), wire.end() - static_cast<std::ptrdiff_t>(size));
        plain_out = std::move(wire);
        return std::nullopt;
      }
      append(plain_out, plain);
    }
  }

  std::optional<mesh::ChannelFailure> keep(Bytes wire, std::size_t at) {
    wire.erase(wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(at));
    begun_ = std::move(wire);
    return std::nullopt;
  }

  void seal_one(ByteView plain, std::uint16_t end, Bytes& wire_out) {
    const auto header = static_cast<std::uint16_t>(end | plain.size());
    wire_out.reserve(wire_out.size() + kHeaderBytes + plain.size() + kStandInTagBytes);
    append_be16(wire_out, header);
    append(wire_out, plain);
    append_tag(record_tag(key_out_, number_out_++, header, plain), wire_out);
  }

  const StandInMessages& messages_;
  const trust::Identity& identity_;
  const trust::SignatureCheck& signatures_;
  bool dialled_;
  mesh::ChannelClaim own_;
  mesh::MayAnswer may_answer_;
  StandInMessages::Nonces nonces_;
  std::size_t next_ = 0;  // message that is to come; 3: records
  Bytes begun_;           // a message or record that has not come whole
  std::optional<mesh::ChannelFailure> failed_;
  bool ended_ = false;
  std::optional<mesh::ChannelPeer> peer_;
  std::uint64_t key_out_ = 0, key_in_ = 0;
  std::uint64_t number_out_ = 0, number_in_ = 0;
};

}  // namespace

trust::LinkKey stand_in_link_key(const DeviceId& device) {
  return trust::LinkKey{trust::hash({as_bytes("ebb-sim-link-key"), device.view()}).data};
}

std::unique_ptr<mesh::Channel> StandInChannels::make(bool dialled, mesh::ChannelClaim own,
                                                     mesh::MayAnswer may_answer) const {
  StandInMessages::Nonce nonce;
  for (std::uint8_t& byte : nonce.data)
    byte = static_cast<std::uint8_t>(rng_.next());
  return std::make_unique<StandInChannel>(messages_, identity_, signatures_, nonce, dialled,
                                          std::move(own), std::move(may_answer));
}

std::uint32_t StandInChannels::random_index() const {
  return static_cast<std::uint32_t>(rng_.next());
}

std::unique_ptr<mesh::Channel> StandInChannels::dial(mesh::ChannelClaim own) const {
  return make(true, std::move(own), nullptr);
}

std::unique_ptr<mesh::Channel> StandInChannels::accept(mesh::ChannelClaim own,
                                                       mesh::MayAnswer may_answer) const {
  return make(false, std::move(own), std::move(may_answer));
}

}  // namespace ebb::sim
