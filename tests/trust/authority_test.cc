#include "trust/authority.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "core/limits.h"
#include "tests/trust/authority_rig.h"

using namespace ebb;
using namespace ebb::tests;
using namespace ebb::trust;

namespace {

const std::unique_ptr<Identity> kIssuerKey = key_of(0x60);
const std::unique_ptr<Identity> kOtherKey = key_of(0x61);
const SignatureCheck kSignatures;
const auto kPump = counting<DeviceId>(0x80);
const auto kLog = counting<LogId>(0x90);

// A mesh with a root and one issuer who lasts a thousand days.
struct Mesh {
  Authority authority{kPaperMesh, kRoot->device(), kSignatures};
  AuthorityWriter root{*kRoot};
  AuthorityWriter issuer{*kIssuerKey};

  Mesh() { add_issuer(issuer.authority(), {days(-10), days(990)}); }
  bool take(const Bytes& record) {
    const auto taken = authority.take(record);
    REQUIRE(taken.ok());
    return taken->news;
  }
  void add_issuer(const DeviceId& key, Validity validity, std::uint64_t serial = 1) {
    CHECK(take(root.write(record::IssuerAdd{issuer_certificate(key, validity, serial)})));
  }
  Standing standing(WallTime now, const DeviceId& device = kPump) const {
    return authority.verdict(device, now).standing;
  }
  Standing shown(const Certificate& certificate, const Identity& key = *kIssuerKey) const {
    const Bytes bytes = std::move(sign_certificate(key, certificate)).value();
    const auto verdict = authority.verdict_of_shown(bytes, kNow);
    REQUIRE(verdict.ok());
    return verdict->standing;
  }
};

}  // namespace

TEST_CASE("a device is certified from its certificate's beginning to its end") {
  Mesh mesh;
  CHECK(mesh.standing(kNow) == Standing::kUnknown);
  CHECK(mesh.take(mesh.issuer.certify(kPump, {days(1), days(301)})));
  CHECK(mesh.standing({days(1).ms - 1}) == Standing::kNotYetValid);
  CHECK(mesh.standing(days(1)) == Standing::kCertified);
  CHECK(mesh.standing({days(301).ms - 1}) == Standing::kCertified);
  CHECK(mesh.standing(days(301)) == Standing::kExpired);
  CHECK(mesh.standing({0}) == Standing::kIssuerNotYetValid);
  CHECK_FALSE(mesh.authority.verdict(kPump, {days(201).ms - 1}).renewal_due);
  CHECK(mesh.authority.verdict(kPump, days(201)).renewal_due);
  const Verdict verdict = mesh.authority.verdict(kPump, days(2));
  CHECK(verdict.may(roles::kWriter));
  CHECK_FALSE(verdict.may(roles::kAdmin));
  CHECK_FALSE(mesh.authority.verdict(kPump, days(301)).may(roles::kWriter));
  CHECK(mesh.standing(days(2), counting<DeviceId>(0x81)) == Standing::kUnknown);
}

TEST_CASE("a record that was here is no news, and changes nothing") {
  Mesh mesh;
  const Bytes record = mesh.issuer.certify(kPump, {days(0), days(10)});
  CHECK(mesh.take(record));
  const Hash digest = mesh.authority.digest();
  CHECK_FALSE(mesh.take(record));
  CHECK(mesh.authority.digest() == digest);
}

TEST_CASE("the newest certificate that has begun holds, though an older one lasts longer") {
  Mesh mesh;
  Certificate narrow = certificate_of(kPump, mesh.issuer.authority(), {days(5), days(10)}, 2);
  narrow.roles = roles::kReader;
  mesh.take(mesh.issuer.certify(narrow));
  mesh.take(mesh.issuer.certify(kPump, {days(0), days(100)}));
  CHECK(mesh.authority.verdict(kPump, days(4)).may(roles::kWriter));
  CHECK_FALSE(mesh.authority.verdict(kPump, days(5)).may(roles::kWriter));
  CHECK(mesh.authority.verdict(kPump, days(5)).may(roles::kReader));
  CHECK(mesh.standing(days(10)) == Standing::kExpired);
  // Of two that begin together the greater serial.
  mesh.take(mesh.issuer.certify(kPump, {days(5), days(20)}, 3));
  CHECK(mesh.authority.verdict(kPump, days(6)).may(roles::kWriter));
}

