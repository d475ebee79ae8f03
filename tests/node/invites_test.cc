#include "node/invites.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>

#include "core/limits.h"
#include "node/files.h"
#include "tests/codec/samples.h"
#include "tests/temp_dir.h"

using namespace ebb;
using namespace ebb::node;
using ebb::tests::counting;
using ebb::tests::TempDir;

namespace {

constexpr WallTime kNow{1700000000000};
constexpr Duration kHour = seconds(3600);

void write_text(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::trunc) << text;
}

}  // namespace

TEST_CASE("an invite and its uses are there after a restart, for the owner alone") {
  const TempDir dir;
  const std::string path = dir / "invites";
  auto invites = Invites::open(path);
  REQUIRE(invites.ok());
  const auto made = invites->make(kNow, kHour, 2);
  REQUIRE(made.ok());
  const trust::InviteId id = (*made)->id;
  CHECK(id == trust::invite_id((*made)->secret));
  const auto device = counting<DeviceId>(0x10);
  REQUIRE(invites->use(id, device).ok());
  REQUIRE(invites->use(id, device).ok());  // the same device takes no second use
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0600);

  auto again = Invites::open(path);
  REQUIRE(again.ok());
  REQUIRE(again->all().size() == 1);
  const KeptInvite& kept = again->all().front();
  CHECK(kept.id == id);
  CHECK(kept.secret == invites->all().front().secret);
  CHECK(kept.uses_left() == 1);
  CHECK(kept.devices == std::vector<DeviceId>{device});
  CHECK(kept.is_open(kNow));
  REQUIRE(again->use(id, counting<DeviceId>(0x11)).ok());
  CHECK_FALSE(again->all().front().is_open(kNow));
  CHECK(again->for_engine().front().uses_left == 0);
}

TEST_CASE("an invite that was ended, or whose time is over, is closed and remembered for a week") {
  const TempDir dir;
  auto invites = Invites::open(dir / "invites");
  REQUIRE(invites.ok());
  const auto first = invites->make(kNow, kHour, 1);
  REQUIRE(first.ok());
  const trust::InviteId id = (*first)->id;
  REQUIRE(invites->end(id, kNow).ok());
  CHECK_FALSE(invites->all().front().is_open(kNow));
  CHECK(invites->end(id, kNow).error().code == ErrorCode::kExists);
  CHECK(invites->end(counting<trust::InviteId>(1), kNow).error().code == ErrorCode::kNotFound);
  CHECK(invites->access().size() == 1);
  REQUIRE(invites->make({kNow.ms + 7 * limits::kDayMs}, kHour, 1).ok());
  CHECK(invites->all().size() == 2);
  REQUIRE(invites->make({kNow.ms + 7 * limits::kDayMs + 1}, kHour, 1).ok());
  CHECK(invites->all().size() == 2);
}

TEST_CASE("as many invites are remembered as are tried, and an open one is not forgotten") {
  const TempDir dir;
  auto invites = Invites::open(dir / "invites");
  REQUIRE(invites.ok());
  for (std::size_t i = 0; i < limits::kInvitesTried; ++i)
    REQUIRE(invites->make(kNow, kHour, 1).ok());
  CHECK(invites->make(kNow, kHour, 1).error().code == ErrorCode::kBusy);
  const trust::InviteId last = invites->all().back().id;
  REQUIRE(invites->end(last, kNow).ok());
  REQUIRE(invites->make(kNow, kHour, 1).ok());
  CHECK(invites->all().size() == limits::kInvitesTried);
  for (const KeptInvite& kept : invites->all())
    CHECK(kept.is_open(kNow));
  CHECK(invites->make(kNow, seconds(0), 1).error().code == ErrorCode::kOutOfRange);
  CHECK(invites->make(kNow, kHour, 0).error().code == ErrorCode::kOutOfRange);
}

TEST_CASE("a file of invites that is damaged or open to others is refused") {
  const TempDir dir;
  const std::string path = dir / "invites";
  auto invites = Invites::open(path);
  REQUIRE(invites->make(kNow, kHour, 1).ok());
  REQUIRE(invites->use(invites->all().front().id, counting<DeviceId>(0x10)).ok());
  const std::string good = read_file(path, 1 << 20).value();
  for (std::size_t i = 0; i < good.size(); ++i) {
    CAPTURE(i);
    std::string bad = good;
    bad[i] = bad[i] == 'b' ? 'c' : 'b';
    write_text(path, bad);
    REQUIRE(Invites::open(path).error().code == ErrorCode::kCorrupt);
    write_text(path, good.substr(0, i));
    REQUIRE(Invites::open(path).error().code == ErrorCode::kCorrupt);
  }
  write_text(path, good);
  REQUIRE(Invites::open(path).ok());
  REQUIRE(::chmod(path.c_str(), 0640) == 0);
  CHECK(Invites::open(path).error().code == ErrorCode::kPermission);
}
