// The store in memory against the daemon's own: the same requests, the same answers.
#include "sim/storage.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>

#include "codec/record.h"
#include "codec/segment.h"
#include "sim/memory_presences.h"
#include "sim/stand_in_identity.h"
#include "sim/workload.h"
#include "tests/temp_dir.h"
#include "trust/hash.h"

using namespace ebb;
using sim::OpenStorage;
using sim::Storage;
using sim::StorageMedium;

namespace {

constexpr ClockReading kNow{{1767225600000}, {}};

// Two devices, each with a store on files and one in memory that are given the same.
class Twin {
 public:
  Twin(std::uint64_t seed, const std::string& dir)
      : seed_(seed), files_(sim::make_file_medium(dir)), memory_(sim::make_memory_medium()) {
    REQUIRE(trust::crypto_ready().ok());
    identity_ =
        std::move(trust::Identity::from_seed(Bytes(32, static_cast<std::uint8_t>(seed)))).value();
    open();
  }
  void open() {
    on_files = open_one(*files_);
    in_memory = open_one(*memory_);
  }
  void kill() {
    files_->kill(std::move(on_files));
    memory_->kill(std::move(in_memory));
    open();
  }
  void back_up() {
    on_files.reset();
    in_memory.reset();
    files_->back_up(1);
    memory_->back_up(1);
    open();
  }
  void restore() {
    on_files.reset();
    in_memory.reset();
    files_->restore(1);
    memory_->restore(1);
    open();
  }
  store::CommitResult commit(const store::CommitBatch& batch) {
    auto one = on_files->commit(batch);
    auto other = in_memory->commit(batch);
    REQUIRE(one.ok());
    REQUIRE(other.ok());
    CHECK(one->segments == other->segments);
    CHECK(one->arrival_head == other->arrival_head);
    CHECK(one->begun == other->begun);
    CHECK(one->clock.time == other->clock.time);
    CHECK(one->clock.doubt == other->clock.doubt);
    CHECK(one->clock.repair_ms == other->clock.repair_ms);
    REQUIRE(one->appends.size() == other->appends.size());
    for (std::size_t i = 0; i < one->appends.size(); ++i)
      check_append(one->appends[i], other->appends[i]);
    REQUIRE(one->advances.size() == other->advances.size());
    for (std::size_t i = 0; i < one->advances.size(); ++i) {
      check_head(one->advances[i].head, other->advances[i].head);
      CHECK(one->advances[i].before == other->advances[i].before);
      CHECK(one->advances[i].own_append == other->advances[i].own_append);
    }
    return std::move(*one);
  }
  void check_same() {
    const auto one = on_files->heads();
    const auto other = in_memory->heads();
    REQUIRE(one.size() == other.size());
    for (std::size_t i = 0; i < one.size(); ++i)
      check_head(one[i], other[i]);
    CHECK(on_files->state_digest() == in_memory->state_digest());
    CHECK(on_files->epoch() == in_memory->epoch());
    CHECK(on_files->incarnation() == in_memory->incarnation());
  }

  std::unique_ptr<Storage> on_files, in_memory;
  ClockReading now = kNow;
  store::QuotaLimit quota;  // from the next open() on

 private:
  std::unique_ptr<Storage> open_one(StorageMedium& medium) {
    auto rng = std::make_shared<Rng>(seed_ + ++opened_ / 2);
    auto opened =
        medium.open({MeshId{}, *identity_, [rng] { return rng->next(); }, now, {}, {}, quota});
    REQUIRE(opened.ok());
    return std::move(*opened);
  }
  static void check_append(const Result<std::vector<store::DotRange>>& one,
                           const Result<std::vector<store::DotRange>>& other) {
    REQUIRE(one.ok());
    REQUIRE(other.ok());
    REQUIRE(one->size() == other->size());
    for (std::size_t i = 0; i < one->size(); ++i) {
      CHECK((*one)[i].log == (*other)[i].log);
      CHECK((*one)[i].first_seq == (*other)[i].first_seq);
      CHECK((*one)[i].count == (*other)[i].count);
      CHECK((*one)[i].duplicate == (*other)[i].duplicate);
    }
  }
  static void check_head(const store::HeadRecord& one, const store::HeadRecord& other) {
    CHECK(one.log == other.log);
    CHECK(one.held == other.held);
    CHECK(one.hlc == other.hlc);
    CHECK(one.signature == other.signature);
    CHECK(one.arrival == other.arrival);
    CHECK(one.capped == other.capped);
  }

