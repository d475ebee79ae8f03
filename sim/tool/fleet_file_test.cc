// Fleets as files: what they may say, and how each mistake is told.
#include "sim/tool/fleet_file.h"

#include <doctest/doctest.h>

#include "sim/tool/units.h"

using ebb::milliseconds;
using ebb::seconds;
using ebb::sim::Fleet;
using ebb::sim_tool::read_fleet;

namespace {

// A fleet that is right, with `extra` at the end of its only group, which begins in line 4.
std::string fleet_with(const std::string& extra) {
  return "name = \"f\"\nduration = \"1h\"\n\n[group.till]\ncount = 3\nevents = \"60/h\"\n"
         "peers = [\"till\"]\n" +
         extra;
}

const std::string kWhole = R"(
name = "all"
seed = 7
duration = "2d"
settle = "3h"
[group.zulu]
count = 5
link = { latency = "300ms", jitter = "40ms", up = "256 kbit/s", down = "1 Mbit/s", loss = "1.5 %" }
behind_nat = true
metered = true
daily = "50 MiB"
quiet = "22:00-06:00"
awake = ["06:00-22:00", "23:30-00:30"]
events = "120/h"
event_bytes = 160
topic = "sales"
peers = ["alpha"]
peers_each = 3
reaches = ["alpha"]
[group.alpha]
count = 1
link = { rate = "20 kB/s" }
awake_for = "30s"
awake_every = "15m"
event_every = "17m"
[[partition]]
groups = ["zulu"]
from = "1h"
lasts = "2h"
every = "12h"
apart = true
)";

std::string error_of(const std::string& text) {
  const auto fleet = read_fleet(text, "f.toml");
  return fleet.ok() ? "" : fleet.error().detail;
}

}  // namespace

TEST_CASE("every key of a fleet is read") {
  const auto read = read_fleet(kWhole, "f.toml");
  REQUIRE_MESSAGE(read.ok(), read.error().detail);
  const Fleet& fleet = *read;
  CHECK(fleet.name == "all");
  CHECK(fleet.seed == 7);
  CHECK(fleet.duration == seconds(2 * 86400));
  CHECK(fleet.settle == seconds(3 * 3600));
  REQUIRE(fleet.groups.size() == 2);
  const ebb::sim::FleetGroup& zulu = fleet.groups[0];  // in order of the file
  CHECK(zulu.name == "zulu");
  CHECK(zulu.count == 5);
  CHECK(zulu.link.latency == milliseconds(300));
  CHECK(zulu.link.jitter == milliseconds(40));
  CHECK(zulu.link.up == 32000);
  CHECK(zulu.link.down == 125000);
  CHECK(zulu.link.loss_permille == 15);
  CHECK(zulu.behind_nat);
  CHECK(zulu.metered);
  CHECK(zulu.daily_bytes == 50 << 20);
  CHECK(zulu.quiet == ebb::mesh::QuietHours{22 * 60, 6 * 60});
  REQUIRE(zulu.awake.size() == 2);
  CHECK(zulu.awake[1].from == 23 * 60 + 30);
  CHECK(zulu.event_interval == seconds(30));
  CHECK(zulu.event_bytes == 160);
  CHECK(zulu.topic == "sales");
  CHECK(zulu.peers == std::vector<std::size_t>{1});
  CHECK(zulu.peers_each == 3);
  CHECK(zulu.reaches == std::vector<std::size_t>{1});
  CHECK(fleet.groups[1].link.up == 20000);
  CHECK(fleet.groups[1].link.down == 20000);
  CHECK(fleet.groups[1].awake_for == seconds(30));
  CHECK(fleet.groups[1].awake_every == seconds(900));
  CHECK(fleet.groups[1].event_interval == seconds(1020));
  REQUIRE(fleet.partitions.size() == 1);
  CHECK(fleet.partitions[0].groups == std::vector<std::size_t>{0});
  CHECK(fleet.partitions[0].from == ebb::Instant{} + seconds(3600));
  CHECK(fleet.partitions[0].lasts == seconds(7200));
  CHECK(fleet.partitions[0].every == seconds(43200));
  CHECK(fleet.partitions[0].apart);
  CHECK(fleet.devices() == 6);
}

