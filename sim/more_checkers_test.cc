// Checkers of cursors, followers, memory and the order of folding, and the meter of latencies:
// shown that they speak when they should, and only then.
#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "channel/datagrams.h"
#include "codec/datagram.h"
#include "codec/record.h"
#include "core/limits.h"
#include "core/planted.h"
#include "sim/convert.h"
#include "sim/datagram_checker.h"
#include "sim/follower_checker.h"
#include "sim/latency_meter.h"
#include "sim/memory_checker.h"
#include "sim/presence_checker.h"
#include "sim/refold_checker.h"
#include "sim/signature_checker.h"
#include "sim/stand_in_identity.h"
#include "sim/workload.h"
#include "store/fold_driver.h"
#include "trust/hash.h"

using ebb::Duration;
using ebb::Instant;
using ebb::milliseconds;
using ebb::Rng;
using ebb::sim::DatagramChecker;
using ebb::sim::Findings;
using ebb::sim::FollowerChecker;
using ebb::sim::LatencyMeter;
using ebb::sim::MemoryChecker;
using ebb::sim::MemoryUse;

namespace {

ebb::store::CommitResult advance(std::uint64_t before, std::uint64_t after, bool own = false) {
  ebb::store::HeadAdvance moved;
  moved.head.log.data[0] = 7;
  moved.head.held.seq = after;
  moved.before.seq = before;
  moved.own_append = own;
  ebb::store::CommitResult result;
  result.advances.push_back(moved);
  return result;
}

// An open store in memory, of some device.
struct OneStore {
  explicit OneStore(std::uint8_t seed = 5) : identity(ebb::Bytes(32, seed)) {
    REQUIRE(ebb::trust::crypto_ready().ok());
    auto opened = medium->open({ebb::MeshId{}, identity, [this] { return rng.next(); }, {}});
    REQUIRE(opened.ok());
    store = std::move(opened).value();
  }
  ebb::sim::StandInIdentity identity;
  std::unique_ptr<ebb::sim::StorageMedium> medium = ebb::sim::make_memory_medium();
  Rng rng{1};
  std::unique_ptr<ebb::sim::Storage> store;
};

}  // namespace

TEST_CASE("a follower that is given an event twice, or not at all, is noticed") {
  Findings findings;
  FollowerChecker followers(findings);
  followers.committed(0, advance(0, 5));
  followers.committed(0, advance(5, 6));
  followers.committed(1, advance(0, 2));
  CHECK(findings.empty());
  SUBCASE("twice") { followers.committed(0, advance(5, 7)); }
  SUBCASE("not at all") { followers.committed(0, advance(8, 9)); }
  CHECK(findings.count() == 1);
}

TEST_CASE("a datagram that goes out plain, or is taken twice or not as it was sent, is noticed") {
  Findings findings;
  DatagramChecker datagrams(findings);
  ebb::channel::DatagramSealer sealer(ebb::channel::CipherState(ebb::channel::Key{}), 7);
  const ebb::Bytes plain = ebb::codec::encode_datagram(ebb::codec::HeadsDatagram{});
  ebb::Bytes sealed;
  REQUIRE(sealer.seal(2, plain, sealed).ok());
  datagrams.sent(0, sealed);
  datagrams.left(sealed);
  datagrams.taken(1, sealed);
  CHECK(findings.empty());
  SUBCASE("plain") {
    ebb::Bytes bare(sealed.begin(), sealed.begin() + 16);
    ebb::append(bare, plain);
    bare.resize(bare.size() + 16);
    datagrams.sent(0, bare);
  }
  SUBCASE("twice") { datagrams.taken(1, sealed); }
  SUBCASE("changed on its way") {
    sealed.back() ^= 1;
    datagrams.taken(1, sealed);
  }
  CHECK(findings.count() == 1);
}

TEST_CASE("queues and engines beyond their bounds are noticed, more strictly at rest") {
  Findings findings;
  MemoryChecker memory(findings);
  MemoryUse use{1 << 20, 1000, 1000, 10};
  memory.check(0, use);
  memory.check_at_rest(0, use);
  CHECK(findings.empty());
  SUBCASE("commit queue") {
    use.commit_queue = ebb::limits::kInboundBytesTotal + 1;
    memory.check(0, use);
  }
  SUBCASE("send queue") {
    use.send_queue = ebb::limits::kQueuedBytesTotal + 1;
    memory.check(0, use);
  }
  SUBCASE("engine") {
    use.engine = 64 << 20;
    memory.check(0, use);
  }
  SUBCASE("at rest") {
    use.engine = 8 << 20;
    memory.check(0, use);
    CHECK(findings.empty());
    memory.check_at_rest(0, use);
  }
  CHECK(findings.count() == 1);
}

TEST_CASE("latencies are measured from author to each other host that is not left out") {
  LatencyMeter meter;
  meter.leave_out(3);
  meter.committed(Instant{0}, 0, advance(0, 10, true));
  meter.committed(Instant{2000}, 1, advance(0, 10));
  meter.committed(Instant{90000}, 2, advance(0, 1));
  meter.committed(Instant{900000}, 3, advance(0, 10));
  CHECK(meter.samples() == 11);
  CHECK(meter.percentile(50) == milliseconds(2));
  CHECK(meter.percentile(100) == milliseconds(90));
  CHECK(LatencyMeter().percentile(99) == Duration{});
}

