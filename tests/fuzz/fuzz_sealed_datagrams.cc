// The way of a datagram into a node: any bytes, what happens to right ones on their way, and any
// bytes as what a device seals itself.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include "channel/datagrams.h"
#include "codec/datagram.h"
#include "core/check.h"
#include "core/limits.h"
#include "mesh/sessions.h"
#include "tests/channel/ends.h"
#include "trust/hash.h"

using namespace ebb;
using namespace ebb::channel;
using namespace ebb::tests;

namespace {

constexpr ReceiverIndex kIndex = 0x01020304;
constexpr ReceiverIndex kRawIndex = 0x01020305;
constexpr Instant kNow{1000000};

CipherState cipher_at(std::uint64_t counter) {
  CipherState state(key_of(0x30));
  state.set_nonce(counter);
  return state;
}

class Journey {
 public:
  Journey() {
    add(kIndex, key_of(0x30));
    add(kRawIndex, key_of(0x31));
  }

  void step(std::uint8_t what, std::uint8_t how) {
    switch (what % 4) {
      case 0:
        // Sometimes many are lost in between.
        counter_ += how < 200 ? 1 : std::uint64_t{how} * what;
        send();
        break;
      case 1:
        if (!sent_.empty()) arrive(sent_[how % sent_.size()]);
        break;
      case 2:
        if (!sent_.empty()) arrive(sent_.back());
        break;
      default:
        if (!sent_.empty()) arrive_changed(sent_.back().wire, what, how);
    }
  }

  // Bytes that nobody has sealed are nothing: with a key that seals nothing here, for a fuzzer
  // copies what it sees compared, right datagrams too.
  void check_raw(Bytes wire) {
    if (wire.size() > 7) wire[7] = kRawIndex & 0xff;
    EBB_CHECK(!open(wire));
  }

  // What its device seals is opened, whatever it says.
  void check_sealed(std::uint8_t type, ByteView plain) {
    plain = plain.first(std::min(plain.size(), kDatagramPlainBytes));
    DatagramSealer sealer(CipherState(key_of(0x31)), kRawIndex);
    Bytes wire;
    EBB_CHECK(sealer.seal(type, plain, wire).ok());
    const auto opened = open(wire);
    EBB_CHECK(opened && opened->type == type && opened->plain == to_bytes(plain));
    static_cast<void>(codec::decode_datagram(opened->type, opened->plain));
    EBB_CHECK(!open(wire));
  }

 private:
  void add(ReceiverIndex index, Key key) {
    mesh::NewSession made;
    made.device.data[0] = static_cast<std::uint8_t>(index);
    made.keys.inward = std::move(key);
    made.index = index;
    made.peer_index = 1;
    EBB_CHECK(table_.add(std::move(made), kNow));
  }
  std::optional<OpenedDatagram> open(ByteView wire) {
    auto result = table_.open(wire, kNow);
    auto* opened = std::get_if<mesh::SessionTable::Opened>(&result);
    if (opened == nullptr) return std::nullopt;
    return std::move(opened->datagram);
  }

  struct Sent {
    std::uint64_t counter = 0;
    Bytes wire;
  };

  void send() {
    DatagramSealer sealer(cipher_at(counter_), kIndex);
    Sent sent;
    sent.counter = counter_;
    EBB_CHECK(sealer.seal(7, Bytes(counter_ % 100), sent.wire).ok());
    sent_.push_back(std::move(sent));
  }

  void arrive(const Sent& sent) {
    const bool above = taken_.empty() || sent.counter > *taken_.rbegin();
    const bool in_window = above || sent.counter + limits::kReplayWindow > *taken_.rbegin();
    const bool expected = in_window && !taken_.contains(sent.counter);
    const auto opened = open(sent.wire);
    EBB_CHECK(opened.has_value() == expected);
    if (!opened) return;
    EBB_CHECK(opened->counter == sent.counter && opened->newest == above);
    EBB_CHECK(opened->plain.size() == sent.counter % 100);
    taken_.insert(sent.counter);
  }

  void arrive_changed(Bytes wire, std::uint8_t what, std::uint8_t how) {
    if ((what & 4) != 0) {
      wire.resize(how % wire.size());
    } else {
      wire[how % wire.size()] ^= static_cast<std::uint8_t>(what | 1);
    }
    EBB_CHECK(!open(wire));
  }

  mesh::SessionTable table_;
  std::uint64_t counter_ = 0;
  std::vector<Sent> sent_;
  std::set<std::uint64_t> taken_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  EBB_CHECK(trust::crypto_ready().ok());
  Journey journey;
  for (std::size_t i = 0; i + 1 < std::min<std::size_t>(size, 512); i += 2)
    journey.step(data[i], data[i + 1]);
  journey.check_raw(Bytes(data, data + size));
  if (size > 0) journey.check_sealed(data[0], ByteView(data, size).subspan(1));
  return 0;
}
