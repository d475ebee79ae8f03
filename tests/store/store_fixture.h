// What the tests of the store share: devices with stores of their own in temporary directories, and
// payloads.
//
// Model:   time is a counter that the test moves; random numbers come from a seed.
// Threads: not thread-safe; one test.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "codec/value.h"
#include "core/limits.h"
#include "core/rng.h"
#include "store/reader.h"
#include "store/store.h"
#include "tests/temp_dir.h"
#include "trust/hash.h"
#include "trust/identity.h"

namespace ebb::tests {

inline std::unique_ptr<trust::Identity> make_identity(std::uint8_t number) {
  REQUIRE(trust::crypto_ready().ok());
  auto identity = trust::Identity::from_seed(Bytes(trust::kSeedBytes, number));
  REQUIRE(identity.ok());
  return std::move(identity).value();
}

inline MeshId test_mesh() {
  MeshId mesh;
  mesh.data.fill(7);
  return mesh;
}

// {"n": n, "page": page}
inline Bytes payload(std::int64_t n, std::string_view page = "/home") {
  codec::ValueBuilder builder(limits::kPayloadBytes, limits::kDepth);
  builder.begin_map();
  builder.key("n");
  builder.integer(n);
  builder.key("page");
  builder.str(page);
  builder.end_map();
  auto bytes = builder.finish();
  REQUIRE(bytes.ok());
  return std::move(bytes).value();
}

inline Uuid uuid(std::uint64_t number) {
  Uuid id;
  Bytes bytes;
  append_be64(bytes, number);
  std::copy(bytes.begin(), bytes.end(), id.data.begin() + 8);
  return id;
}

inline store::AppendEvent event(std::int64_t n, std::string type = "view") {
  store::AppendEvent out;
  out.type = std::move(type);
  out.payload = payload(n);
  return out;
}

inline store::AppendBatch batch_of(std::vector<store::AppendItem> items,
                                   std::string topic = "events") {
  store::AppendBatch batch;
  batch.topic = std::move(topic);
  batch.items = std::move(items);
  return batch;
}

// A device with one store.
class Device {
 public:
  explicit Device(std::uint8_t number)
      : identity_(make_identity(number)), rng_(std::uint64_t{number} << 32) {
    std::filesystem::permissions(dir_.path(), std::filesystem::perms::owner_all);
    open();
  }

  store::StoreOptions options() {
    store::StoreOptions options;
    options.dir = dir_.path().string();
    options.mesh = test_mesh();
    options.durability = store::Durability::kMemory;
    options.random = [this] { return rng_.next(); };
    options.now = reading();
    options.built = built;
    options.quota = quota;
    return options;
  }
  void open() {
    auto opened = store::Store::open(options(), *identity_);
    if (!opened.ok()) FAIL(opened.error().message());
    store_ = std::move(opened).value();
  }
  void close() { store_.reset(); }
  void reopen() {
    close();
    open();
  }

  store::Store& store() { return *store_; }
  const trust::Identity& identity() const { return *identity_; }
  const std::filesystem::path& dir() const { return dir_.path(); }
  std::unique_ptr<store::Reader> reader() const {
    auto opened = store::Reader::open(dir_.path().string());
    if (!opened.ok()) FAIL(opened.error().message());
    return std::move(opened).value();
  }

  store::CommitResult commit(store::CommitBatch batch) {
    pass(milliseconds(10));
    batch.now = reading();
    auto result = store_->commit(batch);
    if (!result.ok()) FAIL(result.error().message());
    return std::move(result).value();
  }
  store::CommitResult append(std::vector<store::AppendItem> items, std::string topic = "events") {
    store::CommitBatch batch;
    batch.appends.push_back(batch_of(std::move(items), std::move(topic)));
    return commit(std::move(batch));
  }
  store::CommitResult receive(std::vector<trust::VerifiedSegment> segments) {
    store::CommitBatch batch;
    batch.segments = std::move(segments);
    return commit(std::move(batch));
  }

  ClockReading reading() const { return {now, uptime}; }
  void pass(Duration time) {
    now.ms += time.ms();
    uptime = uptime + time;
  }

  WallTime now{1700000000000};
  Instant uptime{seconds(1000).us};
  WallTime built{};
  store::QuotaLimit quota;  // from the next open() on

 private:
  TempDir dir_;
  std::unique_ptr<trust::Identity> identity_;
  Rng rng_;
  std::unique_ptr<store::Store> store_;
};

// The heads of a store but for the records that devices write of themselves.
inline std::vector<store::HeadRecord> data_heads(const store::Store& store) {
  std::vector<store::HeadRecord> heads = store.heads();
  std::erase_if(heads,
                [](const store::HeadRecord& head) { return head.key.topic == kControlTopic; });
  return heads;
}

// All segments of a log as another device would receive them.
inline std::vector<trust::VerifiedSegment> read_all(const store::Store& store,
                                                    const store::HeadRecord& head, Seq from = 1) {
  std::vector<trust::VerifiedSegment> out;
  auto read = store.read_segments(head.log, from, 0, std::size_t{1} << 30);
  REQUIRE(read.ok());
  for (const SharedBytes& encoded : *read) {
    auto verified = trust::verify_segment(head.key, encoded);
    if (!verified.ok()) FAIL(verified.error().message());
    out.push_back(std::move(verified).value());
  }
  return out;
}

// Segments of one log as one.
inline trust::VerifiedSegment as_one(const std::vector<trust::VerifiedSegment>& parts,
                                     codec::SegmentCodec codec = codec::SegmentCodec::kZstd) {
  std::vector<SharedBytes> encoded;
  for (const trust::VerifiedSegment& part : parts)
    encoded.push_back(part.encoded);
  auto whole = trust::merge_segments(parts.at(0).key, encoded, codec);
  if (!whole.ok()) FAIL(whole.error().message());
  return std::move(whole).value();
}

// All get each other's records, after which equal data gives equal digests.
inline void exchange_records(const std::vector<Device*>& devices) {
  for (Device* from : devices) {
    for (const store::HeadRecord& head : from->store().heads()) {
      if (head.key.topic != kControlTopic) continue;
      for (Device* to : devices)
        if (to != from) to->receive(read_all(from->store(), head));
    }
  }
}

// The decoded events of a log, as owned bytes in order.
inline std::vector<Bytes> event_bytes_of(const store::Store& store, const store::HeadRecord& head) {
  std::vector<Bytes> out;
  for (const trust::VerifiedSegment& segment : read_all(store, head)) {
    for (std::uint32_t i = 0; i < segment.count; ++i)
      out.push_back(to_bytes(segment.event_bytes(i)));
  }
  return out;
}

// Everything about a head that two stores must agree on.
inline bool same_head(const store::HeadRecord& a, const store::HeadRecord& b) {
  return a.key == b.key && a.log == b.log && a.held == b.held && a.hlc == b.hlc &&
         a.signature == b.signature && a.capped == b.capped;
}

}  // namespace ebb::tests
