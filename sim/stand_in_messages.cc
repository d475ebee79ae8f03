#include "sim/stand_in_messages.h"

#include <string_view>

#include "core/limits.h"
#include "core/planted.h"
#include "trust/hash.h"

namespace ebb::sim {
namespace {

constexpr std::size_t kLast = 2;
// Between nonce and payload, so that messages are as long as those of the secure channel without a
// mesh secret.
constexpr std::array<std::size_t, 3> kPadBytes = {16, 64, 32};

std::uint64_t word_of(const Hash& hash) { return read_be64(hash.view().first(8)); }

std::uint64_t tag_of(std::uint64_t key, ByteView content) {
  KeyedHash hash(key);
  hash.bytes(content);
  return hash.value();
}

}  // namespace

void append_tag(std::uint64_t tag, Bytes& out) {
  append_be64(out, tag);
  append_be64(out, 0);
}

bool tag_fits(std::uint64_t tag, ByteView wire) {
  return read_be64(wire.first(8)) == tag && read_be64(wire.subspan(8, 8)) == 0;
}

StandInMessages::StandInMessages(const MeshId& mesh, ByteView secret)
    : mesh_(mesh), secret_(to_bytes(secret)) {}

std::size_t StandInMessages::least_bytes(std::size_t number) const {
  // With a secret the first message has a tag of its own beside the mac.
  const std::size_t more = number == 0 && !secret_.empty() ? kStandInTagBytes : 0;
  return Nonce::kSize + kPadBytes[number] + more + kStandInTagBytes;
}

std::size_t StandInMessages::most_bytes(std::size_t number) const {
  return least_bytes(number) + (number == 0 ? 0 : limits::kHandshakePayloadBytes);
}

void StandInMessages::write(std::size_t number, const Nonces& nonces, ByteView payload,
                            Bytes& wire_out) const {
  Bytes message = to_bytes(nonces[number == 1 ? 1 : 0].view());
  message.resize(least_bytes(number) - kStandInTagBytes);
  append(message, payload);
  append_be16(wire_out, static_cast<std::uint16_t>(message.size() + kStandInTagBytes));
  append(wire_out, message);
  append_tag(tag_of(key(number, nonces), message), wire_out);
}

bool StandInMessages::fits(std::size_t number, const Nonces& nonces, ByteView message) const {
  const ByteView content = message.first(message.size() - kStandInTagBytes);
  return tag_fits(tag_of(key(number, nonces), content), message.subspan(content.size()));
}

ByteView StandInMessages::payload_of(std::size_t number, ByteView message) const {
  const ByteView content = message.first(message.size() - kStandInTagBytes);
  return content.subspan(least_bytes(number) - kStandInTagBytes);
}

std::uint64_t StandInMessages::key(std::size_t number, const Nonces& nonces) const {
  if (number == 0) {
    return word_of(trust::hash({as_bytes("ebb-sim-access"), mesh_.view(), secret_}));
  }
  if (number < kLast) {
    return word_of(trust::hash({as_bytes("ebb-sim-answer"), mesh_.view(), nonces[0].view()}));
  }
  return word_of(session(nonces));
}

Hash StandInMessages::session(const Nonces& nonces) const {
  const ByteView secret = planted(Bug::kForgetSecret) ? ByteView{} : ByteView(secret_);
  return trust::hash(
      {as_bytes("ebb-sim-record"), mesh_.view(), nonces[0].view(), nonces[1].view(), secret});
}

std::uint64_t StandInMessages::record_key(const Nonces& nonces, bool of_dialler) const {
  return word_of(session(nonces)) + (of_dialler ? 1 : 2);
}

channel::Key StandInMessages::datagram_key(const Nonces& nonces, bool of_dialler) const {
  const Bytes direction{static_cast<std::uint8_t>(of_dialler ? 1 : 2)};
  return *channel::Key::from(
      trust::hash({as_bytes("ebb-sim-datagram"), session(nonces).view(), direction}).view());
}

Bytes StandInMessages::proven(const Nonces& nonces, bool by_dialler) {
  constexpr std::string_view kLabel = "ebb-sim-link";
  Bytes bytes;
  bytes.reserve(kLabel.size() + 1 + 2 * Nonce::kSize);
  append(bytes, as_bytes(kLabel));
  bytes.push_back(by_dialler ? 1 : 2);
  append(bytes, nonces[0].view());
  append(bytes, nonces[1].view());
  return bytes;
}

}  // namespace ebb::sim
