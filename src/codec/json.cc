#include <array>
#include <bit>
#include <charconv>

#include "codec/value.h"
#include "codec/walk.h"
#include "core/check.h"
#include "core/limits.h"

namespace ebb::codec {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

template <class Number>
void append_number(std::string& out, Number value) {
  std::array<char, 32> text{};  // the longest double takes 24
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
  EBB_CHECK(end.ec == std::errc{});
  out.append(text.data(), end.ptr);
}

void append_real(std::string& out, double value) {
  const std::size_t begin = out.size();
  append_number(out, value);
  // Without '.' or exponent it would be read back as an integer.
  if (out.find_first_of(".e", begin) == std::string::npos) out.append(".0");
}

void append_base64(std::string& out, ByteView bytes) {
  std::size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const std::uint32_t group = static_cast<std::uint32_t>(bytes[i]) << 16 |
                                static_cast<std::uint32_t>(bytes[i + 1]) << 8 | bytes[i + 2];
    for (int shift = 18; shift >= 0; shift -= 6)
      out.push_back(kBase64[(group >> shift) & 63]);
  }
  const std::size_t rest = bytes.size() - i;
  if (rest == 0) return;
  std::uint32_t group = static_cast<std::uint32_t>(bytes[i]) << 16;
  if (rest == 2) group |= static_cast<std::uint32_t>(bytes[i + 1]) << 8;
  out.push_back(kBase64[group >> 18]);
  out.push_back(kBase64[(group >> 12) & 63]);
  out.push_back(rest == 2 ? kBase64[(group >> 6) & 63] : '=');
  out.push_back('=');
}

void append_control(std::string& out, unsigned char c) {
  switch (c) {
    case '\b':
      out.append("\\b");
      return;
    case '\t':
      out.append("\\t");
      return;
    case '\n':
      out.append("\\n");
      return;
    case '\f':
      out.append("\\f");
      return;
    case '\r':
      out.append("\\r");
      return;
    default:
      break;
  }
  out.append("\\u00").append(1, kHexDigits[c >> 4]).append(1, kHexDigits[c & 15]);
}

// U+2028 and U+2029 end a line in JavaScript, so a JSON text that holds them raw is no line.
bool is_line_separator(std::string_view text) {
  return text.starts_with("\xe2\x80\xa8") || text.starts_with("\xe2\x80\xa9");
}

class JsonSink final : public TokenSink {
 public:
  explicit JsonSink(std::string& out) : out_(out) {}

  bool take(const Token& token) override {
    if (token.kind == TokenKind::kEnd) {
      out_.push_back(is_map_[token.depth] ? '}' : ']');
      needs_comma_ = true;
      return true;
    }
    if (needs_comma_) out_.push_back(',');
    needs_comma_ = !token.is_key;
    append(token);
    if (token.is_key) out_.push_back(':');
    return true;
  }

 private:
  void append(const Token& token) {
    switch (token.kind) {
      case TokenKind::kNil:
        out_.append("null");
        break;
      case TokenKind::kBoolean:
        out_.append(token.number != 0 ? "true" : "false");
        break;
      case TokenKind::kUint:
        append_number(out_, token.number);
        break;
      case TokenKind::kNegative:
        append_number(out_, static_cast<std::int64_t>(token.number));
        break;
      case TokenKind::kReal:
        append_real(out_, std::bit_cast<double>(token.number));
        break;
      case TokenKind::kStr:
        append_json_string(out_, token.text());
        break;
      case TokenKind::kBin:
        out_.push_back('"');
        append_base64(out_, token.bytes());
        out_.push_back('"');
        break;
      case TokenKind::kArray:
        open(token, '[');
        break;
      case TokenKind::kMap:
        open(token, '{');
        break;
      case TokenKind::kEnd:
        break;
    }
  }

  void open(const Token& token, char bracket) {
    out_.push_back(bracket);
    is_map_[token.depth] = bracket == '{';
    needs_comma_ = false;
  }

  std::string& out_;
  bool needs_comma_ = false;
  std::array<bool, limits::kDepthWalked> is_map_{};  // by depth around the container
};

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  std::size_t plain = 0;  // start of what is copied as it is
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\' && c != 0xe2) continue;
    if (c == 0xe2 && !is_line_separator(text.substr(i))) continue;
    out.append(text, plain, i - plain);
    plain = i + 1;
    if (c < 0x20) {
      append_control(out, c);
    } else if (c == 0xe2) {
      out.append(text[i + 2] == '\xa8' ? "\\u2028" : "\\u2029");
      plain = i + 3;
    } else {
      out.append(1, '\\').append(1, text[i]);
    }
  }
  out.append(text, plain);
  out.push_back('"');
}

Result<std::string> to_json(ByteView value) {
  std::string out;
  out.reserve(value.size() + value.size() / 2 + 16);
  JsonSink sink(out);
  EBB_ASSIGN(const std::size_t size, walk(value, {.depth_max = limits::kDepthWalked}, &sink));
  if (size != value.size()) return Error{ErrorCode::kMalformed, "value: bytes behind it"};
  return out;
}

}  // namespace ebb::codec
