// What time takes from certificates, issuers and policies, and the floor of time itself.
#include <doctest/doctest.h>

#include "core/limits.h"
#include "tests/trust/authority_rig.h"
#include "trust/authority.h"
#include "trust/time_floor.h"

using namespace ebb;
using namespace ebb::tests;
using namespace ebb::trust;

namespace {

const std::unique_ptr<Identity> kOldKey = key_of(0x60);
const std::unique_ptr<Identity> kNewKey = key_of(0x61);
const SignatureCheck kSignatures;
const auto kPump = counting<DeviceId>(0x80);
const auto kFan = counting<DeviceId>(0x81);

// An issuer of whom the last certificate ends at day 50, and one who lasts.
struct Mesh {
  Authority authority{kPaperMesh, kRoot->device(), kSignatures};
  AuthorityWriter root{*kRoot};
  AuthorityWriter old_issuer{*kOldKey};
  AuthorityWriter new_issuer{*kNewKey};

  Mesh() {
    take(
        root.write(record::IssuerAdd{issuer_certificate(kOldKey->device(), {days(-1), days(50)})}));
    take(root.write(
        record::IssuerAdd{issuer_certificate(kNewKey->device(), {days(-1), days(900)})}));
  }
  void take(const Bytes& record) { REQUIRE(authority.take(record)->news); }
  Verdict verdict(const DeviceId& device, WallTime now) const {
    return authority.verdict(device, now);
  }
};

Bytes shown_by(const Identity& key, const DeviceId& device, Validity validity) {
  return std::move(sign_certificate(key, certificate_of(device, key.device(), validity))).value();
}

}  // namespace

TEST_CASE("who has expired has a link for renewal, and who has not begun a full one") {
  Mesh mesh;
  mesh.take(mesh.new_issuer.certify(kPump, {days(5), days(40)}));
  CHECK(mesh.verdict(kPump, days(4)).standing == Standing::kNotYetValid);
  CHECK(mesh.verdict(kPump, days(4)).access() == Access::kFull);
  CHECK(mesh.verdict(kPump, {0}).standing == Standing::kIssuerNotYetValid);
  CHECK(mesh.verdict(kPump, {0}).access() == Access::kFull);
  CHECK(mesh.verdict(kPump, days(5)).access() == Access::kFull);
  CHECK(mesh.verdict(kPump, days(40)).standing == Standing::kExpired);
  CHECK(mesh.verdict(kPump, days(440)).access() == Access::kRestricted);
  CHECK(access_of(Standing::kRevoked) == Access::kRootLog);
  CHECK(access_of(Standing::kRetired) == Access::kRootLog);
  CHECK(access_of(Standing::kUnknown) == Access::kRootLog);
  CHECK(access_of(Standing::kUnknownIssuer) == Access::kLogs);
}

TEST_CASE("nobody is renewed for a certificate of an issuer whose time is over") {
  Mesh mesh;
  mesh.take(mesh.old_issuer.certify(kPump, {days(0), days(300)}));
  const Bytes shown = shown_by(*kOldKey, kFan, {days(0), days(300)});
  CHECK(mesh.authority.verdict_of_shown(shown, days(49))->access() == Access::kFull);
  // Whoever has its key writes any date, into a certificate and into its log.
  CHECK(mesh.authority.verdict_of_shown(shown, days(50))->standing == Standing::kIssuerExpired);
  CHECK(mesh.authority.verdict_of_shown(shown, days(50))->access() == Access::kLogs);
  CHECK(mesh.verdict(kPump, days(50)).access() == Access::kLogs);
  CHECK(mesh.verdict(kPump, days(400)).standing == Standing::kIssuerExpired);
  // The root's word that the log goes so far: what is in it was made before.
  const Position end = mesh.old_issuer.end();
  mesh.take(mesh.old_issuer.certify(kFan, {days(0), days(300)}));
  mesh.take(mesh.root.write(record::Rotate{kOldKey->device(), end, {}}));
  CHECK(mesh.verdict(kPump, days(49)).access() == Access::kFull);
  CHECK(mesh.verdict(kPump, days(50)).standing == Standing::kExpired);
  CHECK(mesh.verdict(kPump, days(50)).access() == Access::kRestricted);
  CHECK(mesh.verdict(kFan, days(50)).access() == Access::kRootLog);
  CHECK(mesh.authority.verdict_of_shown(shown, days(50))->access() == Access::kLogs);
}

TEST_CASE(
    "a certificate of an issuer who lasts holds against newer ones of one whose time is over") {
  Mesh mesh;
  mesh.take(mesh.new_issuer.certify(kPump, {days(0), days(300)}));
  mesh.take(mesh.old_issuer.certify(kPump, {days(10), days(300)}));
  CHECK(mesh.verdict(kPump, days(20)).certificate->issuer == kOldKey->device());
  CHECK(mesh.verdict(kPump, days(50)).certificate->issuer == kNewKey->device());
  CHECK(mesh.verdict(kPump, days(50)).access() == Access::kFull);
}

TEST_CASE("any number of certificates that have not begun hide none that has") {
  Mesh mesh;
  mesh.take(mesh.new_issuer.certify(kPump, {days(0), days(300)}));
  for (std::uint64_t serial = 2; serial < 12; ++serial)
    mesh.take(mesh.new_issuer.certify(kPump, {days(100), days(300)}, serial));
  CHECK(mesh.verdict(kPump, days(50)).standing == Standing::kCertified);
  CHECK(mesh.verdict(kPump, days(50)).certificate->serial == 1);
  CHECK(mesh.verdict(kPump, days(100)).certificate->serial == 11);
}

