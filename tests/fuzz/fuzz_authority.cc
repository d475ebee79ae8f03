// Any bytes as records of the logs of authorities: one as it is, several from one input, whose
// order must not matter.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/check.h"
#include "core/limits.h"
#include "tests/fuzz/signed_bytes.h"
#include "tests/trust/authority_rig.h"
#include "trust/authority.h"

using namespace ebb;
using namespace ebb::tests;
using namespace ebb::trust;

namespace {

const AnySignature kAnySignature;
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

void check_order(const Script& script) {
  Authority forward(kPaperMesh, kRoot->device(), kAnySignature);
  Authority backward(kPaperMesh, kRoot->device(), kAnySignature);
  std::vector<Bytes> records = script.records();
  for (const Bytes& record : records)
    EBB_CHECK(forward.take(record).ok());
  EBB_CHECK(backward.take(records[0]).ok());
  std::reverse(records.begin(), records.end());
  for (const Bytes& record : records)
    EBB_CHECK(backward.take(record).ok());
  EBB_CHECK(forward.digest() == backward.digest());
  EBB_CHECK(forward.heads() == backward.heads());
  EBB_CHECK(forward.admit() == backward.admit());
  for (std::uint64_t n = 0; n < kDevices; ++n) {
    const DeviceId device = device_of(n);
    for (const std::int64_t day : {0, 5, 20}) {
      const Verdict one = forward.verdict(device, days(day));
      const Verdict other = backward.verdict(device, days(day));
      EBB_CHECK(one.standing == other.standing && one.certificate == other.certificate);
    }
    EBB_CHECK(forward.cut(device, counting<LogId>(1)) == backward.cut(device, counting<LogId>(1)));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  check_record(bytes);
  check_record(under_a_signature(bytes));
  Authority authority(kPaperMesh, kRoot->device(), kAnySignature);
  const auto taken = authority.take(bytes);
  EBB_CHECK(taken.ok() || authority.heads().empty());
  // To sign takes long: not for every input.
  if (size > 0 && size <= 36 && data[size - 1] % 4 == 0) check_order(Script(bytes));
  return 0;
}
