// What is held of the logs of authorities when there is not room for everything.
#include <doctest/doctest.h>

#include <algorithm>

#include "core/limits.h"
#include "tests/codec/allocation_peak.h"
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
const auto kPump = counting<DeviceId>(0x80);
const auto kFan = counting<DeviceId>(0x81);
const auto kLog = counting<LogId>(0x90);
constexpr std::size_t kFewBytes = std::size_t{64} << 10;

DeviceId nobody(std::uint64_t n) {
  DeviceId device;
  for (std::size_t i = 0; i < sizeof(n); ++i)
    device.data[i] = static_cast<std::uint8_t>(n >> (8 * i));
  return device;
}

// Two issuers, of whose keys one is in two hands; each has certified a device, and the second has
// taken one back.
struct Mesh {
  Authority authority;
  AuthorityWriter root{*kRoot};
  AuthorityWriter issuer{*kIssuerKey};
  AuthorityWriter thief{*kIssuerKey};
  AuthorityWriter other{*kOtherKey};

  explicit Mesh(const AuthorityShares& shares)
      : authority(kPaperMesh, kRoot->device(), kSignatures, shares) {
    for (const auto* key : {kIssuerKey.get(), kOtherKey.get()})
      take(root.write(record::IssuerAdd{issuer_certificate(key->device(), kLong)}));
    take(other.certify(kFan, kLong));
    take(issuer.certify(kPump, kLong));
    take(issuer.write(record::Revoke{kPump, {{kLog, {4, counting<Hash>(1)}}}}));
  }
  Authority::Taken take(const Bytes& record) {
    const auto taken = authority.take(record);
    REQUIRE(taken.ok());
    return *taken;
  }
  // Records in a log of their own, from seq 1.
  template <class Make>
  std::size_t flood(std::size_t count, Make make) {
    std::size_t held = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (take(thief.write(make(i))).held) ++held;
    }
    return held;
  }
  Standing standing(const DeviceId& device) const {
    return authority.verdict(device, kNow).standing;
  }
};

record::Content some_revoke(std::size_t n) { return record::Revoke{nobody(n), {}}; }
record::Content some_time(std::size_t) { return record::Time{}; }

}  // namespace

TEST_CASE("no number of other records pushes out what takes a device away") {
  Mesh mesh({.issuers = kFewBytes});
  const std::size_t held = mesh.flood(100, some_time);
  CHECK(held > 10);
  CHECK(held < 100);
  CHECK_FALSE(mesh.authority.is_suspended());
  CHECK(mesh.standing(kPump) == Standing::kRevoked);
  CHECK(mesh.authority.cut(kPump, kLog) == Position{4, counting<Hash>(1)});
}

TEST_CASE("a log that is full of what was taken away suspends everybody, and gives nobody back") {
  Mesh mesh({.issuers = kFewBytes});
  const Bytes shown =
      std::move(sign_certificate(*kOtherKey, certificate_of(nobody(7), kOtherKey->device(), kLong)))
          .value();
  CHECK(mesh.authority.verdict_of_shown(shown, kNow)->standing == Standing::kCertified);
  CHECK(mesh.flood(100, some_revoke) < 100);
  CHECK(mesh.authority.is_suspended());
  CHECK(mesh.standing(kPump) != Standing::kCertified);
  CHECK(mesh.standing(kFan) == Standing::kSuspended);
  CHECK(mesh.authority.verdict(kFan, kNow).access() == Access::kLogs);
  CHECK(mesh.authority.verdict_of_shown(shown, kNow)->standing == Standing::kSuspended);
  // Not even what is above a cut comes back, of whomever.
  CHECK(mesh.authority.cut(kPump, kLog) == Position{});
  CHECK(mesh.authority.cut(kFan, kLog) == Position{});
  // The root's share is its own.
  CHECK(
      mesh.take(mesh.root.write(record::Rotate{kIssuerKey->device(), mesh.issuer.end(), {}})).news);
  CHECK(mesh.authority.is_suspended());  // until all that it names is there again
  Mesh before({});
  for (const ByteView record : before.authority.records(kIssuerKey->device(), 1, SIZE_MAX))
    mesh.take(to_bytes(record));
  CHECK_FALSE(mesh.authority.is_suspended());
  CHECK(mesh.standing(kFan) == Standing::kCertified);
  CHECK(mesh.standing(kPump) == Standing::kRevoked);
  CHECK(mesh.authority.cut(kPump, kLog) == Position{4, counting<Hash>(1)});
  CHECK(mesh.authority.digest() != before.authority.digest());  // the rotate
  CHECK(mesh.authority.records(kIssuerKey->device(), 1, SIZE_MAX).size() == 2);
}

