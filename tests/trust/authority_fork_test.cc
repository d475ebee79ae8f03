// An issuer's log with two branches, and the root that ends it.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/trust/authority_rig.h"
#include "trust/authority.h"

using namespace ebb;
using namespace ebb::tests;
using namespace ebb::trust;

namespace {

const std::unique_ptr<Identity> kIssuerKey = key_of(0x60);
const std::unique_ptr<Identity> kNextKey = key_of(0x61);
const SignatureCheck kSignatures;
const Validity kLong{days(-1), days(100)};
const auto kBefore = counting<DeviceId>(0x80);
const auto kHonest = counting<DeviceId>(0x81);
const auto kStolen = counting<DeviceId>(0x82);
const auto kVictim = counting<DeviceId>(0x83);

// One record, then two branches: the issuer's own, and that of who has its key too.
struct Forked {
  Authority authority{kPaperMesh, kRoot->device(), kSignatures};
  AuthorityWriter root{*kRoot};
  AuthorityWriter honest{*kIssuerKey};
  std::vector<Bytes> honest_records;
  std::vector<Bytes> thief_records;

  Forked() {
    take(root.write(record::IssuerAdd{issuer_certificate(kIssuerKey->device(), kLong)}));
    take(honest.certify(kBefore, kLong));
    take(honest.certify(kVictim, kLong));
    AuthorityWriter thief = honest;
    honest_records.push_back(honest.certify(kHonest, kLong));
    honest_records.push_back(honest.write(record::Policy{1, Admit::kInvite}));
    thief_records.push_back(thief.certify(kStolen, kLong));
    thief_records.push_back(thief.write(record::Revoke{kVictim, {}}));
    thief_records.push_back(thief.write(record::Policy{9, Admit::kSecret}));
  }
  void take(const Bytes& record) { REQUIRE(authority.take(record).ok()); }
  void take_all() {
    for (const Bytes& record : honest_records)
      take(record);
    for (const Bytes& record : thief_records)
      take(record);
  }
  Standing standing(const DeviceId& device) const {
    return authority.verdict(device, kNow).standing;
  }
  Standing shown(const DeviceId& device) const {
    const Certificate certificate = certificate_of(device, kIssuerKey->device(), kLong);
    return authority
        .verdict_of_shown(std::move(sign_certificate(*kIssuerKey, certificate)).value(), kNow)
        ->standing;
  }
};

}  // namespace

TEST_CASE("two records of one seq stop an issuer's log below them, and are the proof") {
  Forked mesh;
  for (const Bytes& record : mesh.honest_records)
    mesh.take(record);
  CHECK(mesh.standing(kHonest) == Standing::kCertified);
  CHECK_FALSE(mesh.authority.fork_proof(kIssuerKey->device()));
  mesh.take(mesh.thief_records[0]);
  CHECK(mesh.standing(kBefore) == Standing::kCertified);
  CHECK(mesh.standing(kHonest) == Standing::kUnknown);
  CHECK(mesh.standing(kStolen) == Standing::kUnknown);
  CHECK(mesh.authority.end(kIssuerKey->device()).seq == 2);
  CHECK(mesh.authority.issuers(kNow) == 0);
  const auto proof = mesh.authority.fork_proof(kIssuerKey->device());
  REQUIRE(proof);
  const bool in_order = equal(proof->first, mesh.honest_records[0]);
  CHECK(equal(in_order ? proof->first : proof->second, mesh.honest_records[0]));
  CHECK(equal(in_order ? proof->second : proof->first, mesh.thief_records[0]));
  // What the key signs from now on needs a log, whatever date it bears.
  CHECK(mesh.shown(counting<DeviceId>(0x84)) == Standing::kIssuerForked);
  CHECK(mesh.shown(kBefore) == Standing::kCertified);
}

TEST_CASE(
    "a record that goes on from another branch does not count, and is no proof of a fork yet") {
  Forked mesh;
  const DeviceId& issuer = kIssuerKey->device();
  mesh.take(mesh.honest_records[0]);
  mesh.take(mesh.thief_records[1]);
  CHECK(mesh.authority.end(issuer).seq == 3);
  CHECK_FALSE(mesh.authority.fork_proof(issuer));
  CHECK(mesh.standing(kHonest) == Standing::kCertified);
  mesh.take(mesh.thief_records[0]);
  CHECK(mesh.authority.end(issuer).seq == 2);
  CHECK(mesh.authority.fork_proof(issuer));
}

