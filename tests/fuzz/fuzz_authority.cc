// Any bytes as records of the logs of authorities: one as it is; several from one input, whose
// order must not matter, of which none counts with a wrong signature.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "core/check.h"
#include "core/limits.h"
#include "tests/fuzz/signed_bytes.h"
#include "tests/trust/authority_rig.h"
#include "trust/authority.h"
#include "trust/hash.h"

using namespace ebb;
using namespace ebb::tests;
using namespace ebb::trust;

namespace {

// The same few records are shown to many Authorities, each of which looks at their signatures, and
// most inputs have some in common: each is checked once, as long as it is remembered.
class CheckedOnce final : public SignatureCheck {
 public:
  bool holds(const DeviceId& device, ByteView message, const Signature& signature) const override {
    if (known_.size() == kMost) known_.clear();
    const auto [known, is_new] =
        known_.try_emplace(hash({device.view(), signature.view(), message}), false);
    if (is_new) known->second = verify(device, message, signature);
    return known->second;
  }

 private:
  static constexpr std::size_t kMost = 4096;
  mutable std::map<Hash, bool> known_;
};

const AnySignature kAnySignature;
const CheckedOnce kSignatures{};
const std::unique_ptr<Identity> kIssuer = key_of(0x60);
constexpr std::uint64_t kDevices = 3;

DeviceId device_of(std::uint64_t n) {
  return counting<DeviceId>(static_cast<std::uint8_t>(0x80 + n));
}

void check_record(ByteView bytes) {
  const auto read = decode_authority_record(kPaperMesh, bytes, kAnySignature);
  if (!read.ok()) return;
  EBB_CHECK(bytes.size() <= limits::kAuthorityRecordBytes);
  EBB_CHECK(read->seq >= 1 && read->seq <= limits::kAuthorityRecords);
  if (std::holds_alternative<record::Unknown>(read->content)) return;
  AuthorityRecord mine = *read;
  mine.authority = kRoot->device();
  const auto again = sign_authority_record(*kRoot, mine);
  EBB_CHECK(again.ok());
  const auto reread = decode_authority_record(kPaperMesh, *again);
  EBB_CHECK(reread->content == read->content && reread->at == read->at);
}

// Three bytes of input a record: whose, after which, and what.
class Script {
 public:
  explicit Script(ByteView bytes) {
    writers_.emplace_back(*kRoot);
    writers_.emplace_back(*kIssuer);
    records_.push_back(writers_[0].write(
        record::IssuerAdd{issuer_certificate(kIssuer->device(), {days(0), days(90)})}));
    for (std::size_t at = 0; at + 3 <= bytes.size() && records_.size() < 12; at += 3)
      step(bytes[at], bytes[at + 1], bytes[at + 2]);
  }
  const std::vector<Bytes>& records() const { return records_; }

 private:
  void step(std::uint8_t who, std::uint8_t what, std::uint8_t how) {
    const std::size_t which = who % writers_.size();
    if ((who & 0x80) != 0 && which > 0) writers_.push_back(writers_[which]);
    AuthorityWriter& writer = writers_[which];
    const DeviceId device = device_of(how % kDevices);
    const Validity validity{days(how % 8), days(9 + how % 32)};
    switch (what % 6) {
      case 0:
        records_.push_back(writer.write(record::Retire{device, days(how % 16)}));
        break;
      case 1:
        records_.push_back(writer.write(record::Revoke{
            device,
            {{counting<LogId>(1), {how, counting<Hash>(static_cast<std::uint8_t>(how))}}}}));
        break;
      case 2:
        records_.push_back(writers_[0].write(record::Rotate{kIssuer->device(), writer.end(), {}}));
        break;
      case 3:
        records_.push_back(
            writer.write(record::Policy{how % 4 + std::uint64_t{1}, Admit::kSecret}));
        break;
      default:
        records_.push_back(writer.certify(device, validity, how));
    }
  }

