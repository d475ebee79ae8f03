#include "mesh/secure_channel.h"

#include <optional>
#include <string>
#include <utility>

#include "channel/handshake.h"
#include "channel/records.h"
#include "codec/handshake_payload.h"
#include "core/check.h"
#include "core/error_words.h"
#include "core/secret.h"

namespace ebb::mesh {
namespace {

using channel::Handshake;
using channel::HandshakeStep;
using codec::HandshakeEnd;

class SecureChannel final : public Channel {
 public:
  SecureChannel(const SecureSetup& setup, bool dialled, ChannelClaim own, MayAnswer may_answer)
      : setup_(setup),
        dialled_(dialled),
        own_(std::move(own)),
        may_answer_(std::move(may_answer)),
        handshake_(begin()) {}

  void start(Bytes& wire_out) override {
    if (!dialled_) return;
    handshake_->start(wire_out);
    heard_behind_ = handshake_->transcript();
  }

  std::optional<ChannelFailure> receive(Bytes wire, Bytes& plain_out, Bytes& wire_out) override {
    ByteView rest(wire);
    while (!failed_ && handshake_ != nullptr && !rest.empty()) {
      const Handshake::Received received = handshake_->receive(rest);
      rest = rest.subspan(received.taken);
      failed_ = take(received.step, wire_out);
    }
    if (failed_ || rest.empty()) return failed_;
    if (const Status opened = opener_->receive(rest, plain_out); !opened.ok()) {
      failed_ = ChannelFailure{ChannelFault::kBroken, error_words(opened.error())};
    }
    return failed_;
  }

  void seal(Bytes plain, Bytes& wire_out) override {
    sealer_->seal(plain, wire_out);
    // Keys go in short messages alone; segments are no secret, and many.
    constexpr std::size_t kPerhapsKeys = 4096;
    if (plain.size() <= kPerhapsKeys) erase_bytes(plain);
  }
  void finish(Bytes& wire_out) override { sealer_->finish(wire_out); }
  bool established() const override { return peer_.has_value(); }
  bool ended() const override { return opener_ && opener_->ended(); }
  const std::optional<ChannelPeer>& peer() const override { return peer_; }
  DatagramKeys take_datagram_keys() override {
    EBB_CHECK(datagram_keys_);
    DatagramKeys keys = std::move(*datagram_keys_);
    datagram_keys_.reset();
    return keys;
  }

 private:
  std::unique_ptr<Handshake> begin() const {
    channel::HandshakeKeys keys{setup_.link_key.copy(), setup_.ephemeral()};
    if (dialled_) return Handshake::initiator(setup_.access.keys().front(), std::move(keys));
    return Handshake::responder(
        [&book = setup_.access] { return std::span<const channel::AccessKey>(book.keys()); },
        std::move(keys));
  }

  std::optional<ChannelFailure> take(HandshakeStep step, Bytes& wire_out) {
    switch (step) {
      case HandshakeStep::kMore:
        return std::nullopt;
      case HandshakeStep::kAnswer:
        return answer(wire_out);
      case HandshakeStep::kDone:
        return finish_handshake(judge());
      case HandshakeStep::kSilence:
        return ChannelFailure{ChannelFault::kNoAccess, ""};
      case HandshakeStep::kFailed:
        break;
    }
    const auto& error = handshake_->error();
    return ChannelFailure{ChannelFault::kBroken, error ? error_words(*error) : ""};
  }

  std::optional<ChannelFailure> answer(Bytes& wire_out) {
    // Now, for the book may change.
    if (!dialled_) invite_ = setup_.access.invite_of(handshake_->accepted_index());
    if (!dialled_ && !may_answer_()) return ChannelFailure{ChannelFault::kNotAnswered, ""};
    std::optional<ChannelFailure> failure;
    if (dialled_) failure = judge();
    // Without a common version both ends are to know, so the handshake goes on.
    if (failure && failure->fault != ChannelFault::kNoCommonVersion) return failure;
    const HandshakeStep step = handshake_->answer(own_payload(), wire_out);
    if (step == HandshakeStep::kDone) return finish_handshake(std::move(failure));
    if (step != HandshakeStep::kMore) return take(step, wire_out);
    heard_behind_ = handshake_->transcript();
    return failure;
  }

