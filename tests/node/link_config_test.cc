#include "node/link_config.h"

#include <doctest/doctest.h>

#include <fstream>
#include <string>

#include "core/limits.h"
#include "tests/temp_dir.h"

namespace ebb::node {
namespace {

class ConfigFile {
 public:
  explicit ConfigFile(const std::string& text) : path_(dir_ / "ebb.toml") {
    std::ofstream(path_) << text;
  }
  Result<Config> load() const { return load_config(path_, {}); }

 private:
  tests::TempDir dir_;
  std::string path_;
};

TEST_CASE("sizes and hours, and what is none") {
  CHECK(parse_size("50 MiB") == std::uint64_t{50} << 20);
  CHECK(parse_size("50MiB") == std::uint64_t{50} << 20);
  CHECK(parse_size("5 MB") == 5000000);
  CHECK(parse_size("1024") == 1024);
  CHECK(size_text(std::uint64_t{50} << 20) == "50 MiB");
  CHECK(size_text(5000000) == "5000000 B");
  for (const char* bad : {"", "MiB", "5 mib", "-1", "1.5 MiB", "9999999 GiB", "5  MiB", "5 MiBs"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_size(bad));
  }
  CHECK(parse_hours("07:00-22:00") == mesh::QuietHours{420, 1320});
  CHECK(parse_hours("22:30-24:00") == mesh::QuietHours{1350, 1440});
  CHECK(hours_text({1350, 5}) == "22:30-00:05");
  for (const char* bad : {"", "7:00-22:00", "07:00", "07:60-08:00", "25:00-26:00", "07:00-07:00",
                          "07:00 - 22:00", "ab:cd-ef:gh"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_hours(bad));
  }
}

TEST_CASE("classes of links and priorities of topics are read and shown") {
  const ConfigFile file(
      "[node]\nclass = \"metered\"\n"
      "[link.lte]\naddresses = [\"10.0.*\", \"far:1\"]\ndaily = \"50 MiB\"\n"
      "quiet = \"07:00-22:00\"\n"
      "[topic.vitals]\npriority = \"live\"\n[topic.\"a.b\"]\npriority = \"late\"\n");
  const auto config = file.load();
  REQUIRE(config.ok());
  CHECK(config->link_class == "metered");
  REQUIRE(config->link_classes.size() == 1);
  const mesh::LinkClass expected{
      "lte", {"10.0.*", "far:1"}, std::uint64_t{50} << 20, mesh::QuietHours{420, 1320}};
  CHECK(config->link_classes[0] == expected);
  CHECK(config->topics.at("vitals") == mesh::TopicPriority::kLive);
  CHECK(config->topics.at("a.b") == mesh::TopicPriority::kLate);
  std::string shown;
  for (const ConfigLine& line : describe_config(*config))
    shown += line.key + "=" + line.value + "\n";
  CHECK(shown.find("link.lte.addresses=10.0.*,far:1\n") != std::string::npos);
  CHECK(shown.find("link.lte.daily=50 MiB\n") != std::string::npos);
  CHECK(shown.find("link.lte.quiet=07:00-22:00\n") != std::string::npos);
  CHECK(shown.find("topic.a.b.priority=late\n") != std::string::npos);
}

TEST_CASE("what is wrong in such a table is named with its line and key") {
  const std::pair<const char*, const char*> wrong[] = {
      {"[link.a]\ndaily = \"much\"\n", "line 2: link.a.daily: a size"},
      {"[link.a]\nquiet = \"night\"\n", "line 2: link.a.quiet: hours"},
      {"[link.a]\naddresses = [\"\"]\n", "line 2: link.a.addresses: a list"},
      {"[link.a]\ndally = 5\n", "line 2: unknown key link.a.dally"},
      {"[link.a]\ndaily = 1.5\n", "line 2: link.a.daily: must be"},
      {"[link]\nmetered = 1\n", "line 2: unknown key link.metered"},
      {"[topic.t]\npriority = \"first\"\n", "line 2: topic.t.priority: normal, live or late"},
      {"[topic.\"T t\"]\npriority = \"live\"\n", "no name of a topic"},
      {"[node]\nclass = \"cheap\"\n", "node.class"}};
  for (const auto& line : wrong) {
    const auto& text = line.first;
    const auto& expected = line.second;
    const ConfigFile file(text);
    const auto config = file.load();
    CAPTURE(text);
    REQUIRE_FALSE(config.ok());
    CHECK(config.error().message().find(expected) != std::string::npos);
  }
  std::string many;
  for (std::size_t i = 0; i <= limits::kLinkClasses; ++i)
    many += "[link.n" + std::to_string(i) + "]\ndaily = 1\n";
  const ConfigFile file(many);
  CHECK_FALSE(file.load().ok());
}

}  // namespace
}  // namespace ebb::node
