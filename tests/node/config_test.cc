#include "node/config.h"

#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <string>

#include "node/files.h"
#include "tests/temp_dir.h"

namespace {

using ebb::ErrorCode;
using ebb::node::Config;
using ebb::node::ConfigOverrides;
using ebb::node::load_config;
using ebb::tests::TempDir;

// A configuration file with this text.
class ConfigFile {
 public:
  explicit ConfigFile(const std::string& text) : path_(dir_ / "ebb.toml") {
    std::ofstream(path_) << text;
  }
  const std::string& path() const { return path_; }
  ebb::Result<Config> load(const ConfigOverrides& overrides = {}) const {
    return load_config(path_, overrides);
  }

 private:
  TempDir dir_;
  std::string path_;
};

// The error of a text that must be refused.
ebb::Error error_of(const std::string& text) {
  const ConfigFile file(text);
  const auto config = file.load();
  REQUIRE_FALSE(config.ok());
  return config.error();
}

bool mentions(const ebb::Error& error, const std::string& text) {
  CAPTURE(error.detail);
  return error.detail.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("an absent file gives the defaults") {
  const TempDir dir;
  const auto config = load_config(dir / "ebb.toml", {});
  REQUIRE(config.ok());
  CHECK(config->listen == "0.0.0.0:7401");
  CHECK_FALSE(config->listen_configured);
  CHECK(config->peers.empty());
  CHECK(config->log_level == "info");
  CHECK(config->origin.at("node.listen") == "default");
}

TEST_CASE("the template parses to the defaults and the name") {
  for (const std::string name : {"till-1", "a \"quoted\" \\ name", "Größe"}) {
    const ConfigFile file(ebb::node::config_template(name));
    const auto config = file.load();
    REQUIRE(config.ok());
    const Config defaults;
    CHECK(config->name == name);
    CHECK(config->listen == defaults.listen);
    CHECK_FALSE(config->listen_configured);
    CHECK(config->peers == defaults.peers);
    CHECK(config->log_level == defaults.log_level);
    CHECK(config->log_format == defaults.log_format);
    CHECK(config->disk_budget_bytes == defaults.disk_budget_bytes);
  }
}

TEST_CASE("a file sets every key") {
  const ConfigFile file(
      "[node]\nname = \"a\"\nlisten = \"127.0.0.1:9000\"\npeers = [\"localhost:1\", \"[::1]:2\"]\n"
      "advertise = [\"till.example:80\", \"192.0.2.1:81\"]\n"
      "beacon = \"no\"\nclass = \"metered\"\n[log]\nlevel = \"debug\"\nformat = "
      "\"json\"\n[store]\ndisk_budget_bytes = 1_000_000\n[scope]\nkind = \"partial\"\n"
      "topics = [\"a\"]\ndevices = []\nrelay = \"no\"\n");
  const auto config = file.load();
  REQUIRE(config.ok());
  CHECK(config->name == "a");
  CHECK(config->listen == "127.0.0.1:9000");
  CHECK(config->advertise == std::vector<std::string>{"till.example:80", "192.0.2.1:81"});
  CHECK_FALSE(config->beacon);
  CHECK(config->listen_configured);
  CHECK(config->peers == std::vector<std::string>{"localhost:1", "[::1]:2"});
  CHECK(config->log_level == "debug");
  CHECK(config->log_format == "json");
  CHECK(config->disk_budget_bytes == 1000000);
  for (const auto& line : ebb::node::describe_config(*config))
    CHECK(line.origin == "file");
}

TEST_CASE("an unknown key is an error with the nearest known one") {
  const ebb::Error error = error_of("[node]\nname = \"a\"\npeer = [\"localhost:1\"]\n");
  CHECK(error.code == ErrorCode::kInvalidArgument);
  CHECK(mentions(error, "unknown key node.peer: did you mean node.peers?"));
  CHECK(mentions(error, "line 3"));
  CHECK(mentions(error_of("[nodes]\nlisten = \"127.0.0.1:1\"\n"), "did you mean node.listen?"));
  CHECK(mentions(error_of("[log]\nlevle = \"info\"\n"), "did you mean log.level?"));
}

TEST_CASE("an unknown key like no other gets no suggestion") {
  const ebb::Error error = error_of("[colours]\nbackground = \"red\"\n");
  CHECK(mentions(error, "unknown key colours.background"));
  CHECK_FALSE(mentions(error, "did you mean"));
  CHECK(mentions(error_of("[colours]\n"), "unknown key colours"));
}

TEST_CASE("what is no TOML is an error with its line") {
  const ebb::Error error = error_of("[node]\nname = \"a\n");
  CHECK(error.code == ErrorCode::kMalformed);
  CHECK(mentions(error, "line 2"));
}

TEST_CASE("a value out of its range is an error that names the key") {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"[node]\nlisten = \"127.0.0.1\"\n", "node.listen"},
      {"[node]\nlisten = \"127.0.0.1:65536\"\n", "node.listen"},
      {"[node]\nlisten = \"::1:7401\"\n", "node.listen"},
      {"[node]\nlisten = 7401\n", "node.listen: must be a text"},
      {"[node]\npeers = \"localhost:1\"\n", "node.peers: must be a list of texts"},
      {"[node]\npeers = [1]\n", "node.peers: must be a list of texts"},
      {"[node]\npeers = [\"localhost\"]\n", "node.peers"},
      {"[node]\npeers = [\"localhost:0\"]\n", "node.peers"},
      {"[node]\nadvertise = [\"till.example\"]\n", "node.advertise"},
      {"[node]\nadvertise = [\"till.example:0\"]\n", "node.advertise"},
      {"[node]\nadvertise = [\"" + std::string(124, 'x') + ":7401\"]\n", "node.advertise"},
      {"[node]\nadvertise = [\"[fe80::1%eth0]:7401\"]\n", "node.advertise: a link-local"},
      {"[node]\nadvertise = [\"a:1\", \"b:1\", \"c:1\", \"d:1\", \"e:1\"]\n",
       "node.advertise: at most 4"},
      {"[node]\nname = \"a\\nb\"\n", "node.name"},
      {"[log]\nlevel = \"loud\"\n", "log.level"},
      {"[log]\nformat = \"xml\"\n", "log.format"},
      {"[store]\ndisk_budget_bytes = -1\n", "store.disk_budget_bytes"},
      {"[store]\ndisk_budget_bytes = 1.5\n", "store.disk_budget_bytes: must be a whole number"},
  };
  for (const auto& [file_text, expected] : cases) {
    const std::string& text = file_text;  // clang 14 captures no structured binding
    CAPTURE(text);
    const ebb::Error error = error_of(text);
    CHECK(error.code == ErrorCode::kInvalidArgument);
    CHECK(mentions(error, expected));
  }
}

