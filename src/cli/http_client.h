// HttpClient: requests to the local API over its Unix socket. Knows HTTP, not what is asked.
//
// Model:     one request at a time. A body may come from a descriptor: it is sent in chunks as it
//            can be read, and an answer that comes before its end is heard at once.
// Ownership: a request has no secret; an answer may have one (an invite), and is wiped with its
//            value. So is all memory of libcurl before it is given back (wiped_memory.h), from the
//            first request of the process on, which must come before any other use of libcurl.
// Units:     sizes in bytes.
// Threads:   not thread-safe; call on the main thread.
// Errors:    kNotFound (nobody answers on the socket), kBusy (no answer in time), kPermission (the
//            socket is somebody else's), kTooLarge (the answer), kInvalidArgument (the body's
//            descriptor cannot be read), kIo. Whether a request that was sent took effect is not
//            known then, but for kNotFound and kPermission. An HTTP status is no error here.
// Limits:    limits::kClientAnswerBytes for an answer that is not streamed to `received`.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/secret.h"
#include "core/time.h"

namespace ebb::cli {

struct HttpRequest {
  std::string method = "GET";
  std::string target = {};        // path and query, escaped
  std::string content_type = {};  // empty: no body
  std::string body = {};
  int input_fd = -1;  // >= 0: the body is what is read here, to its end

  // Hears of the bytes of `input_fd` sent so far; may be empty.
  std::function<void(std::uint64_t sent)> sent = {};
  // Called when a 200 answer has begun; may be empty.
  std::function<void()> began = {};
  // Takes the body of a 200 answer as it comes; false ends the request. Empty: it is collected.
  std::function<bool(std::string_view part)> received = {};

  Duration timeout = {};  // 0: none
  // The time counts from the last byte moved, and not while waiting for `input_fd`.
  bool timeout_from_last_byte = false;
};

struct HttpAnswer {
  int status = 0;
  SecretText body = {};     // unless `received` took it
  std::string cursor = {};  // the Ebb-Cursor header
  std::string cut = {};     // the Ebb-Cut header
  bool stopped = false;     // `received` ended it
};

class HttpClient {
 public:
  explicit HttpClient(std::string socket_path) : socket_path_(std::move(socket_path)) {}
  Result<HttpAnswer> send(const HttpRequest& request) const;

 private:
  std::string socket_path_;
};

// Bytes other than unreserved ones (RFC 3986) as %XX.
std::string percent_encoded(std::string_view text);

// A path with a query; empty values are left out.
class RequestTarget {
 public:
  explicit RequestTarget(std::string path) : text_(std::move(path)) {}
  RequestTarget& with(std::string_view key, std::string_view value);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  bool has_query_ = false;
};

}  // namespace ebb::cli
