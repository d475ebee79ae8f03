// Each byte of a handshake between two engines, flipped on its way, and each place where it may be
// cut: no session, no plaintext, and the link is closed.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "tests/mesh/secure_rig.h"

namespace ebb::tests {
namespace {

// Lengths on the wire, that of the message included.
constexpr std::size_t kMessageBytes[] = {66, 207, 175};

// One handshake of which one message is spoiled. The dialling end sends the first and third.
class Spoiled {
 public:
  explicit Spoiled(std::size_t message) : message_(message) {
    rig_.datagrams = false;
    rig_.append(0, {"a", 20});
    rig_.append(1, {"b", 20});
  }
  // `spoil` sees the bytes that begin with the message, and says how many of them arrive before
  // the stream breaks, if it does.
  void run(const std::function<std::optional<std::size_t>(Bytes&)>& spoil) {
    std::size_t sent = 0;
    rig_.breaker = [&](std::size_t from, std::size_t, Bytes& bytes) -> std::optional<std::size_t> {
      if (from != sender()) return std::nullopt;
      const bool meant = sent++ == message_ / 2;
      if (!meant) return std::nullopt;
      REQUIRE(bytes.size() >= kMessageBytes[message_]);
      spoiled_ = true;
      return spoil(bytes);
    };
    rig_.start_both();
    rig_.run_for(milliseconds(10));
    rig_.dials = false;  // there is no second link
    rig_.run_for(seconds(11));
    rig_.breaker = nullptr;
  }
  void check_nothing_came_of_it() {
    CHECK(spoiled_);
    CHECK(rig_.streams_between(0, 1) == 0);
    for (std::size_t i = 0; i < 2; ++i) {
      CHECK(rig_.engine(i).links().empty());
      CHECK(rig_.engine(i).queued_bytes() == 0);
      CHECK(rig_.engine(i).events_held() == 20);
      // Not one frame was read.
      for (const auto& [name, count] : rig_.engine(i).counters().messages)
        CHECK(count.messages_in == 0);
      for (const mesh::Notice& notice : rig_.node(i).notices)
        CHECK(notice.kind != mesh::NoticeKind::kLinkEstablished);
    }
  }
  std::size_t sender() const { return message_ == 1 ? 1 : 0; }
  const std::vector<mesh::PeerFault>& faults_of_receiver() {
    return rig_.node(1 - sender()).faults;
  }
  std::uint64_t answer_bytes() const { return rig_.wire_bytes(1, 0); }

 private:
  std::size_t message_;
  SecurePair rig_;
  bool spoiled_ = false;
};

TEST_CASE("each byte of each message of a handshake, flipped: no session, no plaintext, closed") {
  for (std::size_t message = 0; message < 3; ++message) {
    for (std::size_t at = 0; at < kMessageBytes[message]; ++at) {
      CAPTURE(message);
      CAPTURE(at);
      Spoiled handshake(message);
      handshake.run([at](Bytes& bytes) {
        bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ (1U << (at % 8)));
        return std::nullopt;
      });
      handshake.check_nothing_came_of_it();
      if (message == 0) CHECK(handshake.answer_bytes() == 0);
      const auto& faults = handshake.faults_of_receiver();
      // A length that became greater waits for what never comes.
      if (faults.empty()) CHECK((message > 0 && at < 2));
      if (!faults.empty()) CHECK(faults[0].reason == (message == 0 ? "no_access" : "bad_channel"));
      CHECK(faults.size() <= 1);
    }
  }
}

TEST_CASE("a handshake cut at each byte: no session, no plaintext, closed, and nobody is blamed") {
  for (std::size_t message = 0; message < 3; ++message) {
    for (std::size_t size = 0; size < kMessageBytes[message]; ++size) {
      CAPTURE(message);
      CAPTURE(size);
      Spoiled handshake(message);
      handshake.run([size](Bytes&) { return size; });
      handshake.check_nothing_came_of_it();
      if (message == 0) CHECK(handshake.answer_bytes() == 0);
      CHECK(handshake.faults_of_receiver().empty());
    }
  }
}

TEST_CASE("a handshake that stands still in any of its messages ends in time, without a word") {
  for (std::size_t message = 0; message < 3; ++message) {
    for (const std::size_t size : {std::size_t{1}, std::size_t{30}, kMessageBytes[message] - 1}) {
      CAPTURE(message);
      CAPTURE(size);
      Spoiled handshake(message);
      handshake.run([size](Bytes& bytes) {
        bytes.resize(size);
        return std::nullopt;
      });
      handshake.check_nothing_came_of_it();
      if (message == 0) CHECK(handshake.answer_bytes() == 0);
    }
  }
}

}  // namespace
}  // namespace ebb::tests
