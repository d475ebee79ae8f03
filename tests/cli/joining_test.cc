// Commands by which devices become those of a mesh.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "cli/files.h"
#include "cli/passphrase.h"
#include "cli/qr_code.h"
#include "tests/cli/command_run.h"
#include "tests/temp_dir.h"

#include <nlohmann/json.hpp>

using ebb::Error;
using ebb::ErrorCode;
using ebb::Result;
using ebb::cli::draw_qr;
using ebb::cli::InitAnswer;
using ebb::cli::InitWanted;
using ebb::cli::JoinAnswer;
using ebb::tests::CommandRun;
using ebb::tests::TempDir;

namespace {

constexpr const char* kMade =
    R"({"invite":"ebb1-abc","id":"0011","expires_ms":1700000000000,"uses":2,"addresses":[]})";

std::size_t letters(const std::string& line) {
  std::size_t count = 0;
  for (const char c : line)
    count += (static_cast<unsigned char>(c) & 0xc0U) != 0x80 ? 1U : 0U;
  return count;
}

}  // namespace

TEST_CASE("invite asks for so long and so many, and prints the line alone") {
  CommandRun ebb;
  ebb.serve().on("POST /v1/invites", kMade);
  CHECK(ebb.run({"invite", "--ttl", "30m", "--uses", "2"}) == 0);
  CHECK(ebb.out == "ebb1-abc\n");
  CHECK(ebb.err_has("good for 2 devices until "));
  CHECK(ebb.api->requests().at(0).body == R"({"ttl_ms":1800000,"uses":2})");
  CHECK(ebb.run({"invite"}) == 0);
  CHECK(ebb.api->requests().at(1).body == R"({"ttl_ms":3600000,"uses":1})");
  CHECK(ebb.run({"invite", "--json"}) == 0);
  CHECK(ebb.out == std::string(kMade) + "\n");
  for (const std::string bad : {"", "1", "h", "0h", "-1h", "1w", "1.5h", "9999999d"}) {
    CAPTURE(bad);
    CHECK(ebb.run({"invite", "--ttl", bad}) == 2);
  }
  CHECK(ebb.run({"invite", "--uses", "0"}) == 2);
  // What no node takes is not asked for.
  const std::size_t asked = ebb.api->requests().size();
  CHECK(ebb.run({"invite", "--ttl", "31d"}) == 2);
  CHECK(ebb.err_has("--ttl goes up to 30d"));
  CHECK(ebb.run({"invite", "--uses", "10001"}) == 2);
  CHECK(ebb.err_has("--uses goes up to 10000"));
  CHECK(ebb.api->requests().size() == asked);
  CHECK(ebb.run({"invite", "--ttl", "30d", "--uses", "10000"}) == 0);
}

TEST_CASE("invite says which one it is and how to end it") {
  CommandRun ebb;
  ebb.serve().on("POST /v1/invites", R"({"invite":"ebb1-abc","id":"0011223344556677"})");
  CHECK(ebb.run({"invite"}) == 0);
  CHECK(ebb.err_has("`ebb invite rm 00112233 --dir "));
}

TEST_CASE("the list of invites says who used them, in the width of a terminal") {
  CommandRun ebb;
  ebb.serve().on("GET /v1/invites",
                 R"({"invites":[{"id":"0011223344556677","state":"open","uses":10000,)"
                 R"("uses_left":9996,"expires_ms":1700000000000,"devices":["abcdefgh-ijklmnop",)"
                 R"("bbbbbbbb-ijklmnop","cccccccc-i","dddddddd-i"]},{"id":"8899223344556677",)"
                 R"("state":"ended","uses":1,"uses_left":1,"expires_ms":1700000000000,)"
                 R"("devices":[]}]})");
  CHECK(ebb.run({"invite", "ls"}) == 0);
  CHECK(ebb.out_has(
      "00112233  open   2023-11-14 22:13Z  4 of 10000  as usual   abcdefgh, bbbbbbbb +2\n"));
  CHECK(ebb.out_has("88992233  ended  2023-11-14 22:13Z  0 of 1      as usual   -\n"));
  for (std::size_t at = 0; at < ebb.out.size(); at = ebb.out.find('\n', at) + 1)
    CHECK(ebb.out.find('\n', at) - at <= 80);
}

