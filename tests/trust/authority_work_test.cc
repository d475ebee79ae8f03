// What records cost: signatures that are checked, and records that are gone through. Counted.
#include <doctest/doctest.h>

#include "tests/trust/authority_rig.h"
#include "trust/authority.h"

using namespace ebb;
using namespace ebb::tests;
using namespace ebb::trust;

namespace {

const std::unique_ptr<Identity> kIssuerKey = key_of(0x60);
const std::unique_ptr<Identity> kOtherKey = key_of(0x61);
const Validity kLong{days(-1), days(100)};
const auto kPump = counting<DeviceId>(0x80);

class CountedChecks final : public SignatureCheck {
 public:
  bool holds(const DeviceId& device, ByteView message, const Signature& signature) const override {
    ++count_;
    return SignatureCheck::holds(device, message, signature);
  }
  // Since it was asked last.
  int count() const { return std::exchange(count_, 0); }

 private:
  mutable int count_ = 0;
};

struct Mesh {
  CountedChecks checks;
  Authority authority{kPaperMesh, kRoot->device(), checks};
  AuthorityWriter root{*kRoot};
  AuthorityWriter issuer{*kIssuerKey};

  Mesh() {
    take(root.write(record::IssuerAdd{issuer_certificate(kIssuerKey->device(), kLong)}));
    CHECK(checks.count() == 2);
  }
  void take(const Bytes& record) { REQUIRE(authority.take(record)->news); }
};

}  // namespace

TEST_CASE("who is nobody causes no signature check, and whoever touches a record one") {
  Mesh mesh;
  AuthorityWriter nobody(*kOtherKey);
  CHECK(mesh.authority.take(nobody.certify(kPump, kLong)).error().code == ErrorCode::kNotFound);
  CHECK(mesh.checks.count() == 0);
  Bytes touched = mesh.issuer.certify(kPump, kLong);
  const Bytes good = touched;
  touched.back() ^= 1;
  const Hash before = mesh.authority.digest();
  CHECK(mesh.authority.take(touched).error().code == ErrorCode::kBadSignature);
  CHECK(mesh.checks.count() == 1);
  CHECK(mesh.authority.digest() == before);
  mesh.take(good);
  CHECK(mesh.checks.count() == 2);
  // A body that is here already needs none, whatever stands under it.
  CHECK_FALSE(mesh.authority.take(good)->news);
  CHECK_FALSE(mesh.authority.take(touched)->news);
  CHECK(mesh.checks.count() == 0);
  CHECK(equal(mesh.authority.records(kIssuerKey->device(), 1, SIZE_MAX)[0], good));
}

TEST_CASE("a certificate that is shown costs one signature check where its issuer may certify") {
  Mesh mesh;
  Bytes shown =
      std::move(sign_certificate(*kIssuerKey, certificate_of(kPump, kIssuerKey->device(), kLong)))
          .value();
  CHECK(mesh.authority.verdict_of_shown(shown, kNow)->standing == Standing::kCertified);
  CHECK(mesh.checks.count() == 1);
  shown.back() ^= 1;
  CHECK(mesh.authority.verdict_of_shown(shown, kNow).error().code == ErrorCode::kBadSignature);
  CHECK(mesh.checks.count() == 1);
  const Bytes of_nobody =
      std::move(sign_certificate(*kOtherKey, certificate_of(kPump, kOtherKey->device(), kLong)))
          .value();
  CHECK(mesh.authority.verdict_of_shown(of_nobody, kNow)->standing == Standing::kUnknownIssuer);
  CHECK(mesh.checks.count() == 0);
  mesh.take(mesh.root.write(record::Rotate{kIssuerKey->device(), {}, {}}));
  mesh.checks.count();
  CHECK(mesh.authority.verdict_of_shown(shown, kNow).error().code == ErrorCode::kBadSignature);
  CHECK(mesh.checks.count() == 1);
}

TEST_CASE("forks at falling numbers go through each record once") {
  constexpr std::size_t kRecords = 200;
  Mesh mesh;
  std::vector<AuthorityWriter> before;
  for (std::size_t i = 0; i < kRecords; ++i) {
    before.push_back(mesh.issuer);
    mesh.take(mesh.issuer.certify(counting<DeviceId>(static_cast<std::uint8_t>(i)), kLong));
  }
  const std::uint64_t built = mesh.authority.work();
  CHECK(built <= kRecords + 2);
  for (std::size_t i = kRecords; i-- > 0;) {
    mesh.take(before[i].write(record::Time{}));
    REQUIRE(mesh.authority.end(kIssuerKey->device()).seq == i);
    REQUIRE(
        mesh.authority.verdict(counting<DeviceId>(static_cast<std::uint8_t>(i)), kNow).standing ==
        Standing::kUnknown);
  }
  CHECK(mesh.authority.work() - built == kRecords);
}

