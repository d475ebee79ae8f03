// News of authorities come before the events that rely on them, and what came before them is not
// lost.
#include <doctest/doctest.h>

#include <string>

#include "tests/mesh/raw_member.h"
#include "tests/mesh/raw_peer.h"

namespace ebb::tests {
namespace {

codec::AuthRecords record_of(const MemberRig& rig) {
  codec::AuthRecords records;
  records.records = {rig.records.back()};
  return records;
}

const std::vector<trust::VerifiedSegment>& appended(FakeStore& store, const std::string& topic) {
  (void)store.append({topic, 1});
  return store.segments(store.own_log(topic));
}

TEST_CASE("a new device's certificate reaches the next node ahead of its events") {
  MemberRig rig;
  const DeviceId bringer = rig.store(rig.add_member()).device();
  const std::size_t next = rig.add_member({0});
  rig.start(0);
  rig.start(next);
  rig.run_for(seconds(5));
  RawMember raw(rig, bringer);
  raw.connect();
  raw.become_member();
  rig.run_for(seconds(1));
  FakeStore& late = rig.store(rig.add_member());
  raw.send_at_once(record_of(rig), delta_of(appended(late, "events")));
  rig.run_for(milliseconds(20));
  CHECK(rig.store(0).events() == 1);
  CHECK(rig.engine(next).counters().authors_refused == 0);
  CHECK(rig.store(next).events() == 1);
}

// Takes what node 0 asks for, until it asks no more.
void answer_wants(MemberRig& rig, RawMember& raw, const FakeStore& author) {
  for (int idle = 0; idle < 20; ++idle) {
    rig.run_for(milliseconds(50));
    while (const auto want = raw.take<codec::Want>()) {
      idle = 0;
      for (const codec::WantRange& range : want->ranges)
        raw.send(delta_of(author.segments(range.log), want->reconciliation));
      codec::Delta last;
      last.reconciliation = want->reconciliation;
      last.last = true;
      raw.send(last);
    }
  }
}

TEST_CASE("what was pushed before its author was known is asked for when it is") {
  MemberRig rig;
  const DeviceId bringer = rig.store(rig.add_member()).device();
  rig.start(0);
  RawMember raw(rig, bringer);
  raw.connect();
  raw.become_member();
  FakeStore& late = rig.store(rig.add_member());
  raw.send(delta_of(appended(late, "events")));
  rig.run_for(milliseconds(100));
  CHECK(rig.engine(0).counters().authors_refused == 1);
  CHECK(rig.store(0).events() == 0);
  raw.forget_received();
  raw.send(record_of(rig));
  answer_wants(rig, raw, late);
  CHECK(rig.store(0).events() == 1);
  CHECK(rig.node(0).faults.empty());
}

}  // namespace
}  // namespace ebb::tests