  std::uint64_t seed_;
  std::uint64_t opened_ = 1;
  std::unique_ptr<trust::Identity> identity_;
  std::unique_ptr<StorageMedium> files_, memory_;
};

// One of the two may have packed it.
void check_same_events(ByteView one, ByteView other) {
  const auto a = codec::decode_segment(one);
  const auto b = codec::decode_segment(other);
  REQUIRE(a.ok());
  REQUIRE(b.ok());
  CHECK(a->first_seq == b->first_seq);
  CHECK(a->count == b->count);
  CHECK(a->prev_chain == b->prev_chain);
  CHECK(a->head.signature == b->head.signature);
  const auto raw_a = codec::decode_body(a->codec, a->body);
  const auto raw_b = codec::decode_body(b->codec, b->body);
  REQUIRE(raw_a.ok());
  REQUIRE(raw_b.ok());
  CHECK(*raw_a == *raw_b);
}

store::CommitBatch batch_of(sim::Workload& workload, sim::HostIndex host, std::size_t requests) {
  store::CommitBatch batch;
  for (std::size_t i = 0; i < requests; ++i)
    batch.appends.push_back(workload.next(host));
  batch.now = kNow;
  return batch;
}

DeviceId device_number(std::uint8_t number) {
  DeviceId device;
  device.data[0] = number;
  return device;
}

}  // namespace

TEST_CASE("a store in memory answers as the daemon's own does") {
  const tests::TempDir dir;
  Twin author(1, dir.path().string() + "/a");
  Twin reader(2, dir.path().string() + "/b");
  sim::Workload workload{Rng(7)};
  Rng rng(8);
  std::vector<trust::VerifiedSegment> sent;
  for (int step = 0; step < 120; ++step) {
    store::CommitBatch own = batch_of(workload, 0, rng.below(4));
    const auto result = author.commit(own);
    sent.insert(sent.end(), result.own_segments.begin(), result.own_segments.end());
    store::CommitBatch received = batch_of(workload, 1, rng.below(2));
    // In order, out of order, again, and cut.
    for (std::uint64_t i = rng.below(4); i > 0 && !sent.empty(); --i) {
      const std::size_t back = rng.below(std::min<std::size_t>(sent.size(), 6));
      received.segments.push_back(sent[sent.size() - 1 - back]);
    }
    reader.commit(received);
    if (rng.chance(1, 15)) author.kill();
    if (rng.chance(1, 15)) reader.kill();
    if (step == 50) reader.back_up();
    if (step == 80) reader.restore();
  }
  store::CommitBatch all;
  all.now = kNow;
  all.segments = sent;
  reader.commit(all);
  author.check_same();
  reader.check_same();
  CHECK(author.on_files->heads().size() > 1);
  CHECK(reader.on_files->heads().size() > author.on_files->heads().size());
}

TEST_CASE("both stores stamp and repair alike, whatever the clock does and the peers say") {
  constexpr std::int64_t kDay = std::int64_t{24} * 3600 * 1000;
  const tests::TempDir dir;
  Twin author(5, dir.path().string() + "/a");
  Twin reader(6, dir.path().string() + "/b");
  sim::Workload workload{Rng(11)};
  Rng rng(12);
  std::int64_t truth = kNow.wall.ms;
  std::size_t begun = 0;
  for (int step = 0; step < 300; ++step) {
    const auto passed = static_cast<std::int64_t>(rng.below(300000));
    truth += passed;
    for (Twin* twin : {&author, &reader}) {
      twin->now.wall.ms += passed;
      twin->now.monotonic = twin->now.monotonic + milliseconds(passed);
    }
    if (rng.chance(1, 10)) {
      author.now.wall.ms = truth + (static_cast<std::int64_t>(rng.below(21)) - 10) * 365 * kDay;
    }
    if (rng.chance(1, 10))
      author.now.wall.ms = truth - static_cast<std::int64_t>(rng.below(900000));
    if (rng.chance(1, 6)) {
      std::optional<PeerClock> heard;
      if (rng.chance(2, 3)) heard = PeerClock{{truth - author.now.monotonic.us / 1000}, 3};
      author.on_files->hear_peers(heard);
      author.in_memory->hear_peers(heard);
    }
    store::CommitBatch own = batch_of(workload, 0, rng.below(3));
    own.now = author.now;
    const auto result = author.commit(own);
    if (result.begun) ++begun;
    store::CommitBatch received = batch_of(workload, 1, rng.below(2));
    received.now = reader.now;
    received.segments = result.own_segments;
    const auto taken = reader.commit(received);
    if (rng.chance(1, 3) && !taken.own_segments.empty()) {
      store::CommitBatch back;
      back.now = author.now;
      back.segments = taken.own_segments;
      author.commit(back);
    }
    if (rng.chance(1, 20)) author.kill();
  }
  author.check_same();
  reader.check_same();
  CHECK(begun > 3);
}

