#include "node/invites.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "core/limits.h"
#include "mesh/invite_end.h"
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
  CHECK(invites->for_engine().front().expires == mesh::kInviteEnded);
  CHECK(invites->end(id, kNow).error().code == ErrorCode::kExists);
  CHECK(invites->end(counting<trust::InviteId>(1), kNow).error().code == ErrorCode::kNotFound);
  CHECK(invites->access().size() == 1);
  const std::int64_t gone = kNow.ms + kHour.ms() + 7 * limits::kDayMs + 1;
  REQUIRE(invites->make({gone - 1}, kHour, 1).ok());
  CHECK(invites->all().size() == 2);
  REQUIRE(invites->make({gone}, kHour, 1).ok());
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

TEST_CASE("an invite that was ended stays so when the clock goes back, and after a restart") {
  const TempDir dir;
  auto invites = Invites::open(dir / "invites");
  REQUIRE(invites.ok());
  const trust::InviteId id = (*invites->make(kNow, kHour, 1))->id;
  REQUIRE(invites->end(id, {kNow.ms + 1000}).ok());
  for (int restart = 0; restart < 2; ++restart) {
    const KeptInvite& kept = invites->all().front();
    CHECK(kept.ended);
    CHECK_FALSE(kept.is_open({kNow.ms - 1000}));
    CHECK(invites->for_engine().front().expires == mesh::kInviteEnded);
    CHECK(invites->end(id, kNow).error().code == ErrorCode::kExists);
    invites = Invites::open(dir / "invites");
    REQUIRE(invites.ok());
  }
}

TEST_CASE("the terms of an invite are kept with it, and a line without any has the usual ones") {
  const TempDir dir;
  const std::string path = dir / "invites";
  auto invites = Invites::open(path);
  REQUIRE(invites.ok());
  REQUIRE(invites->make(kNow, kHour, 1).ok());
  const std::string plain = read_file(path, 1 << 20).value();
  CHECK(plain.find(" open\n") != std::string::npos);
  const trust::Terms narrow{trust::roles::kReader | trust::roles::kWriter, {"door", "pump."}, 30};
  const trust::Terms brief{trust::roles::kUsual, {""}, 1};
  REQUIRE(invites->make(kNow, kHour, 2, narrow).ok());
  REQUIRE(invites->use(invites->all().front().id, counting<DeviceId>(1)).ok());
  REQUIRE(invites->make(kNow, kHour, 1, brief).ok());
  const std::string text = read_file(path, 1 << 20).value();
  CHECK(text.find(" open reader,writer 30 door,pump.\ndevice ") != std::string::npos);
  CHECK(text.find(" open reader,writer,relay 1 *\n") != std::string::npos);
  const auto again = Invites::open(path);
  REQUIRE(again.ok());
  REQUIRE(again->all().size() == 3);
  CHECK(again->all()[0].terms == brief);
  CHECK(again->all()[1].terms == narrow);
  CHECK(again->all()[2].terms == trust::Terms());
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(again->for_engine()[i].terms == again->all()[i].terms);
}

TEST_CASE("an invite ends by the latest that the clock has shown, also after a restart") {
  const TempDir dir;
  auto invites = Invites::open(dir / "invites");
  REQUIRE(invites.ok());
  REQUIRE(invites->make(kNow, kHour, 1).ok());
  bool changed = true;
  // A step of the clock is written before the next; little is not.
  REQUIRE(invites->note_time({kNow.ms + 1800000}, changed).ok());
  CHECK_FALSE(changed);
  REQUIRE(invites->note_time({kNow.ms + 1800001}, changed).ok());
  CHECK(Invites::open(dir / "invites")->all().front().seen.ms == kNow.ms + 1800000);
  CHECK(*invites->next_look(kNow) == seconds(60));
  REQUIRE(invites->note_time({kNow.ms + 3599000}, changed).ok());
  CHECK(*invites->next_look(kNow) == seconds(1));
  CHECK(invites->all().front().is_open(kNow));
  REQUIRE(invites->note_time({kNow.ms + 3600000}, changed).ok());
  CHECK(changed);
  REQUIRE(invites->note_time(kNow, changed).ok());
  CHECK_FALSE(changed);
  CHECK(*invites->next_look(kNow) == seconds(3600));
  CHECK_FALSE(invites->all().front().is_open(kNow));
  CHECK_FALSE(Invites::open(dir / "invites")->all().front().is_open(kNow));
  // Another one that is made by the earlier clock has its whole time.
  REQUIRE(invites->make(kNow, kHour, 1).ok());
  CHECK(invites->all().front().is_open({kNow.ms + 3599999}));
}

TEST_CASE("an invite is forgotten a week after its end, also where none is made or ended") {
  const TempDir dir;
  auto invites = Invites::open(dir / "invites");
  REQUIRE(invites.ok());
  REQUIRE(invites->make(kNow, kHour, 1).ok());
  const std::string secret = to_base32(invites->all().front().secret.view());
  const std::int64_t last = kNow.ms + kHour.ms() + 7 * limits::kDayMs;
  bool changed = false;
  REQUIRE(invites->note_time({last}, changed).ok());
  CHECK(changed);  // it is over
  CHECK(invites->all().size() == 1);
  CHECK(*invites->next_look({last}) == milliseconds(1));
  REQUIRE(invites->note_time({last + 1}, changed).ok());
  CHECK(changed);
  CHECK(invites->all().empty());
  CHECK(invites->access().empty());
  CHECK_FALSE(invites->next_look({last + 1}));
  CHECK(read_file(dir / "invites", 1 << 20).value().find(secret) == std::string::npos);
  REQUIRE(invites->note_time({last + 2}, changed).ok());
  CHECK_FALSE(changed);
}

TEST_CASE("a use that cannot be written stays counted, and goes with the next write") {
  const TempDir dir;
  const std::string path = dir / "invites";
  auto invites = Invites::open(path);
  REQUIRE(invites.ok());
  const trust::InviteId id = (*invites->make(kNow, kHour, 1))->id;
  REQUIRE(::rename(path.c_str(), (dir / "aside").c_str()) == 0);
  std::filesystem::create_directories(path + "/full");
  CHECK_FALSE(invites->use(id, counting<DeviceId>(1)).ok());
  CHECK_FALSE(invites->is_kept());
  CHECK(invites->all().front().uses_left() == 0);
  CHECK_FALSE(invites->keep().ok());
  std::filesystem::remove_all(path);
  REQUIRE(invites->keep().ok());
  CHECK(invites->is_kept());
  CHECK(Invites::open(path)->all().front().uses_left() == 0);
}

TEST_CASE("all invites together are good for no more devices than the file has room for") {
  const TempDir dir;
  auto invites = Invites::open(dir / "invites");
  REQUIRE(invites.ok());
  for (std::uint64_t made = 0; made < kInviteUsesHeld; made += kInviteUsesMax)
    REQUIRE(invites->make(kNow, kHour, kInviteUsesMax).ok());
  CHECK(invites->make(kNow, kHour, 1).error().code == ErrorCode::kBusy);
  REQUIRE(invites->end(invites->all().back().id, kNow).ok());
  CHECK(invites->make(kNow, kHour, kInviteUsesMax).ok());
  // Used by all of them it has room, too.
  const trust::InviteId id = invites->all().front().id;
  for (std::uint8_t i = 0; i < 100; ++i)
    REQUIRE(invites->use(id, counting<DeviceId>(i)).ok());
}