TEST_CASE("a way to an end that comes from the top goes through each record once, and all once") {
  constexpr std::size_t kRecords = 200;
  Mesh mesh;
  std::vector<Bytes> records;
  for (std::size_t i = 0; i < kRecords; ++i)
    records.push_back(mesh.issuer.certify(counting<DeviceId>(static_cast<std::uint8_t>(i)), kLong));
  mesh.take(mesh.root.write(record::Rotate{kIssuerKey->device(), mesh.issuer.end(), {}}));
  for (std::size_t i = kRecords; i-- > 0;) {
    mesh.take(records[i]);
    REQUIRE(
        mesh.authority.verdict(counting<DeviceId>(static_cast<std::uint8_t>(i)), kNow).standing ==
        Standing::kCertified);
  }
  CHECK(mesh.authority.end(kIssuerKey->device()) == mesh.issuer.end());
  CHECK(mesh.authority.work() <= 2 * kRecords + 10);
}

TEST_CASE("ends of logs that nobody asks about in between cost one way through all records") {
  constexpr std::size_t kRecords = 100;
  Mesh mesh;
  for (std::size_t i = 0; i < kRecords; ++i)
    mesh.take(mesh.issuer.write(record::Time{}));
  for (Seq seq = 60; seq-- > 0;)
    mesh.take(mesh.root.write(record::Rotate{kIssuerKey->device(), {seq, counting<Hash>(7)}, {}}));
  CHECK(mesh.authority.end(kIssuerKey->device()).seq == 0);
  CHECK(mesh.authority.work() <= 2 * kRecords + 200);
}

TEST_CASE("what is off a way that is whole, and what has no room on one, costs no signature") {
  constexpr std::size_t kRecords = 60;
  CountedChecks checks;
  Authority authority(kPaperMesh, kRoot->device(), checks, {.issuers = std::size_t{64} << 10});
  AuthorityWriter root(*kRoot);
  AuthorityWriter issuer(*kIssuerKey);
  REQUIRE(
      authority.take(root.write(record::IssuerAdd{issuer_certificate(kIssuerKey->device(), kLong)}))
          .ok());
  std::vector<Bytes> records;
  for (std::size_t i = 0; i < kRecords; ++i)
    records.push_back(issuer.certify(counting<DeviceId>(static_cast<std::uint8_t>(i)), kLong));
  REQUIRE(authority.take(root.write(record::Rotate{kIssuerKey->device(), issuer.end(), {}}))->news);
  // The way is longer than there is room for: from its end down until it is full.
  std::size_t at = kRecords;
  while (at > 0 && authority.take(records[at - 1])->held)
    --at;
  REQUIRE(at > 0);
  checks.count();
  CHECK(authority.heads().size() == 1);
  const std::uint64_t work = authority.work();
  for (int again = 0; again < 5; ++again) {
    CHECK_FALSE(authority.take(records[at - 1])->held);
    CHECK(authority.heads().size() == 1);
  }
  CHECK(checks.count() == 0);
  CHECK(authority.work() == work);
  // Its certificates are too many, not its revokes: but what is below is not known.
  CHECK(authority.is_suspended());
  REQUIRE(authority.take(root.write(record::Rotate{kIssuerKey->device(), {}, {}}))->news);
  CHECK_FALSE(authority.is_suspended());
  checks.count();
  CHECK_FALSE(authority.take(records[0])->held);
  CHECK(checks.count() == 0);
}

TEST_CASE("a flood beyond a share costs a bounded step a record") {
  constexpr std::size_t kRecords = 300;
  CountedChecks checks;
  Authority authority(kPaperMesh, kRoot->device(), checks, {.issuers = std::size_t{64} << 10});
  AuthorityWriter root(*kRoot);
  REQUIRE(
      authority.take(root.write(record::IssuerAdd{issuer_certificate(kIssuerKey->device(), kLong)}))
          .ok());
  AuthorityWriter issuer(*kIssuerKey);
  std::vector<Bytes> records;
  for (std::size_t i = 0; i < kRecords; ++i)
    records.push_back(issuer.certify(counting<DeviceId>(static_cast<std::uint8_t>(i)), kLong));
  // From the last to the first: each pushes another one out.
  for (std::size_t i = kRecords; i-- > 0;) {
    REQUIRE(authority.take(records[i])->held);
    REQUIRE(authority.heads().size() <= 2);
  }
  CHECK(authority.work() <= 3 * kRecords);
  checks.count();
  // Those that were pushed out come again in vain, and cost nothing.
  for (std::size_t i = kRecords / 2; i < kRecords; ++i)
    CHECK_FALSE(authority.take(records[i])->held);
  CHECK(checks.count() == 0);
}