TEST_CASE("a fork takes nothing back: what either branch takes away stays taken away") {
  Forked mesh;
  mesh.take_all();
  CHECK(mesh.standing(kVictim) == Standing::kRevoked);
  CHECK(mesh.authority.admit(kNow) == Admit::kInvite);
}

TEST_CASE("the root names the branch that stands, and what is not of it means nothing") {
  Forked mesh;
  mesh.take_all();
  mesh.take(mesh.root.write(record::Rotate{kIssuerKey->device(), mesh.honest.end(),
                                           issuer_certificate(kNextKey->device(), kLong)}));
  CHECK(mesh.standing(kHonest) == Standing::kCertified);
  CHECK(mesh.standing(kStolen) == Standing::kUnknown);
  CHECK(mesh.standing(kVictim) == Standing::kCertified);
  CHECK(mesh.authority.end(kIssuerKey->device()) == mesh.honest.end());
  CHECK(mesh.shown(kStolen) == Standing::kIssuerEnded);
  // The successor goes on.
  AuthorityWriter next(*kNextKey);
  mesh.take(next.certify(kStolen, kLong));
  CHECK(mesh.standing(kStolen) == Standing::kCertified);
  CHECK(mesh.authority.issuers(kNow) == 1);
}

TEST_CASE("an issuer whose log has an end writes behind it in vain") {
  Forked mesh;
  const Position end = mesh.honest.end();  // of the honest branch
  mesh.take(mesh.root.write(record::Rotate{kIssuerKey->device(), end, {}}));
  mesh.take_all();
  mesh.take(mesh.honest.certify(counting<DeviceId>(0x84), kLong));
  mesh.take(mesh.honest.write(record::Revoke{kBefore, {}}));
  CHECK(mesh.authority.end(kIssuerKey->device()) == end);
  CHECK(mesh.standing(counting<DeviceId>(0x84)) == Standing::kUnknown);
  CHECK(mesh.standing(kBefore) == Standing::kCertified);
  // Of several ends the least.
  mesh.take(mesh.root.write(record::Rotate{kIssuerKey->device(), {end.seq + 1, Hash{}}, {}}));
  CHECK(mesh.authority.end(kIssuerKey->device()) == end);
  mesh.take(mesh.root.write(record::Rotate{kIssuerKey->device(), {}, {}}));
  CHECK(mesh.authority.end(kIssuerKey->device()).seq == 0);
  CHECK(mesh.standing(kBefore) == Standing::kUnknown);
}

TEST_CASE("only the root ends an issuer's log") {
  Forked mesh;
  mesh.take(mesh.root.write(record::IssuerAdd{issuer_certificate(kNextKey->device(), kLong)}));
  AuthorityWriter next(*kNextKey);
  mesh.take(next.write(record::Rotate{kIssuerKey->device(), {}, {}}));
  mesh.take(mesh.root.write(record::Rotate{kRoot->device(), {}, {}}));
  CHECK(mesh.standing(kBefore) == Standing::kCertified);
  CHECK(mesh.authority.issuers(kNow) == 2);
}

TEST_CASE("of any number of records of one seq each is kept that takes something away") {
  constexpr std::uint8_t kBranches = 5;
  Forked mesh;
  AuthorityWriter start(*kIssuerKey);
  std::vector<Bytes> branches;
  for (std::uint8_t i = 0; i < kBranches; ++i) {
    AuthorityWriter branch = start;
    branches.push_back(branch.write(record::Revoke{counting<DeviceId>(i), {}}));
  }
  std::vector<Hash> digests;
  for (std::size_t order = 0; order < branches.size(); ++order) {
    std::rotate(branches.begin(), branches.begin() + 1, branches.end());
    Authority authority(kPaperMesh, kRoot->device(), kSignatures);
    AuthorityWriter root(*kRoot);
    REQUIRE(
        authority
            .take(root.write(record::IssuerAdd{issuer_certificate(kIssuerKey->device(), kLong)}))
            .ok());
    for (const Bytes& branch : branches)
      REQUIRE(authority.take(branch)->news);
    digests.push_back(authority.digest());
    for (std::uint8_t i = 0; i < kBranches; ++i)
      CHECK(authority.verdict(counting<DeviceId>(i), kNow).standing == Standing::kRevoked);
    CHECK(authority.records(kIssuerKey->device(), 1, SIZE_MAX).size() == kBranches);
  }
  for (const Hash& digest : digests)
    CHECK(digest == digests[0]);
}
