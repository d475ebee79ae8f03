// Any bytes as a stream of records, and as what happens to a right one on its way.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "channel/records.h"
#include "core/check.h"
#include "core/limits.h"
#include "tests/channel/ends.h"
#include "trust/hash.h"

using namespace ebb;
using namespace ebb::channel;
using namespace ebb::tests;

namespace {

// Near the change of the key.
constexpr std::uint64_t kFirst = limits::kRecordsPerKey - 3;

CipherState cipher() {
  CipherState state(key_of(0x10));
  state.set_nonce(kFirst);
  return state;
}

// Whether what stands in `bytes` at `at` is this piece.
bool stands_at(ByteView bytes, std::size_t at, ByteView piece) {
  return at + piece.size() <= bytes.size() && equal(bytes.subspan(at, piece.size()), piece);
}

// Bytes that nobody has sealed are nothing. The key is one that seals nothing here: a fuzzer copies
// what it sees compared, right records too.
void check_raw(ByteView wire) {
  RecordOpener opener(CipherState(key_of(0x11)));
  Bytes plain;
  const Status first = opener.receive(wire.first(wire.size() / 3), plain);
  const Status second = opener.receive(wire.subspan(wire.size() / 3), plain);
  EBB_CHECK(plain.empty() && !opener.ended());
  EBB_CHECK(first.ok() || !second.ok());
  EBB_CHECK(opener.buffered_bytes() <= wire.size());
}

class Journey {
 public:
  void step(std::uint8_t what, std::uint8_t how) {
    switch (what % 6) {
      case 0:
        // Now and then more than a record holds.
        seal(what < 240 ? how : how * std::size_t{what});
        break;
      case 1:
        deliver(how);
        break;
      case 2:
        if (!under_way_.empty()) {
          under_way_[how % under_way_.size()] ^= static_cast<std::uint8_t>(what | 1);
        }
        break;
      case 3:
        if (!under_way_.empty()) under_way_.erase(place(how));
        break;
      case 4:
        under_way_.insert(place(how), what);
        break;
      default:
        if (!sealer_.finished() && how < 32) finish();
    }
  }

  void arrive() {
    deliver(under_way_.size());
    const bool whole = untouched_ && delivered_ == sealed_.size();
    if (whole) EBB_CHECK(received_ == sent_.size() && opener_.end() != StreamEnd::kBroken);
    EBB_CHECK((opener_.end() == StreamEnd::kOrderly) == (whole && sealer_.finished()));
  }

 private:
  Bytes::iterator place(std::size_t how) {
    return under_way_.begin() +
           static_cast<std::ptrdiff_t>(under_way_.empty() ? 0 : how % under_way_.size());
  }

  void seal(std::size_t size) {
    if (sealer_.finished()) return;
    const Bytes plain(size, static_cast<std::uint8_t>(sent_.size()));
    append(sent_, plain);
    Bytes wire;
    sealer_.seal(plain, wire);
    append(sealed_, wire);
    append(under_way_, wire);
  }

  void finish() {
    Bytes wire;
    sealer_.finish(wire);
    append(sealed_, wire);
    append(under_way_, wire);
  }

  void deliver(std::size_t size) {
    const auto end =
        under_way_.begin() + static_cast<std::ptrdiff_t>(std::min(size, under_way_.size()));
    const Bytes piece(under_way_.begin(), end);
    under_way_.erase(under_way_.begin(), end);
    untouched_ = untouched_ && stands_at(sealed_, delivered_, piece);
    delivered_ += piece.size();
    Bytes plain;
    const Status status = opener_.receive(piece, plain);
    EBB_CHECK(stands_at(sent_, received_, plain));
    received_ += plain.size();
    if (untouched_) EBB_CHECK(status.ok());
  }

  RecordSealer sealer_{cipher()};
  RecordOpener opener_{cipher()};
  Bytes sent_;
  std::size_t received_ = 0;
  Bytes sealed_;  // as it left
  std::size_t delivered_ = 0;
  bool untouched_ = true;  // so far as it was delivered
  Bytes under_way_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  EBB_CHECK(trust::crypto_ready().ok());
  check_raw({data, size});
  Journey journey;
  for (std::size_t i = 0; i + 1 < std::min<std::size_t>(size, 512); i += 2)
    journey.step(data[i], data[i + 1]);
  journey.arrive();
  return 0;
}
