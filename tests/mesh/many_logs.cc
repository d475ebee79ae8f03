#include "tests/mesh/many_logs.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "trust/chain.h"
#include "trust/hash.h"

namespace ebb::tests {

mesh::StoredHead made_up_head(std::uint64_t number) {
  mesh::StoredHead head;
  Bytes bytes;
  append_be64(bytes, number);
  const Hash name = trust::hash(bytes);
  std::copy(name.data.begin(), name.data.end(), head.key.device.data.begin());
  head.key.incarnation = number;
  head.key.topic.assign(1, 't');
  head.log = trust::log_id(head.key);
  head.held = {1 + number % 1000, name};
  return head;
}

Authors::Authors(std::size_t devices, std::uint8_t first_seed) {
  for (std::size_t i = 0; i < devices; ++i) {
    stores_.push_back(std::make_unique<FakeStore>(static_cast<std::uint8_t>(first_seed + i)));
  }
}

trust::VerifiedSegment Authors::append(std::size_t number, Incarnation incarnation,
                                       const AppendShape& shape) {
  FakeStore& store = *stores_.at(number);
  store.begin_incarnation(incarnation);
  return store.append(shape).own_segments.at(0);
}

void store_segment(FakeStore& store, const trust::VerifiedSegment& segment) {
  mesh::Commit commit;
  commit.segments.push_back(segment);
  static_cast<void>(store.commit(commit));
}

SyncPair::SyncPair(std::uint64_t heads) {
  add_node(1);
  add_node(2);
  node(0).config.peers = {address(1)};
  for (std::uint64_t number = 0; number < heads; ++number) {
    store(0).add_head(made_up_head(number));
    store(1).add_head(made_up_head(number));
  }
}

void SyncPair::meet(Duration duration) {
  start(1);
  start(0);
  run_for(duration);
  cost = {};
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
    cost.requests += count(i, "sync_req").messages_out;
    cost.sync_bytes += count(i, "sync_req").bytes_out + count(i, "sync_resp").bytes_out;
    cost.wants += count(i, "want").messages_out;
    const mesh::MessageCount hellos = count(i, "hello");
    if (hellos.messages_out == 0) continue;
    cost.hello_bytes = std::max(cost.hello_bytes, hellos.bytes_out / hellos.messages_out);
  }
  stop(0);
  stop(1);
  run_for(seconds(1));
}

bool SyncPair::equal() {
  const std::vector<mesh::StoredHead> a = store(0).heads();
  const std::vector<mesh::StoredHead> b = store(1).heads();
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.log == y.log && x.held == y.held;
  });
}

void append_events(Rig& rig, int events) {
  constexpr int kTopics = 8;
  for (int i = 0; i < events; ++i) {
    rig.append(0, {"t" + std::to_string(i % kTopics), 1});
    rig.run_for(milliseconds(20));
  }
}

void renew_link(Rig& rig, int times) {
  for (int i = 0; i < times; ++i) {
    rig.cut(0, 1);
    rig.run_for(seconds(5));
  }
}

}  // namespace ebb::tests
