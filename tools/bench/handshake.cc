// bench_handshake: the processor time of each side of a handshake between two devices, with and
// without a mesh secret, beside that of the operations with public keys in it: a JSON array, a row
// for each side. Batches take turns, and each figure is the middle of all.
//
//   handshake_us   a side of a handshake, from nothing to the keys of its session, its device's
//                  proof made and the other's checked
//   checks_us      its three Diffie-Hellman results and the check of one signature
//   keys_us        these, and what else it does with such keys: a key pair, and one signature made
#include <sodium.h>

#include <array>
#include <cstdio>
#include <ctime>
#include <memory>
#include <vector>

#include "mesh/secure_channel.h"
#include "tools/bench/measure.h"
#include "trust/hash.h"

namespace {

using namespace ebb;

constexpr int kBatches = 101;
constexpr std::size_t kBatch = 32;        // handshakes
constexpr std::size_t kClaimBytes = 300;  // of a certificate, about

double thread_us() {
  timespec now{};
  bench::require(::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0, "clock_gettime");
  return 1e6 * static_cast<double>(now.tv_sec) + 1e-3 * static_cast<double>(now.tv_nsec);
}

// Of one of a batch.
template <class Task>
double time_of(Task task) {
  const double before = thread_us();
  for (std::size_t i = 0; i < kBatch; ++i)
    task(i);
  return (thread_us() - before) / static_cast<double>(kBatch);
}

channel::Key random_key() {
  Bytes bytes(channel::Key::kSize);
  randombytes_buf(bytes.data(), bytes.size());
  return *channel::Key::from(bytes);
}

class Device {
 public:
  explicit Device(channel::AccessKeys access)
      : identity_(make_identity()),
        access_(std::move(access)),
        channels_({*identity_, signatures_, channel::StaticKey(random_key()), access_,
                   [] { return random_key(); }}) {}
  const mesh::Channels& channels() const { return channels_; }

 private:
  static std::unique_ptr<trust::Identity> make_identity() {
    auto identity = trust::Identity::from_seed(random_key().view());
    bench::require(identity.ok(), "identity");
    return std::move(*identity);
  }

  std::unique_ptr<trust::Identity> identity_;
  trust::SignatureCheck signatures_;
  mesh::AccessBook access_;
  mesh::SecureChannels channels_;
};

mesh::ChannelClaim claim() { return {1, Bytes(kClaimBytes), {}}; }

struct Sides {
  double initiator = 0, responder = 0;
};

// A batch of handshakes, one step of all of them after the other.
Sides handshakes(const Device& first, const Device& second) {
  struct Pair {
    std::unique_ptr<mesh::Channel> initiator, responder;
    Bytes wire;
  };
  std::vector<Pair> pairs(kBatch);
  const auto take = [](mesh::Channel& channel, Bytes& wire) {
    Bytes plain, answer;
    bench::require(!channel.receive(std::move(wire), plain, answer), "handshake");
    wire = std::move(answer);
  };
  Sides spent;
  spent.initiator += time_of([&](std::size_t i) {
    pairs[i].initiator = first.channels().dial(claim());
    pairs[i].initiator->start(pairs[i].wire);
  });
  spent.responder += time_of([&](std::size_t i) {
    pairs[i].responder = second.channels().accept(claim(), [] { return true; });
    take(*pairs[i].responder, pairs[i].wire);
  });
  spent.initiator += time_of([&](std::size_t i) { take(*pairs[i].initiator, pairs[i].wire); });
  spent.responder += time_of([&](std::size_t i) { take(*pairs[i].responder, pairs[i].wire); });
  for (const Pair& pair : pairs)
    bench::require(pair.initiator->established() && pair.responder->established(), "established");
  return spent;
}

struct Bare {
  double checks = 0, keys = 0;
};

// The same operations of one side, without anything around them.
Bare bare_operations() {
  std::array<unsigned char, crypto_scalarmult_BYTES> secret{}, other{}, pair{}, common{};
  randombytes_buf(secret.data(), secret.size());
  bench::require(crypto_scalarmult_base(other.data(), secret.data()) == 0, "base");
  std::array<unsigned char, crypto_sign_PUBLICKEYBYTES> signer{};
  std::array<unsigned char, crypto_sign_SECRETKEYBYTES> signing{};
  std::array<unsigned char, crypto_sign_BYTES> signature{};
  std::array<unsigned char, 75> proof{};  // the bytes that a device signs
  bench::require(crypto_sign_keypair(signer.data(), signing.data()) == 0, "keypair");
  const auto sign = [&] {
    return crypto_sign_detached(signature.data(), nullptr, proof.data(), proof.size(),
                                signing.data()) == 0;
  };
  bench::require(sign(), "sign");
  bool good = true;
  Bare bare;
  bare.checks = time_of([&](std::size_t) {
    for (int i = 0; i < 3; ++i)
      good = good && crypto_scalarmult(common.data(), secret.data(), other.data()) == 0;
    good = good && crypto_sign_verify_detached(signature.data(), proof.data(), proof.size(),
                                               signer.data()) == 0;
  });
  bare.keys = bare.checks + time_of([&](std::size_t) {
                good = good && crypto_scalarmult_base(pair.data(), secret.data()) == 0 && sign();
              });
  bench::require(good, "bare operations");
  return bare;
}

void print_row(const char* before, const char* pattern, const char* side,
               std::vector<double>& handshake, std::vector<double>& checks,
               std::vector<double>& keys) {
  std::printf(
      "%s{\"pattern\":\"%s\",\"side\":\"%s\",\"handshake_us\":%.2f,\"checks_us\":%.2f,"
      "\"keys_us\":%.2f}",
      before, pattern, side, bench::percentile(handshake, 0.5), bench::percentile(checks, 0.5),
      bench::percentile(keys, 0.5));
}

channel::AccessKeys access(bool with_secret) {
  const MeshId mesh = *MeshId::from(Bytes(MeshId::kSize, 7));
  channel::AccessKeys keys;
  keys.push_back(with_secret
                     ? channel::AccessKey::for_link(mesh, *trust::MeshSecret::from(Bytes(32, 9)))
                     : channel::AccessKey::for_link(mesh));
  return keys;
}

void measure(const char* before, bool with_secret) {
  const Device first(access(with_secret)), second(access(with_secret));
  std::vector<double> initiator, responder, checks, keys;
  for (int batch = 0; batch < kBatches; ++batch) {
    const Sides sides = handshakes(first, second);
    const Bare bare = bare_operations();
    initiator.push_back(sides.initiator);
    responder.push_back(sides.responder);
    checks.push_back(bare.checks);
    keys.push_back(bare.keys);
  }
  const char* pattern = with_secret ? "XXpsk3" : "XX";
  print_row(before, pattern, "initiator", initiator, checks, keys);
  print_row(",\n", pattern, "responder", responder, checks, keys);
}

}  // namespace

int main() {
  bench::require(trust::crypto_ready().ok(), "libsodium");
  measure("[", false);
  measure(",\n", true);
  std::puts("]");
  return 0;
}
