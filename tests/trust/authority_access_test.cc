// What is taken from whom, and told to whom.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/trust/authority_rig.h"
#include "trust/authority.h"

using namespace ebb;
using namespace ebb::tests;
using namespace ebb::trust;

namespace {

const std::unique_ptr<Identity> kIssuerKey = key_of(0x60);
const std::unique_ptr<Identity> kOtherKey = key_of(0x61);
const SignatureCheck kSignatures;
const Validity kLong{days(-1), days(100)};
const auto kHost = counting<DeviceId>(0x80);  // on which the root's tool runs
const auto kPump = counting<DeviceId>(0x81);

// Two nodes that hold the same: an issuer, and the certificates of two devices.
struct Nodes {
  Authority host{kPaperMesh, kRoot->device(), kSignatures};
  Authority pump{kPaperMesh, kRoot->device(), kSignatures};
  AuthorityWriter root{*kRoot};
  AuthorityWriter issuer{*kIssuerKey};

  Nodes() {
    both(root.write(record::IssuerAdd{issuer_certificate(kIssuerKey->device(), kLong)}));
    both(issuer.certify(kHost, kLong));
    both(issuer.certify(kPump, kLong));
  }
  void both(const Bytes& record) {
    REQUIRE(host.take(record)->news);
    REQUIRE(pump.take(record)->news);
  }
};

// Over a link with a device, by what the two know of it: `to` hears what `from` may tell.
void tell(const Authority& from, const Verdict& hearer, Authority& to, const Verdict& teller) {
  for (const Identity* key : {kRoot.get(), kIssuerKey.get()}) {
    for (const ByteView record : from.records(key->device(), 1, SIZE_MAX, hearer.telling())) {
      const auto taken = to.take(record, teller.access());
      if (!taken.ok()) CHECK(taken.error().code == ErrorCode::kPermission);
    }
  }
}

bool holds(const std::vector<ByteView>& records, const Bytes& record) {
  return std::any_of(records.begin(), records.end(),
                     [&record](ByteView each) { return equal(each, record); });
}

Bytes shown_by(const Identity& key, const DeviceId& device) {
  return std::move(sign_certificate(key, certificate_of(device, key.device(), kLong))).value();
}

}  // namespace

TEST_CASE("who has revoked everybody is undone by the root, whose word is taken from a revoked") {
  Nodes nodes;
  const Position honest = nodes.issuer.end();
  nodes.both(nodes.issuer.write(record::Revoke{kHost, {}}));
  nodes.both(nodes.issuer.write(record::Revoke{kPump, {}}));
  // Brought to one of them by hand.
  REQUIRE(
      nodes.host.take(nodes.root.write(record::Rotate{kIssuerKey->device(), honest, {}}))->news);
  CHECK(nodes.host.verdict(kPump, kNow).standing == Standing::kCertified);
  const Verdict revoked = nodes.pump.verdict(kHost, kNow);
  CHECK(revoked.standing == Standing::kRevoked);
  CHECK(revoked.telling() == Telling::kNothing);
  // Of anybody but the root nothing is taken from it.
  const Bytes mine = nodes.issuer.write(record::Time{});
  CHECK(nodes.pump.take(mine, revoked.access()).error().code == ErrorCode::kPermission);
  tell(nodes.host, nodes.host.verdict(kPump, kNow), nodes.pump, revoked);
  CHECK(nodes.pump.verdict(kHost, kNow).access() == Access::kFull);
  CHECK(nodes.pump.digest() == nodes.host.digest());
}

TEST_CASE("who shows a certificate of a forked log is told what stops and what ends it, no more") {
  Nodes nodes;
  AuthorityWriter thief = nodes.issuer;
  const Bytes pump = nodes.issuer.certify(counting<DeviceId>(0x83), kLong);
  const Bytes fork = thief.write(record::Time{});
  const Bytes later = nodes.issuer.certify(counting<DeviceId>(0x84), kLong);
  const Bytes revoke = thief.write(record::Revoke{counting<DeviceId>(0x85), {}});
  for (const Bytes* record : {&pump, &fork, &later, &revoke})
    REQUIRE(nodes.host.take(*record)->news);
  const Verdict verdict =
      *nodes.host.verdict_of_shown(shown_by(*kIssuerKey, counting<DeviceId>(0x86)), kNow);
  CHECK(verdict.standing == Standing::kIssuerForked);
  CHECK(verdict.access() == Access::kLogs);
  const auto told = [&nodes, &verdict](const Identity& key) {
    return nodes.host.records(key.device(), 1, SIZE_MAX, verdict.telling());
  };
  CHECK(told(*kRoot).size() == 1);
  CHECK(told(*kIssuerKey).size() == 3);
  for (const Bytes* record : {&pump, &fork, &revoke})
    CHECK(holds(told(*kIssuerKey), *record));
  // The root ends it: all that is on the way.
  REQUIRE(nodes.host
              .take(nodes.root.write(record::Rotate{kIssuerKey->device(), nodes.issuer.end(), {}}))
              ->news);
  CHECK(told(*kRoot).size() == 2);
  CHECK(told(*kIssuerKey).size() == 4);
  CHECK(holds(told(*kIssuerKey), later));
  // A node that has only these comes to the same.
  tell(nodes.host, verdict, nodes.pump, nodes.pump.verdict(kHost, kNow));
  CHECK(nodes.pump.digest() == nodes.host.digest());
}

TEST_CASE("who is told by name of an issuer must show what that issuer has signed") {
  Nodes nodes;
  REQUIRE(nodes.host.take(nodes.root.write(record::Rotate{kIssuerKey->device(), {}, {}}))->news);
  Bytes shown = shown_by(*kIssuerKey, counting<DeviceId>(0x86));
  CHECK(nodes.host.verdict_of_shown(shown, kNow)->telling() == Telling::kNeeded);
  shown.back() ^= 1;
  CHECK(nodes.host.verdict_of_shown(shown, kNow).error().code == ErrorCode::kBadSignature);
  // Anybody can be an issuer of whom nobody knows.
  const Bytes of_nobody = shown_by(*kOtherKey, counting<DeviceId>(0x86));
  const Verdict verdict = *nodes.host.verdict_of_shown(of_nobody, kNow);
  CHECK(verdict.access() == Access::kLogs);
  CHECK(verdict.telling() == Telling::kNothing);
  CHECK(nodes.host.records(kRoot->device(), 1, SIZE_MAX, verdict.telling()).empty());
}