TEST_CASE("a list of names may have comments, and no name that is no label") {
  CommandRun ebb;
  ebb.serve();
  std::vector<std::string> made;
  ebb.local.device_file = [&](const std::string&, const std::string& label,
                              const auto&) -> Result<std::string> {
    made.push_back(label);
    return std::string("secret");
  };
  const std::string names = (ebb.temp / "names").string();
  const std::string folder = (ebb.temp / "cards").string();
  std::ofstream(names) << "# of the first floor\ntill-1\nbad\tname\n";
  CHECK(ebb.run({"cert", "issue", names, folder}) == 2);
  CHECK(ebb.err_has("cannot be a name"));
  std::ofstream(names) << "till-1\nbad\xff\n";
  CHECK(ebb.run({"cert", "issue", names, folder}) == 2);
  CHECK(made.empty());
  std::ofstream(names) << "# of the first floor\ntill-1\n  \n#till-2\n";
  CHECK(ebb.run({"cert", "issue", names, folder}) == 0);
  CHECK(made == std::vector<std::string>{"till-1"});
  CHECK(ebb.err_has("ebb up --peer HOST:PORT"));
}

TEST_CASE("what a certificate is to say is asked for as it was given, and no more") {
  CommandRun ebb;
  ebb.serve().on("POST /v1/invites", kMade);
  CHECK(ebb.run({"invite", "--roles", "reader,writer", "--prefix", "pump.", "--prefix", "door",
                 "--days", "30"}) == 0);
  CHECK(nlohmann::json::parse(ebb.api->requests().at(0).body) ==
        nlohmann::json({{"ttl_ms", 3600000},
                        {"uses", 1},
                        {"roles", {"reader", "writer"}},
                        {"prefixes", {"pump.", "door"}},
                        {"days", 30}}));
  CHECK(ebb.run({"invite", "--prefix", "*", "--roles", "reader,"}) == 0);
  const auto second = nlohmann::json::parse(ebb.api->requests().at(1).body);
  CHECK(second["prefixes"] == nlohmann::json({""}));
  CHECK(second["roles"] == nlohmann::json({"reader", ""}));  // the node says what is wrong
  for (const std::string bad : {"0", "401", "x", "-1", ""}) {
    CAPTURE(bad);
    CHECK(ebb.run({"invite", "--days", bad}) == 2);
  }
  CHECK(ebb.run({"invite", "--roles", "\xff"}) == 2);
  CHECK(ebb.run({"invite", "--roles", ""}) == 2);
}

TEST_CASE("a known device is certified anew by a beginning of its id") {
  CommandRun ebb;
  ebb.serve().on("GET /v1/heads", R"({"heads":[{"device":"abcdefgh-ijklmnop"}]})");
  ebb.api->on("GET /v1/peers", R"({"peers":[]})");
  ebb.api->on("POST /v1/certificates", R"({"record":"aa"})");
  CHECK(ebb.run({"cert", "change", "abcd"}) == 2);
  CHECK(ebb.err_has("nothing is to be changed"));
  CHECK(ebb.run({"cert", "change", "abcd", "--roles", "reader"}) == 0);
  CHECK(ebb.err_has("certified anew"));
  CHECK(nlohmann::json::parse(ebb.api->requests().back().body) ==
        nlohmann::json({{"device", "abcdefgh-ijklmnop"}, {"roles", {"reader"}}}));
  CHECK(ebb.run({"cert", "change", "zz", "--roles", "reader"}) == 1);
}

