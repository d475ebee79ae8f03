// A node with its local API, on a directory and a thread of their own.
//
// Threads: construct, call and destroy on the test's thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "http/server.h"
#include "tests/http/client.h"
#include "tests/node/node_thread.h"
#include "tests/temp_dir.h"

namespace ebb::tests {

class Api {
 public:
  // `built`: when its program claims to have been built.
  explicit Api(http::ServerOptions options = {}, WallTime built = {});
  // Of a node in the mesh of another one that dials it.
  Api(const Api& other, http::ServerOptions options);
  ~Api();
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  const std::string& socket() const { return socket_; }
  std::string dir() const { return (dir_ / "node").string(); }
  NodeThread& node() { return *node_; }
  // Each on a connection of its own.
  HttpAnswer get(std::string_view target) { return HttpClient(socket_).get(target); }
  HttpAnswer post(std::string_view target, std::string_view body,
                  std::string_view content_type = "application/json") {
    return HttpClient(socket_).post(target, body, content_type);
  }
  // How many events the node holds.
  std::uint64_t events();
  // The lines of GET /v1/events with this query.
  std::vector<nlohmann::json> read(const std::string& query = "");
  // Asks again and again until `holds` is true of the answer; fails the test after 20 s.
  void wait_for(std::string_view target, const std::function<bool(const HttpAnswer&)>& holds);

 private:
  void start(const std::string& mesh_of, std::vector<std::string> peers,
             http::ServerOptions options, WallTime built = {});

  TempDir dir_;
  std::string socket_;
  std::unique_ptr<NodeThread> node_;
  std::unique_ptr<http::Server> server_;  // used on the loop only
};

}  // namespace ebb::tests