TEST_CASE("both stores take the same of an author that writes more than its quota") {
  constexpr std::int64_t kDay = std::int64_t{24} * 3600 * 1000;
  const tests::TempDir dir;
  Twin author(7, dir.path().string() + "/a");
  Twin reader(8, dir.path().string() + "/b");
  reader.quota = {64000, 640};
  reader.kill();
  sim::Workload workload{Rng(13)};
  Rng rng(14);
  std::map<store::SegmentOutcome, std::size_t> outcomes;
  for (int step = 0; step < 400; ++step) {
    store::CommitBatch own = batch_of(workload, 0, rng.below(4));
    if (rng.chance(1, 20)) author.now.wall.ms += static_cast<std::int64_t>(rng.below(3)) * kDay;
    if (rng.chance(1, 20)) reader.now.wall.ms += kDay;
    if (rng.chance(1, 60)) reader.now.wall.ms -= kDay;
    own.now = author.now;
    store::CommitBatch received = batch_of(workload, 1, rng.below(2));
    received.now = reader.now;
    received.segments = author.commit(own).own_segments;
    for (const store::SegmentOutcome outcome : reader.commit(received).segments)
      ++outcomes[outcome];
    if (rng.chance(1, 20)) reader.kill();
    if (step == 150) reader.back_up();
    if (step == 250) reader.restore();
    // The author goes on in logs of another incarnation.
    if (step % 100 == 99) {
      REQUIRE(author.on_files->begin_incarnation(codec::OpeningReason::kRestore, author.now).ok());
      REQUIRE(author.in_memory->begin_incarnation(codec::OpeningReason::kRestore, author.now).ok());
    }
  }
  reader.check_same();
  CHECK(outcomes[store::SegmentOutcome::kStored] > 30);
  CHECK(outcomes[store::SegmentOutcome::kOverQuota] > 3);
}

TEST_CASE("both stores read the same events from any position") {
  const tests::TempDir dir;
  Twin twin(3, dir.path().string() + "/a");
  sim::Workload workload{Rng(9)};
  for (int i = 0; i < 30; ++i)
    twin.commit(batch_of(workload, 0, 2));
  for (const store::HeadRecord& head : twin.on_files->heads()) {
    for (Seq from = 1; from <= head.held.seq; from += 1 + head.held.seq / 7) {
      const auto one = twin.on_files->read_segments(head.log, from, 0, 100000000);
      const auto other = twin.in_memory->read_segments(head.log, from, 0, 100000000);
      REQUIRE(one.ok());
      REQUIRE(other.ok());
      REQUIRE(one->size() == other->size());
      for (std::size_t i = 0; i < one->size(); ++i)
        check_same_events(*(*one)[i], *(*other)[i]);
    }
  }
}

TEST_CASE("a full store in memory takes nothing and stays as it was") {
  Twin twin(4, tests::TempDir().path().string() + "/gone");
  sim::Workload workload{Rng(10)};
  twin.commit(batch_of(workload, 0, 2));
  const Hash digest = twin.in_memory->state_digest();
  REQUIRE(twin.in_memory->set_full(true).ok());
  const auto refused = twin.in_memory->commit(batch_of(workload, 0, 1));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::kDiskFull);
  CHECK(twin.in_memory->state_digest() == digest);
  REQUIRE(twin.in_memory->set_full(false).ok());
  CHECK(twin.in_memory->commit(batch_of(workload, 0, 1)).ok());
}

TEST_CASE("a stand-in signature holds for its device and its message alone") {
  REQUIRE(trust::crypto_ready().ok());
  const sim::StandInIdentity one(Bytes(32, 1));
  const sim::StandInIdentity other(Bytes(32, 2));
  const sim::StandInCheck check;
  const Bytes message = to_bytes(as_bytes("message"));
  Signature signature = one.sign(message);
  CHECK(check.holds(one.device(), message, signature));
  CHECK_FALSE(check.holds(other.device(), message, signature));
  CHECK_FALSE(check.holds(one.device(), to_bytes(as_bytes("massage")), signature));
  for (std::uint8_t& byte : signature.data) {
    byte ^= 1;
    CHECK_FALSE(check.holds(one.device(), message, signature));
    byte ^= 1;
  }
}

TEST_CASE("a store in memory knows where no more devices are than there may be, its own included") {
  sim::MemoryPresences::Rows rows;
  Rng rng(1);
  sim::MemoryPresences presences(
      rows, device_number(0), [&rng] { return rng.next(); }, 10);
  const auto say = [&presences](std::uint8_t device, std::uint64_t number) {
    const Bytes record = codec::encode_presence({{"10.0.0.1:1"}, 0, number});
    codec::EventView event;
    event.type = codec::kPresenceType;
    event.payload = record;
    presences.keep(device_number(device), event);
  };
  for (std::uint8_t device = 0; device < 100; ++device)
    say(device, 1);
  CHECK(rows.size() == 10);
  CHECK(rows.contains(device_number(0)));
  // Those that came first are not those that stay.
  const auto is_early = [](const auto& entry) { return entry.first.data[0] < 10; };
  CHECK(std::count_if(rows.begin(), rows.end(), is_early) < 10);
  const auto news = presences.take_news();
  CHECK(news.size() == 10);
  for (const store::PresenceRow& row : news)
    CHECK(rows.contains(row.device));
  say(0, 1);
  CHECK(presences.take_news().empty());
  say(0, 2);
  CHECK(presences.take_news().size() == 1);
  CHECK(rows.size() == 10);
}
