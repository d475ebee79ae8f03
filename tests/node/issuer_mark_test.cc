// An issuer's log has one end, whatever becomes of the store beside its key.
#include "node/issuer_mark.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>

#include "node/clocks.h"
#include "node/files.h"
#include "tests/codec/samples.h"
#include "tests/node/node_thread.h"
#include "tests/temp_dir.h"

namespace {

using namespace ebb;
using namespace ebb::node;
using ebb::tests::counting;
using ebb::tests::make_config;
using ebb::tests::make_home;
using ebb::tests::NodeThread;
using ebb::tests::TempDir;
namespace fs = std::filesystem;

std::future<Result<Bytes>> begin_certify(NodeThread& node, std::uint8_t number) {
  auto promise = std::make_shared<std::promise<Result<Bytes>>>();
  std::future<Result<Bytes>> answer = promise->get_future();
  node.on_loop([promise, number](Node& n) {
    mesh::IssueWanted wanted;
    wanted.device = counting<DeviceId>(number);
    wanted.link_key = counting<trust::LinkKey>(number);
    wanted.label = "card";
    n.certify(wanted, [promise](const Result<Bytes>& record) { promise->set_value(record); });
    return true;
  });
  return answer;
}

// Of a node on its directory, from start to stop.
Result<Bytes> certify_once(const std::string& dir, std::uint8_t number) {
  NodeThread node(load_home(dir).value(), make_config());
  REQUIRE(node.started().ok());
  return begin_certify(node, number).get();
}

struct Device {
  Device() {
    const Home home = make_home(path);
    mesh = home.mesh;
    issuer = home.issuer->device();
    given = home.authority;
  }
  IssuerMark mark() const { return {paths.issuer_mark, mesh, issuer, wall_now()}; }

  TempDir dir;
  std::string path = dir / "a";
  HomePaths paths = home_paths(path);
  MeshId mesh;
  DeviceId issuer;
  std::vector<Bytes> given;
};

}  // namespace

TEST_CASE("a directory is made with the mark of what its issuer has signed") {
  const Device device;
  struct stat info {};
  REQUIRE(::stat(device.paths.issuer_mark.c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0600);
  CHECK_FALSE(device.mark().is_behind({}, device.given));
  CHECK_FALSE(device.mark().is_behind(device.given, {}));
  CHECK(device.mark().is_behind({}, {}));
  // Its certificate and policy: either alone is not all.
  for (const Bytes& record : device.given) {
    const bool of_issuer = IssuerMark::end_of(device.mesh, device.issuer, {record}).seq > 0;
    std::vector<Bytes> rest = device.given;
    std::erase(rest, record);
    CHECK(device.mark().is_behind(rest, {}) == of_issuer);
  }
}

TEST_CASE("a mark that is torn, of another issuer or gone says that the store was set back") {
  const Device device;
  const std::string good = read_file(device.paths.issuer_mark, 1024).value();
  for (std::size_t i = 0; i < good.size(); ++i) {
    CAPTURE(i);
    std::string bad = good;
    bad[i] = bad[i] == 'b' ? 'c' : 'b';
    for (const std::string& text : {bad, good.substr(0, i)}) {
      std::ofstream(device.paths.issuer_mark, std::ios::trunc) << text;
      REQUIRE(device.mark().is_behind(device.given, device.given));
    }
  }
  REQUIRE(IssuerMark::write(device.paths.issuer_mark, counting<DeviceId>(3), {}).ok());
  CHECK(device.mark().is_behind(device.given, {}));
  REQUIRE(::unlink(device.paths.issuer_mark.c_str()) == 0);
  CHECK(device.mark().is_behind(device.given, {}));
  CHECK_FALSE(IssuerMark().is_behind({}, {}));
}

TEST_CASE("what others bring back is no end where the mark is gone, and one beyond it is") {
  const Device device;
  mesh::AuthorityUpdate update;
  update.records = device.given;
  REQUIRE(::unlink(device.paths.issuer_mark.c_str()) == 0);
  IssuerMark lost = device.mark();
  lost.note({1}, update);
  REQUIRE(lost.keep({1}).ok());
  CHECK_FALSE(file_exists(device.paths.issuer_mark));

  REQUIRE(IssuerMark::write(device.paths.issuer_mark, device.issuer, {}).ok());
  IssuerMark early = device.mark();
  early.note({1}, update);
  early.forget({1});
  REQUIRE(early.keep({1}).ok());
  CHECK_FALSE(device.mark().is_behind({}, {}));
  early.note({2}, update);
  REQUIRE(early.keep({2}).ok());
  CHECK(device.mark().is_behind({}, {}));
  CHECK_FALSE(device.mark().is_behind(device.given, {}));
}

TEST_CASE("an issuer whose store is new, older or another one signs nothing") {
  const Device device;
  const std::string backup = device.dir / "backup";
  REQUIRE(certify_once(device.path, 1).ok());
  fs::copy(device.paths.store, backup, fs::copy_options::recursive);
  REQUIRE(certify_once(device.path, 2).ok());
  // As it was left there is nothing wrong.
  const auto last = certify_once(device.path, 3);
  REQUIRE(last.ok());
  const Position end = IssuerMark::end_of(device.mesh, device.issuer, {*last});
  const std::string whole = device.dir / "whole";
  fs::copy(device.paths.store, whole, fs::copy_options::recursive);

  const auto put = [&](const std::string& store) {
    fs::remove_all(device.paths.store);
    if (store.empty()) {
      fs::create_directory(device.paths.store);
    } else {
      fs::copy(store, device.paths.store, fs::copy_options::recursive);
    }
  };
  for (const std::string& store : {std::string(), backup}) {
    CAPTURE(store);
    put(store);
    const auto refused = certify_once(device.path, 4);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code == ErrorCode::kBusy);
  }
  put(whole);
  const auto next = certify_once(device.path, 4);
  REQUIRE(next.ok());
  const auto read = trust::read_authority_record(device.mesh, *next);
  REQUIRE(read.ok());
  CHECK(read->record.seq == end.seq + 1);
  CHECK(read->record.previous == end.chain);
}