TEST_CASE("room that comes back does not bring back who was revoked, before the revoke is back") {
  Mesh mesh({.issuers = kFewBytes});
  std::vector<Bytes> revokes;
  for (std::uint64_t n = 0; n < 35; ++n)
    revokes.push_back(mesh.issuer.write(some_revoke(n)));
  for (const Bytes& revoke : revokes)
    REQUIRE(mesh.take(revoke).held);
  CHECK_FALSE(mesh.authority.is_suspended());
  const Hash before = mesh.authority.digest();
  const std::vector<ByteView> all = mesh.authority.records(kIssuerKey->device(), 1, SIZE_MAX);
  const std::size_t count = all.size();
  // A flood of another log takes half of the room, until the root ends that log.
  AuthorityWriter other_thief(*kOtherKey);
  for (std::uint64_t n = 0; n < 100; ++n)
    mesh.take(other_thief.write(some_revoke(n)));
  mesh.take(mesh.root.write(record::Rotate{kOtherKey->device(), {}, {}}));
  CHECK(mesh.authority.records(kOtherKey->device(), 1, SIZE_MAX).empty());
  const std::size_t held = mesh.authority.records(kIssuerKey->device(), 1, SIZE_MAX).size();
  CHECK(held < count - 10);
  CHECK(mesh.authority.is_suspended());
  CHECK(mesh.authority.digest() != before);
  // Another record in their place is not what is missing.
  mesh.take(mesh.issuer.write(some_revoke(99)));
  const std::vector<AuthorityMissing> missing = mesh.authority.missing();
  REQUIRE(missing.size() == 1);
  CHECK(missing[0].authority == kIssuerKey->device());
  CHECK(missing[0].records.records.size() > 10);
  for (const Bytes& revoke : revokes) {
    CHECK(mesh.authority.is_suspended());
    CHECK(mesh.take(revoke).held);
  }
  CHECK_FALSE(mesh.authority.is_suspended());
  CHECK(mesh.authority.missing().empty());
}

TEST_CASE("no flood takes the room of a log that the root has ended, and suspends nobody by that") {
  Mesh mesh({.issuers = kFewBytes});
  std::vector<Bytes> honest;
  for (std::uint64_t n = 0; n < 20; ++n)
    honest.push_back(mesh.issuer.certify(nobody(100 + n), kLong));
  honest.push_back(mesh.issuer.write(record::Revoke{kFan, {}}));
  for (const Bytes& record : honest)
    REQUIRE(mesh.take(record).held);
  mesh.take(mesh.root.write(record::Rotate{kIssuerKey->device(), mesh.issuer.end(), {}}));
  const Position end = mesh.authority.end(kIssuerKey->device());
  CHECK(end == mesh.issuer.end());
  AuthorityWriter other_thief(*kOtherKey);
  for (int i = 0; i < 200; ++i)
    mesh.take(other_thief.write(record::Time{}));
  CHECK(mesh.authority.end(kIssuerKey->device()) == end);
  CHECK_FALSE(mesh.authority.is_suspended());
  CHECK(mesh.standing(nobody(100)) == Standing::kCertified);
  CHECK(mesh.standing(kFan) == Standing::kRevoked);
  // Nor keeps it from becoming whole at who comes later.
  Mesh late({.issuers = kFewBytes});
  for (const ByteView record : mesh.authority.records(kOtherKey->device(), 1, SIZE_MAX))
    late.take(to_bytes(record));
  for (const ByteView record : mesh.authority.records(kRoot->device(), 1, SIZE_MAX))
    late.take(to_bytes(record));
  std::reverse(honest.begin(), honest.end());
  for (const Bytes& record : honest)
    CHECK(late.take(record).held);
  CHECK(late.authority.end(kIssuerKey->device()) == end);
  CHECK(late.authority.digest() == mesh.authority.digest());
}

