// The end of an issuer's log, where what the root has named is not all there.
#include <doctest/doctest.h>

#include "tests/trust/authority_rig.h"
#include "trust/authority.h"

using namespace ebb;
using namespace ebb::tests;
using namespace ebb::trust;

namespace {

const std::unique_ptr<Identity> kIssuerKey = key_of(0x60);
const SignatureCheck kSignatures;
const Validity kLong{days(-1), days(100)};
const auto kFirst = counting<DeviceId>(0x80);
const auto kLast = counting<DeviceId>(0x81);
const auto kStolen = counting<DeviceId>(0x82);
const auto kRevoked = counting<DeviceId>(0x83);
const auto kVictim = counting<DeviceId>(0x84);

// The honest log: certificates of two devices around two records, and a revoke. The thief's begins
// behind the first of them.
struct Ended {
  Authority authority{kPaperMesh, kRoot->device(), kSignatures};
  AuthorityWriter root{*kRoot};
  std::vector<Bytes> honest;
  std::vector<Bytes> thief;
  Position end;
  Position thief_end;

  Ended() {
    take(root.write(record::IssuerAdd{issuer_certificate(kIssuerKey->device(), kLong)}));
    AuthorityWriter issuer(*kIssuerKey);
    honest.push_back(issuer.certify(kFirst, kLong));
    AuthorityWriter branch = issuer;
    thief.push_back(branch.certify(kStolen, kLong));
    thief.push_back(branch.write(record::Revoke{kVictim, {}}));
    thief_end = branch.end();
    honest.push_back(issuer.write(record::Revoke{kRevoked, {}}));
    honest.push_back(issuer.write(record::Time{}));
    honest.push_back(issuer.certify(kLast, kLong));
    end = issuer.end();
  }
  void take(const Bytes& record) { REQUIRE(authority.take(record).ok()); }
  void rotate(const Position& to) {
    take(root.write(record::Rotate{kIssuerKey->device(), to, {}}));
  }
  Standing standing(const DeviceId& device) const {
    return authority.verdict(device, kNow).standing;
  }
  Position counted() const { return authority.end(kIssuerKey->device()); }
};

}  // namespace

TEST_CASE("an end whose way is not all there undoes no revoke meanwhile") {
  Ended mesh;
  mesh.take(mesh.thief[1]);
  mesh.take(mesh.honest[1]);
  CHECK(mesh.standing(kVictim) == Standing::kRevoked);
  mesh.rotate(mesh.end);
  CHECK(mesh.standing(kRevoked) == Standing::kRevoked);
  CHECK(mesh.standing(kVictim) == Standing::kRevoked);
  mesh.take(mesh.honest[0]);
  mesh.take(mesh.honest[2]);
  CHECK(mesh.standing(kVictim) == Standing::kRevoked);
  mesh.take(mesh.honest[3]);
  CHECK(mesh.counted() == mesh.end);
  CHECK(mesh.standing(kVictim) == Standing::kUnknown);
  CHECK(mesh.standing(kRevoked) == Standing::kRevoked);
}

TEST_CASE("below an end that is not reached no branch of a thief counts") {
  Ended mesh;
  mesh.rotate(mesh.end);
  mesh.take(mesh.honest[0]);
  mesh.take(mesh.thief[0]);
  CHECK(mesh.standing(kStolen) == Standing::kUnknown);
  CHECK(mesh.standing(kFirst) == Standing::kUnknown);
  CHECK(mesh.counted().seq == 0);
  // From the end down each record names the one before.
  mesh.take(mesh.honest[3]);
  CHECK(mesh.standing(kLast) == Standing::kCertified);
  CHECK(mesh.counted().seq == 0);
  mesh.take(mesh.honest[1]);
  mesh.take(mesh.honest[2]);
  CHECK(mesh.standing(kFirst) == Standing::kCertified);
  CHECK(mesh.standing(kStolen) == Standing::kUnknown);
  CHECK(mesh.counted() == mesh.end);
}