TEST_CASE("every mistake names its line and key") {
  CHECK(error_of(fleet_with("")).empty());
  CHECK(error_of("name = \n").starts_with("f.toml line 1: "));
  const auto wrong = [](const std::string& extra) { return error_of(fleet_with(extra)); };
  CHECK(wrong("evnts = \"1/s\"\n") ==
        "f.toml line 8: group.till.evnts: there is no such key; did you mean events?");
  CHECK(wrong("zzzzzzzz = 1\n") == "f.toml line 8: group.till.zzzzzzzz: there is no such key");
  CHECK(wrong("event_bytes = \"big\"\n") ==
        "f.toml line 8: group.till.event_bytes: must be a whole number from 16 to 65472");
  CHECK(wrong("link = { rate = \"fast\" }\n").starts_with("f.toml line 8: group.till.link.rate: "));
  CHECK(wrong("link = { rat = \"1 Mbit/s\" }\n").ends_with("did you mean rate?"));
  CHECK(wrong("link = { loss = \"95 %\" }\n").ends_with("more than 90 % is no link"));
  CHECK(wrong("link = 5\n").starts_with("f.toml line 8: group.till.link: must be a table"));
  CHECK(wrong("awake = [\"6-22\"]\n").starts_with("f.toml line 8: group.till.awake: "));
  CHECK(wrong("awake_for = \"1h\"\nawake_every = \"30m\"\n") ==
        "f.toml line 8: group.till.awake_for: must be less than awake_every");
  CHECK(wrong("awake_for = \"1h\"\n") == "f.toml line 4: group.till.awake_every: is missing");
  CHECK(wrong("event_every = \"1m\"\n").starts_with("f.toml line 8: group.till.event_every: "));
  CHECK(wrong("topic = \"_ebb\"\n").starts_with("f.toml line 8: group.till.topic: "));
  CHECK(wrong("reaches = [\"tills\"]\n") ==
        "f.toml line 8: group.till.reaches: there is no group tills; did you mean till?");
  CHECK(wrong("behind_nat = 1\n") == "f.toml line 8: group.till.behind_nat: must be true or false");
  CHECK(wrong("[group.other]\nevents = \"1/h\"\n") ==
        "f.toml line 8: group.other.count: is missing");
  CHECK(wrong("[[partition]]\ngroups = [\"till\"]\nfrom = \"1h\"\n") ==
        "f.toml line 8: partition[0].lasts: is missing");
  CHECK(wrong("[partition]\ngroups = [\"till\"]\n").starts_with("f.toml line 8: partition: "));
  CHECK(wrong("[group.far]\ncount = 1\nreaches = [\"far\"]\n").find("far is never reached") !=
        std::string::npos);
}

TEST_CASE("a fleet that cannot be run is refused") {
  CHECK(error_of("duration = \"1h\"\n").find("group: is missing") != std::string::npos);
  CHECK(error_of("[group.a]\ncount = 2\npeers = [\"a\"]\n").find("no group makes events") !=
        std::string::npos);
  CHECK(error_of("[group.a]\ncount = 2\nevents = \"1/h\"\n").find("nobody knows anybody") !=
        std::string::npos);
  CHECK(error_of("[group.a]\ncount = 2000\nevents = \"1/h\"\npeers = [\"a\"]\n[group.b]\n"
                 "count = 1\n")
            .find("2001 devices in all, of at most 2000") != std::string::npos);
  CHECK(error_of("duration = \"0s\"\n[group.a]\ncount = 1\nevents = \"1/h\"\n") ==
        "f.toml line 1: duration: must be at least 1s");
}

TEST_CASE("quantities are read as people write them, and nothing else is") {
  using namespace ebb::sim_tool;
  CHECK(parse_duration("500ms") == milliseconds(500));
  CHECK(parse_duration("2 min") == seconds(120));
  CHECK_FALSE(parse_duration("5").has_value());
  CHECK_FALSE(parse_duration("1.5h").has_value());
  CHECK_FALSE(parse_duration("-1s").has_value());
  CHECK_FALSE(parse_duration("99999999999999d").has_value());
  CHECK(parse_rate("8 bit/s") == 1U);
  CHECK(parse_rate("1 Gbit/s") == 125000000U);
  CHECK_FALSE(parse_rate("4 bit/s").has_value());
  CHECK(parse_bytes("64 KiB") == 65536U);
  CHECK_FALSE(parse_bytes("64 kib").has_value());
  CHECK(parse_permille("0.5 %") == 5U);
  CHECK(parse_permille("100%") == 1000U);
  CHECK_FALSE(parse_permille("100.5 %").has_value());
  CHECK_FALSE(parse_permille("1.55 %").has_value());
  CHECK(parse_frequency("4/min") == seconds(15));
  CHECK_FALSE(parse_frequency("0/h").has_value());
  CHECK(parse_hours("07:00-24:00") == ebb::mesh::QuietHours{420, 1440});
  CHECK_FALSE(parse_hours("7:00-22:00").has_value());
  CHECK_FALSE(parse_hours("07:00-07:00").has_value());
  CHECK(duration_words(milliseconds(20)) == "20 ms");
  CHECK(duration_words(seconds(90)) == "90.0 s");
  CHECK(duration_words(seconds(5400)) == "90.0 min");
}