  std::vector<AuthorityWriter> writers_;
  std::vector<Bytes> records_;
};

void check_same(const Authority& one, const Authority& other) {
  EBB_CHECK(one.digest() == other.digest());
  EBB_CHECK(one.is_suspended() == other.is_suspended());
  EBB_CHECK(one.heads() == other.heads());
  for (const std::int64_t day : {0, 5, 20}) {
    EBB_CHECK(one.admit(days(day)) == other.admit(days(day)));
    EBB_CHECK(one.issuers(days(day)) == other.issuers(days(day)));
    for (std::uint64_t n = 0; n < kDevices; ++n) {
      const Verdict verdict = one.verdict(device_of(n), days(day));
      const Verdict expected = other.verdict(device_of(n), days(day));
      EBB_CHECK(verdict.standing == expected.standing);
      EBB_CHECK(verdict.certificate == expected.certificate);
    }
  }
  for (std::uint64_t n = 0; n < kDevices; ++n) {
    const DeviceId device = device_of(n);
    EBB_CHECK(one.cut(device, counting<LogId>(1)) == other.cut(device, counting<LogId>(1)));
  }
}

// What is handed out is what was signed, holds, and leads to the same.
void check_held(const Authority& authority, const AuthorityShares& shares) {
  Authority again(kPaperMesh, kRoot->device(), kSignatures, shares);
  for (const Identity* key : {kRoot.get(), kIssuer.get()}) {
    for (const ByteView record : authority.records(key->device(), 1, SIZE_MAX)) {
      EBB_CHECK(decode_authority_record(kPaperMesh, record, kSignatures).ok());
      EBB_CHECK(again.take(record)->held);
    }
  }
  again.restore_missing(authority.missing());
  check_same(again, authority);
}

void tell(const Authority& from, Authority& to) {
  for (const Identity* key : {kRoot.get(), kIssuer.get()}) {
    for (const ByteView record : from.records(key->device(), 1, SIZE_MAX))
      EBB_CHECK(to.take(record).ok());
  }
}

// What each holds is told to the other, as nodes do whose digests differ.
void exchange(Authority& one, Authority& other) {
  for (Hash before; one.digest() != other.digest() && before != one.digest();) {
    before = one.digest();
    tell(other, one);
    tell(one, other);
  }
}

// The root's first record goes first; the others forward in one, backward in the other, each with
// a copy before it whose signature is wrong.
void check_order(const Script& script, const AuthorityShares& shares) {
  Authority forward(kPaperMesh, kRoot->device(), kSignatures, shares);
  Authority backward(kPaperMesh, kRoot->device(), kSignatures, shares);
  std::vector<Bytes> records = script.records();
  const auto offer = [](Authority& authority, const Bytes& record) {
    const Hash before = authority.digest();
    Bytes wrong = record;
    wrong.back() ^= 1;
    const auto refused = authority.take(wrong);
    EBB_CHECK(!refused.ok() || !refused->news);
    EBB_CHECK(authority.digest() == before);
    EBB_CHECK(authority.take(record).ok());
  };
  for (const Bytes& record : records)
    offer(forward, record);
  offer(backward, records[0]);
  std::reverse(records.begin(), records.end());
  for (const Bytes& record : records)
    offer(backward, record);
  exchange(forward, backward);
  check_held(forward, shares);
  check_held(backward, shares);
  if (forward.digest() != backward.digest()) {
    // One has dropped what the other never took: it is the stricter one.
    EBB_CHECK(forward.is_suspended() != backward.is_suspended());
    EBB_CHECK(!(forward.is_suspended() ? forward : backward).missing().empty());
    return;
  }
  check_same(forward, backward);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  check_record(bytes);
  check_record(under_a_signature(bytes));
  Authority authority(kPaperMesh, kRoot->device(), kAnySignature);
  const auto taken = authority.take(bytes);
  // Only the root has a log yet, and what is held is given back as it came.
  EBB_CHECK(authority.heads().size() <= 1);
  const std::vector<ByteView> held = authority.records(kRoot->device(), 1, SIZE_MAX);
  EBB_CHECK(held.size() == (taken.ok() && taken->news ? 1 : 0));
  EBB_CHECK(held.empty() || equal(held[0], bytes));
  // To sign takes long: not for every input.
  if (size > 0 && size <= 36 && data[size - 1] % 4 == 0) {
    const Script script(bytes);
    check_order(script, {});
    check_order(script, {.issuers = std::size_t{6} << 10});
  }
  return 0;
}