  Bytes own_payload() const {
    const HandshakeEnd end = dialled_ ? HandshakeEnd::kInitiator : HandshakeEnd::kResponder;
    codec::HandshakePayload payload;
    payload.wire_min = setup_.wire_min;
    payload.wire_max = setup_.wire_max;
    payload.device = setup_.identity.device();
    payload.proof = setup_.identity.sign(
        codec::proof_bytes(end, handshake_->transcript(), setup_.link_key.public_part().view()));
    payload.receiver_index = own_.receiver_index;
    payload.certificate = own_.certificate;
    payload.authority_heads = own_.authority_heads;
    return codec::encode_handshake_payload(payload);
  }

  // What the other end has said of itself in the message that came last.
  std::optional<ChannelFailure> judge() {
    Result<codec::HandshakePayload> payload =
        codec::decode_handshake_payload(handshake_->payload());
    if (!payload.ok()) return ChannelFailure{ChannelFault::kBroken, error_words(payload.error())};
    const HandshakeEnd end = dialled_ ? HandshakeEnd::kResponder : HandshakeEnd::kInitiator;
    const Bytes proven = codec::proof_bytes(end, heard_behind_, handshake_->peer_key()->view());
    if (!setup_.signatures.holds(payload->device, proven, payload->proof)) {
      return ChannelFailure{ChannelFault::kBadProof, ""};
    }
    if (setup_.expected && !equal(setup_.expected->view(), handshake_->peer_key()->view())) {
      return ChannelFailure{ChannelFault::kBadProof, "another link key than the expected one"};
    }
    if (payload->wire_min > setup_.wire_max || payload->wire_max < setup_.wire_min) {
      return ChannelFailure{ChannelFault::kNoCommonVersion,
                            "no common wire version: theirs " + std::to_string(payload->wire_min) +
                                " to " + std::to_string(payload->wire_max) + ", ours " +
                                std::to_string(setup_.wire_min) + " to " +
                                std::to_string(setup_.wire_max)};
    }
    proven_ = ChannelPeer{payload->device,
                          trust::LinkKey{handshake_->peer_key()->data},
                          {payload->receiver_index, std::move(payload->certificate),
                           std::move(payload->authority_heads)},
                          std::nullopt};
    return std::nullopt;
  }

  std::optional<ChannelFailure> finish_handshake(std::optional<ChannelFailure> failure) {
    if (failure) return failure;
    channel::SessionKeys keys = handshake_->take_keys();
    channel::Key& outward = dialled_ ? keys.stream.from_initiator : keys.stream.from_responder;
    channel::Key& inward = dialled_ ? keys.stream.from_responder : keys.stream.from_initiator;
    sealer_.emplace(channel::CipherState(std::move(outward)));
    opener_.emplace(channel::CipherState(std::move(inward)));
    channel::KeyPair& datagrams = keys.datagrams;
    datagram_keys_ = dialled_ ? DatagramKeys{std::move(datagrams.from_initiator),
                                             std::move(datagrams.from_responder)}
                              : DatagramKeys{std::move(datagrams.from_responder),
                                             std::move(datagrams.from_initiator)};
    peer_ = std::move(proven_);
    peer_->invite = invite_;
    handshake_.reset();
    return std::nullopt;
  }

  const SecureSetup& setup_;
  bool dialled_;
  ChannelClaim own_;
  MayAnswer may_answer_;
  std::unique_ptr<Handshake> handshake_;   // until it is done
  std::optional<trust::InviteId> invite_;  // that the other end has begun with
  Bytes heard_behind_;  // the transcript behind which the other end proves its key
  std::optional<ChannelFailure> failed_;
  std::optional<ChannelPeer> proven_;
  std::optional<ChannelPeer> peer_;
  std::optional<DatagramKeys> datagram_keys_;  // until they are taken
  std::optional<channel::RecordSealer> sealer_;
  std::optional<channel::RecordOpener> opener_;
};

}  // namespace

std::uint32_t SecureChannels::random_index() const { return read_be32(setup_.ephemeral().view()); }

std::unique_ptr<Channel> SecureChannels::dial(ChannelClaim own) const {
  return std::make_unique<SecureChannel>(setup_, true, std::move(own), nullptr);
}

std::unique_ptr<Channel> SecureChannels::accept(ChannelClaim own, MayAnswer may_answer) const {
  return std::make_unique<SecureChannel>(setup_, false, std::move(own), std::move(may_answer));
}

}  // namespace ebb::mesh