TEST_CASE("what is missing is in the digest, and as much of it as is remembered is bounded") {
  const auto dropped = [](std::size_t revokes) {
    Mesh mesh({.issuers = std::size_t{1} << 20});
    for (std::uint64_t n = 0; n < revokes; ++n)
      mesh.take(mesh.issuer.write(some_revoke(n)));
    AuthorityWriter other_thief(*kOtherKey);
    const record::Cert large{Bytes(limits::kAuthorityRecordBytes - 512)};
    for (int i = 0; i < 12; ++i)
      mesh.take(other_thief.write(large));
    mesh.take(mesh.root.write(record::Rotate{kOtherKey->device(), {}, {}}));
    return mesh;
  };
  const Mesh some = dropped(500);
  REQUIRE(some.authority.missing().size() == 1);
  CHECK_FALSE(some.authority.missing()[0].records.more);
  const Mesh many = dropped(700);
  REQUIRE(many.authority.missing().size() == 1);
  CHECK(many.authority.missing()[0].records.more);
  CHECK(many.authority.missing()[0].records.records.empty());
  CHECK(many.authority.is_suspended());
  // The same records without those that were dropped, and what was told of those.
  Authority again(kPaperMesh, kRoot->device(), kSignatures, {.issuers = std::size_t{1} << 20});
  for (const DeviceId& who : {kRoot->device(), kIssuerKey->device()}) {
    for (const ByteView record : some.authority.records(who, 1, SIZE_MAX))
      REQUIRE(again.take(record)->held);
  }
  CHECK_FALSE(again.is_suspended());
  CHECK(again.digest() != some.authority.digest());
  again.restore_missing(some.authority.missing());
  CHECK(again.is_suspended());
  CHECK(again.digest() == some.authority.digest());
  again.restore_missing(many.authority.missing());
  CHECK(again.missing()[0].records.more);
}

TEST_CASE("a flooded log takes no room from one that has less than its part") {
  Mesh mesh({.issuers = kFewBytes});
  mesh.flood(200, some_revoke);
  std::size_t held = 0;
  while (held < 15 && mesh.take(mesh.other.write(record::Time{})).held)
    ++held;
  CHECK(held == 15);
  CHECK(mesh.authority.end(kOtherKey->device()) == mesh.other.end());
  CHECK(mesh.authority.records(kOtherKey->device(), 1, SIZE_MAX).size() == held + 1);
}

TEST_CASE(
    "a log that is full certifies nobody who is not in it, and counts below what was dropped") {
  Mesh mesh({.issuers = kFewBytes});
  AuthorityWriter& issuer = mesh.issuer;
  const Bytes shown =
      std::move(
          sign_certificate(*kIssuerKey, certificate_of(nobody(7), kIssuerKey->device(), kLong)))
          .value();
  std::uint64_t certified = 0;
  while (mesh.take(issuer.certify(nobody(100 + certified), kLong)).held)
    ++certified;
  CHECK(certified > 10);
  CHECK(mesh.standing(nobody(100)) == Standing::kCertified);
  // Of the seq of the last that has room a branch may have been dropped.
  CHECK(mesh.standing(nobody(100 + certified - 1)) == Standing::kUnknown);
  CHECK(mesh.standing(nobody(100 + certified - 2)) == Standing::kCertified);
  CHECK(mesh.authority.verdict_of_shown(shown, kNow)->standing == Standing::kIssuerFull);
  CHECK(mesh.authority.issuers(kNow) == 1);
  CHECK_FALSE(mesh.authority.is_suspended());
}

