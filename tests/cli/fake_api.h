// FakeApi: answers HTTP on a Unix socket with what a test prepared, and remembers what was asked.
// Not the local API: it knows no event and no view.
//
// Model:   one connection at a time, one request a connection. The answers of a request (method
//          and path) are given in order, the last one again and again.
// Threads: serves on a thread of its own; call its functions on the thread of the test.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace ebb::tests {

struct FakeRequest {
  std::string method, target, head, body;
};

struct FakeAnswer {
  int status = 200;
  std::string body = {};
  std::string headers = {};       // further ones, each with "\r\n"
  bool before_body_ends = false;  // answers at the first byte of the request's body
  bool cut_short = false;         // announces more than it sends
  bool never = false;             // says nothing until the client goes away
  bool stops_listening = false;   // removes the socket after the answer
};

class FakeApi {
 public:
  explicit FakeApi(std::string socket_path);
  ~FakeApi();
  FakeApi(const FakeApi&) = delete;
  FakeApi& operator=(const FakeApi&) = delete;

  // `request` is like "GET /v1/status".
  void on(const std::string& request, FakeAnswer answer);
  void on(const std::string& request, const std::string& body);
  std::vector<FakeRequest> requests() const;

 private:
  void serve();
  void serve_one(int connection);
  bool read_request(int connection, FakeRequest& request, FakeAnswer& answer);
  bool read_some(int connection, std::string& text) const;
  FakeAnswer next_answer(const FakeRequest& request);
  void wait_for_end(int connection) const;

  std::string socket_path_;
  int listening_ = -1;
  int stop_ = -1;  // readable once the test is over
  mutable std::mutex mutex_;
  std::map<std::string, std::deque<FakeAnswer>> answers_;
  std::vector<FakeRequest> requests_;
  std::thread thread_;
};

}  // namespace ebb::tests