TEST_CASE("a policy counts no more when the time of its issuer is over") {
  Mesh mesh;
  mesh.take(mesh.new_issuer.write(record::Policy{1, Admit::kInvite}));
  mesh.take(mesh.old_issuer.write(record::Policy{2, Admit::kSecret}));
  CHECK(mesh.authority.admit(days(49)) == Admit::kSecret);
  CHECK(mesh.authority.admit(days(50)) == Admit::kInvite);
  // Its number is one to go on from all the same.
  mesh.take(mesh.new_issuer.write(record::Policy{3, Admit::kSecret}));
  CHECK(mesh.authority.admit(days(50)) == Admit::kSecret);
  mesh.take(mesh.root.write(record::Policy{4, Admit::kInvite}));
  CHECK(mesh.authority.admit(days(9000)) == Admit::kInvite);
}

TEST_CASE("nobody uses the last number of a policy: each is at most a step above another") {
  Mesh mesh;
  mesh.take(mesh.new_issuer.write(record::Policy{1, Admit::kInvite}));
  mesh.take(mesh.old_issuer.write(record::Policy{UINT64_MAX, Admit::kSecret}));
  mesh.take(mesh.old_issuer.write(record::Policy{limits::kPolicyStep + 2, Admit::kSecret}));
  CHECK(mesh.authority.admit(kNow) == Admit::kInvite);
  mesh.take(mesh.new_issuer.write(record::Policy{limits::kPolicyStep + 1, Admit::kSecret}));
  // As long as he who has used the last is an issuer, nobody says otherwise.
  CHECK(mesh.authority.admit(kNow) == Admit::kInvite);
  CHECK(mesh.authority.admit(days(50)) == Admit::kSecret);
  mesh.take(mesh.root.write(record::Rotate{kOldKey->device(), {}, {}}));
  CHECK(mesh.authority.admit(kNow) == Admit::kSecret);
  mesh.take(mesh.new_issuer.write(record::Policy{limits::kPolicyStep + 3, Admit::kInvite}));
  CHECK(mesh.authority.admit(kNow) == Admit::kInvite);
}

TEST_CASE("what was forbidden on the numbers of a thief stays so when he is ended") {
  Mesh mesh;
  mesh.take(mesh.new_issuer.write(record::Policy{1, Admit::kSecret}));
  for (std::uint64_t i = 1; i <= 3; ++i)
    mesh.take(mesh.old_issuer.write(record::Policy{i * limits::kPolicyStep, Admit::kSecret}));
  mesh.take(mesh.new_issuer.write(record::Policy{3 * limits::kPolicyStep + 1, Admit::kInvite}));
  CHECK(mesh.authority.admit(kNow) == Admit::kInvite);
  mesh.take(mesh.root.write(record::Rotate{kOldKey->device(), {}, {}}));
  CHECK(mesh.authority.admit(kNow) == Admit::kInvite);
  // Until numbers lead up to it again.
  for (std::uint64_t i = 1; i <= 2; ++i) {
    mesh.take(mesh.new_issuer.write(record::Policy{1 + i * limits::kPolicyStep, Admit::kSecret}));
    CHECK(mesh.authority.admit(kNow) == Admit::kInvite);
  }
  mesh.take(mesh.new_issuer.write(record::Policy{3 * limits::kPolicyStep + 2, Admit::kSecret}));
  CHECK(mesh.authority.admit(kNow) == Admit::kSecret);
}

TEST_CASE("the root's records move the floor of time in steps, and only those that count") {
  constexpr std::int64_t kStep = limits::kTimeFloorStepMs;
  Mesh mesh;
  CHECK(mesh.authority.floor_by_root({kNow.ms - kDay}) == kNow);
  mesh.take(mesh.root.write(record::Time{}, days(9000)));
  CHECK(mesh.authority.floor_by_root(kNow) == WallTime{kNow.ms + kStep});
  const Bytes between = mesh.root.write(record::Time{}, days(9000));
  mesh.take(mesh.root.write(record::Time{}, days(9001)));
  CHECK(mesh.authority.floor_by_root(kNow) == WallTime{kNow.ms + kStep});
  mesh.take(between);
  CHECK(mesh.authority.floor_by_root(kNow) == WallTime{kNow.ms + 3 * kStep});
  // Asked again, by one that begins anew or goes on, it is the same.
  CHECK(mesh.authority.floor_by_root(kNow) == WallTime{kNow.ms + 3 * kStep});
  TimeFloor floor(kNow, {.by_root = days(2), .by_issuers = {}});
  CHECK(floor.take_from_root(mesh.authority.floor_by_root(kNow)));
  CHECK_FALSE(floor.take_from_root(mesh.authority.floor_by_root(kNow)));
  CHECK(floor.floor() == WallTime{kNow.ms + 3 * kStep});
  const Bytes forked = mesh.new_issuer.write(record::Time{});
  CHECK_FALSE(mesh.authority.counts(kNewKey->device(), mesh.new_issuer.end()));
  mesh.take(forked);
  CHECK(mesh.authority.counts(kNewKey->device(), mesh.new_issuer.end()));
}