TEST_CASE("no branch that falls beyond a share makes another one count") {
  std::size_t alone = 0;
  for (int before = 30; before < 70; ++before) {
    CAPTURE(before);
    Mesh mesh({.issuers = kFewBytes});
    for (int i = 0; i < before; ++i)
      mesh.take(mesh.issuer.write(record::Time{}));
    const Seq end = mesh.issuer.end().seq;
    AuthorityWriter thief = mesh.issuer;
    mesh.take(mesh.issuer.certify(kFan, kLong));
    mesh.take(thief.certify(nobody(1), kLong));
    CHECK(mesh.authority.end(kIssuerKey->device()).seq <= end);
    CHECK(mesh.standing(nobody(1)) == Standing::kUnknown);
    if (mesh.authority.records(kIssuerKey->device(), end + 1, SIZE_MAX).size() == 1) ++alone;
  }
  CHECK(alone == 1);
}

TEST_CASE("issuers have places in the order of the root's log, and one that was ended has none") {
  Authority authority(kPaperMesh, kRoot->device(), kSignatures);
  AuthorityWriter root(*kRoot);
  std::vector<std::unique_ptr<Identity>> keys;
  for (std::uint8_t i = 0; i <= limits::kIssuers; ++i) {
    keys.push_back(key_of(static_cast<std::uint8_t>(0xa0 + i)));
    REQUIRE(
        authority.take(root.write(record::IssuerAdd{issuer_certificate(keys[i]->device(), kLong)}))
            .ok());
  }
  AuthorityWriter first(*keys.front());
  AuthorityWriter late(*keys.back());
  CHECK(authority.take(first.certify(kPump, kLong))->news);
  const Bytes record = late.certify(kFan, kLong);
  CHECK(authority.take(record).error().code == ErrorCode::kNotFound);
  CHECK(authority.issuers(kNow) == limits::kIssuers);
  REQUIRE(authority.take(root.write(record::Rotate{keys[1]->device(), {}, {}})).ok());
  CHECK(authority.take(record)->news);
  CHECK(authority.issuers(kNow) == limits::kIssuers);
  CHECK(authority.verdict(kFan, kNow).standing == Standing::kCertified);
  CHECK(authority.heads().size() == 3);
  // What was ended still counts as far as it was named.
  REQUIRE(authority.take(root.write(record::Rotate{keys[0]->device(), first.end(), {}})).ok());
  CHECK(authority.verdict(kPump, kNow).standing == Standing::kCertified);
  CHECK(authority.heads().size() == 2);
}

TEST_CASE("an issuer is one as long as the record of the root is held that says so") {
  Authority authority(kPaperMesh, kRoot->device(), kSignatures, {.root = std::size_t{8} << 10});
  AuthorityWriter root(*kRoot);
  for (int i = 0; i < 20; ++i)
    REQUIRE(authority.take(root.write(record::Time{})).ok());
  // Beyond the root's share: nothing of it is kept, nor learnt.
  const auto taken = authority.take(
      root.write(record::IssuerAdd{issuer_certificate(kIssuerKey->device(), kLong)}));
  REQUIRE(taken.ok());
  CHECK_FALSE(taken->held);
  CHECK(authority.issuers(kNow) == 0);
  AuthorityWriter issuer(*kIssuerKey);
  CHECK(authority.take(issuer.certify(kPump, kLong)).error().code == ErrorCode::kNotFound);
  // What takes away goes before.
  const auto rotated = authority.take(root.write(
      record::Rotate{kOtherKey->device(), {}, issuer_certificate(kIssuerKey->device(), kLong)}));
  CHECK(rotated->held);
  CHECK(authority.issuers(kNow) == 1);
}

TEST_CASE("an issuer is told by the root's own log alone") {
  Authority authority(kPaperMesh, kRoot->device(), kSignatures);
  AuthorityWriter root(*kRoot);
  AuthorityWriter issuer(*kIssuerKey);
  REQUIRE(
      authority.take(root.write(record::IssuerAdd{issuer_certificate(kIssuerKey->device(), kLong)}))
          .ok());
  REQUIRE(authority
              .take(issuer.write(record::IssuerAdd{issuer_certificate(kOtherKey->device(), kLong)}))
              .ok());
  CHECK(authority.issuers(kNow) == 1);
}

