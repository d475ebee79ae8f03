#include "codec/walk.h"

#include <array>
#include <bit>
#include <cmath>
#include <exception>
#include <msgpack.hpp>

#include "codec/utf8.h"
#include "core/check.h"
#include "core/limits.h"

namespace ebb::codec {
namespace {

std::size_t uint_size(std::uint64_t value) {
  if (value < 0x80) return 1;
  if (value <= 0xff) return 2;
  if (value <= 0xffff) return 3;
  return value <= 0xffffffff ? 5 : 9;
}

std::size_t negative_size(std::int64_t value) {
  if (value >= -32) return 1;
  if (value >= INT8_MIN) return 2;
  if (value >= INT16_MIN) return 3;
  return value >= INT32_MIN ? 5 : 9;
}

std::size_t str_header_size(std::uint32_t size) {
  if (size < 32) return 1;
  if (size <= 0xff) return 2;
  return size <= 0xffff ? 3 : 5;
}

std::size_t bin_header_size(std::uint32_t size) {
  if (size <= 0xff) return 2;
  return size <= 0xffff ? 3 : 5;
}

std::size_t container_header_size(std::uint32_t size) {
  if (size < 16) return 1;
  return size <= 0xffff ? 3 : 5;
}

// Called by msgpack for each token; false stops it.
class CanonicalVisitor : public msgpack::null_visitor {
 public:
  CanonicalVisitor(std::size_t bytes, const WalkLimits& walk_limits, TokenSink* sink)
      : bytes_(bytes), limits_(walk_limits), sink_(sink) {}

  const Error& error() const { return sink_failed_ ? sink_->error() : error_; }
  bool failed() const { return failed_ || sink_failed_; }
  std::size_t minimal_size() const { return at_; }

  bool visit_nil() { return scalar(TokenKind::kNil, 0, 1); }
  bool visit_boolean(bool value) { return scalar(TokenKind::kBoolean, value ? 1 : 0, 1); }
  bool visit_positive_integer(std::uint64_t value) {
    return scalar(TokenKind::kUint, value, uint_size(value));
  }
  bool visit_negative_integer(std::int64_t value) {
    if (value >= 0) return refuse(ErrorCode::kNotCanonical, "msgpack: signed form of a uint");
    return scalar(TokenKind::kNegative, static_cast<std::uint64_t>(value), negative_size(value));
  }
  bool visit_float32(float) { return refuse(ErrorCode::kNotCanonical, "msgpack: float32"); }
  bool visit_float64(double value) {
    if (!std::isfinite(value)) return refuse(ErrorCode::kOutOfRange, "msgpack: not finite");
    return scalar(TokenKind::kReal, std::bit_cast<std::uint64_t>(value), 9);
  }
  bool visit_str(const char* data, std::uint32_t size) {
    // msgpack passes no usable pointer with an empty text.
    const std::string_view text = size == 0 ? std::string_view("") : std::string_view(data, size);
    if (!is_utf8(text)) return refuse(ErrorCode::kMalformed, "msgpack: not UTF-8");
    const bool is_key = expects_key_;
    if (is_key && !take_key(text)) return false;
    return leaf({.kind = TokenKind::kStr, .is_key = is_key, .size = size, .data = text.data()},
                str_header_size(size) + size);
  }
  bool visit_bin(const char* data, std::uint32_t size) {
    return leaf({.kind = TokenKind::kBin, .size = size, .data = size == 0 ? "" : data},
                bin_header_size(size) + size);
  }
  bool visit_ext(const char*, std::uint32_t) {
    return refuse(ErrorCode::kNotCanonical, "msgpack: extension type");
  }

  bool start_array(std::uint32_t size) { return open(TokenKind::kArray, size, 1); }
  bool start_map(std::uint32_t pairs) {
    if (!open(TokenKind::kMap, pairs, 2)) return false;
    last_key_[depth_] = {};
    return true;
  }
  bool start_map_key() {
    expects_key_ = true;
    return true;
  }
  bool end_array() { return close(); }
  bool end_map() { return close(); }

 private:
  bool refuse(ErrorCode code, std::string_view context) {
    error_.code = code;
    error_.context = context;
    failed_ = true;
    return false;
  }

  bool scalar(TokenKind kind, std::uint64_t number, std::size_t size) {
    return leaf({.kind = kind, .number = number}, size);
  }

