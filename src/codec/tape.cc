#include "codec/tape.h"

#include <algorithm>
#include <array>

#include "codec/walk.h"
#include "core/limits.h"

namespace ebb::codec {
namespace {

// Deepest message: a log key in a signed head in the list of a YOUR_LOGS; room for later fields.
constexpr std::size_t kTapeDepth = limits::kDepth;

// Of most messages; never more than there are bytes.
constexpr std::size_t kUsualTokens = 16;

constexpr std::uint8_t number_of(TokenKind kind) { return static_cast<std::uint8_t>(kind); }

}  // namespace

class TapeSink final : public TokenSink {
 public:
  explicit TapeSink(Tape& tape) : tape_(tape) {}

  bool take(const Token& token) override {
    if (token.kind == TokenKind::kEnd) {
      tape_.entries_[open_[token.depth]].number = tape_.entries_.size();
      return true;
    }
    std::uint64_t number = token.number;
    if (token.kind == TokenKind::kStr || token.kind == TokenKind::kBin) {
      number = token.size == 0 ? 0 : offset_of(token.data);
    }
    if (token.kind == TokenKind::kArray || token.kind == TokenKind::kMap) {
      open_[token.depth] = tape_.entries_.size();
    }
    tape_.entries_.push_back({number, token.size, number_of(token.kind)});
    return true;
  }

 private:
  std::uint64_t offset_of(const char* data) const {
    return static_cast<std::uint64_t>(data - as_text(tape_.bytes_).data());
  }

  Tape& tape_;
  std::array<std::size_t, kTapeDepth + 1> open_{};  // entry of the open container, by depth
};

Result<Tape> Tape::parse(ByteView bytes) {
  Tape tape;
  tape.bytes_ = bytes;
  tape.entries_.reserve(std::min(bytes.size(), kUsualTokens));
  TapeSink sink(tape);
  const WalkLimits walk_limits{.depth_max = kTapeDepth, .tokens_max = limits::kElementsPerFrame};
  EBB_ASSIGN(const std::size_t size, walk(bytes, walk_limits, &sink));
  if (size != bytes.size()) return Error{ErrorCode::kMalformed, "message: bytes behind it"};
  return tape;
}

void TapeReader::fail(ErrorCode code) {
  if (ok_) code_ = code;
  ok_ = false;
}

Status TapeReader::status() const {
  if (ok_) return {};
  return Error{code_, context_};
}

// The entry ahead, and the reader one further; null when it is of another kind.
const Tape::Entry* TapeReader::take(std::uint8_t kind) {
  if (ok_ && at_ < tape_.entries_.size() && tape_.entries_[at_].kind == kind) {
    return &tape_.entries_[at_++];
  }
  fail(ErrorCode::kMalformed);
  return nullptr;
}

TapeReader::Array TapeReader::enter(std::size_t elements_min) {
  const Tape::Entry* entry = take(number_of(TokenKind::kArray));
  if (entry == nullptr) return {};
  if (entry->size < elements_min) {
    fail(ErrorCode::kMalformed);
    return {};
  }
  return {entry->size, entry->number};
}

TapeReader::Array TapeReader::enter_exactly(std::size_t elements) {
  const Array array = enter(elements);
  if (array.size != elements) fail(ErrorCode::kMalformed);
  return array;
}

TapeReader::Array TapeReader::enter_list(std::size_t elements_max) {
  const Array array = enter(0);
  if (array.size <= elements_max) return array;
  fail(ErrorCode::kTooLarge);
  return {};
}

void TapeReader::leave(const Array& array) {
  if (ok_) at_ = array.behind;
}

std::uint64_t TapeReader::uint() {
  const Tape::Entry* entry = take(number_of(TokenKind::kUint));
  return entry == nullptr ? 0 : entry->number;
}

std::uint64_t TapeReader::uint_up_to(std::uint64_t max) {
  const std::uint64_t value = uint();
  if (value <= max) return value;
  fail(ErrorCode::kMalformed);
  return 0;
}

std::int64_t TapeReader::integer() {
  const bool negative = ok_ && at_ < tape_.entries_.size() &&
                        tape_.entries_[at_].kind == number_of(TokenKind::kNegative);
  if (!negative) return static_cast<std::int64_t>(uint_up_to(INT64_MAX));
  return static_cast<std::int64_t>(tape_.entries_[at_++].number);
}

bool TapeReader::boolean() {
  const Tape::Entry* entry = take(number_of(TokenKind::kBoolean));
  return entry != nullptr && entry->number != 0;
}

std::string_view TapeReader::str(std::size_t bytes_max) {
  const Tape::Entry* entry = take(number_of(TokenKind::kStr));
  if (entry == nullptr) return {};
  if (entry->size > bytes_max) {
    fail(ErrorCode::kTooLarge);
    return {};
  }
  return as_text(tape_.bytes_.subspan(entry->number, entry->size));
}

ByteView TapeReader::bin() {
  const Tape::Entry* entry = take(number_of(TokenKind::kBin));
  if (entry == nullptr) return {};
  return tape_.bytes_.subspan(entry->number, entry->size);
}

}  // namespace ebb::codec