TEST_CASE("a key outside its section is known by its name") {
  CHECK(mentions(error_of("peers = [\"localhost:1\"]\n[node]\n"), "did you mean node.peers?"));
  CHECK(mentions(error_of("level = \"info\"\n"), "did you mean log.level?"));
  CHECK(mentions(error_of("[log]\nlisten = \"off\"\n"), "did you mean node.listen?"));
  CHECK_FALSE(mentions(error_of("[log]\nqqqqqqqqqqqq = 1\n"), "did you mean"));
}

TEST_CASE("overrides go over the file and say where they came from") {
  const ConfigFile file("[node]\nlisten = \"127.0.0.1:9000\"\n");
  ConfigOverrides overrides;
  overrides.values["node.listen"] = {"127.0.0.1:9001", "environment EBB_LISTEN"};
  overrides.values["node.peers"] = {"localhost:1,localhost:2", "flag --peer"};
  const auto config = file.load(overrides);
  REQUIRE(config.ok());
  CHECK(config->listen == "127.0.0.1:9001");
  CHECK(config->listen_configured);
  CHECK(config->peers.size() == 2);
  CHECK(config->origin.at("node.listen") == "environment EBB_LISTEN");
  CHECK(config->origin.at("node.peers") == "flag --peer");
  CHECK(config->origin.at("log.level") == "default");
}

TEST_CASE("a bad override names its origin") {
  ConfigOverrides overrides;
  overrides.values["log.level"] = {"loud", "environment EBB_LOG_LEVEL"};
  const TempDir dir;
  const auto config = load_config(dir / "ebb.toml", overrides);
  REQUIRE_FALSE(config.ok());
  CHECK(mentions(config.error(), "environment EBB_LOG_LEVEL: log.level"));
}

TEST_CASE("a saved listen address is read again, whatever the file looked like") {
  const std::vector<std::string> texts{
      ebb::node::config_template("till"),
      "",
      "[node]",
      "[node]\nname = \"a\"\n[log]\nlevel = \"warn\"\n",
      "[log]\nlevel = \"warn\"",
      "[node]\nlisten = \"127.0.0.1:1\" # mine\n",
      "# [node]\n# listen = \"x\"\n[node]\n# listen = \"127.0.0.1:1\"\nlisten=\"127.0.0.1:2\"\n",
  };
  for (const std::string& text : texts) {
    CAPTURE(text);
    const ConfigFile file(text);
    const auto before = file.load();
    REQUIRE(before.ok());
    REQUIRE(ebb::node::save_listen(file.path(), "127.0.0.1:7433").ok());
    const auto after = file.load();
    REQUIRE(after.ok());
    CHECK(after->listen == "127.0.0.1:7433");
    CHECK(after->listen_configured);
    CHECK(after->name == before->name);
    CHECK(after->log_level == before->log_level);
  }
}

TEST_CASE("a file of a form that cannot be edited is left as it is") {
  const std::string text = "node = { name = \"a\" }\n";
  const ConfigFile file(text);
  const ebb::Status saved = ebb::node::save_listen(file.path(), "127.0.0.1:7433");
  REQUIRE_FALSE(saved.ok());
  CHECK(saved.error().code == ErrorCode::kInvalidArgument);
  CHECK(ebb::node::read_file(file.path(), 1000).value() == text);
}

