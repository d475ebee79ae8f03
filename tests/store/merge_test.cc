#include "store/merge.h"

#include "core/limits.h"
#include "tests/store/store_fixture.h"

namespace ebb::tests {
namespace {

using store::choose_run;
using store::CounterAdd;
using store::HeadRecord;
using store::SegmentSize;

void merge_all(Device& device) {
  for (int steps = 0;; ++steps) {
    REQUIRE(steps < 10000);
    const auto more = device.store().merge_step();
    if (!more.ok()) FAIL(more.error().message());
    if (!*more) return;
  }
}

std::size_t segment_count(const Device& device, const HeadRecord& head) {
  return device.reader()->read_segments(head.log, 1, 0, std::size_t{1} << 30)->size();
}

std::vector<SegmentSize> sizes_of(const std::vector<std::uint64_t>& events, bool packed) {
  std::vector<SegmentSize> sizes;
  Seq next = 1;
  for (const std::uint64_t count : events) {
    sizes.push_back({next, count, count * 10, packed});
    next += count;
  }
  return sizes;
}

TEST_CASE("a merge keeps events, chain and head, and readers see the same") {
  Device device(1);
  for (int i = 0; i < 100; ++i)
    device.append({event(i), CounterAdd{"c", 1}});
  const HeadRecord head = data_heads(device.store())[0];
  const auto events = event_bytes_of(device.store(), head);
  const Hash digest = device.store().state_digest();
  REQUIRE(segment_count(device, head) == 100);
  merge_all(device);
  CHECK(segment_count(device, head) <= 3 * limits::kMergeFanIn);
  CHECK(same_head(data_heads(device.store())[0], head));
  CHECK(data_heads(device.store())[0].arrival == head.arrival);
  CHECK(event_bytes_of(device.store(), head) == events);
  REQUIRE(device.store().flush_state(device.uptime, true).ok());
  const auto report = store::verify_store(device.dir().string(), true, nullptr);
  REQUIRE(report.ok());
  CHECK(report->problems == std::vector<std::string>{});
  CHECK(report->events == 201);  // with the opening record
  device.reopen();
  CHECK(device.store().state_digest() == digest);
  CHECK(event_bytes_of(device.store(), head) == events);
  merge_all(device);
  const auto appended = device.append({event(7)});
  CHECK(appended.advances[0].head.held.seq == 201);
}

TEST_CASE("merged segments are compressed and of the size of a segment at rest") {
  Device device(1);
  for (int i = 0; i < 400; ++i)
    device.append({event(i), event(i), event(i), event(i), event(i), event(i), event(i)});
  const HeadRecord head = data_heads(device.store())[0];
  merge_all(device);
  const auto segments = read_all(device.store(), head);
  REQUIRE(segments.size() >= 2);
  CHECK(segments[0].count >= limits::kSegmentRestEvents);
  CHECK(segments[0].count < 2 * limits::kSegmentRestEvents);
  CHECK(segments[0].codec == codec::SegmentCodec::kZstd);
}

TEST_CASE("one large raw segment is compressed once, compressible or not") {
  Device origin(1);
  Rng rng(3);
  for (int i = 0; i < 40; ++i) {
    store::AppendEvent item = event(i);
    std::string noise;
    for (int k = 0; k < 2000; ++k)
      noise += static_cast<char>(rng.between(0x21, 0x7e));
    item.payload = payload(i, noise);
    origin.append({item});
  }
  const auto small = read_all(origin.store(), data_heads(origin.store())[0]);
  const auto large = as_one(small, codec::SegmentCodec::kRaw);
  Device device(2);
  device.receive({large});
  REQUIRE(*device.store().merge_step());
  merge_all(device);
  device.reopen();
  // At rest: nothing is left to do after a start either.
  CHECK_FALSE(*device.store().merge_step());
}

TEST_CASE("several logs are merged in turn") {
  Device device(1);
  for (int i = 0; i < 30; ++i) {
    for (const char* topic : {"a", "b", "c"})
      device.append({event(i)}, topic);
  }
  merge_all(device);
  for (const HeadRecord& head : data_heads(device.store())) {
    CHECK(segment_count(device, head) < 30);
    CHECK(event_bytes_of(device.store(), head).size() == 30);
  }
}

TEST_CASE("a run is chosen when it fills a segment or has enough neighbours of its size") {
  Seq settled = 0;
  // Full and compressed ones in front need nothing.
  auto sizes = sizes_of({1000, 1200}, true);
  CHECK_FALSE(choose_run(sizes, true, settled).has_value());
  CHECK(settled == 2200);
  // Too little.
  CHECK_FALSE(choose_run(sizes_of({1, 1, 1, 1, 1, 1, 1}, false), true, settled).has_value());
  // Eight of a size.
  auto run = choose_run(sizes_of({1, 2, 3, 1, 1, 1, 1, 1}, false), true, settled);
  REQUIRE(run.has_value());
  CHECK(run->first == 1);
  CHECK(run->last == 11);
  CHECK_FALSE(run->settles);
  // Small ones behind a larger one leave it alone.
  run = choose_run(sizes_of({500, 1, 1, 1, 1, 1, 1, 1, 1}, true), true, settled);
  REQUIRE(run.has_value());
  CHECK(run->first == 501);
  // A run that fills a segment at rest, a small one in front of a full one included.
  run = choose_run(sizes_of({3, 1000}, true), true, settled);
  REQUIRE(run.has_value());
  CHECK(run->settles);
  CHECK(run->first == 1);
  CHECK(run->last == 4);
  // Never beyond the limits of a segment.
  run = choose_run(sizes_of({900, 4096}, false), true, settled);
  REQUIRE(run.has_value());
  CHECK(run->first == run->last);
}

}  // namespace
}  // namespace ebb::tests
