#include <algorithm>
#include <array>

#include "codec/event.h"
#include "tests/store/store_fixture.h"
#include "trust/chain.h"

namespace ebb::tests {
namespace {

using store::CommitResult;
using store::CounterAdd;
using store::HeadRecord;
using store::SegmentOutcome;
using store::SetChange;
using trust::VerifiedSegment;

// A segment whose events are made one by one, valid or not, as an author could sign them.
struct HandMade {
  explicit HandMade(std::uint8_t number) : author(make_identity(number)) {
    key = {author->device(), 77, "events"};
    chain = trust::chain_start(key);
  }
  VerifiedSegment segment(const std::vector<std::uint64_t>& hlcs, std::int64_t tag = 0) {
    trust::SealRequest request;
    request.key = key;
    request.log = trust::log_id(key);
    request.first_seq = next_seq;
    request.prev_chain = chain;
    Bytes raw;
    request.offsets = {0};
    for (const std::uint64_t hlc : hlcs) {
      codec::EventView view;
      view.hlc = Hlc{hlc};
      view.type = "made";
      const Bytes body = payload(tag);
      view.payload = body;
      REQUIRE(codec::encode_event(view, raw).ok());
      request.offsets.push_back(static_cast<std::uint32_t>(raw.size()));
    }
    request.first_hlc = Hlc{hlcs.front()};
    request.last_hlc = Hlc{hlcs.back()};
    request.raw = share(std::move(raw));
    return seal(std::move(request));
  }
  // One event for each of `formats`, from hlc `first` on.
  VerifiedSegment of_formats(const std::vector<std::uint8_t>& formats, std::uint64_t first) {
    trust::SealRequest request;
    request.key = key;
    request.log = trust::log_id(key);
    request.first_seq = next_seq;
    request.prev_chain = chain;
    request.offsets = {0};
    request.first_hlc = Hlc{first};
    request.last_hlc = Hlc{first + formats.size() - 1};
    Bytes raw;
    for (const std::uint8_t format : formats) {
      codec::EventView view;
      view.hlc = Hlc{first++};
      view.type = "made";
      const Bytes body = payload(1);
      view.payload = body;
      const std::size_t start = raw.size();
      REQUIRE(codec::encode_event(view, raw).ok());
      raw[start + 1] = format;  // flags, the first element
      request.offsets.push_back(static_cast<std::uint32_t>(raw.size()));
    }
    request.raw = share(std::move(raw));
    return seal(std::move(request));
  }
  // As a receiver sees it: judged from its bytes.
  VerifiedSegment seal(trust::SealRequest request) {
    const VerifiedSegment sealed = trust::seal_segment(*author, std::move(request));
    next_seq = sealed.last_seq() + 1;
    chain = sealed.chain;
    auto verified = trust::verify_segment(key, sealed.encoded);
    if (!verified.ok()) FAIL(verified.error().message());
    return std::move(verified).value();
  }

