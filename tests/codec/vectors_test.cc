// The codec against the bytes in tests/vectors, in both directions.
#include <doctest/doctest.h>

#include "codec/frame.h"
#include "codec/message.h"
#include "codec/segment.h"
#include "codec/value.h"
#include "core/limits.h"
#include "tests/codec/samples.h"
#include "tests/vectors/vector_file.h"

using namespace ebb;
using namespace ebb::codec;
using namespace ebb::tests;

TEST_CASE("golden values are canonical and print as their JSON") {
  const VectorFile file("values.txt");
  CHECK(file.entries().size() >= 30);
  for (const auto& [json, bytes] : file.entries()) {
    const std::string_view text = json;
    CAPTURE(text);
    CHECK(validate(bytes, limits::kPayloadBytes, limits::kDepth).ok());
    const auto printed = to_json(bytes);
    REQUIRE(printed.ok());
    CHECK(*printed == json);
  }
}

TEST_CASE("golden events") {
  const VectorFile file("events.txt");
  CHECK(sample_payload() == file.at("payload"));
  CHECK(sample_event(1) == file.at("event 1"));
  CHECK(sample_event(2) == file.at("event 2"));
  const auto full = decode_event(file.at("event 1"));
  REQUIRE(full.ok());
  CHECK(full->suspect_time());
  CHECK(full->hlc == Hlc::at({kSampleMs}, 1));
  CHECK(full->ts_ms == -1);
  CHECK(full->type == "page.view");
  CHECK(full->source == "till-7");
  CHECK(full->schema == 300);
  CHECK(equal(full->payload, file.at("payload")));
  CHECK(full->id == counting<Uuid>(0x10));
  const auto bare = decode_event(file.at("event 2"));
  REQUIRE(bare.ok());
  CHECK_FALSE((bare->ts_ms || bare->source || bare->id || bare->suspect_time()));
}

TEST_CASE("golden messages") {
  const VectorFile file("messages.txt");
  const Bytes segment{0x97};
  const auto messages = sample_messages(segment);
  CHECK(file.entries().size() == messages.size() + 2);
  for (const auto& [name, message] : messages) {
    const std::string_view form = name;
    CAPTURE(form);
    const Bytes& golden = file.at(name);
    CHECK(message_bytes(message) == golden);
    const auto decoded = decode_message(golden);
    REQUIRE(decoded.ok());
    CHECK(decoded->index() == message.index());
    CHECK(message_bytes(*decoded) == golden);
  }
  Bytes frame;
  encode_frame(messages[0].second, frame);
  CHECK(frame == file.at("frame of hello"));
}

TEST_CASE("golden chunks: a HAVE as catch-up, interrupted by a PING") {
  const VectorFile file("messages.txt");
  const ByteView have = file.at("have");
  const Bytes& ping = file.at("ping");
  Bytes wire;
  append_chunk(Priority::kCatchUp, have.first(5), true, wire);
  append_chunk(Priority::kControl, ping, false, wire);
  append_chunk(Priority::kCatchUp, have.subspan(5), false, wire);
  CHECK(wire == file.at("mixed chunks"));
  FrameSplitter splitter;
  splitter.push(file.at("mixed chunks"));
  CHECK(to_bytes(splitter.next().value()) == ping);
  CHECK(equal(splitter.next().value(), have));
  CHECK(splitter.next().value().empty());
}

TEST_CASE("golden datagrams") {
  const VectorFile file("datagram.txt");
  const Bytes segment{0x97};
  for (const auto& sample : sample_datagrams(segment)) {
    CAPTURE(sample.first);
    const Bytes& golden = file.at(sample.first);
    CHECK(encode_datagram(sample.second) == golden);
    const auto decoded = decode_datagram(datagram_type(sample.second), golden);
    REQUIRE(decoded.ok());
    CHECK(encode_datagram(*decoded) == golden);
  }
}

TEST_CASE("golden segment, raw both ways and zstd as it is read") {
  const VectorFile file("segments.txt");
  CHECK(sample_segment(2, SegmentCodec::kRaw) == file.at("raw"));
  const auto raw = decode_segment(file.at("raw"));
  REQUIRE(raw.ok());
  CHECK(equal(raw->body, sample_body(2)));
  CHECK(raw->head.signature == counting<Signature>(0x40));
  // Which bytes zstd makes depends on its version, so they are only read.
  const auto zstd = decode_segment(file.at("zstd"));
  REQUIRE(zstd.ok());
  CHECK(zstd->codec == SegmentCodec::kZstd);
  CHECK(zstd->count == 9);
  CHECK(decode_body(zstd->codec, zstd->body).value() == sample_body(9));
}
