// A small blocking HTTP/1.1 client on a Unix socket, for tests that also want to send what no
// proper client sends.
//
// Model:   one connection; a read that takes longer than 20 s fails the test.
// Threads: not thread-safe; call on the test's thread.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace ebb::tests {

struct HttpAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;

  nlohmann::json json() const { return nlohmann::json::parse(body); }
  // The code of an error.
  std::string code() const { return json().at("error").at("code"); }
  std::string field() const { return json().at("error").value("field", ""); }
};

class HttpClient {
 public:
  explicit HttpClient(const std::string& socket_path);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  HttpAnswer get(std::string_view target, std::string_view more_headers = "");
  HttpAnswer post(std::string_view target, std::string_view body,
                  std::string_view content_type = "application/json");

  void send(std::string_view bytes);
  // Request line and headers of a body of `bytes`; nullopt: a chunked one.
  void send_head(std::string_view method, std::string_view target, std::string_view content_type,
                 std::optional<std::size_t> bytes, std::string_view more_headers = "");
  void send_chunk(std::string_view bytes);  // an empty one ends the body
  HttpAnswer read_answer(bool has_body = true);
  // The status line and the headers; the body is then read with read_until().
  HttpAnswer read_head();
  // All of a streamed body up to and with `end`, chunk marks taken out.
  std::string read_until(std::string_view end);
  // True when a streamed body ends here: its last chunk, then the end of the connection.
  bool stream_ends();
  // All that still comes, as it comes.
  std::string rest();
  // True when the other end has closed and nothing is left.
  bool at_end();

 private:
  bool fill();  // reads more; false at the end
  std::string take_line();
  std::string take_bytes(std::size_t count);

  int fd_ = -1;
  std::string buffer_;
  std::string streamed_;  // of a chunked body, not yet handed out
};

}  // namespace ebb::tests
