#include "channel/records.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/check.h"
#include "core/limits.h"

namespace ebb::channel {
namespace {

constexpr std::uint16_t kEndBit = 0x8000;
constexpr std::size_t kSealedMin = kTagBytes + 1;
constexpr std::size_t kSealedMax = limits::kSealedRecordBytes + kTagBytes;
static_assert(kSealedMax < kEndBit);

// Behind each record, at both ends: the nonce is the number of records so far.
void change_key_when_due(CipherState& cipher) {
  if (cipher.nonce() % limits::kRecordsPerKey == 0) cipher.rekey();
}

}  // namespace

void RecordSealer::seal(ByteView plain, Bytes& wire_out) {
  EBB_CHECK(!finished_);
  while (!plain.empty()) {
    const std::size_t size = std::min(plain.size(), limits::kSealedRecordBytes);
    seal_one(plain.first(size), false, wire_out);
    plain = plain.subspan(size);
  }
}

void RecordSealer::finish(Bytes& wire_out) {
  EBB_CHECK(!finished_);
  seal_one({}, true, wire_out);
  finished_ = true;
  cipher_.erase();
}

void RecordSealer::seal_one(ByteView plain, bool end, Bytes& wire_out) {
  const auto header = static_cast<std::uint16_t>((end ? kEndBit : 0U) | (plain.size() + kTagBytes));
  const std::array<std::uint8_t, kRecordHeaderBytes> associated = {
      static_cast<std::uint8_t>(header >> 8), static_cast<std::uint8_t>(header & 0xff)};
  append(wire_out, associated);
  EBB_CHECK(cipher_.encrypt(associated, plain, wire_out).ok());
  change_key_when_due(cipher_);
}

Status RecordOpener::receive(ByteView wire, Bytes& plain_out) {
  if (broken_) return *broken_;
  while (!wire.empty()) {
    if (ended_) return fail({ErrorCode::kMalformed, "records: bytes behind the end"});
    // A whole record is opened where it lies; only one in pieces is put together first.
    if (buffer_.empty() && wire.size() >= kRecordHeaderBytes) {
      const auto size = record_bytes(wire);
      if (!size) return fail({ErrorCode::kMalformed, "records: header"});
      if (wire.size() >= *size) {
        EBB_RETURN_IF_ERROR(open_one(wire.first(*size), plain_out));
        wire = wire.subspan(*size);
        continue;
      }
    }
    std::size_t wanted = kRecordHeaderBytes;
    if (buffer_.size() >= kRecordHeaderBytes) wanted = *record_bytes(buffer_);
    const std::size_t piece = std::min(wanted - buffer_.size(), wire.size());
    append(buffer_, wire.first(piece));
    wire = wire.subspan(piece);
    if (buffer_.size() < wanted) continue;
    if (wanted == kRecordHeaderBytes) {
      if (!record_bytes(buffer_)) return fail({ErrorCode::kMalformed, "records: header"});
      continue;
    }
    const Bytes record = std::exchange(buffer_, {});
    EBB_RETURN_IF_ERROR(open_one(record, plain_out));
  }
  return {};
}

std::optional<std::size_t> RecordOpener::record_bytes(ByteView header) {
  const std::uint16_t bits = read_be16(header);
  const std::size_t sealed = bits & static_cast<std::uint16_t>(~kEndBit);
  const bool end = (bits & kEndBit) != 0;
  const bool possible = end ? sealed == kTagBytes : sealed >= kSealedMin && sealed <= kSealedMax;
  if (!possible) return std::nullopt;
  return kRecordHeaderBytes + sealed;
}

Status RecordOpener::open_one(ByteView record, Bytes& plain_out) {
  const ByteView header = record.first(kRecordHeaderBytes);
  const ByteView sealed = record.subspan(kRecordHeaderBytes);
  if (const Status opened = cipher_.decrypt(header, sealed, plain_out); !opened.ok()) {
    return fail(opened.error());
  }
  change_key_when_due(cipher_);
  if ((read_be16(header) & kEndBit) != 0) {
    ended_ = true;
    cipher_.erase();
  }
  return {};
}

Status RecordOpener::fail(Error error) {
  broken_ = std::move(error);
  buffer_ = Bytes();
  cipher_.erase();
  return *broken_;
}

StreamEnd RecordOpener::end() const {
  if (broken_) return StreamEnd::kBroken;
  return ended_ ? StreamEnd::kOrderly : StreamEnd::kTruncated;
}

}  // namespace ebb::channel
