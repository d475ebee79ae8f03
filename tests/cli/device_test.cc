// Commands on the data directory.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "core/limits.h"
#include "tests/cli/command_run.h"

using ebb::Error;
using ebb::ErrorCode;
using ebb::Result;
using ebb::cli::ConfigLine;
using ebb::cli::InitAnswer;
using ebb::cli::InitWanted;
using ebb::cli::Overrides;
using ebb::cli::VerifyAnswer;
using ebb::tests::CommandRun;

namespace {

void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path) << text;
}

std::string file_text(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("init prints the device and hands on label and mesh") {
  CommandRun ebb;
  std::optional<std::string> seen_mesh;
  std::string seen_name;
  ebb.local.init = [&](const std::string&, const InitWanted& wanted) -> Result<InitAnswer> {
    seen_name = wanted.name;
    seen_mesh = wanted.mesh_text;
    InitAnswer answer{"abcdefgh-ijklmnop"};
    if (!wanted.mesh_text) answer.begins = {1700000000000};
    return answer;
  };
  CHECK(ebb.run({"init"}) == 0);
  CHECK(ebb.out == "abcdefgh-ijklmnop\n");
  CHECK(ebb.err_has("a mesh begins at 2023-11-14 22:13:20.000Z"));
  CHECK(ebb.err_has("start its node with `ebb up --dir " + ebb.temp.path().string() + "`\n"));
  CHECK(seen_name.empty());
  CHECK_FALSE(seen_mesh.has_value());
  write_file(ebb.temp / "m", "mesh text\n");
  CHECK(ebb.run({"init", "--name=till", "--mesh", (ebb.temp / "m").string(), "--json"}) == 0);
  CHECK(seen_name == "till");
  CHECK(seen_mesh == "mesh text\n");
  CHECK(ebb.out == "{\"device\":\"abcdefgh-ijklmnop\"}\n");
  CHECK_FALSE(ebb.err_has("a mesh begins"));
  CHECK(ebb.run({"init", "--json"}) == 0);
  CHECK(ebb.out == "{\"begins_ms\":1700000000000,\"device\":\"abcdefgh-ijklmnop\"}\n");
}

TEST_CASE("init refuses a mesh file that is not there or no mesh file at all") {
  CommandRun ebb;
  ebb.local.init = [](const std::string&, const InitWanted&) -> Result<InitAnswer> {
    return InitAnswer{"never"};
  };
  CHECK(ebb.run({"init", "--mesh", (ebb.temp / "none").string()}) == 1);
  CHECK(ebb.err_has("none: No such file"));
  write_file(ebb.temp / "big", std::string(ebb::limits::kMeshFileBytes + 1, 'x'));
  CHECK(ebb.run({"init", "--mesh", (ebb.temp / "big").string()}) == 1);
  CHECK(ebb.err_has("larger than"));
  CHECK(ebb.out.empty());
  write_file(ebb.temp / "other", "[node]\n");
  ebb.local.init = [](const std::string&, const InitWanted&) -> Result<InitAnswer> {
    return Error{ErrorCode::kMalformed, "mesh file: first line is not ebb-mesh-2"};
  };
  CHECK(ebb.run({"init", "--mesh", (ebb.temp / "other").string()}) == 1);
  CHECK(ebb.err ==
        "ebb: mesh file: first line is not ebb-mesh-2\n"
        "  next: name the file that `ebb mesh export` wrote\n");
}

TEST_CASE("failures on the directory say what to do next") {
  CommandRun ebb;
  ebb.local.init = [&](const std::string&, const InitWanted&) -> Result<InitAnswer> {
    return Error{ErrorCode::kExists, "device", "keys/identity.key\x1b[1m"};
  };
  CHECK(ebb.run({"init"}) == 1);
  CHECK(ebb.err == "ebb: keys/identity.key\\u001b[1m\n");  // it says itself what to do
  for (const std::string_view context : {"create directory", "open file"}) {
    for (const ErrorCode bad : {ErrorCode::kNotFound, ErrorCode::kPermission, ErrorCode::kIo}) {
      ebb.local.init = [&](const std::string&, const InitWanted&) -> Result<InitAnswer> {
        return Error{bad, context, "/proc/x: No such file or directory"};
      };
      CHECK(ebb.run({"init"}) == 1);
      CHECK(ebb.err_has("ebb: " + std::string(context) + ": /proc/x: No such file"));
      CHECK(ebb.err_has("next: see that you may write to "));
      CHECK_FALSE(ebb.err_has("ebb init"));
    }
  }
}

TEST_CASE("a key that is gone is not taken for a device that was never made") {
  CommandRun ebb;
  ebb.local.device = [](const std::string&) -> Result<std::string> {
    return Error{ErrorCode::kNotFound, "key file", "keys/mesh.secret is missing: put it back"};
  };
  for (const std::string command : {"up", "status"}) {
    CAPTURE(command);
    CHECK(ebb.run({command}) != 0);
    CHECK(ebb.err_has("keys/mesh.secret is missing: put it back\n"));
    CHECK_FALSE(ebb.err_has("ebb init"));
    CHECK_FALSE(ebb.err_has("not_found"));
  }
}

TEST_CASE("mesh export says what its file is good for under the policy of the mesh") {
  CommandRun ebb;
  ebb.local.export_mesh = [](const std::string&) { return Result<std::string>("secret"); };
  const auto write = [&] {
    return ebb.run({"mesh", "export", (ebb.temp / "fleet.mesh").string(), "--force"});
  };
  CHECK(write() == 0);
  CHECK(ebb.err_has("alone lets nobody in"));
  for (const std::string way :
       {"`ebb mesh admit secret", "`ebb invite", "`ebb cert issue", "ebb up --peer HOST:PORT"}) {
    CHECK(ebb.err_has(way));
  }
  ebb.local.admit = [](const std::string&) { return Result<std::string>("secret"); };
  CHECK(write() == 0);
  CHECK(ebb.err_has("whoever has it is let in"));
  CHECK_FALSE(ebb.err_has("lets nobody in"));
  // The node that runs knows better.
  ebb.serve().on("GET /v1/status", R"({"membership":{"admit":"invite"}})");
  CHECK(write() == 0);
  CHECK(ebb.err_has("alone lets nobody in"));
}

TEST_CASE("mesh export writes a file of its owner's and replaces none unasked") {
  CommandRun ebb;
  std::string text = "secret one\n";
  ebb.local.export_mesh = [&](const std::string&) -> Result<std::string> { return text; };
  const auto file = ebb.temp / "fleet.mesh";
  CHECK(ebb.run({"mesh", "export", file.string()}) == 0);
  CHECK(file_text(file) == "secret one\n");
  struct stat info {};
  REQUIRE(stat(file.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);

  text = "secret two\n";
  CHECK(ebb.run({"mesh", "export", file.string()}) == 1);
  CHECK(ebb.err_has("--force"));
  CHECK(file_text(file) == "secret one\n");
  chmod(file.c_str(), 0644);
  CHECK(ebb.run({"mesh", "export", "--force", file.string()}) == 0);
  CHECK(file_text(file) == "secret two\n");
  REQUIRE(stat(file.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  CHECK(ebb.run({"mesh", "export", (ebb.temp / "no" / "f").string()}) == 1);

  // No draft is left behind.
  const auto entries = std::filesystem::directory_iterator(ebb.temp.path());
  CHECK(std::distance(begin(entries), end(entries)) == 1);
}

TEST_CASE("config shows values, origins when asked, and checks") {
  CommandRun ebb;
  Overrides seen;
  ebb.local.config = [&](const std::string&,
                         const Overrides& overrides) -> Result<std::vector<ConfigLine>> {
    seen = overrides;
    return std::vector<ConfigLine>{{"node.listen", "127.0.0.1:7401", "file"}};
  };
  CHECK(ebb.run({"config", "show"}) == 0);
  CHECK(ebb.out_has("node.listen  127.0.0.1:7401\n"));
  CHECK_FALSE(ebb.out_has("file"));
  CHECK(ebb.run({"config", "show", "--origin", "--listen=127.0.0.1:9"}) == 0);
  CHECK(ebb.out_has("127.0.0.1:7401  file\n"));
  CHECK(seen.at("node.listen").second == "flag --listen");
  CHECK(ebb.run({"config", "show", "--json"}) == 0);
  CHECK(ebb.out == R"([{"key":"node.listen","origin":"file","value":"127.0.0.1:7401"}])"
                   "\n");
  CHECK(ebb.run({"config", "show", "--peer", ""}) == 2);
}

TEST_CASE("a flag that cannot be used is wrong usage for config as for up") {
  CommandRun ebb;
  ebb.local.device = [](const std::string&) -> Result<std::string> { return std::string("d"); };
  ebb.local.config = [](const std::string&, const Overrides&) -> Result<std::vector<ConfigLine>> {
    return Error{ErrorCode::kInvalidArgument, "config", "flag --listen: no port"};
  };
  CHECK(ebb.run({"config", "show", "--listen=nonsense"}) == 2);
  CHECK(ebb.run({"config", "check", "--listen=nonsense"}) == 2);
  CHECK(ebb.err_has("flag --listen: no port"));
  ebb.local.config = [](const std::string&, const Overrides&) -> Result<std::vector<ConfigLine>> {
    return Error{ErrorCode::kInvalidArgument, "config", "ebb.toml line 3: no port"};
  };
  CHECK(ebb.run({"config", "show"}) == 1);
  CHECK(ebb.run({"config", "check"}) == 1);
}

TEST_CASE("config check refuses what a start would refuse, and names no file that is not there") {
  CommandRun ebb;
  Result<std::vector<ConfigLine>> lines = std::vector<ConfigLine>{{"node.name", "", "default"}};
  ebb.local.config = [&](const std::string&, const Overrides&) { return lines; };
  CHECK(ebb.run({"config", "check"}) == 0);
  CHECK(ebb.out == "ok: no file " + (ebb.temp / "ebb.toml").string() + ": defaults\n");
  write_file(ebb.temp / "ebb.toml", "[node]\n");
  CHECK(ebb.run({"config", "check"}) == 0);
  CHECK(ebb.out == "ok: 1 setting in " + (ebb.temp / "ebb.toml").string() + "\n");
  CHECK(ebb.run({"config", "check", "--json"}) == 0);
  CHECK(ebb.out == "{\"has_file\":true,\"ok\":true,\"settings\":1}\n");
  lines = Error{ErrorCode::kInvalidArgument, "config", "nodee: did you mean node?"};
  CHECK(ebb.run({"config", "check"}) == 1);
  CHECK(ebb.err == "ebb: nodee: did you mean node?\n");
  ebb.has_device = false;
  CHECK(ebb.run({"config", "check"}) == 1);
  CHECK(ebb.err_has("no device here"));
  CHECK(ebb.out.empty());
}

TEST_CASE("verify lists problems and tells a state that differs") {
  CommandRun ebb;
  VerifyAnswer answer{.logs = 2, .segments = 3, .events = 40, .records = 1};
  bool seen_state = false;
  ebb.local.verify = [&](const std::string&, bool with_state,
                         const auto& progress) -> Result<VerifyAnswer> {
    seen_state = with_state;
    progress(1, 2);
    return answer;
  };
  CHECK(ebb.run({"verify"}) == 0);
  CHECK(ebb.out == "ok: 40 events in 2 logs (+1 record), 3 segments\n");
  CHECK(ebb.err.empty());
  CHECK_FALSE(seen_state);

  answer.problems = {"log x: chain\n broken"};
  CHECK(ebb.run({"verify"}) == 1);
  CHECK(ebb.out_has("problem: log x: chain\\n broken\n"));
  CHECK(ebb.err_has("1 problem in"));

  answer.problems.clear();
  answer.state_digest = "aa";
  answer.stored_digest = "bb";
  CHECK(ebb.run({"verify", "--state"}) == 1);
  CHECK(seen_state);
  CHECK(ebb.err_has("not what the events give"));
  CHECK(ebb.run({"verify", "--state", "--json"}) == 1);
  CHECK(ebb.out_has("\"ok\":false"));
  answer.stored_digest = "aa";
  CHECK(ebb.run({"verify", "--state"}) == 0);
  CHECK(ebb.out_has("state digest   aa\n"));
}

TEST_CASE("verify shows progress on a terminal") {
  CommandRun ebb;
  ebb.on_terminal = true;
  ebb.local.verify = [](const std::string&, bool, const auto& progress) -> Result<VerifyAnswer> {
    progress(1, 2);
    return VerifyAnswer{};
  };
  CHECK(ebb.run({"verify"}) == 0);
  CHECK(ebb.err_has("50 %"));
  CHECK(ebb.run({"-q", "verify"}) == 0);
  CHECK(ebb.err.empty());
}