TEST_CASE("an issuer counts while one of its certificates lasts, and is not needed to be first") {
  Mesh mesh;
  AuthorityWriter other(*kOtherKey);
  const Bytes record = other.certify(kPump, {days(0), days(300)});
  const auto early = mesh.authority.take(record);
  REQUIRE_FALSE(early.ok());
  CHECK(early.error().code == ErrorCode::kNotFound);
  mesh.add_issuer(other.authority(), {days(5), days(50)});
  CHECK(mesh.take(record));
  CHECK(mesh.standing(days(4)) == Standing::kIssuerNotYetValid);
  CHECK(mesh.standing(days(6)) == Standing::kCertified);
  CHECK(mesh.standing(days(50)) == Standing::kIssuerExpired);
  CHECK(mesh.authority.issuers(days(6)) == 2);
  CHECK(mesh.authority.issuers(days(50)) == 1);
  mesh.add_issuer(other.authority(), {days(45), days(400)}, 2);
  CHECK(mesh.standing(days(50)) == Standing::kCertified);
  CHECK(mesh.standing(days(300)) == Standing::kExpired);
}

TEST_CASE("who is certified by nobody of this mesh is unknown") {
  Mesh mesh;
  AuthorityWriter other(*kOtherKey);
  // An issuer certificate that the issuer has signed, not the root.
  const Bytes false_issuer =
      std::move(sign_issuer_certificate(*kIssuerKey,
                                        {kPaperMesh, 1, other.authority(), "", {days(0), days(9)}}))
          .value();
  CHECK(mesh.take(mesh.issuer.write(record::IssuerAdd{false_issuer})));
  CHECK_FALSE(mesh.authority.take(other.write(record::Time{})).ok());
  // A certificate of another issuer in this one's log, and one in the root's.
  const Certificate certificate = certificate_of(kPump, other.authority(), {days(0), days(9)});
  const Bytes of_other = std::move(sign_certificate(*kOtherKey, certificate)).value();
  CHECK(mesh.take(mesh.issuer.write(record::Cert{of_other})));
  CHECK(mesh.take(mesh.root.certify(kPump, {days(0), days(9)})));
  CHECK(mesh.standing(days(1)) == Standing::kUnknown);
  CHECK(mesh.authority.end(mesh.issuer.authority()).seq == 2);
}

TEST_CASE("a certificate that is shown counts without being in a log") {
  Mesh mesh;
  const Certificate certificate =
      certificate_of(kPump, mesh.issuer.authority(), {days(0), days(9)});
  CHECK(mesh.shown(certificate) == Standing::kCertified);
  CHECK(mesh.standing(kNow) == Standing::kUnknown);
  CHECK(mesh.shown(certificate_of(kPump, kOtherKey->device(), {days(0), days(9)}), *kOtherKey) ==
        Standing::kUnknownIssuer);
  CHECK(mesh.shown(certificate_of(kPump, kRoot->device(), {days(0), days(9)}), *kRoot) ==
        Standing::kUnknownIssuer);
  // A newer one in the log holds against one that is shown.
  mesh.take(mesh.issuer.certify(kPump, {{kNow.ms - 1}, days(9)}));
  Certificate old = certificate_of(kPump, mesh.issuer.authority(), {days(-9), days(9)});
  old.roles = roles::kAdmin;
  const Bytes shown = std::move(sign_certificate(*kIssuerKey, old)).value();
  CHECK_FALSE(mesh.authority.verdict_of_shown(shown, kNow)->may(roles::kAdmin));
  Bytes altered = shown;
  altered.back() ^= 1;
  CHECK(mesh.authority.verdict_of_shown(altered, kNow).error().code == ErrorCode::kBadSignature);
}

TEST_CASE("a revoked device stays so, whatever certificate it gets; its logs are cut") {
  Mesh mesh;
  mesh.take(mesh.issuer.certify(kPump, {days(0), days(9)}));
  CHECK_FALSE(mesh.authority.cut(kPump, kLog));
  const Position low{4, counting<Hash>(1)};
  const Position high{9, counting<Hash>(2)};
  mesh.take(mesh.issuer.write(record::Revoke{kPump, {{kLog, high}}}));
  CHECK(mesh.standing(days(1)) == Standing::kRevoked);
  CHECK(mesh.authority.cut(kPump, kLog) == high);
  CHECK(mesh.authority.cut(kPump, counting<LogId>(0x91)) == Position{});
  mesh.take(mesh.root.write(record::Revoke{kPump, {{kLog, low}}}));
  CHECK(mesh.authority.cut(kPump, kLog) == low);
  // At one seq the least chain; a revoke that does not name the log cuts it at 0.
  mesh.take(mesh.issuer.write(record::Revoke{kPump, {{kLog, {4, counting<Hash>(0)}}}}));
  CHECK(mesh.authority.cut(kPump, kLog) == Position{4, counting<Hash>(0)});
  mesh.take(mesh.issuer.write(record::Revoke{kPump, {}}));
  CHECK(mesh.authority.cut(kPump, kLog) == Position{});
  mesh.take(mesh.issuer.write(record::Revoke{kPump, {{kLog, high}}}));
  CHECK(mesh.authority.cut(kPump, kLog) == Position{});
  mesh.take(mesh.issuer.certify(kPump, {days(1), days(9)}, 2));
  CHECK(mesh.standing(days(2)) == Standing::kRevoked);
  CHECK(mesh.shown(certificate_of(kPump, mesh.issuer.authority(), {days(-1), days(9)}, 3)) ==
        Standing::kRevoked);
}

