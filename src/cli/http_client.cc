#include "cli/http_client.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "cli/wiped_memory.h"
#include "core/limits.h"
#include "core/unique_fd.h"

namespace ebb::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWaitMsMax = 1000;

// The value of a header line, when it is the one that begins with `name`.
void take_header(std::string_view line, std::string_view name, std::string& value) {
  if (line.size() < name.size() || strncasecmp(line.data(), name.data(), name.size()) != 0) return;
  line.remove_prefix(name.size());
  const std::size_t first = line.find_first_not_of(" \t\r\n");
  const std::size_t last = line.find_last_not_of(" \t\r\n");
  value = first == std::string_view::npos ? "" : std::string(line.substr(first, last - first + 1));
}

bool libcurl_is_ready() {
  static const CURLcode ready = curl_global_init_mem(CURL_GLOBAL_DEFAULT, wiped_malloc, wiped_free,
                                                     wiped_realloc, wiped_strdup, wiped_calloc);
  return ready == CURLE_OK;
}

struct EasyClose {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct MultiClose {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct ListFree {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

// One request on its way. libcurl's callbacks get a pointer to it.
class Transfer {
 public:
  explicit Transfer(const HttpRequest& request) : request_(request) {}
  Result<HttpAnswer> run(const std::string& socket_path);

 private:
  static std::size_t on_read(char* to, std::size_t one, std::size_t room, void* self) noexcept;
  static std::size_t on_body(char* part, std::size_t one, std::size_t bytes, void* self) noexcept;
  static std::size_t on_header(char* line, std::size_t one, std::size_t bytes, void* self) noexcept;

  Status open_socket_path(const std::string& path);
  Status prepare();
  Status perform();
  Status wait();
  Status judge(CURLcode code) const;
  bool is_late() const;
  void touch() { last_byte_ = Clock::now(); }

  const HttpRequest& request_;
  HttpAnswer answer_;
  UniqueFd directory_;
  std::string connect_path_;
  std::unique_ptr<CURL, EasyClose> easy_;
  std::unique_ptr<CURLM, MultiClose> multi_;
  std::unique_ptr<curl_slist, ListFree> headers_;
  std::uint64_t sent_ = 0;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_byte_ = start_;
  bool waiting_for_input_ = false;
  int input_errno_ = 0;
  bool too_large_ = false;
};

std::size_t Transfer::on_read(char* to, std::size_t one, std::size_t room, void* self) noexcept {
  auto& transfer = *static_cast<Transfer*>(self);
  const HttpRequest& request = transfer.request_;
  pollfd readable{request.input_fd, POLLIN, 0};
  if (poll(&readable, 1, 0) == 0) {
    transfer.waiting_for_input_ = true;
    return CURL_READFUNC_PAUSE;
  }
  ssize_t got = 0;
  do {
    got = read(request.input_fd, to, one * room);
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    transfer.input_errno_ = errno;
    return CURL_READFUNC_ABORT;
  }
  transfer.touch();
  transfer.sent_ += static_cast<std::uint64_t>(got);
  if (request.sent) request.sent(transfer.sent_);
  return static_cast<std::size_t>(got);
}

std::size_t Transfer::on_body(char* part, std::size_t one, std::size_t bytes, void* self) noexcept {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::string_view text(part, one * bytes);
  transfer.touch();
  long status = 0;
  curl_easy_getinfo(transfer.easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status == 200 && transfer.request_.received) {
    if (transfer.request_.received(text)) return text.size();
    transfer.answer_.stopped = true;
    return 0;  // makes libcurl end the transfer
  }
  SecretText& body = transfer.answer_.body;
  if (body.text.size() + text.size() > limits::kClientAnswerBytes) {
    transfer.too_large_ = true;
    return 0;
  }
  append_secret(body.text, text);
  return text.size();
}

std::size_t Transfer::on_header(char* line, std::size_t one, std::size_t bytes,
                                void* self) noexcept {
  auto& transfer = *static_cast<Transfer*>(self);
  transfer.touch();
  const std::string_view text(line, one * bytes);
  // The empty line that ends the headers.
  long status = 0;
  curl_easy_getinfo(transfer.easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  if (text == "\r\n" && status == 200 && transfer.request_.began) transfer.request_.began();
  take_header(text, "ebb-cursor:", transfer.answer_.cursor);
  take_header(text, "ebb-cut:", transfer.answer_.cut);
  return one * bytes;
}

// sun_path holds 107 bytes, and data directories may lie deeper: those are reached through an open
// descriptor of the directory.
Status Transfer::open_socket_path(const std::string& path) {
  if (path.size() < sizeof(sockaddr_un::sun_path)) {
    connect_path_ = path;
    return {};
  }
  const std::size_t slash = path.rfind('/');
  directory_ = UniqueFd(open(path.substr(0, slash).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory_.is_open()) {
    const ErrorCode code = errno == EACCES ? ErrorCode::kPermission : ErrorCode::kNotFound;
    return Error{code, "local API", path + ": " + std::strerror(errno)};
  }
  connect_path_ = "/proc/self/fd/" + std::to_string(directory_.get()) + path.substr(slash);
  return {};
}

Status Transfer::prepare() {
  if (!libcurl_is_ready()) return Error{ErrorCode::kInternal, "libcurl"};
  easy_.reset(curl_easy_init());
  multi_.reset(curl_multi_init());
  if (easy_ == nullptr || multi_ == nullptr) return Error{ErrorCode::kInternal, "libcurl"};
  CURL* easy = easy_.get();
  const std::string url = "http://localhost" + request_.target;
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, connect_path_.c_str());
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  // Waiting for "100 Continue" would only cost time on a local socket.
  headers_.reset(curl_slist_append(headers_.release(), "Expect:"));
  if (request_.method == "POST") curl_easy_setopt(easy, CURLOPT_POST, 1L);
  if (request_.method == "DELETE") curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "DELETE");
  if (!request_.content_type.empty()) {
    const std::string header = "Content-Type: " + request_.content_type;
    headers_.reset(curl_slist_append(headers_.release(), header.c_str()));
  }
  if (request_.input_fd >= 0) {
    headers_.reset(curl_slist_append(headers_.release(), "Transfer-Encoding: chunked"));
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(easy, CURLOPT_READDATA, this);
  } else if (request_.method == "POST") {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request_.body.data());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request_.body.size()));
  }
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_.get());
  return {};
}

