#include <algorithm>
#include <cmath>

#include "codec/utf8.h"
#include "codec/value.h"
#include "core/check.h"
#include "core/limits.h"

namespace ebb::codec {
namespace {

// One key with its value: they stand in the buffer behind each other.
struct Entry {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;  // set when the next entry begins or the map ends
  std::uint32_t text_begin = 0;
  std::uint32_t text_size = 0;
};

// A container that is open. Its header is one byte until its size is known.
struct Open {
  bool is_map = false;
  bool sorted = true;
  bool has_key = false;  // a key was written, its value not yet
  std::uint32_t header = 0;
  std::uint32_t count = 0;
  std::size_t first_entry = 0;
};

}  // namespace

struct ValueBuilder::State {
  std::size_t bytes_max;
  std::size_t depth_max;
  Bytes buffer = {};
  Bytes scratch = {};
  std::vector<Open> open = {};
  std::vector<Entry> entries = {};  // of all open maps, innermost last
  bool complete = false;
  bool failed = false;
  Error error = {};

  void fail(ErrorCode code, std::string_view context, std::string_view detail = {}) {
    failed = true;
    error = Error{code, context, std::string(detail)};
  }

  std::uint32_t at() const { return static_cast<std::uint32_t>(buffer.size()); }
  std::string_view key_of(const Entry& entry) const {
    return as_text(ByteView(buffer).subspan(entry.text_begin, entry.text_size));
  }

  // Room for `bytes` more; false, with the error set, when that is over the bound.
  bool fits(std::size_t bytes) {
    if (failed) return false;
    if (bytes > bytes_max || buffer.size() > bytes_max - bytes) {
      fail(ErrorCode::kTooLarge, "value: bytes");
    }
    return !failed;
  }

  // Before each value.
  bool begin_value(std::size_t bytes) {
    if (!fits(bytes)) return false;
    EBB_CHECK(!complete);
    if (open.empty()) return true;
    Open& top = open.back();
    if (top.is_map) {
      EBB_CHECK(top.has_key);
      top.has_key = false;
    }
    if (++top.count > limits::kElementsPerContainer) {
      fail(ErrorCode::kTooLarge, "value: elements of a container");
    }
    return !failed;
  }

  // After each value.
  void end_value() { complete = open.empty(); }

  void begin_container(bool is_map) {
    if (!begin_value(1)) return;
    if (open.size() >= depth_max) return fail(ErrorCode::kTooDeep, "value: nesting");
    open.push_back({.is_map = is_map, .header = at(), .first_entry = entries.size()});
    buffer.push_back(0);
  }

  void end_container(bool is_map) {
    if (failed) return;
    EBB_CHECK(!open.empty() && open.back().is_map == is_map && !open.back().has_key);
    const Open top = open.back();
    open.pop_back();
    if (is_map && !finish_map(top)) return;
    write_header(top);
    entries.resize(top.first_entry);
    end_value();
  }

  void write_header(const Open& container) {
    Bytes header;
    Writer writer(header);
    container.is_map ? writer.map(container.count) : writer.array(container.count);
    if (!fits(header.size() - 1)) return;
    buffer[container.header] = header[0];
    buffer.insert(buffer.begin() + container.header + 1, header.begin() + 1, header.end());
  }

  // Brings the entries into the order of their keys; false when a key is there twice.
  bool finish_map(const Open& map) {
    if (entries.size() == map.first_entry) return true;
    entries.back().end = at();
    if (map.sorted) return true;
    const auto first = entries.begin() + static_cast<std::ptrdiff_t>(map.first_entry);
    std::sort(first, entries.end(),
              [this](const Entry& a, const Entry& b) { return key_of(a) < key_of(b); });
    const auto twin = std::adjacent_find(
        first, entries.end(),
        [this](const Entry& a, const Entry& b) { return key_of(a) == key_of(b); });
    if (twin != entries.end()) {
      fail(ErrorCode::kDuplicateKey, "value", key_of(*twin));
      return false;
    }
    scratch.clear();
    for (auto entry = first; entry != entries.end(); ++entry) {
      append(scratch, ByteView(buffer).subspan(entry->begin, entry->end - entry->begin));
    }
    std::copy(scratch.begin(), scratch.end(), buffer.begin() + map.header + 1);
    return true;
  }

  void add_key(std::string_view text) {
    if (!fits(text.size())) return;
    EBB_CHECK(!open.empty() && open.back().is_map && !open.back().has_key);
    if (!is_utf8(text)) return fail(ErrorCode::kMalformed, "value: key is not UTF-8");
    Open& map = open.back();
    Entry entry{.begin = at()};
    Writer(buffer).str(text);
    entry.text_size = static_cast<std::uint32_t>(text.size());
    entry.text_begin = at() - entry.text_size;
    if (entries.size() > map.first_entry) {
      entries.back().end = entry.begin;
      map.sorted = map.sorted && key_of(entries.back()) < key_of(entry);
    }
    entries.push_back(entry);
    map.has_key = true;
  }

  void reset() {
    buffer.clear();
    open.clear();
    entries.clear();
    complete = false;
    failed = false;
    error = {};
  }
};

ValueBuilder::ValueBuilder(std::size_t bytes_max, std::size_t depth_max)
    : state_(std::make_unique<State>(State{.bytes_max = bytes_max, .depth_max = depth_max})) {
  EBB_CHECK(bytes_max < UINT32_MAX / 2);
}

ValueBuilder::~ValueBuilder() = default;

void ValueBuilder::nil() {
  if (!state_->begin_value(1)) return;
  Writer(state_->buffer).nil();
  state_->end_value();
}

void ValueBuilder::boolean(bool value) {
  if (!state_->begin_value(1)) return;
  Writer(state_->buffer).boolean(value);
  state_->end_value();
}

void ValueBuilder::uint(std::uint64_t value) {
  if (!state_->begin_value(1)) return;
  Writer(state_->buffer).uint(value);
  state_->end_value();
}

void ValueBuilder::integer(std::int64_t value) {
  if (!state_->begin_value(1)) return;
  Writer(state_->buffer).integer(value);
  state_->end_value();
}

void ValueBuilder::real(double value) {
  if (!state_->begin_value(1)) return;
  if (!std::isfinite(value)) return state_->fail(ErrorCode::kOutOfRange, "value: not finite");
  Writer(state_->buffer).real(value);
  state_->end_value();
}

void ValueBuilder::str(std::string_view text) {
  if (!state_->begin_value(text.size())) return;
  if (!is_utf8(text)) return state_->fail(ErrorCode::kMalformed, "value: text is not UTF-8");
  Writer(state_->buffer).str(text);
  state_->end_value();
}

void ValueBuilder::begin_array() { state_->begin_container(false); }
void ValueBuilder::end_array() { state_->end_container(false); }
void ValueBuilder::begin_map() { state_->begin_container(true); }
void ValueBuilder::end_map() { state_->end_container(true); }
void ValueBuilder::key(std::string_view text) { state_->add_key(text); }

Result<Bytes> ValueBuilder::finish() {
  State& state = *state_;
  // Headers are not counted while it grows.
  if (!state.failed && state.buffer.size() > state.bytes_max) {
    state.fail(ErrorCode::kTooLarge, "value: bytes");
  }
  if (!state.failed && !state.complete) {
    state.fail(ErrorCode::kMalformed, "value: not complete");
  }
  if (state.failed) {
    Error error = std::move(state.error);
    state.reset();
    return error;
  }
  // A copy of just its size: the buffer stays warm for the next value.
  Bytes value = to_bytes(state.buffer);
  state.reset();
  return value;
}

}  // namespace ebb::codec
