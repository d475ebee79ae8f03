#include "codec/value.h"

#include "codec/walk.h"
#include "core/limits.h"

namespace ebb::codec {
namespace {

// Keeps the outermost token.
class ScalarSink final : public TokenSink {
 public:
  bool take(const Token& token) override {
    if (token.kind != TokenKind::kEnd) token_ = token;
    return true;
  }
  const Token& token() const { return token_; }

 private:
  Token token_;
};

// Finds the extent of one top-level key's value, and stops the walk as soon as it is known.
class KeySink final : public TokenSink {
 public:
  explicit KeySink(std::string_view key) : key_(key) {}

  bool take(const Token& token) override {
    if (token.depth == 0 && token.kind != TokenKind::kEnd) {
      return token.kind == TokenKind::kMap || refuse(ErrorCode::kNotFound, "map: not a map");
    }
    if (token.is_key || token.depth == 0) return at_key_or_end(token);
    if (matched_ && begin_ == 0) begin_ = token.begin;
    return true;
  }
  bool found() const { return end_ != 0; }
  ByteView slice(ByteView map) const { return map.subspan(begin_, end_ - begin_); }

 private:
  bool at_key_or_end(const Token& token) {
    if (matched_) {
      end_ = token.begin;
      return refuse(ErrorCode::kExists, "map: found");
    }
    matched_ = token.is_key && token.text() == key_;
    return true;
  }

  std::string_view key_;
  bool matched_ = false;
  std::size_t begin_ = 0;  // 0: not seen; no value begins at the map's own header
  std::size_t end_ = 0;
};

std::optional<Token> scalar(ByteView value) {
  ScalarSink sink;
  const auto size = walk(value, {.sink_depth_max = 0}, &sink);
  if (!size || *size != value.size()) return std::nullopt;
  return sink.token();
}

}  // namespace

Status validate(ByteView value, std::size_t bytes_max, std::size_t depth_max) {
  if (value.size() > bytes_max) return Error{ErrorCode::kTooLarge, "value"};
  EBB_ASSIGN(const std::size_t size, walk(value, {.depth_max = depth_max}, nullptr));
  if (size != value.size()) return Error{ErrorCode::kMalformed, "value: bytes behind it"};
  return {};
}

std::optional<ByteView> map_get(ByteView value, std::string_view key) {
  KeySink sink(key);
  const auto size = walk(value, {.depth_max = limits::kDepthWalked, .sink_depth_max = 1}, &sink);
  // The walk was stopped on purpose when the value was found, so its error says nothing.
  if (size || !sink.found()) return std::nullopt;
  return sink.slice(value);
}

std::optional<std::int64_t> as_int(ByteView value) {
  const auto token = scalar(value);
  if (!token) return std::nullopt;
  if (token->kind == TokenKind::kNegative) return static_cast<std::int64_t>(token->number);
  if (token->kind != TokenKind::kUint || token->number > INT64_MAX) return std::nullopt;
  return static_cast<std::int64_t>(token->number);
}

std::optional<std::string_view> as_str(ByteView value) {
  const auto token = scalar(value);
  if (!token || token->kind != TokenKind::kStr) return std::nullopt;
  return token->text();
}

}  // namespace ebb::codec
