// How much of the logs of authorities is told at once, and how often.
#include <doctest/doctest.h>

#include "tests/mesh/raw_member.h"

namespace ebb::tests {
namespace {

// About 1.3 MiB of what an issuer has taken away.
void write_much(MemberRig& rig) {
  for (std::uint8_t i = 1; i <= 20; ++i) {
    trust::record::Revoke revoke;
    revoke.device.data.fill(i);
    for (std::size_t cut = 0; cut < 1000; ++cut) {
      LogId log;
      log.data[0] = static_cast<std::uint8_t>(cut >> 8);
      log.data[1] = static_cast<std::uint8_t>(cut);
      log.data[2] = 1;
      revoke.cuts.push_back({log, {cut + 1, Hash{}}});
    }
    (void)rig.write(revoke);
  }
  rig.node(0).membership->given = rig.records;
}

TEST_CASE("authority records wait where they are held, and little of them in a link's queue") {
  MemberRig rig;
  const DeviceId reader = rig.store(rig.add_member()).device();
  write_much(rig);
  rig.start(0);
  RawMember raw(rig, reader);
  raw.reports = false;
  raw.connect();
  constexpr std::size_t kAround = 4096;
  std::size_t reports = 0;
  do {
    REQUIRE(rig.engine(0).links().size() == 1);
    CHECK(rig.engine(0).links()[0].waiting_bytes <= limits::kAuthBytesQueued + kAround);
    ++reports;
  } while (raw.drain());
  CHECK(reports > 4);
  CHECK(raw.batches == 1);
  CHECK(raw.record_bytes > std::size_t{1} << 20);

  const std::size_t whole = raw.record_bytes;
  raw.reports = true;
  raw.become_member();
  raw.send(codec::AuthCompare{});
  CHECK(raw.record_bytes == 2 * whole);
  for (int i = 0; i < 10; ++i) {
    rig.run_for(seconds(2));
    raw.send(codec::Ping{1, true});
    raw.send(codec::AuthCompare{});
  }
  CHECK(raw.record_bytes == 2 * whole);
}

TEST_CASE("who joins over a slow line is told all, and the link ends when nothing of it waits") {
  MemberRig rig;
  const DeviceId joiner = rig.store(rig.add_member()).device();
  rig.joining[joiner] = {};
  write_much(rig);
  const auto secret = MeshSecret::from(Bytes(MeshSecret::kSize, 5));
  rig.node(0).membership->secret = secret->copy();
  rig.start(0);
  RawMember raw(rig, joiner);
  raw.reports = false;
  raw.connect();
  raw.send(codec::AuthAsk{"card"});
  std::size_t left = 0;
  while (rig.engine(0).links().size() == 1) {
    // Longer than a greeting may take, and less than the driver's patience with what waits there.
    rig.run_for(seconds(50));
    REQUIRE(rig.engine(0).links().size() == 1);
    left = raw.bytes_came;
    REQUIRE(raw.drain());
  }
  // What came with the end of the link would have waited in a driver that closes.
  CHECK(raw.bytes_came == left);
  CHECK(raw.batches == 1);
  CHECK(raw.record_bytes > std::size_t{1} << 20);
  const auto mesh = raw.take<codec::AuthMesh>();
  REQUIRE(mesh);
  CHECK(mesh->genesis == rig.genesis);
  CHECK(mesh->secret == secret);
}

TEST_CASE("who joins and takes nothing is given up") {
  MemberRig rig;
  const DeviceId joiner = rig.store(rig.add_member()).device();
  rig.joining[joiner] = {};
  rig.start(0);
  RawMember raw(rig, joiner);
  raw.reports = false;
  raw.connect();
  raw.send(codec::AuthAsk{"card"});
  rig.run_for(milliseconds(limits::kSlowestLinkMs) - seconds(1));
  CHECK(rig.engine(0).links().size() == 1);
  rig.run_for(seconds(2));
  CHECK(rig.engine(0).links().empty());
}

}  // namespace
}  // namespace ebb::tests
