// Answers to requests: what goes back, and how errors are told.
//
// Model:   {"error": {"code", "message", "field"}} with the status that docs/api.md gives each
//          ErrorCode.
// Threads: values; a BodySource is called on the loop thread.
// Spec:    docs/api.md
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/ids.h"
#include "core/result.h"
#include "http/json_writer.h"

namespace ebb::http {

// A body that comes bit by bit.
class BodySource {
 public:
  virtual ~BodySource() = default;
  static constexpr std::ptrdiff_t kEnd = -1;
  // Bytes written to `out`; 0: none for now, the request is woken when there are; kEnd.
  virtual std::ptrdiff_t read(std::span<char> out) = 0;
  // The server is about to end: what is still said comes before the next kEnd, which comes soon.
  virtual void finish() = 0;
};

struct Answer {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::shared_ptr<BodySource> source = {};  // instead of `body`
  std::function<void()> sent = {};          // called when the answer has left, or its client
  bool secret = false;                      // `body` is wiped when it has left, or is not wanted
};

Answer json_answer(std::string body);
Answer text_answer(std::string body);

unsigned http_status(ErrorCode code);
// "event payload: 70000 bytes, at most 65536": without the code, which has a field of its own.
std::string error_message(const Error& error);
// Writes the object behind "error"; `line` 0: none.
void write_error(JsonWriter& out, const Error& error, std::string_view field,
                 std::uint64_t line = 0);
// Adds Retry-After where trying again makes sense.
Answer error_answer(const Error& error, std::string_view field = {});
void add_retry_after(Answer& answer);

// 16 hex digits, as in SQL and in logs: a double cannot keep the number.
std::string incarnation_text(Incarnation incarnation);

// `text` with every byte that is not part of UTF-8 replaced by U+FFFD, so that it may be JSON.
std::string as_utf8(std::string_view text);

}  // namespace ebb::http
