// The same records in any order, any number of times: the same answers, and the same digest.
#include <doctest/doctest.h>

#include <algorithm>

#include "core/rng.h"
#include "tests/trust/authority_rig.h"
#include "trust/authority.h"

using namespace ebb;
using namespace ebb::tests;
using namespace ebb::trust;

namespace {

constexpr std::uint64_t kSeeds = 60;
constexpr int kOrders = 4;
constexpr std::size_t kRecords = 40;
constexpr std::size_t kIssuerKeys = 3;
constexpr std::uint64_t kDevices = 5;
constexpr std::uint64_t kLogs = 3;
const SignatureCheck kSignatures;
// A third of what a history weighs: three logs have to share it.
constexpr AuthorityShares kFew{.issuers = std::size_t{20} << 10};

DeviceId device_of(std::uint64_t n) { return counting<DeviceId>(static_cast<std::uint8_t>(n)); }
LogId log_of(std::uint64_t n) { return counting<LogId>(static_cast<std::uint8_t>(n)); }

// What a root and three issuers write who now and then fork, lose keys, and take back devices.
class History {
 public:
  explicit History(std::uint64_t seed, bool with_ends = true)
      : rng_(seed), root_(*kRoot), with_ends_(with_ends) {
    for (std::uint8_t i = 0; i < kIssuerKeys; ++i)
      keys_.push_back(key_of(static_cast<std::uint8_t>(0x60 + i)));
    for (const auto& key : keys_) {
      writers_.emplace_back(*key);
      add_issuer(key->device());
    }
    while (records_.size() < kRecords)
      step();
  }
  const std::vector<Bytes>& records() const { return records_; }
  const std::vector<std::unique_ptr<Identity>>& keys() const { return keys_; }

 private:
  Validity some_time(std::int64_t longest) {
    const auto begin = static_cast<std::int64_t>(rng_.below(20));
    return {days(begin),
            days(begin + 1 +
                 static_cast<std::int64_t>(rng_.below(static_cast<std::uint64_t>(longest))))};
  }
  void add_issuer(const DeviceId& issuer) {
    records_.push_back(
        root_.write(record::IssuerAdd{issuer_certificate(issuer, some_time(40), rng_.below(9))}));
  }
  Position some_position() {
    return {rng_.below(4), counting<Hash>(static_cast<std::uint8_t>(rng_.below(3)))};
  }
  record::Revoke some_revoke() {
    record::Revoke revoke{device_of(rng_.below(kDevices)), {}};
    for (std::uint64_t log = 0; log < kLogs; ++log) {
      if (rng_.chance(1, 2)) revoke.cuts.push_back({log_of(log), some_position()});
    }
    return revoke;
  }
  record::Policy some_policy() {
    return {rng_.between(1, 3), rng_.chance(1, 2) ? Admit::kInvite : Admit::kSecret};
  }
  void step() {
    const std::size_t which = rng_.below(writers_.size());
    // A branch from here on: both writers have the key.
    if (writers_.size() < 6 && rng_.chance(1, 12)) writers_.push_back(writers_[which]);
    AuthorityWriter& writer = writers_[which];
    const DeviceId device = device_of(rng_.below(kDevices));
    switch (rng_.below(12)) {
      case 0:
        records_.push_back(writer.write(record::Retire{device, some_time(9).not_before}));
        break;
      case 1:
        records_.push_back(writer.write(some_revoke()));
        break;
      case 2:
        records_.push_back(writer.write(some_policy()));
        break;
      case 3:
        add_issuer(keys_[rng_.below(keys_.size())]->device());
        break;
      case 4:
        if (!with_ends_ || !rng_.chance(1, 3)) break;
        records_.push_back(root_.write(record::Rotate{writer.authority(), writer.end(), {}}));
        break;
      default:
        records_.push_back(writer.certify(device, some_time(30), rng_.below(3)));
    }
  }