TEST_CASE("a QR code is drawn on a terminal that is wide enough, or when it is asked for") {
  CommandRun ebb;
  ebb.serve().on("POST /v1/invites", kMade);
  ebb.on_terminal = true;
  CHECK(ebb.run({"invite"}) == 0);
  CHECK(ebb.out_has("\x1b[48;5;231m"));
  CHECK(ebb.run({"invite", "--no-qr"}) == 0);
  CHECK(ebb.out == "ebb1-abc\n");
  ebb.on_terminal = false;
  CHECK(ebb.run({"invite"}) == 0);
  CHECK(ebb.out == "ebb1-abc\n");
  CHECK(ebb.run({"invite", "--qr"}) == 0);
  CHECK(ebb.out_has("████"));
  CHECK(ebb.run({"invite", "--qr", "--no-qr"}) == 2);
}

TEST_CASE("a QR code has its quiet zone on all sides, in colours and without") {
  for (const bool colours : {false, true}) {
    const auto drawing = draw_qr("EBB1-ABCDEFG", colours);
    REQUIRE(drawing);
    CHECK(drawing->columns == 21 + 8);
    const std::string_view light = colours ? " " : "█";
    std::string begin;
    for (int i = 0; i < 4; ++i)
      begin.append(light);
    std::size_t lines = 0;
    const std::string& text = drawing->text.text;
    for (std::size_t at = 0; at < text.size(); ++lines) {
      const std::size_t end = text.find('\n', at);
      std::string line = text.substr(at, end - at);
      at = end + 1;
      if (colours) {
        const std::size_t ink = line.find("231m") + 4;
        line = line.substr(ink, line.rfind('\x1b') - ink);
      }
      CHECK(letters(line) == drawing->columns);
      CHECK(line.starts_with(begin));
      CHECK(line.ends_with(begin));
    }
    CHECK(lines == (drawing->columns + 1) / 2);
  }
  CHECK_FALSE(draw_qr(std::string(5000, 'A'), false).has_value());
}

TEST_CASE("join hands on the line in one piece, however it was given") {
  CommandRun ebb;
  std::string seen_line, seen_name;
  ebb.local.join = [&](const std::string&, const std::string& name, const std::string& line,
                       const auto& progress) -> Result<JoinAnswer> {
    seen_line = line;
    seen_name = name;
    progress("dialling 192.0.2.7:7401");
    return JoinAnswer{"abcdefgh-ijklmnop", "qrstuvwx-yz", "192.0.2.7:7401", ebb::milliseconds(3)};
  };
  CHECK(ebb.run({"join", "ebb1-ab", "cd", "--name", "till"}) == 0);
  CHECK(seen_line == "ebb1-abcd");
  CHECK(seen_name == "till");
  CHECK(ebb.out == "abcdefgh-ijklmnop\n");
  CHECK(ebb.err_has("dialling 192.0.2.7:7401\n"));
  CHECK(ebb.err_has("reached qrstuvwx at 192.0.2.7:7401 in "));
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  REQUIRE(write(ends[1], "ebb1-xyz\n", 9) == 9);
  close(ends[1]);
  ebb.input_fd = ends[0];
  CHECK(ebb.run({"join", "-"}) == 0);
  close(ends[0]);
  CHECK(seen_line == "ebb1-xyz\n");
  ebb.local.join = [](const auto&, const auto&, const auto&, const auto&) -> Result<JoinAnswer> {
    return Error{ErrorCode::kExists, "join", "the invite was used already"};
  };
  CHECK(ebb.run({"join", "ebb1-ab"}) == 1);
  CHECK(ebb.err == "ebb: the invite was used already\n");
}

