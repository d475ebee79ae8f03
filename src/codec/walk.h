// The one reader of msgpack: walks a value token by token and refuses whatever is not canonical.
// It builds nothing; what a token means is up to the sink. Inside the codec only.
//
// Model:   offsets of tokens are sums of minimal encodings, so they are right for a value that
//          turns out canonical, and never beyond the bytes for any other.
// Errors:  kMalformed (truncated, reserved byte, bad UTF-8), kNotCanonical, kTooLarge, kTooDeep,
//          kDuplicateKey, kOutOfRange (NaN, infinity), and those of the sink.
// Limits:  WalkLimits; a container's size is checked against the bytes left as it is announced.
// Threads: pure functions; any thread.
// Spec:    docs/wire_format.md section 1
#pragma once

#include <cstdint>
#include <string_view>

#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"

namespace ebb::codec {

enum class TokenKind : std::uint8_t {
  kNil,
  kBoolean,
  kUint,
  kNegative,
  kReal,
  kStr,
  kBin,
  kArray,
  kMap,
  kEnd,  // of an array or map
};

struct Token {
  TokenKind kind = TokenKind::kNil;
  bool is_key = false;         // a str that names the value behind it
  std::uint32_t depth = 0;     // containers around it; that of kEnd is its container's own
  std::uint32_t size = 0;      // bytes of a str or bin, elements of an array, pairs of a map
  std::size_t begin = 0;       // offset of its first byte; of kEnd, of the byte behind it
  std::uint64_t number = 0;    // of a boolean, uint, negative (two's complement), real (bits)
  const char* data = nullptr;  // of a str or bin

  std::string_view text() const { return {data, size}; }
  ByteView bytes() const { return as_bytes(text()); }
};

class TokenSink {
 public:
  virtual ~TokenSink() = default;
  // False ends the walk, with the error given to refuse() before.
  virtual bool take(const Token& token) = 0;
  const Error& error() const { return error_; }

 protected:
  // `context` is a static text.
  bool refuse(ErrorCode code, std::string_view context) {
    error_.code = code;
    error_.context = context;
    return false;
  }

 private:
  Error error_;
};

struct WalkLimits {
  std::size_t depth_max = limits::kDepth;  // at most limits::kDepthWalked
  std::size_t tokens_max = SIZE_MAX;
  std::size_t sink_depth_max = SIZE_MAX;  // the sink sees no token deeper than this
};

// Walks the value at the start of `bytes` and returns its size. `sink` may be null.
Result<std::size_t> walk(ByteView bytes, const WalkLimits& walk_limits, TokenSink* sink);

// Size of the msgpack value at the start of `bytes`, canonical or not, nested at most
// limits::kDepthWalked deep. For finding where a bad event ends.
Result<std::size_t> value_size(ByteView bytes);

}  // namespace ebb::codec
