#include "sim/stand_in_channel.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <utility>

#include "core/limits.h"
#include "core/planted.h"
#include "sim/words.h"
#include "trust/hash.h"

namespace ebb::sim {
namespace {

constexpr std::size_t kHeaderBytes = 2;
constexpr std::size_t kTagBytes = 16;  // 8 of them say something
constexpr std::size_t kNonceBytes = 16;
constexpr std::size_t kHelloBytes = kNonceBytes + DeviceId::kSize + Signature::kSize;
// As long as those of the secure channel without a mesh secret, lengths included.
constexpr std::size_t kMessageBytes[] = {50, 207, 175};
constexpr std::uint16_t kEndBit = 0x8000;

using Nonce = FixedBytes<kNonceBytes, struct StandInNonceTag>;

// Of the bytes under the key: another for each other byte.
class KeyedHash {
 public:
  explicit KeyedHash(std::uint64_t key) : state_(key) {}
  void word(std::uint64_t value) {
    state_ = (state_ ^ value) * 0x9e3779b97f4a7c15ULL;
    state_ = std::rotl(state_, 29);
  }
  void bytes(ByteView view) {
    words_of(view, [this](std::uint64_t value) { word(value); });
  }
  std::uint64_t value() const { return state_; }

 private:
  std::uint64_t state_;
};

void append_tag(std::uint64_t tag, Bytes& out) {
  append_be64(out, tag);
  append_be64(out, 0);
}

bool tag_fits(std::uint64_t tag, ByteView wire) {
  return read_be64(wire.first(8)) == tag && read_be64(wire.subspan(8, 8)) == 0;
}

std::uint64_t key_of(const Hash& hash) { return read_be64(hash.view().first(8)); }

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
  StandInChannel(const MeshId& mesh, const trust::Identity& identity,
                 const trust::SignatureCheck& signatures, const Nonce& nonce, bool dialled,
                 mesh::MayAnswer may_answer)
      : access_(key_of(trust::hash({as_bytes("ebb-sim-access"), mesh.view()}))),
        identity_(identity),
        signatures_(signatures),
        dialled_(dialled),
        may_answer_(std::move(may_answer)),
        nonces_{nonce, nonce} {}

  void start(Bytes& wire_out) override {
    if (!dialled_) return;
    send_message(0, nonces_[0].view(), wire_out);
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
    while (!failed_ && next_ < 3 && wire.size() - at >= kMessageBytes[next_]) {
      const ByteView message = ByteView(wire).subspan(at, kMessageBytes[next_]);
      at += message.size();
      failed_ = take_message(message, wire_out);
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
  std::optional<DeviceId> peer() const override { return peer_; }

 private:
  static std::uint64_t message_tag(std::uint64_t key, ByteView message) {
    KeyedHash hash(key);
    hash.bytes(message);
    return hash.value();
  }

  void send_message(std::size_t number, ByteView content, Bytes& wire_out) {
    Bytes message = to_bytes(content);
    message.resize(kMessageBytes[number] - kTagBytes);
    append(wire_out, message);
    append_tag(message_tag(access_, message), wire_out);
  }

  Bytes signed_bytes(bool by_dialler) const {
    Bytes bytes = to_bytes(as_bytes("ebb-sim-link"));
    bytes.push_back(by_dialler ? 1 : 2);
    append(bytes, nonces_[0].view());
    append(bytes, nonces_[1].view());
    return bytes;
  }

  void say_hello(std::size_t number, Bytes& wire_out) {
    Bytes content = to_bytes(nonces_[number == 1 ? 1 : 0].view());
    append(content, identity_.device().view());
    append(content, identity_.sign(signed_bytes(dialled_)).view());
    send_message(number, content, wire_out);
  }

  std::optional<mesh::ChannelFailure> take_message(ByteView message, Bytes& wire_out) {
    const ByteView content = message.first(message.size() - kTagBytes);
    const bool fits = tag_fits(message_tag(access_, content), message.subspan(content.size()));
    const std::size_t number = next_++;
    if (number == 0) {
      if (!fits) return mesh::ChannelFailure{mesh::ChannelFault::kNoAccess, ""};
      if (!may_answer_()) return mesh::ChannelFailure{mesh::ChannelFault::kNotAnswered, ""};
      nonces_[0] = *Nonce::from(content.first(kNonceBytes));
      say_hello(1, wire_out);
      next_ = 2;
      return std::nullopt;
    }
    if (!fits) return broken("stand-in: message");
    if (number == 1) nonces_[1] = *Nonce::from(content.first(kNonceBytes));
    const auto hello = content.first(kHelloBytes).subspan(kNonceBytes);
    const DeviceId device = *DeviceId::from(hello.first(DeviceId::kSize));
    const Signature proof = *Signature::from(hello.subspan(DeviceId::kSize));
    if (!signatures_.holds(device, signed_bytes(!dialled_), proof)) {
      return mesh::ChannelFailure{mesh::ChannelFault::kBadProof, ""};
    }
    if (number == 1) say_hello(2, wire_out);
    next_ = 3;
    const Hash session =
        trust::hash({as_bytes("ebb-sim-record"), nonces_[0].view(), nonces_[1].view()});
    key_out_ = key_of(session) + (dialled_ ? 1 : 2);
    key_in_ = key_of(session) + (dialled_ ? 2 : 1);
    peer_ = device;
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
      if (rest.size() < kHeaderBytes + size + kTagBytes) return keep(std::move(wire), at);
      const ByteView plain = rest.subspan(kHeaderBytes, size);
      const std::uint64_t tag = record_tag(key_in_, number_in_++, header, plain);
      const bool fits = tag_fits(tag, rest.subspan(kHeaderBytes + size));
      if (!fits && !planted(Bug::kSkipRecordTag)) return broken("stand-in: tag");
      ended_ = end;
      at += kHeaderBytes + size + kTagBytes;
      if (plain_out.empty() && at == wire.size()) {
        // As a rule one record came, and its bytes need no other place.
        wire.resize(at - kTagBytes);
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
    wire_out.reserve(wire_out.size() + kHeaderBytes + plain.size() + kTagBytes);
    append_be16(wire_out, header);
    append(wire_out, plain);
    append_tag(record_tag(key_out_, number_out_++, header, plain), wire_out);
  }

  std::uint64_t access_;
  const trust::Identity& identity_;
  const trust::SignatureCheck& signatures_;
  bool dialled_;
  mesh::MayAnswer may_answer_;
  Nonce nonces_[2];       // of who dialled, and of the other
  std::size_t next_ = 0;  // message that is to come; 3: records
  Bytes begun_;           // a message or record that has not come whole
  std::optional<mesh::ChannelFailure> failed_;
  bool ended_ = false;
  std::optional<DeviceId> peer_;
  std::uint64_t key_out_ = 0, key_in_ = 0;
  std::uint64_t number_out_ = 0, number_in_ = 0;
};

}  // namespace

std::unique_ptr<mesh::Channel> StandInChannels::make(bool dialled,
                                                     mesh::MayAnswer may_answer) const {
  Nonce nonce;
  for (std::uint8_t& byte : nonce.data)
    byte = static_cast<std::uint8_t>(rng_.next());
  return std::make_unique<StandInChannel>(mesh_, identity_, signatures_, nonce, dialled,
                                          std::move(may_answer));
}

std::unique_ptr<mesh::Channel> StandInChannels::dial() const { return make(true, nullptr); }

std::unique_ptr<mesh::Channel> StandInChannels::accept(mesh::MayAnswer may_answer) const {
  return make(false, std::move(may_answer));
}

}  // namespace ebb::sim