bool Transfer::is_late() const {
  if (request_.timeout.us == 0) return false;
  if (request_.timeout_from_last_byte && waiting_for_input_) return false;
  const Clock::time_point from = request_.timeout_from_last_byte ? last_byte_ : start_;
  return Clock::now() - from >= std::chrono::microseconds(request_.timeout.us);
}

Status Transfer::wait() {
  const bool watch_input = waiting_for_input_;
  curl_waitfd input{request_.input_fd, CURL_WAIT_POLLIN, 0};
  int wait_ms = kWaitMsMax;
  if (request_.timeout.us > 0) {
    wait_ms = static_cast<int>(std::clamp<std::int64_t>(request_.timeout.ms(), 1, kWaitMsMax));
  }
  const unsigned extra = watch_input ? 1 : 0;
  if (curl_multi_poll(multi_.get(), watch_input ? &input : nullptr, extra, wait_ms, nullptr) !=
      CURLM_OK) {
    return Error{ErrorCode::kInternal, "libcurl"};
  }
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  // An answer before the body's end ends the body; a paused transfer would not notice.
  if (watch_input && (input.revents != 0 || status >= 300)) {
    waiting_for_input_ = false;
    touch();
    curl_easy_pause(easy_.get(), CURLPAUSE_CONT);
  }
  return {};
}

Status Transfer::judge(CURLcode code) const {
  if (code == CURLE_OK || answer_.stopped) return {};
  if (too_large_) return Error{ErrorCode::kTooLarge, "answer of the local API"};
  if (code == CURLE_ABORTED_BY_CALLBACK && input_errno_ != 0) {
    return Error{ErrorCode::kInvalidArgument, "input", std::strerror(input_errno_)};
  }
  long number = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &number);
  const std::string reason =
      number != 0 ? std::strerror(static_cast<int>(number)) : curl_easy_strerror(code);
  if (code != CURLE_COULDNT_CONNECT) return Error{ErrorCode::kIo, "local API", reason};
  const bool forbidden = number == EACCES || number == EPERM;
  return Error{forbidden ? ErrorCode::kPermission : ErrorCode::kNotFound, "local API", reason};
}

Status Transfer::perform() {
  if (curl_multi_add_handle(multi_.get(), easy_.get()) != CURLM_OK) {
    return Error{ErrorCode::kInternal, "libcurl"};
  }
  Status status;
  int running = 1;
  while (status.ok()) {
    if (curl_multi_perform(multi_.get(), &running) != CURLM_OK) {
      status = Error{ErrorCode::kInternal, "libcurl"};
    }
    if (running == 0 || !status.ok()) break;
    status = is_late() ? Error{ErrorCode::kBusy, "no answer in time"} : wait();
  }
  int queued = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &queued)) {
    if (message->msg == CURLMSG_DONE && status.ok()) status = judge(message->data.result);
  }
  curl_multi_remove_handle(multi_.get(), easy_.get());
  return status;
}

Result<HttpAnswer> Transfer::run(const std::string& socket_path) {
  EBB_RETURN_IF_ERROR(open_socket_path(socket_path));
  EBB_RETURN_IF_ERROR(prepare());
  EBB_RETURN_IF_ERROR(perform());
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  answer_.status = static_cast<int>(status);
  return std::move(answer_);
}

bool is_unreserved(unsigned char c) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return letter || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

}  // namespace

Result<HttpAnswer> HttpClient::send(const HttpRequest& request) const {
  return Transfer(request).run(socket_path_);
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_unreserved(byte)) {
      out += c;
    } else {
      out.append({'%', kDigits[byte >> 4], kDigits[byte & 15]});
    }
  }
  return out;
}

RequestTarget& RequestTarget::with(std::string_view key, std::string_view value) {
  if (value.empty()) return *this;
  text_ += has_query_ ? '&' : '?';
  text_.append(key).append("=").append(percent_encoded(value));
  has_query_ = true;
  return *this;
}

}  // namespace ebb::cli
