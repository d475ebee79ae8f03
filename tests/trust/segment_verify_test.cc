#include "trust/segment_verify.h"

#include <doctest/doctest.h>

#include "codec/event.h"
#include "codec/value.h"
#include "core/limits.h"
#include "trust/hash.h"

using namespace ebb;
using namespace ebb::trust;
using codec::SegmentCodec;

namespace {

std::unique_ptr<Identity> identity_of(std::uint8_t number) {
  REQUIRE(crypto_ready().ok());
  return std::move(Identity::from_seed(Bytes(kSeedBytes, number))).value();
}

Bytes event_bytes(std::uint64_t hlc, std::string_view text = "an event that can be compressed") {
  Bytes payload;
  codec::Writer(payload).str(text);
  codec::EventView event;
  event.hlc = {hlc};
  event.type = "t";
  event.payload = payload;
  Bytes out;
  REQUIRE(codec::encode_event(event, out).ok());
  return out;
}

// One log of one device, sealed in segments by hand.
struct Author {
  std::unique_ptr<Identity> identity = identity_of(1);
  LogKey key{identity->device(), 42, "events"};
  Hash chain = chain_start(key);
  Seq next = 1;

  // Any bytes may be sealed: an author is free to sign what is not valid.
  VerifiedSegment seal(const std::vector<Bytes>& events, Hlc first, Hlc last) {
    SealRequest request;
    request.key = key;
    request.log = log_id(key);
    request.first_seq = next;
    request.prev_chain = chain;
    request.first_hlc = first;
    request.last_hlc = last;
    Bytes raw;
    request.offsets = {0};
    for (const Bytes& event : events) {
      append(raw, event);
      request.offsets.push_back(static_cast<std::uint32_t>(raw.size()));
    }
    request.raw = share(std::move(raw));
    VerifiedSegment segment = seal_segment(*identity, std::move(request));
    chain = segment.chain;
    next = segment.last_seq() + 1;
    return segment;
  }

  // `count` valid events whose hlc are their seqs.
  VerifiedSegment seal_valid(std::uint32_t count) {
    std::vector<Bytes> events;
    const Seq first = next;
    for (std::uint32_t i = 0; i < count; ++i)
      events.push_back(event_bytes(first + i));
    return seal(events, {first}, {first + count - 1});
  }
};

void check_same(const VerifiedSegment& a, const VerifiedSegment& b) {
  CHECK(a.key == b.key);
  CHECK(a.log == b.log);
  CHECK(a.first_seq == b.first_seq);
  CHECK(a.count == b.count);
  CHECK(a.prev_chain == b.prev_chain);
  CHECK(a.head == b.head);
  CHECK(a.chain == b.chain);
  CHECK(a.first_hlc == b.first_hlc);
  CHECK(a.codec == b.codec);
  CHECK(*a.encoded == *b.encoded);
  CHECK(*a.raw == *b.raw);
  CHECK(a.offsets == b.offsets);
  CHECK(a.invalid_from == b.invalid_from);
}

VerifiedSegment verified(const VerifiedSegment& segment) {
  auto result = verify_segment(segment.key, segment.encoded);
  REQUIRE(result.ok());
  return std::move(result).value();
}

template <class T>
ErrorCode code_of(const Result<T>& result) {
  REQUIRE_FALSE(result.ok());
  return result.error().code;
}

// As the store merges: from their bytes.
Result<VerifiedSegment> merged_of(const std::vector<VerifiedSegment>& parts, SegmentCodec codec) {
  std::vector<SharedBytes> encoded;
  for (const VerifiedSegment& part : parts)
    encoded.push_back(part.encoded);
  return merge_segments(parts.empty() ? LogKey{} : parts.front().key, encoded, codec);
}

}  // namespace

TEST_CASE("what was sealed verifies, and every field comes back") {
  Author author;
  check_same(verified(author.seal_valid(1)), Author().seal_valid(1));
  const VerifiedSegment second = author.seal_valid(100);
  CHECK(second.first_seq == 2);
  check_same(verified(second), second);
}

TEST_CASE("a segment of another log, or with one bit changed, is not believed") {
  Author author;
  const VerifiedSegment segment = author.seal_valid(3);
  LogKey other = author.key;
  other.incarnation += 1;
  CHECK(code_of(verify_segment(other, segment.encoded)) == ErrorCode::kBadChain);
  for (std::size_t byte = 0; byte < segment.encoded->size(); ++byte) {
    Bytes changed = *segment.encoded;
    changed[byte] ^= 1;
    CHECK_FALSE(verify_segment(author.key, share(std::move(changed))).ok());
  }
}

TEST_CASE("a cut segment verifies by itself from its new start") {
  Author author;
  const VerifiedSegment whole = author.seal_valid(10);
  for (Seq first = 1; first <= 10; ++first) {
    const auto rest = cut_segment(whole, first);
    REQUIRE(rest.ok());
    CHECK(rest->first_seq == first);
    CHECK(rest->count == 11 - first);
    CHECK(rest->head == whole.head);
    check_same(verified(*rest), *rest);
  }
  CHECK(code_of(cut_segment(whole, 0)) == ErrorCode::kInvalidArgument);
  CHECK(code_of(cut_segment(whole, 11)) == ErrorCode::kInvalidArgument);
}

