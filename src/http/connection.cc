#include "http/connection.h"

#include <sys/socket.h>

#include <cstring>
#include <new>
#include <utility>

#include "core/limits.h"
#include "core/secret.h"
#include "http/router.h"

namespace ebb::http {
namespace {

constexpr std::size_t kStreamBlockBytes = std::size_t{32} << 10;
// How long the rest of a body is waited for after an answer in its middle.
constexpr unsigned kDropBodySeconds = 10;
constexpr unsigned kIdleSeconds = static_cast<unsigned>(limits::kHttpIdleMs / 1000);

std::string header(MHD_Connection* connection, const char* name) {
  const char* text = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return text == nullptr ? std::string() : std::string(text);
}

std::string raw_answer(const Answer& answer) {
  std::string text = "HTTP/1.1 " + std::to_string(answer.status) + " " +
                     MHD_get_reason_phrase_for(answer.status) + "\r\nConnection: close\r\n";
  for (const auto& [name, value] : answer.headers)
    text.append(name).append(": ").append(value).append("\r\n");
  text.append("Content-Type: ").append(answer.content_type);
  text.append("\r\nContent-Length: ").append(std::to_string(answer.body.size())).append("\r\n\r\n");
  return text.append(answer.body);
}

struct SentBody {
  SentBody(std::string body, bool is_secret) : text(std::move(body)), secret(is_secret) {}
  SentBody(const SentBody&) = delete;
  SentBody& operator=(const SentBody&) = delete;
  ~SentBody() {
    if (secret) erase_text(text);
  }
  std::string text;
  bool secret;
};

}  // namespace

class RequestCarrier {
 public:
  RequestCarrier(ConnectionSet& set, MHD_Connection* connection, std::string target)
      : set_(set), connection_(connection), raw_target_(std::move(target)) {
    set_.carriers.insert(this);
  }
  ~RequestCarrier() {
    set_.carriers.erase(this);
    if (request_) request_->set_on_wake({});
    if (sent_) sent_();
  }
  RequestCarrier(const RequestCarrier&) = delete;
  RequestCarrier& operator=(const RequestCarrier&) = delete;

  MHD_Result step(const char* method, std::string_view data, std::size_t* left);
  bool answering() const { return phase_ == Phase::kAnswered; }
  // Lets a body that has no end of its own come to one.
  void finish_source() {
    if (source_) source_->finish();
  }
  // Ends the connection instead of waiting any more.
  void let_go() {
    let_go_ = true;
    if (request_) request_->set_on_wake({});
    resume();
  }

 private:
  enum class Phase {
    kHead,      // nothing of a body was seen
    kBody,      // in the middle of it
    kComplete,  // all of it was seen
    kAnswered,  // libmicrohttpd has the answer
    kDropping,  // the answer is written; the rest of the body is of no interest
  };

  void begin(const char* method);
  MHD_Result take(std::string_view data, std::size_t* left);
  MHD_Result finish();
  MHD_Result queue_answer();
  void write_answer();
  void on_wake();
  void suspend();
  void resume();
  std::ptrdiff_t read_source(char* out, std::size_t room);
  static ssize_t on_read(void* self, std::uint64_t position, char* out, std::size_t room) noexcept;

