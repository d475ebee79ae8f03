// Request: one request on its way from its first byte to its answer, apart from how bytes travel.
//
// Model:     the server fills it, hands over the body, and sends what answer() is given. A handler
//            answers at once or later; the request waits meanwhile without blocking anything.
// Ownership: shared between the server and whatever works for it; work that outlives the client
//            keeps a weak pointer and finds it gone.
// Threads:   not thread-safe; call on the loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "http/answer.h"
#include "http/target.h"
#include "node/node.h"

namespace ebb::http {

// What all requests of one server share.
struct Context {
  node::Node& node;
  WallTime started;
  Duration follow_patience;
  // Shared with queries, which may outlive the server.
  std::shared_ptr<std::size_t> sql_running = std::make_shared<std::size_t>(0);
  std::size_t followers = 0;
  std::uint64_t followers_dropped = 0;  // since the start
};

// Where the bytes of a body go as they come, for handlers that do not want it whole.
class BodySink {
 public:
  virtual ~BodySink() = default;
  virtual void take(std::string_view chunk) = 0;
  // True: no more for now; the sink wakes the request when that changes.
  virtual bool full() const = 0;
  virtual void end() = 0;
};

class Request : public std::enable_shared_from_this<Request> {
 public:
  Request(Context& context, std::string method, RequestTarget target)
      : context_(context), method_(std::move(method)), target_(std::move(target)) {}
  ~Request();
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  Context& context() { return context_; }
  node::Node& node() { return context_.node; }
  const std::string& method() const { return method_; }
  const std::string& path() const { return target_.path; }
  // What a route such as "/v1/counters/" leaves of the path.
  const std::string& name() const { return name_; }
  void set_name(std::string name) { name_ = std::move(name); }
  const std::string& content_type() const { return content_type_; }
  void set_content_type(std::string type) { content_type_ = std::move(type); }

  // The client said how long the body is, so the end of it is at hand.
  bool length_known() const { return length_known_; }
  void set_length_known(bool known) { length_known_ = known; }

  // A query parameter; nullopt when it is absent or empty.
  std::optional<std::string> parameter(const std::string& name) const;
  // kInvalidArgument (and the answer is given) when the query has any other parameter.
  bool only_parameters(std::initializer_list<std::string_view> names);
  // The parameter `topic`, or the default one; nullopt when it is wrong and the answer is given.
  std::optional<std::string> topic();

  // The whole body, unless a sink takes it; kJsonPadding readable bytes stand behind it.
  std::string_view body() const { return {body_.data(), body_bytes_}; }
  void set_sink(std::shared_ptr<BodySink> sink) { sink_ = std::move(sink); }

  // The first answer counts; later ones are dropped.
  void answer(Answer answer);
  // Answers with the error; the node hears of it, should it tell of a damaged store.
  void refuse(const Error& error, std::string_view field = {});
  // Something changed that the request waited for.
  void wake();

  // ---- for the server
  void take_body(std::string_view chunk);
  bool wants_pause() const { return sink_ && sink_->full(); }
  bool has_sink() const { return sink_ != nullptr; }
  void end_body() { sink_->end(); }
  bool answered() const { return answer_.has_value(); }
  Answer take_answer();
  // Called by answer() and wake().
  void set_on_wake(std::function<void()> on_wake) { on_wake_ = std::move(on_wake); }

 private:
  Context& context_;
  std::string method_;
  RequestTarget target_;
  std::string name_;
  std::string content_type_;
  bool length_known_ = false;
  std::string body_;  // with padding behind body_bytes_
  std::size_t body_bytes_ = 0;
  std::shared_ptr<BodySink> sink_;
  std::optional<Answer> answer_;
  bool answer_taken_ = false;
  std::function<void()> on_wake_;
};

using RequestPtr = std::shared_ptr<Request>;

}  // namespace ebb::http
