// Canonical msgpack of JSON-like values: checking, walking and printing. Payloads stay bytes all
// the way; this is the only place that looks inside one.
//
// Model:   a value is a byte string in canonical msgpack (docs/wire_format.md section 1); nothing
//          here builds a tree from peer bytes.
// Errors:  kMalformed, kNotCanonical, kTooLarge, kTooDeep, kDuplicateKey, kOutOfRange.
// Limits:  limits::kDepth, kElementsPerContainer, kPayloadBytes; checked before allocating.
// Threads: pure functions; any thread.
// Spec:    docs/wire_format.md section 1
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/result.h"

namespace ebb::codec {

// Writes canonical msgpack. The caller writes map keys in bytewise order and as many elements as it
// announced; validate() is the judge of the result.
class Writer {
 public:
  explicit Writer(Bytes& out) : out_(out) {}  // `out` must outlive the writer; it is appended to
  void nil();
  void boolean(bool value);
  void uint(std::uint64_t value);
  void integer(std::int64_t value);
  void real(double value);  // finite (checked by validate, not here)
  void str(std::string_view text);
  void bin(ByteView bytes);
  void array(std::size_t size);
  void map(std::size_t size);
  void raw(ByteView canonical);  // one value that is canonical already

 private:
  Bytes& out_;
};

// One complete canonical value, nothing behind it, at most `bytes_max` bytes and `depth_max` deep.
Status validate(ByteView value, std::size_t bytes_max, std::size_t depth_max);

// JSON text of a canonical value: integers stay integers, doubles are the shortest text that reads
// back equal and always show '.' or an exponent (1.0, -0.0, 5e-324), control characters and U+2028
// are escaped, bin (never in a payload made by us) becomes base64 text.
// Errors: those of validate().
Result<std::string> to_json(ByteView value);
void append_json_string(std::string& out, std::string_view text);

// The bytes of the value at a top-level key of a map; nullopt when `value` is no map or lacks it.
// `value` is canonical; of any other the answer is within its bytes but means nothing.
std::optional<ByteView> map_get(ByteView value, std::string_view key);

// Readers of one scalar; nullopt when `value` is of another type.
std::optional<std::int64_t> as_int(ByteView value);  // also nullopt beyond int64
std::optional<std::string_view> as_str(ByteView value);

// Turns JSON-like input into canonical msgpack: an order-free builder for parsers above this room.
// Maps are collected and sorted; a repeated key is an error by name.
// Use: one value; nested values between begin_/end_ pairs; then finish(). Calls out of order are a
// programmer error; a value that was given up half way is discarded by finish().
// Errors are sticky and come out of finish(): kTooDeep, kTooLarge, kDuplicateKey (detail = key),
// kOutOfRange (not finite), kMalformed (invalid UTF-8, or not one whole value).
class ValueBuilder {
 public:
  explicit ValueBuilder(std::size_t bytes_max, std::size_t depth_max);
  ~ValueBuilder();
  ValueBuilder(const ValueBuilder&) = delete;
  ValueBuilder& operator=(const ValueBuilder&) = delete;

  void nil();
  void boolean(bool value);
  void uint(std::uint64_t value);
  void integer(std::int64_t value);
  void real(double value);
  void str(std::string_view text);
  void begin_array();
  void end_array();
  void begin_map();
  void key(std::string_view text);  // before each value inside a map
  void end_map();
  // The bytes of the value; the builder is then empty and may be used again.
  Result<Bytes> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ebb::codec