  ConnectionSet& set_;
  MHD_Connection* connection_;
  std::string raw_target_;
  RequestPtr request_;
  Handler handler_ = nullptr;
  std::shared_ptr<BodySource> source_;
  std::function<void()> sent_;
  Phase phase_ = Phase::kHead;
  bool let_go_ = false;
  bool suspended_ = false;
  bool inside_ = false;  // called by libmicrohttpd just now
  bool woken_ = false;   // since inside_ became true
};

MHD_Result RequestCarrier::step(const char* method, std::string_view data, std::size_t* left) {
  if (let_go_) return MHD_NO;
  inside_ = true;
  woken_ = false;
  MHD_Result result = MHD_YES;
  if (!request_) {
    begin(method);
  } else if (!data.empty()) {
    result = take(data, left);
  } else {
    result = finish();
  }
  inside_ = false;
  return result;
}

void RequestCarrier::begin(const char* method) {
  const Result<RequestTarget> target = parse_target(raw_target_);
  request_ = std::make_shared<Request>(*set_.context, method,
                                       target.ok() ? target.value() : RequestTarget{});
  request_->set_on_wake([this] { on_wake(); });
  request_->set_content_type(header(connection_, MHD_HTTP_HEADER_CONTENT_TYPE));
  request_->set_length_known(
      MHD_lookup_connection_value(connection_, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH) !=
      nullptr);
  MHD_set_connection_option(connection_, MHD_CONNECTION_OPTION_TIMEOUT, kIdleSeconds);
  if (!target.ok()) return request_->refuse(target.error(), target.error().detail);
  // Browsers name the page that asks, programs do not. No page has any business here.
  if (MHD_lookup_connection_value(connection_, MHD_HEADER_KIND, MHD_HTTP_HEADER_ORIGIN) !=
      nullptr) {
    return request_->refuse({ErrorCode::kPermission, "requests of web pages are not served"},
                            "Origin");
  }
  const Route found = route(request_);
  handler_ = found.handle;
  if (found.begin != nullptr) found.begin(request_);
  // A program may append an event now and then for days.
  if (request_->has_sink() && !request_->length_known()) {
    MHD_set_connection_option(connection_, MHD_CONNECTION_OPTION_TIMEOUT, 0U);
  }
}

MHD_Result RequestCarrier::take(std::string_view data, std::size_t* left) {
  if (phase_ == Phase::kHead) phase_ = Phase::kBody;
  if (phase_ == Phase::kBody && !request_->answered() && request_->wants_pause()) {
    suspend();
    return MHD_YES;
  }
  *left = 0;
  if (phase_ == Phase::kDropping) return MHD_YES;
  if (!request_->answered()) request_->take_body(data);
  if (request_->answered()) {
    write_answer();
  } else if (request_->wants_pause()) {
    suspend();
  }
  return MHD_YES;
}

MHD_Result RequestCarrier::finish() {
  if (phase_ == Phase::kDropping) return MHD_NO;  // ends the connection
  if (phase_ != Phase::kComplete) {
    phase_ = Phase::kComplete;
    if (!request_->answered()) request_->has_sink() ? request_->end_body() : handler_(request_);
  }
  if (request_->answered()) return queue_answer();
  suspend();
  return MHD_YES;
}

MHD_Result RequestCarrier::queue_answer() {
  phase_ = Phase::kAnswered;
  Answer answer = request_->take_answer();
  sent_ = std::move(answer.sent);
  source_ = std::move(answer.source);
  MHD_Response* response = nullptr;
  if (source_) {
    response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, kStreamBlockBytes,
                                                 &RequestCarrier::on_read, this, nullptr);
  } else {
    auto body = std::make_unique<SentBody>(std::move(answer.body), answer.secret);
    response = MHD_create_response_from_buffer_with_free_callback_cls(
        body->text.size(), body->text.data(),
        [](void* sent) { delete static_cast<SentBody*>(sent); }, body.get());
    if (response != nullptr) static_cast<void>(body.release());
  }
  if (response == nullptr) return MHD_NO;
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer.content_type.c_str());
  for (const auto& [name, value] : answer.headers)
    MHD_add_response_header(response, name.c_str(), value.c_str());
  const MHD_Result queued = MHD_queue_response(connection_, answer.status, response);
  MHD_destroy_response(response);
  return queued;
}

void RequestCarrier::write_answer() {
  phase_ = Phase::kDropping;
  Answer answer = request_->take_answer();
  sent_ = std::move(answer.sent);
  MHD_set_connection_option(connection_, MHD_CONNECTION_OPTION_TIMEOUT, kDropBodySeconds);
  const MHD_ConnectionInfo* info =
      MHD_get_connection_info(connection_, MHD_CONNECTION_INFO_CONNECTION_FD);
  if (info == nullptr) return;
  // Answers in the middle of a body are errors, and far smaller than the buffer of a socket on
  // which nothing was sent before. If it does not take them the client sees a short answer.
  const std::string text = raw_answer(answer);
  static_cast<void>(send(info->connect_fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
  shutdown(info->connect_fd, SHUT_WR);
}

void RequestCarrier::on_wake() {
  woken_ = true;
  if (inside_) return;
  if (phase_ == Phase::kBody && request_->answered()) write_answer();
  resume();
}

void RequestCarrier::suspend() {
  suspended_ = true;
  MHD_suspend_connection(connection_);
}

void RequestCarrier::resume() {
  if (!std::exchange(suspended_, false)) return;
  MHD_resume_connection(connection_);
  if (set_.on_resumed) set_.on_resumed();
}

std::ptrdiff_t RequestCarrier::read_source(char* out, std::size_t room) {
  if (let_go_) return BodySource::kEnd;
  inside_ = true;
  std::ptrdiff_t got = 0;
  do {
    woken_ = false;
    got = source_->read({out, room});
  } while (got == 0 && woken_);
  if (got == 0) suspend();
  inside_ = false;
  return got;
}

ssize_t RequestCarrier::on_read(void* self, std::uint64_t, char* out, std::size_t room) noexcept {
  const std::ptrdiff_t got = static_cast<RequestCarrier*>(self)->read_source(out, room);
  return got == BodySource::kEnd ? MHD_CONTENT_READER_END_OF_STREAM : got;
}

bool ConnectionSet::any_answering() const {
  for (const RequestCarrier* carrier : carriers) {
    if (carrier->answering()) return true;
  }
  return false;
}

void ConnectionSet::finish_sources() {
  for (RequestCarrier* carrier : carriers)
    carrier->finish_source();
}

void ConnectionSet::close_all() {
  for (RequestCarrier* carrier : carriers)
    carrier->let_go();
}

void* on_target(void* set, const char* target, MHD_Connection* connection) noexcept {
  return new (std::nothrow) RequestCarrier(*static_cast<ConnectionSet*>(set), connection, target);
}

MHD_Result on_request(void*, MHD_Connection*, const char*, const char* method, const char*,
                      const char* data, std::size_t* size, void** slot) noexcept {
  auto* carrier = static_cast<RequestCarrier*>(*slot);
  if (carrier == nullptr) return MHD_NO;  // no memory for it: the connection ends
  return carrier->step(method, {data, *size}, size);
}

void on_completed(void*, MHD_Connection*, void** slot, MHD_RequestTerminationCode) noexcept {
  delete static_cast<RequestCarrier*>(*slot);
  *slot = nullptr;
}

}  // namespace ebb::http
