// Failure and Outcome: how a command ends when it does not work. Not for the rooms below, whose
// errors are Result and Status; failure_of() turns one into the other.
//
// Model:   an Outcome holds a T or a Failure; EBB_ASSIGN and EBB_RETURN_IF_ERROR work on it.
// Errors:  reading value() of a failed Outcome is a programmer error and aborts.
// Threads: values; any thread.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "core/check.h"
#include "core/result.h"

namespace ebb::cli {

// What the program answers to the shell. Scripts rely on the numbers: DO NOT CHANGE THEM.
enum class ExitCode {
  kOk = 0,
  kFailed = 1,
  kUsage = 2,
  kNoDaemon = 3,
  kUnhealthy = 4,
  kTimeout = 5,
};

// What happened, why likely, what to do next; `why` and `next` may be empty.
struct Failure {
  ExitCode exit = ExitCode::kFailed;
  std::string what = {};
  std::string why = {};
  std::string next = {};
};

template <class T>
class [[nodiscard]] Outcome {
 public:
  Outcome(T value) : state_(std::in_place_index<0>, std::move(value)) {}            // NOLINT
  Outcome(Failure failure) : state_(std::in_place_index<1>, std::move(failure)) {}  // NOLINT

  bool ok() const { return state_.index() == 0; }
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
  T* operator->() { return &value(); }
  const Failure& error() const {
    EBB_CHECK(!ok());
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, Failure> state_;
};

// The data directory of a command, and how a person reaches it again.
struct Place {
  std::string dir = {};    // absolute
  std::string named = {};  // as hints name it; empty: a shell finds it whose EBB_DIR names no other

  // "`ebb up`" for "up", with a --dir where it needs one.
  std::string command(std::string_view words) const;
};

// A failure of work on a data directory, with the step that usually mends it.
Failure failure_of(const Error& error, const Place& place);
// Says why the command line was not understood; exit code 2.
Failure usage_failure(std::string what, std::string next = {});
// Writes the failure of `program` to `err`, control characters escaped.
void print_failure(std::ostream& err, const Failure& failure, std::string_view program = "ebb");

}  // namespace ebb::cli