TEST_CASE("records take no more memory than they weigh") {
  constexpr int kRecords = 300;
  record::Revoke revoke{kPump, {}};
  for (std::uint8_t i = 0; i < 40; ++i)
    revoke.cuts.push_back({counting<LogId>(i), {limits::kSeqMax, counting<Hash>(1)}});
  Certificate prefixes = certificate_of(kPump, kIssuerKey->device(), kLong);
  prefixes.prefixes.clear();
  for (std::size_t i = 0; i < limits::kTopicPrefixes; ++i)
    prefixes.prefixes.push_back(std::string(1, static_cast<char>('0' + i / 10)) +
                                std::to_string(i % 10));
  for (int what = 0; what < 6; ++what) {
    CAPTURE(what);
    AuthorityWriter root(*kRoot);
    AuthorityWriter issuer(*kIssuerKey);
    std::vector<Bytes> records;
    std::size_t weight = 0;
    for (int i = 0; i < kRecords; ++i) {
      // Where it does not keep them from counting, two of each seq.
      AuthorityWriter branch = issuer;
      AuthorityWriter& writer = what > 1 && i % 2 == 0 ? branch : issuer;
      AuthorityLog::Held held;
      prefixes.device = nobody(static_cast<std::uint64_t>(i));
      revoke.device = prefixes.device;
      if (what == 0) held.encoded = writer.certify(prefixes);
      if (what == 3) held.encoded = writer.write(revoke);
      if (what == 2) held.encoded = writer.write(record::Revoke{revoke.device, {}});
      if (what == 1)
        held.encoded =
            writer.write(record::Policy{static_cast<std::uint64_t>(i) + 1, Admit::kSecret});
      if (what == 4) held.encoded = writer.write(record::Retire{revoke.device, kNow});
      if (what == 5) {
        // An issuer with a log of its own, as it has been ended.
        const auto key = key_of(static_cast<std::uint8_t>(i));
        held.encoded =
            root.write(record::Rotate{key->device(), {}, issuer_certificate(key->device(), kLong)});
      }
      held.takes_away = what > 1;
      weight += AuthorityLog::weight_of(held);
      records.push_back(std::move(held.encoded));
    }
    const Bytes add =
        root.write(record::IssuerAdd{issuer_certificate(kIssuerKey->device(), kLong)});
    Authority authority(kPaperMesh, kRoot->device(), kSignatures);
    REQUIRE(authority.take(add).ok());
    const AllocationPeak peak;
    for (const Bytes& record : records)
      REQUIRE(authority.take(record)->news);
    MESSAGE("of ", weight, " bytes: ", peak.bytes());
    CHECK(peak.bytes() <= weight);
    CHECK(peak.bytes() >= weight / 4);
  }
}

TEST_CASE("all logs together stay within 64 MiB, however large their records are") {
  constexpr std::size_t kMost = std::size_t{64} << 20;
  constexpr std::size_t kLargest =
      limits::kAuthorityRecordWeight + 2 * limits::kAuthorityRecordBytes;
  static_assert(limits::kAuthorityRootBytes + limits::kAuthorityIssuersBytes +
                    (limits::kIssuers + 1) * kLargest <=
                kMost);
  Mesh mesh({});
  const record::Cert large{Bytes(limits::kAuthorityRecordBytes - 512)};
  std::size_t held = 0;
  for (std::size_t bytes = 0; bytes < kMost; bytes += limits::kAuthorityRecordBytes) {
    if (mesh.take(mesh.other.write(large)).held) ++held;
  }
  CHECK(held > limits::kAuthorityIssuersBytes / limits::kAuthorityRecordBytes * 9 / 10);
  CHECK(held * limits::kAuthorityRecordBytes < limits::kAuthorityIssuersBytes + kLargest);
  CHECK(mesh.standing(kPump) == Standing::kRevoked);
  CHECK(mesh.take(mesh.issuer.write(record::Revoke{kFan, {}})).news);
  CHECK(mesh.standing(kFan) == Standing::kRevoked);
}
