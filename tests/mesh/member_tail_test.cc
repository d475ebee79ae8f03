// News of a log that holds much behind them are told by themselves.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "mesh/authority_news.h"
#include "tests/mesh/raw_member.h"

namespace ebb::tests {
namespace {

constexpr Seq kMany = 3000;
constexpr Seq kLow = 100;

// Records of the issuer up to kMany.
void write_many(MemberRig& rig) {
  for (Seq seq = 0; seq < kMany; ++seq)
    (void)rig.write(trust::record::Time{});
}

trust::AuthorityRecord record_in(const MemberRig& rig, ByteView encoded) {
  const auto read = trust::read_authority_record(trust::mesh_id(rig.genesis), encoded);
  REQUIRE(read.ok());
  return read->record;
}

std::size_t place_of(const MemberRig& rig, Seq seq) {
  const DeviceId root = rig.root->device();
  for (std::size_t i = 0; i < rig.records.size(); ++i) {
    const trust::AuthorityRecord record = record_in(rig, rig.records[i]);
    if (record.seq == seq && record.authority != root) return i;
  }
  FAIL("no such record");
  return 0;
}

// Another record of the issuer's that has this seq.
Bytes branch_at(MemberRig& rig, Seq seq) {
  trust::AuthorityRecord record = record_in(rig, rig.records[place_of(rig, seq)]);
  record.at.ms += 1;
  return std::move(trust::sign_authority_record(rig.store(0).identity(), record)).value();
}

void bring(RawMember& raw, const Bytes& record) {
  codec::AuthRecords records;
  records.records = {record};
  raw.send(records);
}

void bring_to_two_nodes(MemberRig& rig, std::size_t next, const DeviceId& bringer,
                        const Bytes& record) {
  rig.start(0);
  rig.start(next);
  rig.run_for(seconds(20));
  RawMember raw(rig, bringer);
  raw.connect();
  raw.become_member();
  rig.run_for(seconds(1));
  const std::uint64_t told = rig.wire_bytes(0, next);
  const std::uint64_t back = rig.wire_bytes(next, 0);
  const std::uint64_t news = rig.engine(next).counters().authority_records;
  bring(raw, record);
  rig.run_for(milliseconds(500));
  CHECK(rig.engine(next).counters().authority_records == news + 1);
  CHECK(rig.wire_bytes(0, next) - told < 2 * record.size() + 1024);
  CHECK(rig.wire_bytes(next, 0) - back < 1024);
  rig.run_for(seconds(10));
  CHECK(rig.agree({0, next}));
  CHECK(rig.engine(next).counters().authority_compares == 0);
  CHECK(rig.node(0).faults.empty());
}

TEST_CASE("a late fork at the beginning of a big log costs a link that record alone") {
  MemberRig rig;
  const DeviceId bringer = rig.store(rig.add_member()).device();
  const std::size_t next = rig.add_member({0});
  write_many(rig);
  for (const std::size_t i : {std::size_t{0}, next})
    rig.node(i).membership->given = rig.records;
  bring_to_two_nodes(rig, next, bringer, branch_at(rig, kLow));
  // It has stopped on both.
  CHECK_FALSE(rig.engine(0).membership().is_issuer);
}

TEST_CASE("a gap in a big log that is filled costs a link that record alone") {
  MemberRig rig;
  const DeviceId bringer = rig.store(rig.add_member()).device();
  const std::size_t next = rig.add_member({0});
  write_many(rig);
  std::vector<Bytes> held = rig.records;
  const auto gap = held.begin() + static_cast<std::ptrdiff_t>(place_of(rig, kLow));
  const Bytes lacking = *gap;
  held.erase(gap);
  for (const std::size_t i : {std::size_t{0}, next})
    rig.node(i).membership->given = held;
  bring_to_two_nodes(rig, next, bringer, lacking);
}

TEST_CASE("who lacks what is before the news comes to everything, by its head or by its digest") {
  MemberRig rig;
  const DeviceId bringer = rig.store(rig.add_member()).device();
  const std::size_t behind = rig.add_member({0});
  const std::size_t other = rig.add_member({0});
  const std::vector<Bytes> before = rig.records;
  write_many(rig);
  rig.node(0).membership->given = rig.records;
  rig.node(behind).membership->given = before;
  // Its head shows all, and not the branch that node 0 has.
  rig.node(other).membership->given = rig.records;
  rig.node(0).membership->given.push_back(branch_at(rig, kMany - 1));
  rig.start(0);
  RawMember raw(rig, bringer);
  raw.connect();
  raw.become_member();
  rig.start(behind);
  rig.start(other);
  rig.run_for(milliseconds(2));
  bring(raw, branch_at(rig, kMany));
  rig.run_for(seconds(20));
  for (const std::size_t i : {behind, other}) {
    CAPTURE(i);
    CHECK(rig.engine(i).counters().authority_records >= 2);
    const std::uint64_t compares = rig.engine(i).counters().authority_compares;
    rig.run_for(seconds(600));
    CHECK(rig.engine(i).counters().authority_compares == compares);
  }
  CHECK(rig.engine(behind).counters().authority_records == kMany + 2);
}

// How often each record came.
std::map<Bytes, int> came(RawMember& raw) {
  std::map<Bytes, int> all;
  while (const auto records = raw.take<codec::AuthRecords>()) {
    for (const ByteView record : records->records)
      ++all[to_bytes(record)];
  }
  return all;
}

TEST_CASE("news that come while a log is being told go with it, or by themselves, each once") {
  MemberRig rig;
  const DeviceId reader = rig.store(rig.add_member()).device();
  const std::size_t bringer = rig.add_member({0});
  write_many(rig);
  rig.node(0).membership->given = rig.records;
  rig.node(bringer).membership->given = rig.records;
  rig.start(0);
  rig.start(bringer);
  rig.run_for(seconds(10));
  RawMember raw(rig, reader);
  raw.reports = false;
  raw.connect();
  REQUIRE(raw.drain());
  REQUIRE(raw.batches == 0);
  // Node 0 signs what is ahead of what it tells; the branch is behind that.
  rig.input(0, mesh::PolicyWanted{{1}, trust::Admit::kSecret});
  rig.run_for(milliseconds(100));
  REQUIRE(rig.node(0).issued.size() == 1);
  REQUIRE(rig.node(0).issued[0].record.ok());
  const Bytes ahead = *rig.node(0).issued[0].record;
  const Bytes behind = branch_at(rig, kLow);
  rig.input(0, mesh::LinkUp{{mesh::kInboundBit | 77}, false, "by-hand:1"});
  Bytes said = claim_preamble(rig.store(bringer).device(), {});
  codec::AuthRecords records;
  records.records = {behind};
  codec::encode_frame(records, said);
  rig.input(0, mesh::StreamBytes{{mesh::kInboundBit | 77}, said});
  CHECK(raw.batches == 0);
  while (raw.drain()) {
  }
  CHECK(raw.batches == 1);
  const std::map<Bytes, int> all = came(raw);
  CHECK(all.size() == rig.records.size() + 2);
  CHECK(all.contains(ahead));
  CHECK(all.contains(behind));
  CHECK(std::all_of(all.begin(), all.end(), [](const auto& each) { return each.second == 1; }));
}

TEST_CASE("more news than a link takes are told when it does, and wait in little memory") {
  MemberRig rig;
  const DeviceId reader = rig.store(rig.add_member()).device();
  const DeviceId bringer = rig.store(rig.add_member()).device();
  rig.node(0).membership->given = rig.records;
  rig.start(0);
  RawMember slow(rig, reader);
  slow.connect();
  slow.become_member();
  slow.forget_received();
  slow.reports = false;
  const std::size_t known = rig.records.size();
  write_many(rig);
  rig.input(0, mesh::LinkUp{{mesh::kInboundBit | 77}, false, "by-hand:1"});
  rig.input(0, mesh::StreamBytes{{mesh::kInboundBit | 77}, claim_preamble(bringer, {})});
  constexpr std::size_t kAtOnce = 100;
  for (std::size_t i = known; i < rig.records.size(); i += kAtOnce) {
    codec::AuthRecords records;
    for (std::size_t j = i; j < std::min(i + kAtOnce, rig.records.size()); ++j)
      records.records.push_back(rig.records[j]);
    Bytes frame;
    codec::encode_frame(records, frame);
    rig.input(0, mesh::StreamBytes{{mesh::kInboundBit | 77}, frame});
    for (const mesh::LinkStatus& link : rig.engine(0).links())
      CHECK(link.waiting_bytes <= limits::kAuthBytesQueued + 4096);
  }
  CHECK(slow.record_bytes < limits::kAuthBytesQueued + limits::kAuthRecordBytesPerMessage);
  while (slow.drain()) {
  }
  const std::map<Bytes, int> all = came(slow);
  CHECK(all.size() == kMany);
  CHECK(std::all_of(all.begin(), all.end(), [](const auto& each) { return each.second == 1; }));
  CHECK(rig.engine(0).counters().authority_records == kMany);
  CHECK(rig.node(0).faults.empty());
}

TEST_CASE("the list of news forgets what all were told, and what is not held or came again") {
  mesh::AuthorityNews news;
  std::set<Seq> held;
  const auto holds = [&](const mesh::AuthorityNews::Item& item) {
    return held.contains(item.position.seq);
  };
  const DeviceId authority;
  const auto add = [&](Seq seq) { news.add(authority, {seq, {}}, {seq}, holds); };
  const std::uint64_t begin = news.end();
  for (Seq seq = 1; seq <= 4; ++seq)
    add(seq);
  REQUIRE(news.at(begin) != nullptr);
  CHECK(news.at(begin)->position.seq == 1);
  CHECK(news.at(begin + 3)->position.seq == 4);
  CHECK(news.at(begin + 4) == nullptr);
  news.forget(begin + 2);
  CHECK(news.size() == 2);
  CHECK(news.at(begin)->position.seq == 3);
  // Two that come and go for ever, while somebody has yet to be told of them.
  held = {3, 4, 7};
  for (int i = 0; i < 100000; ++i) {
    add(7);
    add(8);
  }
  CHECK(news.size() < 5000);
  CHECK(news.at(begin)->position.seq == 3);
  CHECK(news.at(begin + 4)->place > begin + 4);
  CHECK(news.end() == begin + 200004);
}

}  // namespace
}  // namespace ebb::tests