TEST_CASE("merged segments verify as one, raw and compressed, and can be cut again") {
  Author author;
  const std::vector<VerifiedSegment> parts{author.seal_valid(1), author.seal_valid(7),
                                           author.seal_valid(20)};
  for (const SegmentCodec codec : {SegmentCodec::kRaw, SegmentCodec::kZstd}) {
    const auto merged = merged_of(parts, codec);
    REQUIRE(merged.ok());
    CHECK(merged->codec == codec);
    CHECK(merged->count == 28);
    CHECK(merged->head == parts.back().head);
    check_same(verified(*merged), *merged);
    const auto rest = cut_segment(*merged, 9);
    REQUIRE(rest.ok());
    CHECK(rest->prev_chain == parts[2].prev_chain);
    CHECK(*rest->raw == *parts[2].raw);
    check_same(verified(*rest), *rest);
  }
}

TEST_CASE("segments that do not meet are not merged") {
  Author author;
  const VerifiedSegment one = author.seal_valid(2);
  const VerifiedSegment two = author.seal_valid(2);
  const VerifiedSegment three = author.seal_valid(2);
  CHECK(code_of(merged_of({}, SegmentCodec::kRaw)) == ErrorCode::kInvalidArgument);
  CHECK(code_of(merged_of({one, three}, SegmentCodec::kRaw)) == ErrorCode::kGap);
  CHECK(code_of(merged_of({two, one}, SegmentCodec::kRaw)) == ErrorCode::kGap);
  Author fork;
  fork.seal({event_bytes(1, "x"), event_bytes(2, "y")}, {1}, {2});
  const VerifiedSegment other = fork.seal_valid(2);
  CHECK(code_of(merged_of({one, other}, SegmentCodec::kRaw)) == ErrorCode::kBadSignature);
}

TEST_CASE("merging stops at the limits of a segment") {
  Author author;
  const std::vector<VerifiedSegment> full{author.seal_valid(limits::kSegmentEvents),
                                          author.seal_valid(1)};
  check_same(verified(full[0]), full[0]);
  CHECK(code_of(merged_of(full, SegmentCodec::kZstd)) == ErrorCode::kTooLarge);
}

TEST_CASE("a bad event under a good signature is its author's fault and caps the log") {
  const Bytes good = event_bytes(1);
  const Bytes later = event_bytes(9);
  Bytes not_canonical{0xdc, 0x00, 0x08};
  not_canonical.insert(not_canonical.end(), good.begin() + 1, good.end());
  const std::vector<Bytes> bad_ones{
      not_canonical,   // a longer form than needed
      {0x01},          // no event
      event_bytes(1),  // hlc does not increase
      {0xd4, 0, 0},    // an extension
  };
  for (const Bytes& bad : bad_ones) {
    Author author;
    const VerifiedSegment segment = author.seal({good, bad, later}, {1}, {9});
    const auto result = verify_segment(segment.key, segment.encoded);
    REQUIRE(result.ok());
    CHECK(result->invalid_from == 2);
    CHECK(result->count == 3);
    CHECK(result->chain == segment.chain);
    CHECK(equal(result->event_bytes(2), later));
  }
}

TEST_CASE("a body that cannot be split into its events is the peer's fault") {
  Author author;
  const VerifiedSegment truncated = author.seal({event_bytes(1), {0x92, 0x01}}, {1}, {2});
  CHECK(code_of(verify_segment(author.key, truncated.encoded)) == ErrorCode::kMalformed);
  Author other;
  Bytes two = event_bytes(1);
  append(two, event_bytes(2));
  const VerifiedSegment too_many = other.seal({two}, {1}, {2});
  CHECK(code_of(verify_segment(other.key, too_many.encoded)) == ErrorCode::kMalformed);
}

TEST_CASE("the head states the hlc of the last event") {
  Author author;
  const VerifiedSegment segment = author.seal({event_bytes(1), event_bytes(2)}, {1}, {3});
  CHECK(code_of(verify_segment(author.key, segment.encoded)) == ErrorCode::kMalformed);
}

TEST_CASE("an event of a newer format is held: it has an hlc and is no fault") {
  const auto newer = [](std::uint64_t hlc) {
    Bytes out;
    codec::Writer writer(out);
    writer.array(3);
    writer.uint(2);
    writer.uint(hlc);
    writer.str("future");
    return out;
  };
  Author author;
  const VerifiedSegment segment = author.seal({newer(5), event_bytes(6), newer(7)}, {5}, {7});
  check_same(verified(segment), segment);
  Author back;
  const VerifiedSegment falling = back.seal({newer(5), event_bytes(5)}, {5}, {5});
  const auto result = verify_segment(back.key, falling.encoded);
  REQUIRE(result.ok());
  CHECK(result->invalid_from == 2);
}

TEST_CASE("merging and cutting judge events as verifying the result would") {
  Author author;
  std::vector<VerifiedSegment> parts;
  parts.push_back(author.seal({event_bytes(10), event_bytes(11)}, {10}, {11}));
  parts.push_back(
      author.seal({event_bytes(11), event_bytes(12)}, {11}, {12}));  // does not increase
  parts.push_back(author.seal({event_bytes(13)}, {13}, {13}));
  const auto merged = merged_of(parts, SegmentCodec::kRaw);
  REQUIRE(merged.ok());
  CHECK(merged->invalid_from == 3);
  check_same(verified(*merged), *merged);
  const auto after = cut_segment(*merged, 3);
  REQUIRE(after.ok());
  CHECK(after->invalid_from == 0);
  check_same(verified(*after), *after);
}