TEST_CASE("a peer is added to those of a file, whatever the file looked like, and once") {
  using Peers = std::vector<std::string>;
  const std::vector<std::pair<std::string, Peers>> texts{
      {ebb::node::config_template("till"), {}},
      {ebb::node::config_template("till", {"a:1"}), {"a:1"}},
      {"", {}},
      {"[node]\nname = \"a\"\n[log]\nlevel = \"warn\"\n", {}},
      {"[log]\nlevel = \"warn\"", {}},
      {"[node]\npeers = []\nname = \"a\"\n", {}},
      {"[node]\npeers = [\"a:1\", \"b:2\" ] \r\n", {"a:1", "b:2"}},
  };
  for (const auto& row : texts) {
    const auto& [text, peers] = row;
    CAPTURE(row.first);
    const ConfigFile file(text);
    const auto before = file.load();
    REQUIRE(before.ok());
    REQUIRE(before->peers == peers);
    Peers wanted = peers;
    wanted.push_back("192.0.2.7:7401");
    for (int times = 0; times < 2; ++times) {
      REQUIRE(ebb::node::save_peer(file.path(), "192.0.2.7:7401").ok());
      const auto after = file.load();
      REQUIRE(after.ok());
      CHECK(after->peers == wanted);
      CHECK(after->name == before->name);
      CHECK(after->log_level == before->log_level);
    }
  }
}

TEST_CASE("a list of peers that cannot be edited is left as it is, and what to add is said") {
  for (const std::string text : {
           "node = { name = \"a\" }\n",
           "[node]\npeers = [\"a:1\",\n  \"b:2\"]\n",
           "[node]\npeers = [\"a:1\"] # [mine]\n",
           "[node]\npeers = [\"a:1\",]\n",
           "[node\n",
       }) {
    CAPTURE(text);
    const ConfigFile file(text);
    const ebb::Status saved = ebb::node::save_peer(file.path(), "c:3");
    REQUIRE_FALSE(saved.ok());
    CHECK(saved.error().code == ErrorCode::kInvalidArgument);
    CHECK(mentions(saved.error(), "add \"c:3\" to peers in [node]"));
    CHECK(ebb::node::read_file(file.path(), 1000).value() == text);
  }
}

TEST_CASE("a scope is read, shown, and judged as a whole") {
  const ConfigFile file("[scope]\nkind = \"partial\"\ntopics = [\"b\", \"a\"]\nrelay = \"no\"\n");
  const auto config = file.load();
  REQUIRE(config.ok());
  CHECK(config->scope == ebb::Scope{ebb::ScopeKind::kPartial, {"a", "b"}, {}});
  CHECK_FALSE(config->relay);
  std::map<std::string, std::string> shown;
  for (const auto& line : ebb::node::describe_config(*config))
    shown[line.key] = line.value;
  CHECK(shown.at("scope.kind") == "partial");
  CHECK(shown.at("scope.topics") == "a,b");
  CHECK(shown.at("scope.devices").empty());
  CHECK(shown.at("scope.relay") == "no");
  ebb::DeviceId device;
  device.data[0] = 9;
  const ConfigFile by_device("[scope]\nkind = \"partial\"\ndevices = [\"" +
                             ebb::device_text(device) + "\"]\n");
  const auto of_device = by_device.load();
  REQUIRE(of_device.ok());
  CHECK(of_device->scope.devices.contains(device));
  CHECK(of_device->relay);
}

TEST_CASE("a scope that is none is refused with what is wrong") {
  CHECK(mentions(error_of("[scope]\nkind = \"partial\"\n"), "needs scope.topics or scope.devices"));
  CHECK(mentions(error_of("[scope]\ntopics = [\"a\"]\n"), "only with scope.kind = \"partial\""));
  CHECK(mentions(error_of("[scope]\nkind = \"leaf\"\ntopics = [\"a\"]\n"), "only with"));
  CHECK(mentions(error_of("[scope]\nkind = \"some\"\n"), "none of full partial leaf"));
  CHECK(mentions(error_of("[scope]\ntopics = [\"_ebb\"]\n"), "\"_ebb\" is no topic"));
  CHECK(mentions(error_of("[scope]\ndevices = [\"till\"]\n"), "\"till\" is no device id"));
  CHECK(mentions(error_of("[scope]\nrelay = true\n"), "must be a text, \"auto\" or \"no\""));
  CHECK(mentions(error_of("[node]\nbeacon = false\n"), "must be a text, \"auto\" or \"no\""));
  CHECK(mentions(error_of("[scope]\nkinds = \"leaf\"\n"), "did you mean scope.kind?"));
}

TEST_CASE("the local network is told of the node unless the configuration says no") {
  CHECK(load_config(ConfigFile("").path(), {})->beacon);
  const auto off = load_config(ConfigFile("[node]\nbeacon = \"no\"\n").path(), {});
  REQUIRE(off.ok());
  CHECK_FALSE(off->beacon);
  CHECK(mentions(error_of("[node]\nbeacon = \"maybe\"\n"), "none of auto no"));
}
