// Any bytes to either end of a handshake: as they are, laid over the right message, or under a mac
// that is right.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "core/check.h"
#include "core/limits.h"
#include "tests/channel/ends.h"
#include "trust/hash.h"

using namespace ebb;
using namespace ebb::channel;
using namespace ebb::tests;

namespace {

// One of the three forms that a handshake has, with the bytes that are right.
struct Form {
  explicit Form(AccessKey key) : access(std::move(key)) {
    const auto initiator = Handshake::initiator(access, initiator_keys());
    const auto responder = Handshake::responder(accepting(access), responder_keys());
    good = speak(*initiator, *responder).messages;
  }
  AccessKey access;
  std::vector<Bytes> good;
};

const Form& form_of(std::uint8_t number) {
  EBB_CHECK(trust::crypto_ready().ok());
  static const std::array<Form, 3> forms = {Form(AccessKey::for_link(kMesh)),
                                            Form(AccessKey::for_link(kMesh, kMeshSecret)),
                                            Form(AccessKey::for_join(kMesh, kInviteSecret))};
  return forms[number % forms.size()];
}

// An end that waits for message `at`.
std::unique_ptr<Handshake> end_before(const Form& form, std::size_t at) {
  Bytes out;
  if (at == 1) {
    auto initiator = Handshake::initiator(form.access, initiator_keys());
    initiator->start(out);
    return initiator;
  }
  auto responder = Handshake::responder(accepting(form.access), responder_keys());
  if (at == 0) return responder;
  EBB_CHECK(responder->receive(form.good[0]).step == HandshakeStep::kAnswer);
  EBB_CHECK(responder->answer(as_bytes(kSecondPayload), out) == HandshakeStep::kMore);
  return responder;
}

void check_refused(Handshake& end, HandshakeStep step, ByteView right) {
  EBB_CHECK(end.payload().empty());
  const auto again = end.receive(right);
  EBB_CHECK(again.step == step && again.taken == 0);
}

// In two pieces. Whatever is not the right message gets neither session nor payload.
void check_wire(const Form& form, std::size_t at, ByteView wire) {
  const auto end = end_before(form, at);
  const auto first = end->receive(wire.first(wire.size() / 2));
  EBB_CHECK(first.taken <= wire.size() / 2);
  const auto second = end->receive(wire.subspan(first.taken));
  EBB_CHECK(second.taken <= wire.size() - first.taken);
  const Bytes& right = form.good[at];
  if (second.step == HandshakeStep::kAnswer || second.step == HandshakeStep::kDone) {
    EBB_CHECK(first.taken + second.taken == right.size());
    EBB_CHECK(equal(wire.first(right.size()), right));
    return;
  }
  EBB_CHECK(!equal(wire.first(std::min(wire.size(), right.size())), right));
  if (second.step == HandshakeStep::kMore) {
    EBB_CHECK(end->payload().empty());
    return;
  }
  EBB_CHECK((second.step == HandshakeStep::kSilence) == (at == 0));
  check_refused(*end, second.step, right);
}

// Whoever knows the secret may send any key.
void check_under_mac(const Form& form, ByteView data) {
  const std::size_t size = form.access.first_message_bytes() - kMacBytes;
  Bytes noise(size);
  std::copy_n(data.begin(), std::min(size, data.size()), noise.begin());
  Bytes wire;
  append_be16(wire, static_cast<std::uint16_t>(form.access.first_message_bytes()));
  append(wire, form.access.mac(noise).view());
  append(wire, noise);
  const auto end = end_before(form, 0);
  const auto received = end->receive(wire);
  EBB_CHECK(received.step == HandshakeStep::kAnswer || received.step == HandshakeStep::kFailed);
  if (received.step == HandshakeStep::kFailed) return check_refused(*end, received.step, wire);
  Bytes out;
  const HandshakeStep answered = end->answer({}, out);
  EBB_CHECK(answered == HandshakeStep::kMore || answered == HandshakeStep::kFailed);
  EBB_CHECK(out.empty() == (answered == HandshakeStep::kFailed));
}

}  // namespace

// The last byte says which end and how, so that a corpus of messages has all kinds.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView rest(data, size - 1);
  const std::uint8_t kind = data[size - 1];
  const Form& form = form_of(kind & 3);
  const std::size_t at = (kind >> 2) % 3U;
  if (kind < 64) {
    check_under_mac(form, rest);
  } else if (kind < 128) {
    check_wire(form, at, rest);
  } else {
    Bytes wire = form.good[at];
    const std::size_t begin = rest.empty() ? 0 : rest[0] % wire.size();
    for (std::size_t i = 1; i < rest.size() && begin + i - 1 < wire.size(); ++i)
      wire[begin + i - 1] ^= rest[i];
    check_wire(form, at, wire);
  }
  return 0;
}