TEST_CASE("a retired device comes back with a certificate that begins later") {
  Mesh mesh;
  mesh.take(mesh.issuer.certify(kPump, {days(0), days(100)}));
  mesh.take(mesh.issuer.write(record::Retire{kPump, days(5)}));
  CHECK(mesh.standing(days(1)) == Standing::kRetired);
  CHECK(mesh.shown(certificate_of(kPump, mesh.issuer.authority(), {days(-2), days(9)}, 9)) ==
        Standing::kRetired);
  mesh.take(mesh.issuer.write(record::Retire{kPump, days(3)}));
  mesh.take(mesh.issuer.certify(kPump, {days(4), days(100)}, 2));
  CHECK(mesh.standing(days(6)) == Standing::kRetired);
  mesh.take(mesh.issuer.certify(kPump, {{days(5).ms + 1}, days(100)}, 3));
  CHECK(mesh.standing(days(6)) == Standing::kCertified);
}

TEST_CASE("a record counts when all before it are there, but what it takes away holds at once") {
  Mesh mesh;
  const auto second = counting<DeviceId>(0x81);
  const Bytes one = mesh.issuer.certify(kPump, {days(0), days(9)});
  const Bytes two = mesh.issuer.certify(second, {days(0), days(9)});
  const Bytes three = mesh.issuer.write(record::Revoke{kPump, {}});
  CHECK(mesh.take(three));
  CHECK(mesh.take(two));
  CHECK(mesh.standing(days(1), second) == Standing::kUnknown);
  CHECK(mesh.standing(days(1)) == Standing::kRevoked);
  CHECK(mesh.authority.end(mesh.issuer.authority()).seq == 0);
  CHECK(mesh.take(one));
  CHECK(mesh.standing(days(1), second) == Standing::kCertified);
  CHECK(mesh.authority.end(mesh.issuer.authority()) == mesh.issuer.end());
  const auto heads = mesh.authority.heads();
  CHECK(heads.size() == 2);
  CHECK(std::count(heads.begin(), heads.end(),
                   AuthorityHead{mesh.issuer.authority(), mesh.issuer.end()}) == 1);
}

TEST_CASE("policy goes by its number") {
  Mesh mesh;
  CHECK(mesh.authority.admit(kNow) == Admit::kInvite);
  mesh.take(mesh.issuer.write(record::Policy{2, Admit::kSecret}));
  CHECK(mesh.authority.admit(kNow) == Admit::kSecret);
  mesh.take(mesh.root.write(record::Policy{1, Admit::kInvite}, days(900)));
  CHECK(mesh.authority.admit(kNow) == Admit::kSecret);
  mesh.take(mesh.issuer.write(record::Policy{3, Admit::kInvite}, days(-900)));
  CHECK(mesh.authority.admit(kNow) == Admit::kInvite);
}

TEST_CASE("records are handed out in order, in portions") {
  Mesh mesh;
  std::vector<Bytes> written;
  for (int i = 0; i < 10; ++i)
    written.push_back(mesh.issuer.write(record::Time{}, days(i)));
  for (auto at = written.rbegin(); at != written.rend(); ++at)
    mesh.take(*at);
  const DeviceId& issuer = mesh.issuer.authority();
  const auto all = mesh.authority.records(issuer, 1, SIZE_MAX);
  REQUIRE(all.size() == 10);
  for (std::size_t i = 0; i < all.size(); ++i)
    CHECK(equal(all[i], written[i]));
  CHECK(mesh.authority.records(issuer, 4, written[3].size() * 2).size() == 2);
  CHECK(mesh.authority.records(issuer, 10, 0).size() == 1);
  CHECK(mesh.authority.records(issuer, 11, SIZE_MAX).empty());
  CHECK(mesh.authority.records(kPump, 1, SIZE_MAX).empty());
}