TEST_CASE("what is wanted on the way to an end leads from record to record down to the first") {
  Ended mesh;
  const DeviceId& issuer = kIssuerKey->device();
  CHECK_FALSE(mesh.authority.wanted(issuer));
  mesh.take(mesh.honest[1]);
  mesh.rotate(mesh.end);
  CHECK(mesh.authority.wanted(issuer) == mesh.end);
  mesh.take(mesh.honest[3]);
  CHECK(mesh.authority.wanted(issuer)->seq == 3);
  mesh.take(mesh.honest[2]);
  CHECK(mesh.authority.wanted(issuer)->seq == 1);
  mesh.take(mesh.thief[0]);
  CHECK(mesh.authority.wanted(issuer)->seq == 1);
  mesh.take(mesh.honest[0]);
  CHECK_FALSE(mesh.authority.wanted(issuer));
  CHECK_FALSE(mesh.authority.wanted(kRoot->device()));
  CHECK_FALSE(mesh.authority.wanted(kFirst));
}

TEST_CASE("an end that names what nobody has signed takes nothing back and gives nothing") {
  Ended mesh;
  for (const Bytes& record : mesh.honest)
    mesh.take(record);
  mesh.rotate({3, counting<Hash>(9)});
  CHECK(mesh.standing(kRevoked) == Standing::kRevoked);
  CHECK(mesh.standing(kFirst) == Standing::kUnknown);
  CHECK(mesh.counted().seq == 0);
}

TEST_CASE("a rotate of the root holds before those before it are there, and in a forked log") {
  Ended mesh;
  for (const Bytes& record : mesh.honest)
    mesh.take(record);
  mesh.take(mesh.thief[0]);
  CHECK(mesh.standing(kLast) == Standing::kUnknown);
  const Bytes missing = mesh.root.write(record::Time{});
  AuthorityWriter branch = mesh.root;
  mesh.rotate(mesh.end);
  CHECK(mesh.standing(kLast) == Standing::kCertified);
  CHECK(mesh.authority.end(kRoot->device()).seq == 1);
  mesh.take(missing);
  mesh.take(branch.write(record::Time{}));
  CHECK(mesh.authority.fork_proof(kRoot->device()));
  CHECK(mesh.standing(kLast) == Standing::kCertified);
}

TEST_CASE("what lies off a way that is whole is not taken, before a lower end names it") {
  Ended mesh;
  for (const Bytes& record : mesh.honest)
    mesh.take(record);
  mesh.rotate(mesh.end);
  const Hash digest = mesh.authority.digest();
  for (const Bytes& record : mesh.thief) {
    const auto taken = mesh.authority.take(record);
    CHECK_FALSE(taken->news);
    CHECK_FALSE(taken->held);
  }
  CHECK(mesh.authority.digest() == digest);
  CHECK(mesh.authority.records(kIssuerKey->device(), 1, SIZE_MAX).size() == mesh.honest.size());
  CHECK_FALSE(mesh.authority.fork_proof(kIssuerKey->device()));
  CHECK(mesh.standing(kVictim) == Standing::kUnknown);
  mesh.rotate(mesh.thief_end);
  CHECK(mesh.counted().seq == 0);
  for (const Bytes& record : mesh.thief)
    mesh.take(record);
  CHECK(mesh.counted() == mesh.thief_end);
  CHECK(mesh.standing(kVictim) == Standing::kRevoked);
  CHECK(mesh.standing(kStolen) == Standing::kCertified);
  CHECK(mesh.standing(kRevoked) == Standing::kUnknown);
}

TEST_CASE(
    "a first record that hangs on nothing is no beginning of a log, and no way begins there") {
  Ended mesh;
  AuthorityRecord first;
  first.mesh = kPaperMesh;
  first.authority = kIssuerKey->device();
  first.seq = 1;
  first.previous = counting<Hash>(9);
  first.at = kNow;
  first.content = record::Policy{1, Admit::kSecret};
  const Bytes encoded = std::move(sign_authority_record(*kIssuerKey, first)).value();
  const Position end = decode_authority_record(kPaperMesh, encoded)->position();
  mesh.take(encoded);
  CHECK(mesh.counted().seq == 0);
  CHECK(mesh.authority.admit(kNow) == Admit::kInvite);
  mesh.take(mesh.honest[1]);
  mesh.rotate(end);
  CHECK(mesh.counted().seq == 0);
  CHECK(mesh.standing(kRevoked) == Standing::kRevoked);
}
