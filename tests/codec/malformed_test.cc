// Every form of the wire, cut and falsified at every byte: an error or another valid value, never a
// crash, and never more memory than a fixed multiple of the bytes received.
#include <doctest/doctest.h>

#include <initializer_list>

#include "codec/body_reader.h"
#include "codec/frame.h"
#include "core/limits.h"
#include "tests/codec/allocation_peak.h"
#include "tests/codec/samples.h"

using namespace ebb;
using namespace ebb::codec;
using namespace ebb::tests;

namespace {

using Decoder = bool (*)(ByteView);

bool take_event(ByteView bytes) {
  const auto event = decode_event(bytes);
  if (!event.ok()) return false;
  return to_json(event->payload).ok() && validate(event->payload, bytes.size(), limits::kDepth);
}

bool take_value(ByteView bytes) {
  map_get(bytes, "text");
  as_int(bytes);
  as_str(bytes);
  const bool printed = to_json(bytes).ok();
  return validate(bytes, limits::kPayloadBytes, limits::kDepth).ok() && printed;
}

bool take_body(ByteView raw, std::uint32_t count) {
  BodyReader reader(raw);
  while (!reader.at_end()) {
    if (!reader.next().ok()) return false;
  }
  return split_body(raw, count).ok();
}

bool take_segment(ByteView bytes) {
  const auto segment = decode_segment(bytes);
  if (!segment.ok()) return false;
  const auto raw = decode_body(segment->codec, segment->body);
  return raw.ok() && take_body(*raw, segment->count);
}

bool take_raw_body(ByteView bytes) { return take_body(bytes, 3); }

bool take_message(ByteView bytes) { return decode_message(bytes).ok(); }

// The type comes first, as in the header.
bool take_datagram(ByteView bytes) {
  return !bytes.empty() && decode_datagram(bytes[0], bytes.subspan(1)).ok();
}

Bytes typed(const DatagramBody& datagram) {
  Bytes bytes{datagram_type(datagram)};
  append(bytes, encode_datagram(datagram));
  return bytes;
}

bool take_stream(ByteView bytes) {
  FrameSplitter splitter;
  splitter.push(bytes);
  const auto frame = splitter.next();
  return frame.ok() && !frame->empty() && take_message(*frame);
}

constexpr Decoder kDecoders[] = {take_event,   take_value,    take_segment, take_raw_body,
                                 take_message, take_datagram, take_stream};

struct Form {
  std::string name;
  Bytes bytes;
  Decoder decode;
};

std::vector<Form> forms() {
  const Bytes small = sample_segment(1, SegmentCodec::kRaw);
  std::vector<Form> all{
      {"event", sample_event(1), take_event},
      {"event without options", sample_event(2), take_event},
      {"payload", sample_payload(), take_value},
      {"raw segment", sample_segment(3, SegmentCodec::kRaw), take_segment},
      {"zstd segment", sample_segment(9, SegmentCodec::kZstd), take_segment},
      {"body", sample_body(3), take_raw_body},
  };
  for (const auto& [name, datagram] : sample_datagrams(small)) {
    all.push_back({"datagram " + name, typed(datagram), take_datagram});
  }
  for (const auto& [name, message] : sample_messages(small)) {
    all.push_back({name, message_bytes(message), take_message});
  }
  Bytes stream;
  encode_frame(sample_hello(), stream);
  all.push_back({"stream", stream, take_stream});
  return all;
}

// What a decoder may hold beside its input: a token of 16 bytes for each byte, in a list that is
// twice as long as it was, beside what it was; and a few small things. A segment may be a zstd body
// up to its bound besides.
std::size_t allowance(const Form& form, std::size_t input) {
  const bool inflates = form.decode == take_segment;
  return 3 * 16 * input + 4096 + (inflates ? limits::kSegmentDecodedBytes + 65536 : 0);
}

// Decodes with memory watched; true when the bytes were a valid value.
bool decodes(const Form& form, const Bytes& bytes) {
  const AllocationPeak peak;
  const bool valid = form.decode(bytes);
  if (peak.bytes() > allowance(form, bytes.size())) {
    FAIL_CHECK(form.name << ": " << peak.bytes() << " bytes held for " << bytes.size());
  }
  return valid;
}

Bytes replaced(const Bytes& bytes, std::size_t at, std::initializer_list<std::uint8_t> with) {
  Bytes result(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
  result.insert(result.end(), with);
  if (at + with.size() < bytes.size()) {
    result.insert(result.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at + with.size()),
                  bytes.end());
  }
  return result;
}

constexpr std::uint8_t kValues[] = {0x00, 0x80, 0x90, 0xa0, 0xc0, 0xc1, 0xc4, 0xc6,
                                    0xca, 0xd4, 0xdb, 0xdd, 0xdf, 0xe0, 0xff};

// Headers that announce the most that they can.
const std::initializer_list<std::uint8_t> kBombs[] = {
    {0xff},
    {0xc1},
    {0xd9, 0xff},                    // str8
    {0xda, 0xff, 0xff},              // str16
    {0xdb, 0xff, 0xff, 0xff, 0xff},  // str32
    {0xc4, 0xff},                    // bin8
    {0xc5, 0xff, 0xff},              // bin16
    {0xc6, 0xff, 0xff, 0xff, 0xff},  // bin32
    {0xc7, 0xff, 0x00},              // ext8
    {0xc9, 0xff, 0xff, 0xff, 0xff},  // ext32
    {0xdc, 0xff, 0xff},              // array16
    {0xdc, 0x10, 0x00},              // array16 of as many as are allowed
    {0xdd, 0xff, 0xff, 0xff, 0xff},  // array32
    {0xde, 0xff, 0xff},              // map16
    {0xdf, 0xff, 0xff, 0xff, 0xff},  // map32
    {0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0},
    {0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
};

Bytes repeated(std::initializer_list<std::uint8_t> unit, std::size_t bytes) {
  Bytes result;
  while (result.size() + unit.size() <= bytes)
    result.insert(result.end(), unit);
  return result;
}

}  // namespace

TEST_CASE("every form decodes before it is damaged") {
  for (const Form& form : forms()) {
    CAPTURE(form.name);
    CHECK(decodes(form, form.bytes));
  }
}

TEST_CASE("no form decodes when it is cut at any byte") {
  for (const Form& form : forms()) {
    CAPTURE(form.name);
    for (std::size_t size = 0; size < form.bytes.size(); ++size) {
      const Bytes cut(form.bytes.begin(), form.bytes.begin() + static_cast<std::ptrdiff_t>(size));
      if (decodes(form, cut)) FAIL_CHECK("decodes at " << size);
    }
  }
}

TEST_CASE("any byte may have any value") {
  for (const Form& form : forms()) {
    std::size_t valid = 0;
    for (std::size_t at = 0; at < form.bytes.size(); ++at) {
      for (const std::uint8_t value : kValues) {
        if (decodes(form, replaced(form.bytes, at, {value}))) ++valid;
      }
    }
    // Numbers and ids may be others; a form that takes everything checks nothing.
    CAPTURE(form.name);
    CHECK(valid < form.bytes.size() * std::size(kValues));
  }
}

TEST_CASE("any length may be announced anywhere") {
  for (const Form& form : forms()) {
    for (std::size_t at = 0; at < form.bytes.size(); ++at) {
      for (const auto& bomb : kBombs) {
        decodes(form, replaced(form.bytes, at, bomb));
        Bytes inserted = form.bytes;
        inserted.insert(inserted.begin() + static_cast<std::ptrdiff_t>(at), bomb);
        decodes(form, inserted);
      }
    }
  }
}

TEST_CASE("a bomb of five bytes is refused by every decoder") {
  for (const Decoder decode : kDecoders) {
    for (const auto& bomb : kBombs) {
      if (bomb.size() == 5) CHECK_FALSE(decodes({"bomb", {}, decode}, Bytes(bomb)));
    }
  }
}

TEST_CASE("a list of small elements that are not what it is of costs no more than its bytes") {
  // [2, 2, [nil, ...], false]: heads, each of which is 184 bytes at least; and so for every list.
  const Bytes segment = sample_segment(1, SegmentCodec::kRaw);  // which the messages only view
  for (const auto& [name, message] : sample_messages(segment)) {
    const Form form{name, message_bytes(message), take_message};
    for (std::size_t at = 1; at < form.bytes.size(); ++at) {
      if ((form.bytes[at] & 0xf0) != 0x90) continue;
      Bytes bytes(form.bytes.begin(), form.bytes.begin() + static_cast<std::ptrdiff_t>(at));
      Writer(bytes).array(limits::kHeadsPerMessage);
      bytes.insert(bytes.end(), limits::kHeadsPerMessage, 0xc0);
      // More than enough fields behind it, whatever the message.
      bytes.insert(bytes.end(), 16, 0xc2);
      decodes(form, bytes);
      bytes.resize(bytes.size() - 15);
      decodes(form, bytes);
    }
  }
  Bytes heads;
  Writer writer(heads);
  writer.array(4);
  writer.uint(2);
  writer.uint(2);
  writer.array(limits::kHeadsPerMessage);
  heads.insert(heads.end(), limits::kHeadsPerMessage, 0xc0);
  heads.push_back(0xc2);
  CHECK_FALSE(decodes({"heads", {}, take_message}, heads));
}

TEST_CASE("nesting as deep as the bytes go is refused") {
  for (const Decoder decode : kDecoders) {
    for (const auto& unit : std::initializer_list<std::initializer_list<std::uint8_t>>{
             {0x91}, {0x81, 0xa0}, {0x92, 0xc0}, {0xdc, 0x00, 0x01}, {0xdd, 0, 0, 0x10, 0}}) {
      CHECK_FALSE(decodes({"nesting", {}, decode}, repeated(unit, 200000)));
      CHECK_FALSE(decodes({"amplifier", {}, decode}, repeated(unit, 31 << 10)));
    }
  }
}

TEST_CASE("a message of nothing but small elements costs a fixed multiple of its bytes") {
  // [8, [], 0, [nil, ...], [nil, ...], ...]: valid, with as many tokens as bytes.
  for (const std::size_t lists : {7U, 15U}) {
    Bytes bytes;
    Writer writer(bytes);
    writer.array(3 + lists);
    writer.uint(8);
    writer.array(0);
    writer.uint(0);
    for (std::size_t i = 0; i < lists; ++i) {
      writer.array(limits::kElementsPerContainer);
      bytes.insert(bytes.end(), limits::kElementsPerContainer, 0xc0);
    }
    const AllocationPeak peak;
    CHECK(take_message(bytes));
    CHECK(peak.bytes() <= 32 * bytes.size());
  }
  Bytes too_many;
  Writer writer(too_many);
  writer.array(18);
  writer.uint(8);
  for (int i = 0; i < 17; ++i) {
    writer.array(limits::kElementsPerContainer);
    too_many.insert(too_many.end(), limits::kElementsPerContainer, 0xc0);
  }
  CHECK(decode_message(too_many).error().code == ErrorCode::kTooLarge);
}
