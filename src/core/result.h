// Result<T> and Status: how operating errors travel. They are values; no exception crosses a
// function of ours.
//
// Model:   a Result holds a T or an Error; a Status is a Result without a value.
// Errors:  reading value() of a failed Result is a programmer error and aborts.
// Threads: values; any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "core/check.h"

namespace ebb {

// What went wrong. Every comment says whether state was changed by the failed call.
enum class ErrorCode {
  kMalformed,        // bytes or text that are not of the expected form; no state changed
  kNotCanonical,     // well-formed msgpack that is not in canonical form; no state changed
  kTooLarge,         // a limit of core/limits.h would be exceeded; no state changed
  kOutOfRange,       // a number outside what can be kept exactly; no state changed
  kDuplicateKey,     // a map names one key twice; no state changed
  kTooDeep,          // nesting deeper than allowed; no state changed
  kBadSignature,     // a signature does not verify; no state changed
  kBadTag,           // sealed bytes that are not authentic; nothing of them is handed out
  kBadChain,         // a hash chain does not lead where it should; no state changed
  kFork,             // two different histories of one log; no state changed
  kGap,              // an event or segment does not extend what is held; no state changed
  kNotFound,         // no such thing; no state changed
  kExists,           // it is there already; no state changed
  kInvalidArgument,  // the caller's request makes no sense; no state changed
  kUnsupported,      // a version or feature this program does not know; no state changed
  kBusy,             // locked or queue full: try again later; no state changed
  kDiskFull,         // no space; the transaction was rolled back, nothing of it is stored
  kIo,               // the disk or a socket failed; the transaction was rolled back, but after a
                     // crash it may come back (store/store.h)
  kCorrupt,          // stored bytes are damaged; nothing was changed, nothing is served from them
  kPermission,       // a file's owner or mode is wrong; no state changed
  kInternal,         // a library answered what its contract excludes; no state changed
};

// A stable lower-case name, as printed in logs, metrics labels and API bodies ("too_large").
std::string_view error_code_name(ErrorCode code);

// `context` is a static text: which part or rule. `detail` is for people (a field's name, a path);
// it is empty on hot paths, so an Error made while decoding allocates nothing.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string_view context = {};
  std::string detail = {};

  // "too_large: event payload: 70000 bytes".
  std::string message() const;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(*explicit*)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(*explicit*)

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & {
    EBB_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    EBB_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    EBB_CHECK(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const {
    EBB_CHECK(!ok());
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, Error> state_;
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error)), ok_(false) {}  // NOLINT(*explicit*)

  bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }
  const Error& error() const {
    EBB_CHECK(!ok_);
    return error_;
  }

 private:
  Error error_;
  bool ok_ = true;
};

}  // namespace ebb

// Returns the error of `expression` (a Status or Result) from the enclosing function, if it failed.
#define EBB_RETURN_IF_ERROR(expression)                       \
  do {                                                        \
    if (auto ebb_status_ = (expression); !ebb_status_.ok()) { \
      return ebb_status_.error();                             \
    }                                                         \
  } while (false)

#define EBB_CONCAT_INNER(a, b) a##b
#define EBB_CONCAT(a, b) EBB_CONCAT_INNER(a, b)
#define EBB_ASSIGN_IMPL(result, target, expression) \
  auto result = (expression);                       \
  if (!result.ok()) return result.error();          \
  target = std::move(result).value()
// EBB_ASSIGN(auto x, f()): declares x with the value of f(), or returns its error.
#define EBB_ASSIGN(target, expression) \
  EBB_ASSIGN_IMPL(EBB_CONCAT(ebb_result_, __LINE__), target, expression)
