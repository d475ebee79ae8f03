#include "http/server.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>

#include "http/listen_socket.h"
#include "tests/http/api.h"

namespace {

using ebb::ErrorCode;
using ebb::http::ListenSocket;
using ebb::tests::Api;
using ebb::tests::HttpClient;
using ebb::tests::TempDir;

TEST_CASE("the socket is its owner's alone and goes with the server") {
  std::string path;
  {
    Api api;
    path = api.socket();
    struct stat info {};
    REQUIRE(stat(path.c_str(), &info) == 0);
    CHECK(S_ISSOCK(info.st_mode));
    CHECK((info.st_mode & 0777) == 0600);
  }
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a socket that somebody answers on is left alone") {
  Api api;
  const auto second = ListenSocket::open(api.socket());
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().code == ErrorCode::kExists);
  CHECK(api.get("/livez").status == 200);
}

TEST_CASE("a socket file that nobody answers on is replaced") {
  TempDir dir;
  const std::string path = (dir / "s").string();
  const std::string kept = (dir / "kept").string();
  {
    const auto first = ListenSocket::open(path);
    REQUIRE(first.ok());
    std::filesystem::create_hard_link(path, kept);
  }
  std::filesystem::rename(kept, path);
  CHECK(ListenSocket::open(path).ok());
}

TEST_CASE("a file that is no socket is never replaced") {
  TempDir dir;
  const std::string path = (dir / "s").string();
  std::ofstream(path) << "mine";
  const auto opened = ListenSocket::open(path);
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.error().code == ErrorCode::kExists);
  CHECK(std::filesystem::file_size(path) == 4);
}

TEST_CASE("a socket may lie deeper than its address can say") {
  TempDir dir;
  const auto deep = dir / std::string(90, 'd') / std::string(90, 'e');
  std::filesystem::create_directories(deep);
  const std::string path = (deep / "ebb.sock").string();
  {
    CHECK(ListenSocket::open(path).ok());
    const auto again = ListenSocket::open(path);
    CHECK(again.ok());
    CHECK(std::filesystem::exists(path));
  }
  CHECK_FALSE(std::filesystem::exists(path));
  const auto nowhere = ListenSocket::open((dir / "no" / "s").string());
  REQUIRE_FALSE(nowhere.ok());
  CHECK(nowhere.error().code == ErrorCode::kIo);
}

TEST_CASE("requests that are no HTTP are ended without harm") {
  Api api;
  for (std::string_view noise : {"\r\n\r\n", "GET\r\n\r\n", "hello\r\n\r\n", "\xff\xfe\r\n\r\n",
                                 "GET /livez HTTP/9.9\r\n\r\n"}) {
    HttpClient client(api.socket());
    client.send(noise);
  }
  {
    HttpClient client(api.socket());
    client.send("GET /" + std::string(300000, 'x'));
    CHECK(client.read_head().status == 414);
  }
  {
    HttpClient client(api.socket());
    client.send(
        "POST /v1/events HTTP/1.1\r\nHost: e\r\nContent-Type: application/x-ndjson\r\n"
        "Transfer-Encoding: chunked\r\n\r\nzz\r\n");
  }
  CHECK(api.get("/livez").status == 200);
  CHECK(api.get("/v1/events?type=" + std::string(70000, 'x')).status == 413);
}

}  // namespace
