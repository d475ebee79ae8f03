#include "http/answer.h"

#include "codec/utf8.h"
#include "core/error_words.h"

namespace ebb::http {

Answer json_answer(std::string body) { return {.body = std::move(body)}; }

Answer text_answer(std::string body) {
  return {.content_type = "text/plain; charset=utf-8", .body = std::move(body)};
}

unsigned http_status(ErrorCode code) {
  switch (code) {
    case ErrorCode::kMalformed:
    case ErrorCode::kNotCanonical:
    case ErrorCode::kOutOfRange:
    case ErrorCode::kDuplicateKey:
    case ErrorCode::kTooDeep:
    case ErrorCode::kInvalidArgument:
      return 400;
    case ErrorCode::kPermission:
      return 403;
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kExists:
    case ErrorCode::kFork:
    case ErrorCode::kGap:
      return 409;
    case ErrorCode::kTooLarge:
      return 413;
    case ErrorCode::kUnsupported:
      return 415;
    case ErrorCode::kBusy:
      return 503;
    case ErrorCode::kDiskFull:
      return 507;
    case ErrorCode::kBadSignature:
    case ErrorCode::kBadTag:
    case ErrorCode::kBadChain:
    case ErrorCode::kIo:
    case ErrorCode::kCorrupt:
    case ErrorCode::kInternal:
      return 500;
  }
  return 500;
}

std::string error_message(const Error& error) { return as_utf8(error_words(error)); }

void write_error(JsonWriter& out, const Error& error, std::string_view field, std::uint64_t line) {
  out.begin_object();
  // These say what is the matter in a sentence of their own.
  const bool is_sentence =
      error.context == "issuer" || error.context == "invite" || error.context == "invites";
  std::string message = is_sentence ? as_utf8(error.detail) : error_message(error);
  // What a rule says of a field needs the field for its subject.
  const bool is_rule = error.context.starts_with("has to be ") || error.context.starts_with("is ");
  if (is_rule && !field.empty()) message.insert(0, as_utf8(field) + " ");
  out.field("code", error_code_name(error.code)).field("message", message);
  if (!field.empty()) out.field("field", as_utf8(field));
  if (line > 0) out.field("line", line);
  out.end_object();
}

Answer error_answer(const Error& error, std::string_view field) {
  Answer answer{.status = http_status(error.code)};
  JsonWriter out(answer.body);
  out.begin_object().key("error");
  write_error(out, error, field);
  out.end_object();
  if (error.code == ErrorCode::kBusy) add_retry_after(answer);
  return answer;
}

void add_retry_after(Answer& answer) { answer.headers.emplace_back("Retry-After", "1"); }

std::string incarnation_text(Incarnation incarnation) {
  Bytes bytes;
  append_be64(bytes, incarnation);
  return to_hex(bytes);
}

std::string as_utf8(std::string_view text) {
  if (codec::is_utf8(text)) return std::string(text);
  std::string out;
  while (!text.empty()) {
    std::size_t size = 1;
    while (size <= 4 && size <= text.size() && !codec::is_utf8(text.substr(0, size)))
      ++size;
    if (size <= 4 && size <= text.size()) {
      out.append(text.substr(0, size));
    } else {
      out.append("\xef\xbf\xbd");
      size = 1;
    }
    text.remove_prefix(size);
  }
  return out;
}

}  // namespace ebb::http
