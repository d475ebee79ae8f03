#include "node/join_talk.h"

#include <utility>

#include "codec/frame.h"
#include "core/limits.h"
#include "core/secret.h"
#include "node/clocks.h"
#include "trust/hash.h"

namespace ebb::node {
namespace {

constexpr Duration kSilence = seconds(30);  // after which nothing is expected any more
constexpr std::size_t kToldBytes = limits::kAuthorityRootBytes + limits::kAuthorityIssuersBytes;

class Talk {
 public:
  Talk(JoinStream stream, const trust::Invite& invite, const JoinKeys& keys)
      : stream_(std::move(stream)),
        access_(mesh::keys_of_invite(invite.mesh(), invite.secret)),
        channels_(mesh::SecureSetup{keys.identity, signatures_, keys.link.copy(), access_,
                                    [] {
                                      channel::Key key;
                                      trust::random_bytes(key.data(), channel::Key::kSize);
                                      return key;
                                    },
                                    codec::kWireVersion, codec::kWireVersion, invite.link_key}),
        channel_(channels_.dial({})) {}
  Talk(const Talk&) = delete;
  Talk& operator=(const Talk&) = delete;
  ~Talk() { splitter_.erase(); }

  Status shake_hands();
  Status ask(const std::string& label);
  // Until it has said no, or what the mesh is, which comes behind all records; or has ended.
  Status listen();
  JoinAnswer& answer() { return answer_; }

 private:
  Status take();
  Status take_frame(ByteView frame);
  bool is_done() const { return answer_.refused.has_value() || answer_.mesh.has_value(); }

  trust::SignatureCheck signatures_;
  JoinStream stream_;
  mesh::AccessBook access_;
  mesh::SecureChannels channels_;
  std::unique_ptr<mesh::Channel> channel_;
  codec::FrameSplitter splitter_;
  JoinAnswer answer_;
  std::size_t told_bytes_ = 0;
  bool closed_ = false;
};

Status Talk::shake_hands() {
  const Instant begun = monotonic_now();
  const Instant deadline = begun + milliseconds(limits::kHandshakeMs);
  Bytes wire;
  channel_->start(wire);
  EBB_RETURN_IF_ERROR(stream_.send(wire, deadline));
  while (!channel_->established()) {
    Result<Bytes> came = stream_.receive(deadline);
    if (!came.ok()) return came.error();
    // Whoever does not know the invite says nothing at all, and nor does who is too busy.
    if (came->empty()) {
      return Error{ErrorCode::kBadTag, "join",
                   "it says nothing: it does not know this invite, or has too much to do"};
    }
    Bytes plain, answer;
    const auto failure = channel_->receive(std::move(*came), plain, answer);
    if (!failure) answer_.round_trip = monotonic_now() - begun;
    if (failure && failure->fault == mesh::ChannelFault::kNoCommonVersion) {
      return Error{ErrorCode::kUnsupported, "join", failure->detail};
    }
    if (failure)
      return Error{ErrorCode::kBadSignature, "join", "it is not the node that has invited"};
    EBB_RETURN_IF_ERROR(stream_.send(answer, deadline));
    splitter_.push(plain);
  }
  answer_.inviter = channel_->peer()->device;
  return {};
}

Status Talk::ask(const std::string& label) {
  Bytes message, plain, wire;
  codec::encode_message(codec::AuthAsk{label}, message);
  codec::append_chunk(codec::Priority::kControl, message, false, plain);
  channel_->seal(std::move(plain), wire);
  return stream_.send(wire, monotonic_now() + kSilence);
}

Status Talk::take_frame(ByteView frame) {
  Result<codec::Message> message = codec::decode_message(frame);
  if (!message.ok()) {
    if (message.error().code == ErrorCode::kUnsupported) return {};
    return message.error();
  }
  if (const auto* refused = std::get_if<codec::AuthRefused>(&*message)) answer_.refused = *refused;
  // Its secret has one place, and no copy behind.
  if (auto* mesh = std::get_if<codec::AuthMesh>(&*message)) answer_.mesh = std::move(*mesh);
  if (const auto* told = std::get_if<codec::AuthRecords>(&*message)) {
    for (const ByteView record : told->records) {
      told_bytes_ += record.size();
      answer_.records.push_back(to_bytes(record));
    }
    if (told_bytes_ > kToldBytes) return Error{ErrorCode::kTooLarge, "join", "too many records"};
  }
  return {};
}

// Behind the mesh nothing is looked at, so that the frame it came in is there to be zeroed.
Status Talk::take() {
  while (!is_done()) {
    EBB_ASSIGN(const ByteView frame, splitter_.next());
    if (frame.empty()) return {};
    EBB_RETURN_IF_ERROR(take_frame(frame));
  }
  return {};
}

Status Talk::listen() {
  while (true) {
    EBB_RETURN_IF_ERROR(take());
    if (is_done() || closed_ || channel_->ended()) return {};
    // From each piece on: all that there is to tell may take long on a slow line.
    EBB_ASSIGN(Bytes came, stream_.receive(monotonic_now() + kSilence));
    if (came.empty()) {
      closed_ = true;
      continue;
    }
    Bytes plain, answer;
    const auto failure = channel_->receive(std::move(came), plain, answer);
    splitter_.push(plain);
    erase_bytes(plain);
    if (failure) return Error{ErrorCode::kIo, "join", "what came is not authentic"};
  }
}

}  // namespace

Result<JoinAnswer> talk_to_inviter(JoinStream stream, const trust::Invite& invite,
                                   const JoinKeys& keys, const std::string& label,
                                   const std::function<Status()>& asking) {
  Talk talk(std::move(stream), invite, keys);
  EBB_RETURN_IF_ERROR(talk.shake_hands());
  EBB_RETURN_IF_ERROR(asking());
  EBB_RETURN_IF_ERROR(talk.ask(label));
  const Status heard = talk.listen();
  JoinAnswer& answer = talk.answer();
  if (answer.refused || answer.mesh) return std::move(answer);
  if (!heard.ok()) return Error{ErrorCode::kIo, "join", heard.error().detail};
  return Error{ErrorCode::kIo, "join", "it has ended without an answer"};
}

}  // namespace ebb::node
