// Parts of ebb one by one, for Google Benchmark: which of them a whole spends its time in.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "codec/value.h"
#include "state/fold.h"
#include "store/store.h"
#include "tools/bench/clicks.h"
#include "trust/chain.h"
#include "trust/hash.h"
#include "trust/segment_verify.h"

namespace {

using namespace ebb;  // style: a benchmark file names nearly everything in it

constexpr std::uint32_t kEvents = 1000;

struct Sample {
  std::unique_ptr<trust::Identity> identity;
  trust::VerifiedSegment sealed;
  trust::VerifiedSegment packed;
  LogKey key;
};

trust::SealRequest clicks_request(const LogKey& key) {
  bench::Clicks clicks(11);
  Bytes raw;
  trust::SealRequest request{key, trust::log_id(key), 1, trust::chain_start(key), {}, {}, nullptr,
                             {0}};
  for (std::uint32_t i = 0; i < kEvents; ++i) {
    const bench::Click click = clicks.next();
    Bytes payload;
    bench::append_click_row(payload, click);
    codec::EventView event;
    event.hlc = Hlc::at({click.ts_ms});
    event.type = bench::click_type(click);
    event.payload = payload;
    if (i == 0) request.first_hlc = event.hlc;
    request.last_hlc = event.hlc;
    EBB_CHECK(codec::encode_event(event, raw).ok());
    request.offsets.push_back(static_cast<std::uint32_t>(raw.size()));
  }
  request.raw = share(std::move(raw));
  return request;
}

Sample make_sample() {
  Sample sample;
  sample.identity = trust::Identity::from_seed(Bytes(trust::kSeedBytes, 7)).value();
  sample.key = {sample.identity->device(), 1, "clicks"};
  sample.sealed = trust::seal_segment(*sample.identity, clicks_request(sample.key));
  sample.packed =
      trust::merge_segments(sample.key, {sample.sealed.encoded}, codec::SegmentCodec::kZstd)
          .value();
  return sample;
}

const Sample& sample() {
  static const Sample instance = make_sample();
  return instance;
}

void count_events(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations() * kEvents);
}

void seal(benchmark::State& state) {
  const trust::SealRequest request = clicks_request(sample().key);
  for (auto _ : state) {
    benchmark::DoNotOptimize(trust::seal_segment(*sample().identity, request));
  }
  count_events(state);
}
BENCHMARK(seal);

void verify_raw(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(trust::verify_segment(sample().key, sample().sealed.encoded));
  }
  count_events(state);
}
BENCHMARK(verify_raw);

void verify_zstd(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(trust::verify_segment(sample().key, sample().packed.encoded));
  }
  count_events(state);
}
BENCHMARK(verify_zstd);

void split(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(codec::split_body(*sample().sealed.raw, kEvents));
  }
  count_events(state);
}
BENCHMARK(split);

void fold(benchmark::State& state) {
  const auto events = codec::split_body(*sample().sealed.raw, kEvents).value();
  const LogId log = sample().sealed.log;
  for (auto _ : state) {
    state::Fold fold(trust::hash, {});
    Seq seq = 0;
    for (const auto& event : events) {
      benchmark::DoNotOptimize(fold.apply(log, "clicks", ++seq, {}, event.event));
    }
  }
  count_events(state);
}
BENCHMARK(fold);

// One commit of 1,000 own events, synced: the store's share of an append.
void store_append(benchmark::State& state) {
  char pattern[] = "./ebb-bench-XXXXXX";
  const std::string dir = ::mkdtemp(pattern);
  store::StoreOptions options;
  options.dir = dir;
  options.random = trust::random_u64;
  options.now = {{1732250000000}, {}};
  {
    auto store = store::Store::open(options, *sample().identity).value();
    bench::Clicks clicks(3);
    store::CommitBatch batch;
    batch.appends.emplace_back();
    for (std::uint32_t i = 0; i < kEvents; ++i) {
      const bench::Click click = clicks.next();
      store::AppendEvent event;
      event.type = bench::click_type(click);
      event.ts_ms = click.ts_ms;
      bench::append_click_row(event.payload, click);
      batch.appends[0].items.emplace_back(std::move(event));
    }
    batch.now = options.now;
    for (auto _ : state) {
      batch.now.wall.ms += 1;
      batch.now.monotonic = batch.now.monotonic + milliseconds(1);
      EBB_CHECK(store->commit(batch).ok());
    }
  }
  std::filesystem::remove_all(dir);
  count_events(state);
}
BENCHMARK(store_append);

}  // namespace

BENCHMARK_MAIN();
