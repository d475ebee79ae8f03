#include "http/request.h"

#include <algorithm>

#include "core/check.h"
#include "core/limits.h"
#include "core/secret.h"
#include "http/json_events.h"

namespace ebb::http {

Request::~Request() {
  if (answer_ && answer_->secret) erase_text(answer_->body);
}

std::optional<std::string> Request::parameter(const std::string& name) const {
  const auto it = target_.query.find(name);
  if (it == target_.query.end() || it->second.empty()) return std::nullopt;
  return it->second;
}

bool Request::only_parameters(std::initializer_list<std::string_view> names) {
  for (const auto& [name, value] : target_.query) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    refuse({ErrorCode::kInvalidArgument, "unknown parameter", name}, name);
    return false;
  }
  return true;
}

std::optional<std::string> Request::topic() {
  std::string topic = parameter("topic").value_or(std::string(kDefaultTopic));
  if (const Status status = check_client_topic(topic); !status) {
    refuse(status.error(), "topic");
    return std::nullopt;
  }
  return topic;
}

void Request::take_body(std::string_view chunk) {
  if (sink_) {
    sink_->take(chunk);
    return;
  }
  if (body_bytes_ + chunk.size() > limits::kHttpBodyBytes) {
    refuse({ErrorCode::kTooLarge, "body",
            "more than " + std::to_string(limits::kHttpBodyBytes) +
                " bytes; streams of application/x-ndjson may be longer"});
    return;
  }
  body_.resize(body_bytes_);
  body_.append(chunk);
  body_bytes_ = body_.size();
  body_.append(kJsonPadding, '\0');
}

void Request::answer(Answer answer) {
  if (answer_ || answer_taken_) return;
  answer_ = std::move(answer);
  wake();
}

void Request::refuse(const Error& error, std::string_view field) {
  node().note_store_error(error);
  answer(error_answer(error, field));
}

void Request::wake() {
  if (on_wake_) on_wake_();
}

Answer Request::take_answer() {
  EBB_CHECK(answer_.has_value());
  Answer answer = std::move(*answer_);
  answer_.reset();
  answer_taken_ = true;
  return answer;
}

}  // namespace ebb::http