  Rng rng_;
  AuthorityWriter root_;
  bool with_ends_;
  std::vector<std::unique_ptr<Identity>> keys_;
  std::vector<AuthorityWriter> writers_;
  std::vector<Bytes> records_;
};

// Until nothing is refused for want of its issuer.
void feed(Authority& authority, const std::vector<ByteView>& records) {
  for (const ByteView record : records)
    REQUIRE(authority.take(record).ok());
}

void feed(Authority& authority, std::vector<Bytes> records) {
  while (!records.empty()) {
    std::vector<Bytes> left;
    for (Bytes& record : records) {
      const auto taken = authority.take(record);
      if (taken.ok()) continue;
      REQUIRE(taken.error().code == ErrorCode::kNotFound);
      left.push_back(std::move(record));
    }
    REQUIRE(left.size() < records.size());
    records = std::move(left);
  }
}

// Of the root first, as nobody else is an issuer without it.
void tell(const Authority& from, Authority& to, const History& history) {
  feed(to, from.records(kRoot->device(), 1, SIZE_MAX));
  for (const auto& key : history.keys())
    feed(to, from.records(key->device(), 1, SIZE_MAX));
}

// What each holds is told to the other, as nodes do whose digests differ, until that changes
// nothing.
void exchange(Authority& one, Authority& other, const History& history) {
  Hash one_before;
  Hash other_before;
  while (one.digest() != other.digest() &&
         (one_before != one.digest() || other_before != other.digest())) {
    one_before = one.digest();
    other_before = other.digest();
    tell(one, other, history);
    tell(other, one, history);
  }
}

bool same_records(const Authority& one, const Authority& other, const DeviceId& authority) {
  const auto records = one.records(authority, 1, SIZE_MAX);
  const auto others = other.records(authority, 1, SIZE_MAX);
  return std::equal(records.begin(), records.end(), others.begin(), others.end(),
                    [](ByteView a, ByteView b) { return equal(a, b); });
}

// With ten of them twice.
std::vector<Bytes> in_some_order(const History& history, Rng& rng) {
  std::vector<Bytes> records = history.records();
  for (int i = 0; i < 10; ++i) {
    const Bytes again = records[rng.below(records.size())];
    records.push_back(again);
  }
  for (std::size_t i = records.size() - 1; i > 0; --i)
    std::swap(records[i], records[rng.below(i + 1)]);
  return records;
}

void check_same(const Authority& one, const Authority& other, const History& history) {
  CHECK(one.digest() == other.digest());
  CHECK(one.is_suspended() == other.is_suspended());
  CHECK(one.heads() == other.heads());
  for (std::int64_t day = -1; day < 62; day += 3) {
    CHECK(one.admit(days(day)) == other.admit(days(day)));
    CHECK(one.issuers(days(day)) == other.issuers(days(day)));
    for (std::uint64_t device = 0; device < kDevices; ++device) {
      const Verdict verdict = one.verdict(device_of(device), days(day));
      const Verdict expected = other.verdict(device_of(device), days(day));
      CHECK(verdict.standing == expected.standing);
      CHECK(verdict.certificate == expected.certificate);
    }
  }
  for (std::uint64_t device = 0; device < kDevices; ++device) {
    for (std::uint64_t log = 0; log < kLogs; ++log)
      CHECK(one.cut(device_of(device), log_of(log)) == other.cut(device_of(device), log_of(log)));
  }
  for (const auto& key : history.keys())
    CHECK(one.fork_proof(key->device()).has_value() == other.fork_proof(key->device()).has_value());
}

}  // namespace

TEST_CASE("the same records in any order give the same answers and the same digest") {
  std::uint64_t forks = 0;
  std::uint64_t certified = 0;
  std::uint64_t ended = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    CAPTURE(seed);
    const History history(seed);
    Authority expected(kPaperMesh, kRoot->device(), kSignatures);
    feed(expected, history.records());
    for (const auto& key : history.keys()) {
      if (expected.fork_proof(key->device())) ++forks;
    }
    for (std::uint64_t device = 0; device < kDevices; ++device) {
      const Verdict verdict = expected.verdict(device_of(device), days(12));
      if (verdict.standing == Standing::kCertified) ++certified;
    }
    if (expected.issuers(days(12)) == 0) ++ended;
    Rng rng(seed);
    for (int order = 0; order < kOrders; ++order) {
      CAPTURE(order);
      const std::vector<Bytes> records = in_some_order(history, rng);
      Authority authority(kPaperMesh, kRoot->device(), kSignatures);
      feed(authority, records);
      // An issuer's log may have had an end before a lower one named what that had shut out.
      exchange(authority, expected, history);
      check_same(authority, expected, history);
    }
  }
  // The histories have what they are about.
  CHECK(forks >= 20);
  CHECK(certified >= 20);
  CHECK(ended >= 5);
}