TEST_CASE("an invite is ended by a beginning of its id that fits one alone") {
  CommandRun ebb;
  ebb.serve().on("GET /v1/invites", R"({"invites":[{"id":"aa11"},{"id":"aa22"}]})");
  ebb.api->on("DELETE /v1/invites/aa22", R"({"id":"aa22"})");
  CHECK(ebb.run({"invite", "rm", "aa2"}) == 0);
  CHECK(ebb.run({"invite", "rm", "aa"}) == 1);
  CHECK(ebb.err_has("2 invites begin with aa"));
  CHECK(ebb.run({"invite", "rm", "b"}) == 1);
}

TEST_CASE("a root's key gets another passphrase with the one that it has") {
  CommandRun ebb;
  bool sealed = true;
  std::vector<std::string> seen;
  ebb.local.root_is_sealed = [&](const std::string&) -> Result<bool> { return sealed; };
  ebb.local.export_root = [&](const std::string&, const std::string&, std::string_view passphrase,
                              std::string_view current) -> ebb::Status {
    seen = {std::string(passphrase), std::string(current)};
    return {};
  };
  const std::string as_is = (ebb.temp / "as-is").string(), wanted = (ebb.temp / "new").string();
  std::ofstream(as_is) << "one\n";
  std::ofstream(wanted) << "two\n";
  REQUIRE(chmod(as_is.c_str(), 0600) == 0);
  REQUIRE(chmod(wanted.c_str(), 0600) == 0);
  const auto move = [&] { return ebb.run({"mesh", "export-root", "f", "--passphrase"}); };
  CHECK(move() == 1);
  CHECK(ebb.err_has("under a passphrase already"));
  ebb.variables["EBB_PASSPHRASE_FILE"] = as_is;
  CHECK(move() == 1);
  CHECK(ebb.err_has("EBB_NEW_PASSPHRASE_FILE"));
  CHECK(seen.empty());
  ebb.variables["EBB_NEW_PASSPHRASE_FILE"] = wanted;
  CHECK(move() == 0);
  CHECK(seen == std::vector<std::string>{"two", "one"});
  // It keeps the one it has, where no other is wanted.
  CHECK(ebb.run({"mesh", "export-root", "f"}) == 0);
  CHECK(seen == std::vector<std::string>{"", ""});
  // One that has none gets the new one; the only one there is, where no other is named.
  sealed = false;
  CHECK(move() == 0);
  CHECK(seen == std::vector<std::string>{"two", ""});
  ebb.variables.erase("EBB_NEW_PASSPHRASE_FILE");
  CHECK(move() == 0);
  CHECK(seen == std::vector<std::string>{"one", ""});
  ebb.variables = {{"EBB_NEW_PASSPHRASE_FILE", wanted}, {"HOME", ebb.temp.path().string()}};
  CHECK(move() == 0);
  CHECK(seen == std::vector<std::string>{"two", ""});
  // What is named and cannot be read is not passed over.
  REQUIRE(chmod(wanted.c_str(), 0640) == 0);
  ebb.variables["EBB_PASSPHRASE_FILE"] = as_is;
  seen.clear();
  CHECK(move() == 1);
  CHECK(ebb.err_has("EBB_NEW_PASSPHRASE_FILE names it"));
  CHECK(seen.empty());
}

