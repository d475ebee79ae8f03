#include "channel/datagrams.h"

#include <utility>

#include "core/check.h"
#include "core/planted.h"

namespace ebb::channel {
namespace {

constexpr std::uint8_t kVersion = 1;

struct Header {
  std::uint8_t type = 0;
  ReceiverIndex index = 0;
  std::uint64_t counter = 0;
};

void append_header(const Header& header, Bytes& out) {
  out.push_back(header.type);
  out.push_back(kVersion);
  append_be16(out, 0);
  append_be32(out, header.index);
  append_be64(out, header.counter);
}

std::optional<Header> read_header(ByteView wire) {
  if (wire.size() < kDatagramHeaderBytes + kTagBytes) return std::nullopt;
  if (wire.size() > limits::kDatagramBytes) return std::nullopt;
  if (wire[1] != kVersion || read_be16(wire.subspan(2)) != 0) return std::nullopt;
  return Header{wire[0], read_be32(wire.subspan(4)), read_be64(wire.subspan(8))};
}

}  // namespace

Status DatagramSealer::seal(std::uint8_t type, ByteView plain, Bytes& wire_out) {
  if (plain.size() > kDatagramPlainBytes) return Error{ErrorCode::kTooLarge, "datagram"};
  if (cipher_.nonce() >= limits::kDatagramsPerKey) {
    return Error{ErrorCode::kOutOfRange, "datagram: the key is used up"};
  }
  Bytes header;
  append_header({type, index_, cipher_.nonce()}, header);
  append(wire_out, header);
  if (planted(Bug::kPlainDatagrams)) {
    append(wire_out, plain);
    cipher_.set_nonce(cipher_.nonce() + 1);
    wire_out.resize(wire_out.size() + kTagBytes);
    return {};
  }
  EBB_CHECK(cipher_.encrypt(header, plain, wire_out).ok());
  return {};
}

std::optional<ReceiverIndex> datagram_index(ByteView wire) {
  const auto header = read_header(wire);
  return header ? std::optional(header->index) : std::nullopt;
}

std::variant<OpenedDatagram, Unopened> DatagramOpener::open(ByteView wire) {
  const auto header = read_header(wire);
  if (!header || header->index != index_) return Unopened::kMalformed;
  if (header->counter >= limits::kDatagramsPerKey) return Unopened::kMalformed;
  // Before the tag, which costs more; what is not authentic moves nothing.
  const bool taken = window_.is_taken(header->counter) && !planted(Bug::kSkipReplayWindow);
  if (taken) return Unopened::kReplayed;
  OpenedDatagram opened;
  cipher_.set_nonce(header->counter);
  const ByteView sealed = wire.subspan(kDatagramHeaderBytes);
  const bool fits = cipher_.decrypt(wire.first(kDatagramHeaderBytes), sealed, opened.plain).ok();
  if (!fits && !planted(Bug::kSkipDatagramTag)) return Unopened::kBadTag;
  opened.type = header->type;
  opened.counter = header->counter;
  opened.newest = window_.is_newest(header->counter);
  window_.take(header->counter);
  return opened;
}

}  // namespace ebb::channel
