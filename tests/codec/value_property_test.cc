// Random values are built through ValueBuilder in random key order, and compared with what a
// reader of JSON sees in to_json: a small recursive reader here, sharing no code with the codec.
#include <doctest/doctest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <map>

#include "codec/value.h"
#include "core/limits.h"
#include "core/rng.h"

using namespace ebb;
using namespace ebb::codec;

namespace {

// A JSON value as a tree; numbers as "i<text>" or "d<bits>".
struct Tree {
  char kind = 'n';  // n t f i d s a m
  std::string text = {};
  std::vector<Tree> items = {};
  std::map<std::string, Tree> fields = {};
  bool operator==(const Tree&) const = default;
};

std::string bits_text(double value) { return std::to_string(std::bit_cast<std::uint64_t>(value)); }

std::string random_text(Rng& rng) {
  static constexpr std::string_view kPieces[] = {
      "a",    "Z", "\"", "\\", "\n", "\x01", "\xc3\xa9", "\xe2\x80\xa8", "\xf0\x9f\x8c\x8a",
      "\x7f", " "};
  std::string text;
  for (std::uint64_t i = rng.below(6); i > 0; --i)
    text.append(kPieces[rng.below(11)]);
  return text;
}

double random_real(Rng& rng) {
  static constexpr double kEdges[] = {0.0, -0.0, 1.0, 5e-324, 1e22, 0.1, -2.5};
  if (rng.chance(1, 2)) return kEdges[rng.below(7)];
  const double value = std::bit_cast<double>(rng.next());
  return std::isfinite(value) ? value : 1.5;
}

Tree random_scalar(Rng& rng) {
  switch (rng.below(7)) {
    case 0:
      return {.kind = 'n'};
    case 1:
      return {.kind = 't'};
    case 2:
      return {.kind = 'f'};
    case 3:
      return {.kind = 'i', .text = std::to_string(rng.next() >> rng.below(64))};
    case 4: {
      const auto value = static_cast<std::int64_t>(rng.next() | (std::uint64_t{1} << 63));
      return {.kind = 'i', .text = std::to_string(value >> rng.below(63))};
    }
    case 5:
      return {.kind = 'd', .text = bits_text(random_real(rng))};
    default:
      return {.kind = 's', .text = random_text(rng)};
  }
}

Tree random_tree(Rng& rng, int depth) {
  if (depth == 0 || rng.chance(1, 3)) return random_scalar(rng);
  Tree tree{.kind = rng.chance(1, 2) ? 'a' : 'm'};
  for (std::uint64_t i = rng.below(depth > 6 ? 24 : 4); i > 0; --i) {
    if (tree.kind == 'a') {
      tree.items.push_back(random_tree(rng, depth - 1));
    } else {
      tree.fields[random_text(rng)] = random_tree(rng, depth - 1);
    }
  }
  return tree;
}

void build(const Tree& tree, Rng& rng, ValueBuilder& builder) {
  switch (tree.kind) {
    case 'n':
      return builder.nil();
    case 't':
      return builder.boolean(true);
    case 'f':
      return builder.boolean(false);
    case 'i':
      if (tree.text[0] == '-') return builder.integer(std::stoll(tree.text));
      return builder.uint(std::stoull(tree.text));
    case 'd':
      return builder.real(std::bit_cast<double>(std::stoull(tree.text)));
    case 's':
      return builder.str(tree.text);
    case 'a':
      builder.begin_array();
      for (const Tree& item : tree.items)
        build(item, rng, builder);
      return builder.end_array();
    default:
      break;
  }
  std::vector<std::string> keys;
  for (const auto& [key, value] : tree.fields) {
    keys.insert(keys.begin() + static_cast<std::ptrdiff_t>(rng.below(keys.size() + 1)), key);
  }
  builder.begin_map();
  for (const std::string& key : keys) {
    builder.key(key);
    build(tree.fields.at(key), rng, builder);
  }
  builder.end_map();
}

// Reads JSON as to_json writes it.
class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : text_(text) {}

  Tree read_all() {
    Tree tree = value();
    REQUIRE(at_ == text_.size());
    return tree;
  }

 private:
  // As REQUIRE, but without its cost for each character.
  static void need(bool condition) {
    if (!condition) FAIL("not JSON as to_json writes it");
  }
  char peek() const {
    need(at_ < text_.size());
    return text_[at_];
  }
  char next() {
    const char c = peek();
    ++at_;
    return c;
  }
  void expect(std::string_view word) {
    need(text_.substr(at_, word.size()) == word);
    at_ += word.size();
  }

  Tree value() {
    switch (peek()) {
      case 'n':
        expect("null");
        return {.kind = 'n'};
      case 't':
        expect("true");
        return {.kind = 't'};
      case 'f':
        expect("false");
        return {.kind = 'f'};
      case '"':
        return {.kind = 's', .text = string()};
      case '[':
        return array();
      case '{':
        return map();
      default:
        return number();
    }
  }

  Tree number() {
    const std::size_t end = text_.find_first_not_of("0123456789+-.e", at_);
    const std::string token(text_.substr(at_, end == std::string_view::npos ? end : end - at_));
    at_ += token.size();
    if (token.find_first_of(".e") == std::string::npos) return {.kind = 'i', .text = token};
    return {.kind = 'd', .text = bits_text(std::strtod(token.c_str(), nullptr))};
  }

  std::string string() {
    expect("\"");
    std::string text;
    while (peek() != '"')
      text.append(next_character());
    expect("\"");
    return text;
  }

  std::string next_character() {
    const char c = next();
    need(static_cast<unsigned char>(c) >= 0x20);
    if (c != '\\') return {c};
    const char escape = next();
    if (escape == 'n') return "\n";
    if (escape != 'u') return {escape};
    const std::string digits(text_.substr(at_, 4));
    at_ += 4;
    if (digits == "2028") return "\xe2\x80\xa8";
    return {static_cast<char>(std::stoi(digits, nullptr, 16))};
  }

  Tree array() {
    Tree tree{.kind = 'a'};
    expect("[");
    while (peek() != ']') {
      if (!tree.items.empty()) expect(",");
      tree.items.push_back(value());
    }
    expect("]");
    return tree;
  }

  Tree map() {
    Tree tree{.kind = 'm'};
    std::string last;
    expect("{");
    while (peek() != '}') {
      if (!tree.fields.empty()) expect(",");
      std::string key = string();
      need(tree.fields.empty() || last < key);
      expect(":");
      tree.fields[key] = value();
      last = std::move(key);
    }
    expect("}");
    return tree;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

TEST_CASE("any value that is built is canonical and reads back equal") {
  ValueBuilder builder(limits::kPayloadBytes, limits::kDepth);
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    CAPTURE(seed);
    Rng rng(seed);
    const Tree tree = random_tree(rng, static_cast<int>(limits::kDepth));
    build(tree, rng, builder);
    const auto value = builder.finish();
    REQUIRE(value.ok());
    REQUIRE(validate(*value, limits::kPayloadBytes, limits::kDepth).ok());
    const auto text = to_json(*value);
    REQUIRE(text.ok());
    REQUIRE((JsonReader(*text).read_all() == tree));
    // The order in which keys came changes nothing.
    build(tree, rng, builder);
    REQUIRE(builder.finish().value() == *value);
  }
}
