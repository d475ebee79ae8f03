// Tape: a small message as the flat list of its tokens, and a reader that takes fields from it.
// For messages, segments and records of the mesh; events and payloads never go through it.
//
// Model:   the list grows by what was received, never by what is announced: 16 bytes a token. The
//          reader's first failure sticks; every later read answers with a zero value.
// Errors:  those of walk(); of the reader kMalformed or kTooLarge, with the message in `context`.
// Limits:  limits::kElementsPerFrame tokens.
// Threads: not thread-safe; values on the stack of one call.
// Spec:    docs/wire_format.md section 1
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"

namespace ebb::codec {

class Tape {
 public:
  // The tokens of exactly one canonical value; `bytes` must outlive the tape.
  static Result<Tape> parse(ByteView bytes);

 private:
  friend class TapeReader;
  friend class TapeSink;

  struct Entry {
    std::uint64_t number = 0;  // of a scalar; offset of a str or bin; entry behind a container
    std::uint32_t size = 0;    // bytes of a str or bin; elements of an array
    std::uint8_t kind = 0;     // a TokenKind
  };

  ByteView bytes_;
  std::vector<Entry> entries_;
};

class TapeReader {
 public:
  // `context` is a static text that names the message in errors.
  TapeReader(const Tape& tape, std::string_view context) : tape_(tape), context_(context) {}

  struct Array {
    std::size_t size = 0;
    std::size_t behind = 0;
  };
  // Steps into an array of at least, or exactly, so many elements; `leave` steps out of it, over
  // whatever was not read.
  Array enter(std::size_t elements_min);
  Array enter_exactly(std::size_t elements);
  // Steps into a list of at most so many elements.
  Array enter_list(std::size_t elements_max);
  void leave(const Array& array);

  std::uint64_t uint();
  std::uint64_t uint_up_to(std::uint64_t max);
  std::int64_t integer();
  bool boolean();
  std::string_view str(std::size_t bytes_max);
  ByteView bin();
  template <class Fixed>
  Fixed fixed() {
    auto value = Fixed::from(bin());
    if (value) return std::move(*value);
    fail(ErrorCode::kMalformed);
    return Fixed{};
  }

  bool ok() const { return ok_; }
  void fail(ErrorCode code);
  Status status() const;

 private:
  const Tape::Entry* take(std::uint8_t kind);

  const Tape& tape_;
  std::string_view context_;
  std::size_t at_ = 0;
  bool ok_ = true;
  ErrorCode code_ = ErrorCode::kMalformed;
};

}  // namespace ebb::codec