TEST_CASE("a run that was stopped between the store and the mark is marked by the next start") {
  const Device device;
  const std::string older = read_file(device.paths.issuer_mark, 1024).value();
  const auto signed_last = certify_once(device.path, 1);
  REQUIRE(signed_last.ok());
  const std::string newer = read_file(device.paths.issuer_mark, 1024).value();
  REQUIRE(newer != older);
  std::ofstream(device.paths.issuer_mark, std::ios::trunc) << older;
  {
    const NodeThread node(load_home(device.path).value(), make_config());
    REQUIRE(node.started().ok());
  }
  CHECK(read_file(device.paths.issuer_mark, 1024).value() == newer);
}

TEST_CASE("a record that cannot be marked is told to nobody until it can") {
  const Device device;
  NodeThread node(load_home(device.path).value(), make_config());
  REQUIRE(node.started().ok());
  const auto first = begin_certify(node, 9).get();
  REQUIRE(first.ok());
  // The mark's place is taken by a directory, so that no file gets there.
  const std::string mark = device.paths.issuer_mark;
  REQUIRE(::rename(mark.c_str(), (device.dir / "mark").c_str()) == 0);
  fs::create_directories(mark + "/full");
  const std::uint64_t before = node.on_loop([](Node& n) { return n.counters().commits; });
  std::future<Result<Bytes>> answer = begin_certify(node, 1);
  REQUIRE(node.wait_until([before](Node& n) { return n.counters().commits > before; }));
  CHECK(answer.wait_for(std::chrono::seconds(0)) == std::future_status::timeout);
  fs::remove_all(mark);
  const auto told = answer.get();
  REQUIRE(told.ok());
  const Position end = IssuerMark::end_of(device.mesh, device.issuer, {*told});
  CHECK(device.mark().is_behind(device.given, {}));
  std::vector<Bytes> all = device.given;
  all.push_back(*first);
  CHECK(device.mark().is_behind(all, {}));
  all.push_back(*told);
  CHECK(end.seq > 0);
  CHECK_FALSE(device.mark().is_behind(all, {}));
}