  bool leaf(Token token, std::size_t size) {
    if (expects_key_) return refuse(ErrorCode::kNotCanonical, "msgpack: key is not a string");
    token.begin = at_;
    at_ += size;
    return emit(token);
  }

  bool take_key(std::string_view key) {
    expects_key_ = false;
    std::string_view& last = last_key_[depth_];
    const int order = last.data() == nullptr ? 1 : key.compare(last);
    if (order == 0) return refuse(ErrorCode::kDuplicateKey, "msgpack: key twice in a map");
    if (order < 0) return refuse(ErrorCode::kNotCanonical, "msgpack: keys out of order");
    last = key;
    return true;
  }

  bool open(TokenKind kind, std::uint32_t size, std::size_t values_each) {
    if (depth_ >= limits_.depth_max) return refuse(ErrorCode::kTooDeep, "msgpack: nesting");
    if (size > limits::kElementsPerContainer) {
      return refuse(ErrorCode::kTooLarge, "msgpack: elements of a container");
    }
    if (!leaf({.kind = kind, .size = size}, container_header_size(size))) return false;
    if (at_ > bytes_ || size * values_each > bytes_ - at_) {
      return refuse(ErrorCode::kMalformed, "msgpack: container announces more than there is");
    }
    ++depth_;
    return true;
  }

  bool close() {
    --depth_;
    Token token;
    token.kind = TokenKind::kEnd;
    token.begin = at_;
    return emit(token);
  }

  bool emit(Token& token) {
    if (++tokens_ > limits_.tokens_max) return refuse(ErrorCode::kTooLarge, "msgpack: tokens");
    if (sink_ == nullptr || depth_ > limits_.sink_depth_max) return true;
    token.depth = static_cast<std::uint32_t>(depth_);
    sink_failed_ = !sink_->take(token);
    return !sink_failed_;
  }

  std::size_t bytes_;
  const WalkLimits& limits_;
  TokenSink* sink_;
  std::size_t at_ = 0;  // sum of the minimal sizes of the tokens seen
  std::size_t tokens_ = 0;
  std::size_t depth_ = 0;
  bool expects_key_ = false;
  bool failed_ = false;
  bool sink_failed_ = false;
  Error error_;
  std::array<std::string_view, limits::kDepthWalked + 1> last_key_;  // by depth inside the map
};

// Only bounds the nesting.
class SizeVisitor : public msgpack::null_visitor {
 public:
  bool start_array(std::uint32_t) { return ++depth_ <= limits::kDepthWalked; }
  bool start_map(std::uint32_t) { return ++depth_ <= limits::kDepthWalked; }
  bool end_array() { return leave(); }
  bool end_map() { return leave(); }

 private:
  bool leave() {
    --depth_;
    return true;
  }
  std::size_t depth_ = 0;
};

// False when the bytes hold no whole value or the visitor stopped; `end` is then meaningless.
template <class Visitor>
Result<bool> parse(ByteView bytes, std::size_t& end, Visitor& visitor) {
  try {
    return msgpack::parse(as_text(bytes).data(), bytes.size(), end, visitor);
  } catch (const std::exception&) {
    return Error{ErrorCode::kInternal, "msgpack: parser failed"};
  }
}

}  // namespace

Result<std::size_t> walk(ByteView bytes, const WalkLimits& walk_limits, TokenSink* sink) {
  EBB_CHECK(walk_limits.depth_max <= limits::kDepthWalked);
  CanonicalVisitor visitor(bytes.size(), walk_limits, sink);
  std::size_t end = 0;
  EBB_ASSIGN(const bool complete, parse(bytes, end, visitor));
  if (visitor.failed()) return visitor.error();
  if (!complete) return Error{ErrorCode::kMalformed, "msgpack: truncated or reserved byte"};
  // Every token took at least its minimal size, so equal sums mean that each took just that.
  if (visitor.minimal_size() != end) {
    return Error{ErrorCode::kNotCanonical, "msgpack: longer form than needed"};
  }
  return end;
}

Result<std::size_t> value_size(ByteView bytes) {
  SizeVisitor visitor;
  std::size_t end = 0;
  EBB_ASSIGN(const bool complete, parse(bytes, end, visitor));
  if (!complete) return Error{ErrorCode::kMalformed, "msgpack: no whole value"};
  return end;
}

}  // namespace ebb::codec