TEST_CASE("a passphrase comes from its file, and two that differ make nothing") {
  CommandRun ebb;
  std::string seen;
  ebb.local.init = [&](const std::string&, const InitWanted& wanted) -> Result<InitAnswer> {
    seen = wanted.passphrase;
    return InitAnswer{"abcdefgh"};
  };
  CHECK(ebb.run({"init", "--passphrase"}) == 1);  // there is nobody to ask
  CHECK(ebb.err_has("EBB_PASSPHRASE_FILE"));
  CHECK(seen.empty());
  const std::string path = (ebb.temp / "secret").string();
  ebb.variables["EBB_PASSPHRASE_FILE"] = path;
  CHECK(ebb.run({"init", "--passphrase"}) == 1);
  std::ofstream(path) << "correct horse\r\nmore\n";
  REQUIRE(chmod(path.c_str(), 0600) == 0);
  CHECK(ebb.run({"init", "--passphrase"}) == 0);
  CHECK(seen == "correct horse");
  const std::string wanted = (ebb.temp / "new").string();
  std::ofstream(wanted) << "battery staple\n";
  REQUIRE(chmod(wanted.c_str(), 0600) == 0);
  ebb.variables["EBB_NEW_PASSPHRASE_FILE"] = wanted;
  CHECK(ebb.run({"init", "--passphrase"}) == 0);
  CHECK(seen == "battery staple");
  ebb.variables.erase("EBB_NEW_PASSPHRASE_FILE");
  std::ofstream(path, std::ios::trunc) << "\n";
  CHECK(ebb.run({"init", "--passphrase"}) == 1);
  CHECK(ebb.err_has("the passphrase is empty"));
  std::ofstream(path, std::ios::trunc) << std::string(1025, 'x');
  CHECK(ebb.run({"init", "--passphrase"}) == 1);
  CHECK(ebb.err_has("longer than 1,024"));
}

TEST_CASE("a passphrase is taken of no file that others can read, and of a pipe") {
  CommandRun ebb;
  std::string seen;
  ebb.local.init = [&](const std::string&, const InitWanted& wanted) -> Result<InitAnswer> {
    seen = wanted.passphrase;
    return InitAnswer{"abcdefgh"};
  };
  const std::string path = (ebb.temp / "secret").string();
  std::ofstream(path) << "correct horse\n";
  ebb.variables["EBB_PASSPHRASE_FILE"] = path;
  for (const mode_t mode : {0640U, 0604U, 0620U, 0601U}) {
    CAPTURE(mode);
    REQUIRE(chmod(path.c_str(), mode) == 0);
    CHECK(ebb.run({"init", "--passphrase"}) == 1);
    CHECK(ebb.err_has("secret is open to others (mode 0"));
    CHECK(ebb.err_has("run `chmod 600 " + path + "`"));
    CHECK(seen.empty());
  }
  REQUIRE(chmod(path.c_str(), 0400) == 0);
  CHECK(ebb.run({"init", "--passphrase"}) == 0);
  CHECK(seen == "correct horse");
  if (geteuid() == 0) {
    REQUIRE(chown(path.c_str(), 65534, static_cast<gid_t>(-1)) == 0);
    CHECK(ebb.run({"init", "--passphrase"}) == 1);
    CHECK(ebb.err_has("belongs to another user"));
    CHECK(ebb.err_has("run `chown 0 " + path + "`"));
  }
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  REQUIRE(write(ends[1], "through a pipe\n", 15) == 15);
  close(ends[1]);
  ebb.variables["EBB_PASSPHRASE_FILE"] = "/dev/fd/" + std::to_string(ends[0]);
  CHECK(ebb.run({"init", "--passphrase"}) == 0);
  close(ends[0]);
  CHECK(seen == "through a pipe");
}

TEST_CASE("where there are no hard links a secret replaces nothing, and is whole") {
  const TempDir dir;
  const std::string draft = dir / "draft";
  const std::string path = dir / "till-1.ebb";
  std::ofstream(draft) << "new";
  std::ofstream(path) << "old";
  CHECK(ebb::cli::place_without_links(draft, path) == EEXIST);
  CHECK(ebb::cli::read_file(path, 10, "").value() == "old");
  CHECK(std::filesystem::exists(draft));
  REQUIRE(std::filesystem::remove(path));
  CHECK(ebb::cli::place_without_links(draft, path) == 0);
  CHECK(ebb::cli::read_file(path, 10, "").value() == "new");
  CHECK_FALSE(std::filesystem::exists(draft));
  // What was in the way is not left behind as an empty file.
  CHECK(ebb::cli::place_without_links(draft, dir / "till-2.ebb") == ENOENT);
  CHECK_FALSE(std::filesystem::exists(dir / "till-2.ebb"));
}