  std::unique_ptr<trust::Identity> author;
  LogKey key;
  Seq next_seq = 1;
  Hash chain;
};

constexpr std::uint64_t kTime = std::uint64_t{1700000000000} << 16;

std::vector<SegmentOutcome> outcomes(Device& device, std::vector<VerifiedSegment> segments) {
  return device.receive(std::move(segments)).segments;
}

TEST_CASE("segments of others are stored, and what is held already is not stored again") {
  Device origin(1);
  Device other(2);
  for (int i = 0; i < 4; ++i)
    origin.append({event(i), event(i), CounterAdd{"c", i}});
  const HeadRecord head = data_heads(origin.store())[0];
  const auto segments = read_all(origin.store(), head);
  REQUIRE(segments.size() == 4);

  CHECK(outcomes(other, {segments[1]})[0] == SegmentOutcome::kGap);
  CHECK(data_heads(other.store()).empty());
  const CommitResult result = other.receive({segments[0], segments[1]});
  CHECK(result.segments ==
        std::vector<SegmentOutcome>{SegmentOutcome::kStored, SegmentOutcome::kStored});
  REQUIRE(result.advances.size() == 1);
  CHECK(result.advances[0].before.seq == 0);
  CHECK(result.advances[0].head.held.seq == 6);
  CHECK_FALSE(result.advances[0].own_append);
  CHECK(result.own_segments.empty());
  CHECK(outcomes(other, {segments[3]})[0] == SegmentOutcome::kGap);
  CHECK(outcomes(other, {segments[0], segments[1], segments[2], segments[2], segments[3]}) ==
        std::vector<SegmentOutcome>{SegmentOutcome::kDuplicate, SegmentOutcome::kDuplicate,
                                    SegmentOutcome::kStored, SegmentOutcome::kDuplicate,
                                    SegmentOutcome::kStored});
  CHECK(same_head(data_heads(other.store())[0], head));
  CHECK(event_bytes_of(other.store(), head) == event_bytes_of(origin.store(), head));
  CHECK(other.store().arrival_head() == 3);
  exchange_records({&origin, &other});
  CHECK(other.store().state_digest() == origin.store().state_digest());
}

TEST_CASE("an overlapping segment is cut to what is new") {
  Device origin(1);
  Device other(2);
  for (int i = 0; i < 3; ++i)
    origin.append({event(i), event(i)});
  const HeadRecord head = data_heads(origin.store())[0];
  const auto parts = read_all(origin.store(), head);
  const VerifiedSegment whole = as_one(parts);
  CHECK(outcomes(other, {parts[0]})[0] == SegmentOutcome::kStored);
  CHECK(outcomes(other, {whole})[0] == SegmentOutcome::kStored);
  CHECK(same_head(data_heads(other.store())[0], head));
  CHECK(event_bytes_of(other.store(), head) == event_bytes_of(origin.store(), head));
  // And reading from the middle of a stored segment gives the rest of it.
  const auto rest = read_all(other.store(), head, 5);
  REQUIRE(rest.size() == 1);
  CHECK(rest[0].first_seq == 5);
  CHECK(rest[0].count == 2);
  CHECK(other.store().read_segments(head.log, 7, 0, 1000)->empty());
}

TEST_CASE("reading is bounded in bytes and by the end asked for") {
  Device device(1);
  for (int i = 0; i < 10; ++i)
    device.append({event(i)});
  const LogId log = data_heads(device.store())[0].log;
  CHECK(device.store().read_segments(log, 1, 0, 1)->size() == 1);
  CHECK(device.store().read_segments(log, 3, 5, 1 << 20)->size() == 3);
  CHECK(device.store().read_segments(log, 0, 99, 1 << 20)->size() == 10);
  LogId unknown;
  CHECK(device.store().read_segments(unknown, 1, 0, 1).error().code == ErrorCode::kNotFound);
}

TEST_CASE("another history of a log is told from ours") {
  HandMade ours(5);
  HandMade theirs(5);
  Device device(1);
  const VerifiedSegment first = ours.segment({kTime + 1, kTime + 2}, 1);
  const VerifiedSegment second = ours.segment({kTime + 3, kTime + 4}, 1);
  const VerifiedSegment forked = theirs.segment({kTime + 1, kTime + 2}, 2);
  const VerifiedSegment behind = theirs.segment({kTime + 3, kTime + 4, kTime + 5}, 2);
  CHECK(outcomes(device, {first})[0] == SegmentOutcome::kStored);
  CHECK(outcomes(device, {forked})[0] == SegmentOutcome::kFork);  // ends at our head
  CHECK(outcomes(device, {behind})[0] == SegmentOutcome::kFork);  // continues another chain
  CHECK(outcomes(device, {second})[0] == SegmentOutcome::kStored);
  CHECK(outcomes(device, {forked})[0] == SegmentOutcome::kFork);  // where a segment of ours begins
  CHECK(outcomes(device, {behind})[0] == SegmentOutcome::kFork);  // overlaps our head
  CHECK(data_heads(device.store())[0].held.seq == 4);
  CHECK(data_heads(device.store())[0].held.chain == second.chain);
}

TEST_CASE("an invalid event caps its log wherever the segments are cut") {
  const std::vector<std::uint64_t> bad = {kTime + 3, kTime + 4, kTime + 4, kTime + 9};
  Device whole(1);
  Device parts(2);
  {
    HandMade made(5);
    std::vector<std::uint64_t> all = {kTime + 1, kTime + 2};
    all.insert(all.end(), bad.begin(), bad.end());
    CHECK(outcomes(whole, {made.segment(all)})[0] == SegmentOutcome::kStored);
    const VerifiedSegment later = made.segment({kTime + 20});
    CHECK(outcomes(whole, {later})[0] == SegmentOutcome::kRefused);
  }
  HandMade made(5);
  for (const auto& hlcs : {std::vector<std::uint64_t>{kTime + 1, kTime + 2},
                           std::vector<std::uint64_t>{kTime + 3, kTime + 4}})
    CHECK(outcomes(parts, {made.segment(hlcs)})[0] == SegmentOutcome::kStored);
  const CommitResult refused = parts.receive({made.segment({kTime + 4, kTime + 9})});
  CHECK(refused.segments[0] == SegmentOutcome::kRefused);
  CHECK(outcomes(parts, {made.segment({kTime + 20})})[0] == SegmentOutcome::kRefused);

  for (Device* device : {&whole, &parts}) {
    const HeadRecord head = data_heads(device->store()).at(0);
    CHECK(head.held.seq == 4);
    CHECK(head.capped);
    CHECK(head.hlc == Hlc{kTime + 4});
    CHECK(device->store().applied().at(head.log) == head.held);
  }
  CHECK(data_heads(whole.store())[0].held.chain == data_heads(parts.store())[0].held.chain);
  Device third(3);
  exchange_records({&whole, &parts, &third});
  CHECK(whole.store().state_digest() == parts.store().state_digest());
  const Hash digest = whole.store().state_digest();
  whole.reopen();
  parts.reopen();
  CHECK(data_heads(whole.store())[0].capped);
  CHECK(whole.store().state_digest() == digest);
  CHECK(parts.store().state_digest() == digest);
  // A third store that hears of it from the first comes to the same head.
  CHECK(outcomes(third, read_all(whole.store(), data_heads(whole.store())[0]))[0] ==
        SegmentOutcome::kStored);
  CHECK(data_heads(third.store())[0].held == data_heads(parts.store())[0].held);
  CHECK(third.store().state_digest() == digest);
}

TEST_CASE("an event of a newer format stops the fold of its log and nothing else") {
  HandMade made(5);
  Device device(1);
  const Hash start = made.chain;
  const VerifiedSegment verified = made.of_formats({1, 2, 1}, kTime + 1);
  CHECK(verified.invalid_from == 0);
  CHECK(outcomes(device, {verified})[0] == SegmentOutcome::kStored);
  const HeadRecord head = data_heads(device.store())[0];
  CHECK(head.held.seq == 3);
  CHECK_FALSE(head.capped);
  CHECK(device.store().applied().at(head.log).seq == 1);
  const Hash chain1 = trust::chain_next(start, trust::event_hash(verified.event_bytes(0)));
  CHECK(device.store().applied().at(head.log).chain == chain1);
  const Hash digest = device.store().state_digest();
  device.reopen();
  CHECK(device.store().state_digest() == digest);
  CHECK(device.store().applied().at(head.log).seq == 1);
  store::EventFilter filter;
  filter.topic = made.key.topic;
  std::vector<Seq> seen;
  REQUIRE(device.reader()
              ->events(filter, 100,
                       [&seen](const store::EventRow& row) {
                         seen.push_back(row.dot.seq);
                         return true;
                       })
              .ok());
  CHECK(seen == std::vector<Seq>{1, 3});
}

TEST_CASE("a log that begins with a newer format leaves no mark and harms no state") {
  HandMade made(5);
  Device device(1);
  device.append({event(1)});
  CHECK(outcomes(device, {made.of_formats({2, 1}, kTime + 1)})[0] == SegmentOutcome::kStored);
  CHECK(outcomes(device, {made.of_formats({1, 1}, kTime + 9)})[0] == SegmentOutcome::kStored);
  REQUIRE(device.store().flush_state(device.uptime, true).ok());
  const Hash digest = device.store().state_digest();
  CHECK(device.reader()->mark()->at(trust::log_id(made.key)).seq == 0);
  CHECK(*device.reader()->stored_digest() == digest);
  device.reopen();
  CHECK(device.store().state_digest() == digest);
  device.close();
  const auto report = store::verify_store(device.dir().string(), true, nullptr);
  REQUIRE(report.ok());
  CHECK(report->problems == std::vector<std::string>{});
  CHECK(report->stored_digest == digest);
}

TEST_CASE("own events that come back bring their client ids with them") {
  Device device(1);
  const TempDir elsewhere;
  store::StoreOptions options = device.options();
  options.dir = elsewhere.path().string();
  auto twin = store::Store::open(options, device.identity());
  REQUIRE(twin.ok());
  store::AppendEvent item = event(1);
  item.id = uuid(9);
  store::CommitBatch batch;
  batch.now = device.reading();
  batch.appends.push_back(batch_of({item}));
  REQUIRE((*twin)->commit(batch).ok());
  device.receive(read_all(**twin, data_heads(**twin)[0]));
  const CommitResult again = device.append({item});
  REQUIRE(again.appends[0].ok());
  CHECK((*again.appends[0])[0].duplicate);
  CHECK((*again.appends[0])[0].log == data_heads(**twin)[0].log);
}

TEST_CASE("the same segments in any order and batching give the same digest") {
  Device origin(1);
  Device second(2);
  Rng rng(11);
  for (int i = 0; i < 60; ++i) {
    Device& author = rng.chance(1, 2) ? origin : second;
    const std::string element = std::to_string(rng.below(4));
    author.append({SetChange{"s", element, rng.chance(2, 3), {}}, CounterAdd{"c", i}, event(i)},
                  rng.chance(1, 3) ? "a" : "b");
    // Each has seen some of the other, so that kills name foreign dots.
    if (!rng.chance(1, 4)) continue;
    Device& peer = &author == &origin ? second : origin;
    for (const HeadRecord& head : data_heads(author.store()))
      peer.receive(read_all(author.store(), head));
  }
  for (const HeadRecord& head : data_heads(origin.store()))
    second.receive(read_all(origin.store(), head));
  for (const HeadRecord& head : data_heads(second.store()))
    origin.receive(read_all(second.store(), head));
  Device third(3);  // as every receiver below is at first
  exchange_records({&origin, &second, &third});
  const Hash digest = origin.store().state_digest();
  REQUIRE(second.store().state_digest() == digest);

  std::vector<VerifiedSegment> all;
  for (const HeadRecord& head : origin.store().heads()) {
    for (VerifiedSegment& segment : read_all(origin.store(), head))
      all.push_back(std::move(segment));
  }
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Rng order(seed);
    Device receiver(3);
    std::vector<VerifiedSegment> waiting = all;
    while (!waiting.empty()) {
      std::vector<VerifiedSegment> batch;
      for (std::uint64_t n = order.between(1, 7); n > 0 && !waiting.empty(); --n) {
        const std::size_t pick = order.below(waiting.size());
        batch.push_back(waiting[pick]);
        waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(pick));
      }
      const auto result = receiver.receive(batch);
      for (std::size_t i = 0; i < batch.size(); ++i) {
        if (result.segments[i] == SegmentOutcome::kGap) waiting.push_back(batch[i]);
      }
      if (order.chance(1, 10)) receiver.reopen();
    }
    CHECK(receiver.store().state_digest() == digest);
    CHECK(receiver.store().applied() == origin.store().applied());
  }
}

}  // namespace
}  // namespace ebb::tests
