#include "tests/cli/fake_api.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace ebb::tests {
namespace {

void require(bool done, const char* what) {
  if (done) return;
  std::perror(what);
  std::abort();
}

// Through a descriptor of the directory: a path in a socket's address is at most 107 bytes.
int listen_on(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const int directory = open(path.substr(0, slash).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  require(directory >= 0, "open");
  const std::string name = "/proc/self/fd/" + std::to_string(directory) + path.substr(slash);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.c_str(), name.size() + 1);
  unlink(path.c_str());  // of a FakeApi before
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  require(fd >= 0, "socket");
  require(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "bind");
  require(listen(fd, 8) == 0, "listen");
  close(directory);
  return fd;
}

// The content of a chunked body; false while it is not complete.
bool unchunk(const std::string& text, std::string& body) {
  body.clear();
  std::size_t at = 0;
  while (true) {
    const std::size_t line = text.find("\r\n", at);
    if (line == std::string::npos) return false;
    const std::size_t size = std::strtoul(text.c_str() + at, nullptr, 16);
    const std::size_t end = line + 2 + size + 2;
    if (text.size() < end) return false;
    if (size == 0) return true;
    body.append(text, line + 2, size);
    at = end;
  }
}

bool has_body(const std::string& head) {
  return head.find("Transfer-Encoding: chunked") != std::string::npos ||
         head.find("Content-Length: ") != std::string::npos;
}

bool is_complete(const std::string& head, const std::string& raw, std::string& body) {
  if (head.find("Transfer-Encoding: chunked") != std::string::npos) return unchunk(raw, body);
  const std::size_t length = head.find("Content-Length: ");
  const std::size_t wanted =
      length == std::string::npos ? 0 : std::strtoul(head.c_str() + length + 16, nullptr, 10);
  body = raw;
  return raw.size() >= wanted;
}

void send_all(int fd, const std::string& text) {
  std::size_t sent = 0;
  while (sent < text.size()) {
    const ssize_t put = send(fd, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (put <= 0) return;  // the client went away, which some tests are about
    sent += static_cast<std::size_t>(put);
  }
}

}  // namespace

FakeApi::FakeApi(std::string socket_path) : socket_path_(std::move(socket_path)) {
  listening_ = listen_on(socket_path_);
  stop_ = eventfd(0, EFD_CLOEXEC);
  require(stop_ >= 0, "eventfd");
  thread_ = std::thread([this] { serve(); });
}

FakeApi::~FakeApi() {
  const std::uint64_t one = 1;
  require(write(stop_, &one, sizeof one) == sizeof one, "write");
  thread_.join();
  if (listening_ >= 0) close(listening_);
  close(stop_);
}

void FakeApi::on(const std::string& request, FakeAnswer answer) {
  const std::lock_guard lock(mutex_);
  answers_[request].push_back(std::move(answer));
}

void FakeApi::on(const std::string& request, const std::string& body) {
  on(request, FakeAnswer{.body = body});
}

std::vector<FakeRequest> FakeApi::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void FakeApi::serve() {
  while (listening_ >= 0) {
    pollfd ready[2] = {{listening_, POLLIN, 0}, {stop_, POLLIN, 0}};
    poll(ready, 2, -1);
    if (ready[1].revents != 0) return;
    const int connection = accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    serve_one(connection);
    close(connection);
  }
}

bool FakeApi::read_some(int connection, std::string& text) const {
  pollfd ready[2] = {{connection, POLLIN, 0}, {stop_, POLLIN, 0}};
  poll(ready, 2, -1);
  if (ready[1].revents != 0) return false;
  char part[4096];
  const ssize_t got = recv(connection, part, sizeof part, 0);
  if (got <= 0) return false;
  text.append(part, static_cast<std::size_t>(got));
  return true;
}

void FakeApi::wait_for_end(int connection) const {
  std::string ignored;
  while (read_some(connection, ignored)) {
  }
}

FakeAnswer FakeApi::next_answer(const FakeRequest& request) {
  const std::lock_guard lock(mutex_);
  const std::string path = request.target.substr(0, request.target.find('?'));
  const auto found = answers_.find(request.method + ' ' + path);
  if (found == answers_.end()) {
    return {.status = 404,
            .body = R"({"error":{"code":"not_found","message":"no answer was prepared"}})"};
  }
  FakeAnswer answer = found->second.front();
  if (found->second.size() > 1) found->second.pop_front();
  return answer;
}

bool FakeApi::read_request(int connection, FakeRequest& request, FakeAnswer& answer) {
  std::string text;
  std::size_t end = std::string::npos;
  while ((end = text.find("\r\n\r\n")) == std::string::npos) {
    if (!read_some(connection, text)) return false;
  }
  request.head = text.substr(0, end + 2);
  const std::size_t first = text.find(' ');
  request.method = text.substr(0, first);
  request.target = text.substr(first + 1, text.find(' ', first + 1) - first - 1);
  answer = next_answer(request);
  std::string raw = text.substr(end + 4);
  while (!is_complete(request.head, raw, request.body)) {
    if (answer.before_body_ends && has_body(request.head) && !raw.empty()) return true;
    if (!read_some(connection, raw)) return false;
  }
  return true;
}

void FakeApi::serve_one(int connection) {
  FakeRequest request;
  FakeAnswer answer;
  if (!read_request(connection, request, answer)) return;
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
  }
  if (answer.never) {
    wait_for_end(connection);
    return;
  }
  std::string text = "HTTP/1.1 " + std::to_string(answer.status) + " X\r\n" + answer.headers;
  const std::size_t announced = answer.body.size() + (answer.cut_short ? 1 : 0);
  text += "Content-Length: " + std::to_string(announced) + "\r\n";
  // Said before the client can see the answer, so that what it does next finds it done.
  if (answer.stops_listening) {
    unlink(socket_path_.c_str());
    close(std::exchange(listening_, -1));
  }
  send_all(connection, text + "Connection: close\r\n\r\n" + answer.body);
  if (answer.before_body_ends) wait_for_end(connection);
}

}  // namespace ebb::tests
