// Appends that are prepared before their commit.
#include "tests/store/store_fixture.h"

namespace ebb::tests {
namespace {

using store::AppendBatch;
using store::AppendEvent;
using store::CommitBatch;
using store::CommitResult;

TEST_CASE("what waits for the disk is answered before the fold, and finds it done after") {
  Device device(1);
  CommitBatch commit;
  commit.appends.push_back(batch_of({event(1)}, "topic"));
  std::size_t answers = 0;
  std::size_t folded_at_answer = 0;
  const auto folded = [&device] { return device.store().applied().positions().size(); };
  device.store().commit(device.store().stage(device.reading()), commit,
                        [&](const Result<CommitResult>& stored) {
                          ++answers;
                          CHECK(stored.ok());
                          folded_at_answer = folded();
                        });
  CHECK(answers == 1);
  CHECK(folded_at_answer == 1);  // the log of the opening record
  CHECK(folded() == 2);
}

TEST_CASE("what was staged and what comes with the commit are one segment, in order") {
  Device device(1);
  const AppendBatch first = batch_of({event(1), event(2)}, "topic");
  const AppendBatch second = batch_of({event(3)}, "topic");
  CommitBatch rest;
  rest.now = device.reading();
  rest.appends.push_back(batch_of({event(4)}, "topic"));
  store::Store::Staging staging = device.store().stage(device.reading());
  staging.add(first);
  CHECK(data_heads(device.store()).empty());
  staging.add(second);
  Result<CommitResult> stored = Error{};
  device.store().commit(std::move(staging), rest,
                        [&](Result<CommitResult> result) { stored = std::move(result); });
  REQUIRE(stored.ok());
  REQUIRE(stored->appends.size() == 3);
  CHECK(stored->appends[1]->at(0).first_seq == 3);
  CHECK(stored->appends[2]->at(0).first_seq == 4);
  REQUIRE(stored->own_segments.size() == 1);
  // The chain was made while staging; a receiver makes it anew from the bytes.
  const auto& segment = stored->own_segments[0];
  CHECK(trust::verify_segment(segment.key, segment.encoded).ok());
}

TEST_CASE("a batch that fails while staged leaves the chain as it was") {
  Device device(1);
  store::Store::Staging staging = device.store().stage(device.reading());
  const AppendBatch good = batch_of({event(1)}, "topic");
  AppendEvent reserved = event(2);
  reserved.type = "ebb.reserved";
  const AppendBatch bad = batch_of({event(2), reserved}, "topic");
  const AppendBatch after = batch_of({event(3)}, "topic");
  for (const AppendBatch* batch : {&good, &bad, &after})
    staging.add(*batch);
  Result<CommitResult> stored = Error{};
  CommitBatch rest;
  rest.now = device.reading();
  device.store().commit(std::move(staging), rest,
                        [&](Result<CommitResult> result) { stored = std::move(result); });
  REQUIRE(stored.ok());
  CHECK_FALSE(stored->appends[1].ok());
  REQUIRE(stored->own_segments.size() == 1);
  CHECK(stored->own_segments[0].count == 2);
  const auto& segment = stored->own_segments[0];
  CHECK(trust::verify_segment(segment.key, segment.encoded).ok());
}

}  // namespace
}  // namespace ebb::tests