TEST_CASE("where not all records have room, the same are held in any order") {
  std::uint64_t suspended = 0;
  std::uint64_t dropped = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    CAPTURE(seed);
    const History history(seed, false);
    Authority expected(kPaperMesh, kRoot->device(), kSignatures, kFew);
    feed(expected, history.records());
    if (expected.is_suspended()) ++suspended;
    Authority all(kPaperMesh, kRoot->device(), kSignatures);
    feed(all, history.records());
    if (all.digest() != expected.digest()) ++dropped;
    Rng rng(seed);
    for (int order = 0; order < kOrders; ++order) {
      CAPTURE(order);
      Authority authority(kPaperMesh, kRoot->device(), kSignatures, kFew);
      feed(authority, in_some_order(history, rng));
      CHECK(authority.is_suspended() == expected.is_suspended());
      check_same(authority, expected, history);
      // What is held is enough to come to the same.
      Authority from_held(kPaperMesh, kRoot->device(), kSignatures, kFew);
      feed(from_held, authority.records(kRoot->device(), 1, SIZE_MAX));
      for (const auto& key : history.keys())
        feed(from_held, authority.records(key->device(), 1, SIZE_MAX));
      check_same(from_held, expected, history);
    }
  }
  CHECK(suspended >= 3);
  CHECK(dropped >= 40);
}

TEST_CASE("with ends of logs too, once nodes have told each other what they have") {
  std::uint64_t compared = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    CAPTURE(seed);
    const History history(seed);
    Authority expected(kPaperMesh, kRoot->device(), kSignatures, kFew);
    feed(expected, history.records());
    Rng rng(seed);
    for (int order = 0; order < kOrders; ++order) {
      CAPTURE(order);
      Authority authority(kPaperMesh, kRoot->device(), kSignatures, kFew);
      feed(authority, in_some_order(history, rng));
      exchange(authority, expected, history);
      if (authority.digest() == expected.digest()) {
        ++compared;
        check_same(authority, expected, history);
        continue;
      }
      // They hold the same, but one has dropped what the other never took and nobody holds.
      for (const auto& key : history.keys())
        CHECK(same_records(authority, expected, key->device()));
      CHECK(authority.is_suspended() != expected.is_suspended());
      const Authority& one = authority.is_suspended() ? authority : expected;
      CHECK_FALSE(one.missing().empty());
    }
  }
  MESSAGE(compared, " of ", kSeeds * kOrders);
  CHECK(compared >= kSeeds * kOrders * 9 / 10);
}

TEST_CASE("what is held and what is missing, kept and told again, give the same answers") {
  std::uint64_t missing = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    CAPTURE(seed);
    const History history(seed);
    Rng rng(seed);
    Authority before(kPaperMesh, kRoot->device(), kSignatures, kFew);
    feed(before, in_some_order(history, rng));
    Authority after(kPaperMesh, kRoot->device(), kSignatures, kFew);
    tell(before, after, history);
    if (after.digest() != before.digest()) ++missing;
    after.restore_missing(before.missing());
    check_same(after, before, history);
  }
  CHECK(missing >= 1);
}

TEST_CASE("what is found step by step is what is found anew") {
  std::uint64_t asked = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    CAPTURE(seed);
    const History history(seed);
    for (const AuthorityShares& shares : {AuthorityShares{}, kFew}) {
      Authority eager(kPaperMesh, kRoot->device(), kSignatures, shares);
      Authority lazy(kPaperMesh, kRoot->device(), kSignatures, shares);
      for (const Bytes& record : history.records()) {
        const bool taken = eager.take(record).ok();
        CHECK(lazy.take(record).ok() == taken);
        asked += eager.heads().size();
      }
      check_same(eager, lazy, history);
    }
  }
  CHECK(asked > 0);
}

TEST_CASE("every record that is held is in the digest") {
  const History history(1);
  Authority all(kPaperMesh, kRoot->device(), kSignatures);
  feed(all, history.records());
  std::vector<Bytes> held;
  for (const AuthorityHead& head : all.heads()) {
    // Without the first records of the root's log there would be no issuers.
    const Seq from = head.authority == kRoot->device() ? Seq{kIssuerKeys + 1} : Seq{1};
    for (const ByteView record : all.records(head.authority, from, SIZE_MAX))
      held.push_back(to_bytes(record));
  }
  CHECK(held.size() > kRecords / 2);
  for (const Bytes& left_out : held) {
    std::vector<Bytes> records = history.records();
    std::erase(records, left_out);
    Authority some(kPaperMesh, kRoot->device(), kSignatures);
    feed(some, records);
    CHECK(some.digest() != all.digest());
  }
}
