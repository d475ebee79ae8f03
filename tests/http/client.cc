#include "tests/http/client.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstring>

namespace ebb::tests {
namespace {

constexpr long kPatienceSeconds = 20;

std::size_t number_of(std::string_view text, int base) {
  std::size_t value = 0;
  REQUIRE(std::from_chars(text.data(), text.data() + text.size(), value, base).ec == std::errc());
  return value;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

}  // namespace

HttpClient::HttpClient(const std::string& socket_path) {
  fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(fd_ >= 0);
  const timeval patience{kPatienceSeconds, 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  REQUIRE(socket_path.size() < sizeof address.sun_path);
  std::memcpy(address.sun_path, socket_path.data(), socket_path.size());
  REQUIRE(connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
}

HttpClient::~HttpClient() {
  if (fd_ >= 0) close(fd_);
}

void HttpClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    REQUIRE(sent > 0);
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void HttpClient::send_head(std::string_view method, std::string_view target,
                           std::string_view content_type, std::optional<std::size_t> bytes,
                           std::string_view more_headers) {
  std::string head(method);
  head.append(" ").append(target).append(" HTTP/1.1\r\nHost: ebb\r\n").append(more_headers);
  if (!content_type.empty()) head.append("Content-Type: ").append(content_type).append("\r\n");
  if (bytes) {
    head.append("Content-Length: ").append(std::to_string(*bytes)).append("\r\n\r\n");
  } else {
    head.append("Transfer-Encoding: chunked\r\n\r\n");
  }
  send(head);
}

void HttpClient::send_chunk(std::string_view bytes) {
  char size[16];
  const auto end = std::to_chars(size, size + sizeof size, bytes.size(), 16).ptr;
  std::string chunk(size, end);
  send(chunk.append("\r\n").append(bytes).append("\r\n"));
}

HttpAnswer HttpClient::get(std::string_view target, std::string_view more_headers) {
  send_head("GET", target, "", 0, more_headers);
  return read_answer();
}

HttpAnswer HttpClient::post(std::string_view target, std::string_view body,
                            std::string_view content_type) {
  send_head("POST", target, content_type, body.size());
  send(body);
  return read_answer();
}

HttpAnswer HttpClient::read_head() {
  HttpAnswer answer;
  do {
    const std::string line = take_line();
    REQUIRE(line.starts_with("HTTP/1.1 "));
    answer.status = static_cast<int>(number_of(std::string_view(line).substr(9, 3), 10));
    for (std::string header = take_line(); !header.empty(); header = take_line()) {
      const std::size_t colon = header.find(": ");
      const std::size_t end = colon == std::string::npos ? header.find(':') : colon;
      REQUIRE(end != std::string::npos);
      answer.headers[lower(header.substr(0, end))] =
          colon == std::string::npos ? "" : header.substr(colon + 2);
    }
  } while (answer.status == 100);
  return answer;
}

HttpAnswer HttpClient::read_answer(bool has_body) {
  HttpAnswer answer = read_head();
  if (!has_body) return answer;
  if (answer.headers.count("transfer-encoding") > 0) {
    while (true) {
      const std::size_t size = number_of(take_line(), 16);
      answer.body += take_bytes(size);
      take_line();
      if (size == 0) return answer;
    }
  }
  answer.body = take_bytes(number_of(answer.headers.at("content-length"), 10));
  return answer;
}

std::string HttpClient::read_until(std::string_view end) {
  while (streamed_.find(end) == std::string::npos) {
    const std::size_t size = number_of(take_line(), 16);
    streamed_ += take_bytes(size);
    take_line();
    INFO("so far: ", streamed_);
    REQUIRE((size > 0 || streamed_.find(end) != std::string::npos));
  }
  const std::size_t behind = streamed_.find(end) + end.size();
  std::string text = streamed_.substr(0, behind);
  streamed_.erase(0, behind);
  return text;
}

bool HttpClient::stream_ends() {
  return streamed_.empty() && take_line() == "0" && take_line().empty() && at_end();
}

bool HttpClient::at_end() { return buffer_.empty() && !fill(); }

std::string HttpClient::rest() {
  while (fill()) {
  }
  return std::exchange(buffer_, {});
}

bool HttpClient::fill() {
  char part[65536];
  const ssize_t got = recv(fd_, part, sizeof part, 0);
  INFO("errno ", errno);
  REQUIRE(got >= 0);
  buffer_.append(part, static_cast<std::size_t>(got));
  return got > 0;
}

std::string HttpClient::take_line() {
  std::size_t end = buffer_.find("\r\n");
  while (end == std::string::npos) {
    REQUIRE(fill());
    end = buffer_.find("\r\n");
  }
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 2);
  return line;
}

std::string HttpClient::take_bytes(std::size_t count) {
  while (buffer_.size() < count)
    REQUIRE(fill());
  std::string bytes = buffer_.substr(0, count);
  buffer_.erase(0, count);
  return bytes;
}

}  // namespace ebb::tests