TEST_CASE("a store that knows an older presence than its logs tell is noticed") {
  OneStore one;
  const auto say = [&one](std::uint64_t number) {
    ebb::codec::Presence said;
    said.addresses = {"10.0.0." + std::to_string(number) + ":7401"};
    said.number = number;
    ebb::store::CommitBatch batch;
    batch.now = {{1767225600000 + static_cast<std::int64_t>(number)}, {}};
    batch.appends.push_back(
        ebb::sim::record_batch({ebb::codec::kPresenceType, ebb::codec::encode_presence(said)}));
    REQUIRE(one.store->commit(batch).ok());
  };
  Findings findings;
  ebb::sim::PresenceChecker presences(findings);
  for (const std::uint64_t number : {1U, 3U, 2U}) {
    say(number);
    presences.check(0, *one.store);
  }
  CHECK(findings.empty());
  REQUIRE(one.store->presences()->size() == 1);
  CHECK(one.store->presences()->front().said.number == 3);
  if (!ebb::kBugsArePlanted) return;
  {
    const ebb::PlantedScope scope(ebb::Bug::kFirstPresenceStays);
    say(4);
  }
  presences.check(0, *one.store);
  CHECK(findings.count() == 1);
}

TEST_CASE("a head that its author has not signed is noticed, at whatever host it is") {
  OneStore author;
  OneStore reader{6};
  ebb::sim::Workload workload{Rng(2)};
  Findings findings;
  ebb::sim::SignatureChecker signatures(false, findings);
  for (int i = 0; i < 3; ++i) {
    ebb::store::CommitBatch batch;
    batch.now = {{1767225600000 + i}, {}};
    batch.appends.push_back(workload.next(0));
    ebb::store::CommitBatch told;
    told.now = batch.now;
    told.segments = author.store->commit(batch)->own_segments;
    if (i == 2) told.segments.back().head.signature.data[0] ^= 1;
    REQUIRE(reader.store->commit(told).ok());
    signatures.check_at_rest(0, *author.store);
    if (i < 2) signatures.check_at_rest(1, *reader.store);
  }
  CHECK(findings.empty());
  signatures.check_at_rest(1, *reader.store);
  CHECK(findings.count() == 1);
  signatures.check_at_rest(0, *author.store);
  CHECK(findings.count() == 1);
  SUBCASE("and real signatures are not those of the stand-in") {
    ebb::sim::SignatureChecker real(true, findings);
    real.check_at_rest(0, *author.store);
    CHECK(findings.count() > 1);
  }
}

TEST_CASE("a digest that is not that of the events is noticed") {
  OneStore one;
  ebb::sim::Storage& store = *one.store;
  ebb::sim::Workload workload{Rng(2)};
  for (int i = 0; i < 40; ++i) {
    ebb::store::CommitBatch batch;
    batch.now = {{1767225600000 + i}, {}};
    batch.appends.push_back(workload.next(0));
    REQUIRE(store.commit(batch).ok());
  }
  Findings findings;
  ebb::sim::RefoldChecker refold(Rng(3), findings);
  refold.check(0, store);
  CHECK(findings.empty());

  // The same store, but for what it says its digest is.
  class Liar : public ebb::sim::Storage {
   public:
    explicit Liar(Storage& honest) : honest_(honest) {}
    ebb::Result<ebb::store::CommitResult> commit(const ebb::store::CommitBatch& b) override {
      return honest_.commit(b);
    }
    ebb::Result<ebb::store::CommitResult> begin_incarnation(ebb::codec::OpeningReason reason,
                                                            const ebb::ClockReading& now) override {
      return honest_.begin_incarnation(reason, now);
    }
    void doubt_epoch() override { honest_.doubt_epoch(); }
    void hear_peers(std::optional<ebb::PeerClock> peers) override { honest_.hear_peers(peers); }
    const ebb::ClockJudge& clock_judge() const override { return honest_.clock_judge(); }
    std::vector<ebb::store::HeadRecord> heads() const override { return honest_.heads(); }
    ebb::StoreEpoch epoch() const override { return honest_.epoch(); }
    ebb::Incarnation incarnation() const override { return honest_.incarnation(); }
    ebb::Arrival arrival_head() const override { return honest_.arrival_head(); }
    std::vector<ebb::store::CursorUpdate> cursors() const override { return honest_.cursors(); }
    std::vector<ebb::store::PeerRow> peers() const override { return honest_.peers(); }
    ebb::Result<std::vector<ebb::store::PresenceRow>> presences() const override {
      return honest_.presences();
    }
    ebb::Result<ebb::store::AuthorityRows> authority() const override {
      return honest_.authority();
    }
    ebb::Result<std::vector<ebb::SharedBytes>> read_segments(const ebb::LogId& log, ebb::Seq from,
                                                             ebb::Seq to,
                                                             std::size_t most) const override {
      return honest_.read_segments(log, from, to, most);
    }
    ebb::Hash state_digest() override { return {}; }
    const ebb::VersionVector& applied() const override { return honest_.applied(); }
    ebb::Status upkeep(const ebb::ClockReading&) override { return {}; }
    ebb::Status set_full(bool) override { return {}; }

   private:
    Storage& honest_;
  };
  Liar liar(store);
  refold.check(0, liar);
  CHECK(findings.count() == 1);
}
