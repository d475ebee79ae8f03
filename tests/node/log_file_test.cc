#include "node/log_file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "core/unique_fd.h"
#include "node/files.h"
#include "tests/temp_dir.h"

namespace {

using ebb::UniqueFd;
using ebb::write_all;
using ebb::node::LogFile;
using ebb::tests::TempDir;

constexpr std::uint64_t kBound = 100;

struct Log {
  TempDir dir;
  std::string path = dir / "ebb.log";
  UniqueFd file{::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600)};
  UniqueFd other{::dup(file.get())};

  std::string text(const std::string& name) const {
    return ebb::node::read_file(dir / name, 1000).value();
  }
  void write(LogFile& log, const std::string& line) const {
    REQUIRE(write_all(file.get(), line) == 0);
    log.wrote(line.size());
  }
};

TEST_CASE("a log that reaches its bound is begun anew, and one older file is kept") {
  const Log log;
  auto bounded = LogFile::of(log.path, {log.file.get(), log.other.get()}, kBound);
  REQUIRE(bounded);
  for (char c = 'a'; c <= 'e'; ++c)
    log.write(*bounded, std::string(59, c) + "\n");
  CHECK(log.text("ebb.log") == std::string(59, 'e') + "\n");
  CHECK(log.text("ebb.log.1") == std::string(59, 'c') + "\n" + std::string(59, 'd') + "\n");
  // All descriptors went with it.
  REQUIRE(write_all(log.other.get(), "more") == 0);
  CHECK(log.text("ebb.log").ends_with("\nmore"));
  CHECK_FALSE(std::filesystem::exists(log.dir / "ebb.log.2"));
}

TEST_CASE("what an earlier process has logged counts") {
  const Log log;
  REQUIRE(write_all(log.file.get(), std::string(kBound, 'x')) == 0);
  REQUIRE(LogFile::of(log.path, {log.file.get()}, kBound));
  CHECK(log.text("ebb.log").empty());
  CHECK(log.text("ebb.log.1").size() == kBound);
}

TEST_CASE("a log that cannot be renamed grows on") {
  const Log log;
  auto bounded = LogFile::of(log.path, {log.file.get()}, kBound);
  std::filesystem::create_directories(log.dir / "ebb.log.1/full");
  log.write(*bounded, std::string(kBound, 'x'));
  log.write(*bounded, "y");
  CHECK(log.text("ebb.log").size() == kBound + 1);
}

TEST_CASE("a log whose new file cannot be opened is begun anew at the next bound") {
  const Log log;
  auto bounded = LogFile::of(log.path, {log.file.get()}, kBound);
  rlimit files{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &files) == 0);
  rlimit none = files;
  none.rlim_cur = 0;
  REQUIRE(write_all(log.file.get(), std::string(kBound, 'x')) == 0);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  bounded->wrote(kBound);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &files) == 0);
  REQUIRE_FALSE(std::filesystem::exists(log.path));
  log.write(*bounded, std::string(kBound, 'y'));
  log.write(*bounded, "z");
  CHECK(log.text("ebb.log") == "z");
}

TEST_CASE("standard error that leads elsewhere is left alone") {
  const Log log;
  const UniqueFd elsewhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  CHECK_FALSE(LogFile::of(log.path, {elsewhere.get()}, kBound));
  CHECK_FALSE(LogFile::of(log.dir / "none", {log.file.get()}, kBound));
  CHECK_FALSE(LogFile::of("", {log.file.get()}, kBound));
}

}  // namespace
